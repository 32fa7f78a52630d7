import { readFileSync } from 'node:fs';
import { each, type Limiter } from '../concurrency.js';
import { FlotillaError } from '../../shared/errors.js';
import type { FleetStack, OperatedFleet } from '../fleet/fleet.js';
import type { Target } from '../target.js';
import { compareTemplates, type TemplateChange } from './change.js';
import { deployedTemplate, parseTemplate } from './deployed.js';

export interface FleetChange {
  readonly stack: FleetStack;
  readonly change: TemplateChange | undefined;
  /** Why it could not be compared. */
  readonly unknown?: string;
  /** What a push alone does not bring about, and why. */
  readonly byHand: readonly string[];
}

/** Everything that would change anywhere, the pipeline itself included. */
export async function fleetChanges(target: Target, fleet: OperatedFleet, stage: string | undefined, limit: Limiter): Promise<FleetChange[]> {
  const stacks = fleet.stacks.filter(({ templateFile, stage: own, path }) => templateFile !== undefined && (stage === undefined || own === stage || path === stage || path.split('/').includes(stage)));
  if (stacks.length === 0) throw new FlotillaError('CHG003', stage === undefined ? 'there is no app to compare with what stands' : `the app has no stage '${stage}'`, { why: stage === undefined ? 'the fleet was read from pipelines, which hold no templates' : `it has ${[...new Set(fleet.stacks.flatMap((one) => (one.stage ? [one.stage] : [])))].join(', ') || 'none'}`, fix: '--app FOLDER or --assembly cdk.out', exitCode: 6 });
  const accounts = [...new Set(fleet.pairs.map(({ account }) => account))];
  return each(limit, stacks, async (stack) => {
    const next = parseTemplate(readFileSync(stack.templateFile!, 'utf8'));
    try {
      const current = await deployedTemplate(target, stack);
      return { stack, change: compareTemplates(current, next, { account: stack.account, region: stack.region, stackName: stack.stackName, accounts }), byHand: stack.kind === 'pipeline' ? byHand(current, next) : [] };
    } catch (error) {
      return { stack, change: undefined, byHand: [], unknown: error instanceof Error ? error.message : String(error) };
    }
  });
}

interface Stage {
  readonly Name?: unknown;
  readonly Actions?: readonly { readonly ActionTypeId?: { readonly Category?: string; readonly Provider?: string }; readonly Configuration?: Readonly<Record<string, unknown>> }[];
}
interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}
type Template = Record<string, unknown>;

/** Changes of a pipeline's stack that self-mutation can't carry, or carries otherwise than one would think (aws-cdk #32627, #36120). */
export function byHand(current: Template | undefined, next: Template): string[] {
  if (current === undefined) return ['the pipeline does not stand yet: flotilla deploy'];
  const found: string[] = [];
  const before = pipelines(current);
  const after = pipelines(next);
  for (const [id, pipeline] of before) {
    const wanted = after.get(id);
    if (!wanted) {
      found.push(`the pipeline ${id} is taken away: the execution that does it ends with it; deploy by hand`);
      continue;
    }
    if (text(pipeline.Properties?.['Name']) !== text(wanted.Properties?.['Name'])) found.push(`the pipeline is renamed: it is made anew, and the execution that does it is lost; deploy by hand`);
    if (text(sources(pipeline)) !== text(sources(wanted))) found.push('the source changes: a push to the new place starts nothing before this is deployed; push it to the old one, or deploy by hand');
    if (selfMutates(pipeline) && !selfMutates(wanted)) found.push('self-mutation is turned off: later changes of the pipeline have to be deployed by hand');
    if (!selfMutates(pipeline)) found.push('the pipeline does not change itself: deploy by hand');
  }
  const synth = changedBuilds(current, next);
  if (synth.length > 0) found.push(`the Synth step changes (${synth.join(', ')}): the push is synthesized by the old step; where that can't, deploy by hand`);
  return found;
}

function resources(template: Template): [string, Resource][] {
  return Object.entries((template['Resources'] ?? {}) as Record<string, Resource>);
}

function pipelines(template: Template): Map<string, Resource> {
  return new Map(resources(template).filter(([, { Type }]) => Type === 'AWS::CodePipeline::Pipeline'));
}

function stages({ Properties }: Resource): readonly Stage[] {
  return (Properties?.['Stages'] ?? []) as readonly Stage[];
}

function sources(pipeline: Resource): unknown {
  return stages(pipeline).flatMap(({ Actions = [] }) => Actions.filter(({ ActionTypeId }) => ActionTypeId?.Category === 'Source').map(({ ActionTypeId, Configuration }) => [ActionTypeId?.Provider, Configuration]));
}

function selfMutates(pipeline: Resource): boolean {
  return stages(pipeline).some(({ Name }) => Name === 'UpdatePipeline');
}

/** Build projects of the stage behind the source whose buildspec, image or rights differ. */
function changedBuilds(current: Template, next: Template): string[] {
  const ids = new Set([...pipelines(current).values()].flatMap((pipeline) => (stages(pipeline)[1]?.Actions ?? []).map(({ Configuration }) => (Configuration?.['ProjectName'] as { Ref?: string } | undefined)?.Ref ?? '')));
  const after = new Map(resources(next));
  return resources(current)
    .filter(([id, { Type, Properties }]) => Type === 'AWS::CodeBuild::Project' && ids.has(id) && after.has(id) && text([Properties?.['Source'], Properties?.['Environment']]) !== text([after.get(id)!.Properties?.['Source'], after.get(id)!.Properties?.['Environment']]))
    .map(([id]) => id);
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
