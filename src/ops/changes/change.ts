import { formatDifferences, fullDiff, ResourceImpact, type ResourceDifference, type TemplateDiff } from '@aws-cdk/cloudformation-diff';
import { PassThrough } from 'node:stream';
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

/** Where a template is deployed, and which accounts are the fleet's: principals of others are outsiders. */
export interface Surroundings extends StackRef {
  readonly accounts: readonly string[];
}

/** Undefined where nothing would change. `current` is undefined where the stack does not stand. */
export function compareTemplates(current: Template | undefined, next: Template, { accounts, ...place }: Surroundings): TemplateChange | undefined {
  const diff = fullDiff(current ?? {}, next);
  if (diff.differenceCount === 0) return undefined;
  const resources = Object.entries(diff.resources.changes).filter(([, change]) => change !== undefined && change.isDifferent && change.resourceType !== 'AWS::CDK::Metadata') as [string, ResourceDifference][];
  const of = (...impacts: ResourceImpact[]): ChangedResource[] => resources.filter(([, { changeImpact }]) => impacts.includes(changeImpact)).map(([logicalId, { resourceType, oldResourceType, changeImpact }]) => ({ logicalId, type: resourceType ?? oldResourceType ?? '', certain: changeImpact !== ResourceImpact.MAY_REPLACE }));
  if (resources.length === 0 && !diff.outputs.differenceCount && !diff.parameters.differenceCount && !diff.conditions.differenceCount && !diff.mappings.differenceCount) return undefined;
  return {
    isNew: current === undefined,
    replaced: of(ResourceImpact.WILL_REPLACE, ResourceImpact.MAY_REPLACE),
    deleted: of(ResourceImpact.WILL_DESTROY),
    orphaned: of(ResourceImpact.WILL_ORPHAN),
    broadened: broadenings({ before: resolveTemplate(current ?? {}, { ...place, parameters: {} }), after: resolveTemplate(next, { ...place, parameters: {} }), accounts }).map(({ rank, witness, source }) => `${rank === 'other' ? '' : `${rank}: `}${witness} (${source})`),
    added: resources.filter(([, { isAddition }]) => isAddition).length,
    changed: resources.filter(([, { isUpdate }]) => isUpdate).length,
    text: format(diff),
  };
}

function format(diff: TemplateDiff): string {
  const stream = new PassThrough();
  formatDifferences(stream, diff);
  const chunks: Buffer[] = [];
  for (let chunk: Buffer | null; (chunk = stream.read() as Buffer | null) !== null; ) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8').trimEnd();
}
