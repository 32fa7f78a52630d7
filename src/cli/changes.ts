import type { ChangedResource, PropertyChange, TemplateChange, UpdatedResource } from '../ops/changes/change.js';
import { hanging, widthOf } from './table.js';
import type { Terminal } from './terminal.js';

/** Resources that change without harm and are told one by one; the others are counted. */
const MOST = 12;
const WIDEST = 'replaces'.length;
/** Properties of one of them. */
const MOST_PROPERTIES = 4;

/** Replacements, deletions and permissions first, then what is changed and added, then the counts; in lines of so many columns, indented by `indent`. */
export function changeLines({ isNew, replaced, deleted, orphaned, broadened, added, changed, adds, updates }: TemplateChange, out: Terminal, columns: number, indent = '  '): string[] {
  const named = ({ logicalId, type }: ChangedResource): string => `${logicalId} (${type})`;
  const may = (resource: ChangedResource): string => `${named(resource)}${resource.certain ? '' : ', maybe'}${propertiesOf(updates.find(({ logicalId }) => logicalId === resource.logicalId))}`;
  const inPlace = updates.filter(({ logicalId }) => !replaced.some((one) => one.logicalId === logicalId));
  const others = [...inPlace.map((resource) => [out.style('cyan', 'updates'), `${named(resource)}${propertiesOf(resource)}`]), ...adds.map((resource) => [out.style('green', 'adds'), named(resource)])];
  const lines = [
    ...replaced.map((resource) => [out.style('red', 'replaces'), may(resource)]),
    ...deleted.map((resource) => [out.style('red', 'deletes'), named(resource)]),
    ...orphaned.map((resource) => [out.style('yellow', 'leaves'), `${named(resource)}, which stays and is nobody's`]),
    ...broadened.map((text) => [out.style('yellow', 'permits'), text]),
    ...others.slice(0, MOST),
  ].map(([what = '', text = '']) => hanging(`${indent}${what}${' '.repeat(Math.max(0, WIDEST - widthOf(what)))}`, text, columns, indent.length + 4));
  return [...lines, ...(others.length > MOST ? [`${indent}… and ${others.length - MOST} more`] : []), `${indent}${isNew ? 'new stack, ' : ''}+${added} ~${changed} -${deleted.length + orphaned.length}`];
}

function propertiesOf(resource: UpdatedResource | undefined): string {
  if (!resource || resource.properties.length === 0) return '';
  const shown = resource.properties.slice(0, MOST_PROPERTIES).map(propertyText).join(', ');
  return `: ${shown}${resource.properties.length > MOST_PROPERTIES ? ` and ${resource.properties.length - MOST_PROPERTIES} more` : ''}`;
}

function propertyText({ name, from, to }: PropertyChange): string {
  return from === to || (from === undefined && to === '…') ? name : `${name} ${from ?? 'none'} → ${to ?? 'none'}`;
}

/** The same for programs. */
export function changeData(change: TemplateChange | undefined): object {
  if (!change) return { changed: false };
  const { isNew, replaced, deleted, orphaned, broadened, adds, updates, added } = change;
  return { changed: true, isNew, replaced, deleted, orphaned, broadened, adds, updates, added, updated: change.changed };
}
