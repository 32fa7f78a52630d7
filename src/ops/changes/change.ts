import { formatDifferences, fullDiff, ResourceImpact, type ResourceDifference, type TemplateDiff } from '@aws-cdk/cloudformation-diff';
import { PassThrough } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { broadenings, resolveTemplate } from '../../permissions/index.js';
import type { StackRef } from '../stacks.js';

type Template = Record<string, unknown>;

/** What a new template would do to a stack, the worst first. */
export interface TemplateChange {
  readonly isNew: boolean;
  readonly replaced: readonly ChangedResource[];
  /** Resources that would be deleted with what they hold. */
  readonly deleted: readonly ChangedResource[];
  /** Resources that would leave the stack and stay. */
  readonly orphaned: readonly ChangedResource[];
  /** What lets somebody do more, or may. */
  readonly broadened: readonly string[];
  /** Resources that come to a stack that stands. */
  readonly adds: readonly ChangedResource[];
  /** Resources that are changed in place or replaced, with their properties. */
  readonly updates: readonly UpdatedResource[];
  readonly added: number;
  readonly changed: number;
  /** As `cdk diff` shows it. */
  readonly text: string;
}

export interface ChangedResource {
  readonly logicalId: string;
  readonly type: string;
  /** `MAY_REPLACE` where only the deployment tells. */
  readonly certain: boolean;
}

export interface UpdatedResource extends ChangedResource {
  readonly properties: readonly PropertyChange[];
}

/** A property that differs, by its path: `Environment.Variables.TABLE`. Short plain values are told, others are `…`; undefined where there is none. */
export interface PropertyChange {
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
}

/** Where a template is deployed, and which accounts are the fleet's: principals of others are outsiders. */
export interface Surroundings extends StackRef {
  readonly accounts: readonly string[];
}

/** Undefined where nothing would change. `current` is undefined where the stack does not stand. */
export function compareTemplates(current: Template | undefined, next: Template, { accounts, ...place }: Surroundings): TemplateChange | undefined {
  const diff = fullDiff(current ?? {}, next);
  if (diff.differenceCount === 0) return undefined;
  const resources = Object.entries(diff.resources.changes).filter(([, change]) => change !== undefined && change.isDifferent && change.resourceType !== 'AWS::CDK::Metadata') as [string, ResourceDifference][];
  const named = ([logicalId, { resourceType, oldResourceType, changeImpact }]: [string, ResourceDifference]): ChangedResource => ({ logicalId, type: resourceType ?? oldResourceType ?? '', certain: changeImpact !== ResourceImpact.MAY_REPLACE });
  const of = (...impacts: ResourceImpact[]): ChangedResource[] => resources.filter(([, { changeImpact }]) => impacts.includes(changeImpact)).map(named);
  if (resources.length === 0 && !diff.outputs.differenceCount && !diff.parameters.differenceCount && !diff.conditions.differenceCount && !diff.mappings.differenceCount) return undefined;
  return {
    isNew: current === undefined,
    replaced: of(ResourceImpact.WILL_REPLACE, ResourceImpact.MAY_REPLACE),
    deleted: of(ResourceImpact.WILL_DESTROY),
    orphaned: of(ResourceImpact.WILL_ORPHAN),
    broadened: broadenings({ before: resolveTemplate(current ?? {}, { ...place, parameters: {} }), after: resolveTemplate(next, { ...place, parameters: {} }), accounts }).map(({ rank, witness, source }) => `${rank === 'other' ? '' : `${rank}: `}${witness} (${source})`),
    adds: current === undefined ? [] : resources.filter(([, { isAddition }]) => isAddition).map(named),
    updates: resources.filter(([, { isUpdate }]) => isUpdate).map((one) => ({ ...named(one), properties: propertyChanges(one[1]) })),
    added: resources.filter(([, { isAddition }]) => isAddition).length,
    changed: resources.filter(([, { isUpdate }]) => isUpdate).length,
    text: format(diff),
  };
}

/** Properties first, then what else CloudFormation takes of a resource: `DependsOn`, `Metadata` … */
function propertyChanges({ propertyUpdates, otherChanges }: ResourceDifference): PropertyChange[] {
  return Object.entries({ ...otherChanges, ...propertyUpdates }).flatMap(([name, { oldValue, newValue }]) => leaves(name, oldValue, newValue)).sort((a, b) => Number(a.name in otherChanges) - Number(b.name in otherChanges));
}

function leaves(name: string, before: unknown, after: unknown): PropertyChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isPlain(before) && isPlain(after)) return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => leaves(`${name}.${key}`, before[key], after[key]));
  const [from, to] = [told(name, before), told(name, after)];
  return [{ name, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
}

/** An object that says something by itself: of an intrinsic function the whole is the value. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.keys(value).some((key) => key === 'Ref' || key.startsWith('Fn::'));
}

const TOLD = 48;
const HIDDEN = '…';

/** A value that is short enough for a line, and no secret by its name; undefined where there is none. */
function told(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : HIDDEN;
  return text.length > TOLD || text.includes('\n') || /secret|password|token|credential/i.test(name) ? HIDDEN : text;
}

function format(diff: TemplateDiff): string {
  const stream = new PassThrough();
  formatDifferences(stream, diff);
  const chunks: Buffer[] = [];
  for (let chunk: Buffer | null; (chunk = stream.read() as Buffer | null) !== null; ) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8').trimEnd();
}
