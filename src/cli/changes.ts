import type { ChangedResource, TemplateChange } from '../ops/changes/change.js';
import type { Terminal } from './terminal.js';

/** Replacements, deletions and permissions first; then the counts. */
export function changeLines({ isNew, replaced, deleted, orphaned, broadened, added, changed }: TemplateChange, out: Terminal): string[] {
  const named = ({ logicalId, type }: ChangedResource): string => `${logicalId} (${type})`;
  const may = (resource: ChangedResource): string => `${named(resource)}${resource.certain ? '' : ', maybe'}`;
  return [
    ...replaced.map((resource) => `${out.style('red', 'replaces')} ${may(resource)}`),
    ...deleted.map((resource) => `${out.style('red', 'deletes')}  ${named(resource)}`),
    ...orphaned.map((resource) => `${out.style('yellow', 'leaves')}   ${named(resource)}, which stays and is nobody's`),
    ...broadened.map((text) => `${out.style('yellow', 'permits')}  ${text}`),
    `${isNew ? 'new stack, ' : ''}+${added} ~${changed} -${deleted.length + orphaned.length}`,
  ];
}

/** The same for programs. */
export function changeData(change: TemplateChange | undefined): object {
  if (!change) return { changed: false };
  const { isNew, replaced, deleted, orphaned, broadened, added } = change;
  return { changed: true, isNew, replaced, deleted, orphaned, broadened, added, updated: change.changed };
}
