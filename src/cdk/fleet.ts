import { App, BOOTSTRAP_QUALIFIER_CONTEXT, PermissionsBoundary, Stage, type Environment, type Stack } from 'aws-cdk-lib';
import type { CodePipeline } from 'aws-cdk-lib/pipelines';
import { dirname, resolve } from 'node:path';
import type { FleetInput } from '../config/index.js';
import { loadFleet, parseFleet, type Fleet as FleetModel, type Pipeline, type Target } from '../fleet/index.js';
import { DEFAULT_QUALIFIER } from '../shared/bootstrap.js';
import { FlotillaError } from '../shared/errors.js';
import { nearest } from '../shared/suggest.js';
import { stacksOf } from './batches.js';
import { PipelineStack } from './pipeline-stack.js';
import { markStack } from './marks.js';
import { addProgram } from './program.js';
import { addTemplates } from './templates.js';

/** Parameters as the fleet file has them, where the app gives no schema. */
export type Parameters = Readonly<Record<string, any>>;

/** Where a copy of the app goes, and what the fleet file says about it. */
export interface StageTarget<P = Parameters> {
  readonly fleet: string;
  readonly environment: string;
  readonly account: string;
  /** Region of the stage; with `regionsIn: stacks` the first of `regions`. */
  readonly region: string;
  /** Account and region, for the stacks of the stage. */
  readonly env: Required<Environment>;
  readonly params: P;
  /** Every region of the stage: one, or several with `regionsIn: stacks`. */
  readonly regions: readonly { readonly region: string; readonly env: Required<Environment>; readonly params: P }[];
}

/** A schema of parameters: zod's, or anything with a `parse` that returns the value or throws. */
export interface ParameterSchema<P> {
  parse(value: unknown): P;
}

export interface FleetOptions<P> {
  /** Checks the parameters of each target and gives them their types. */
  readonly parameters?: ParameterSchema<P>;
  /** Folder that relative paths of the fleet are from: the file's folder, or the working folder for a fleet in code. */
  readonly folder?: string;
  /** Files laid over the fleet file, in order. */
  readonly overlays?: readonly string[];
}

/**
 * A fleet as a CDK Pipelines app: `Fleet.load(app, 'flotilla.yaml').deploy((stage, target) => …)`.
 *
 * The pipelines are CDK's own `CodePipeline` constructs, made by `deploy` and built when the app is synthesized: between the two, waves,
 * stages and steps can be added to `fleet.pipeline` as to any other; afterwards nothing can (CDK: "can't add Stages anymore").
 */
export class Fleet<P = Parameters> {
  /** The fleet with every default filled in. */
  readonly model: FleetModel;
  private readonly stacks = new Map<string, PipelineStack>();
  private readonly stages = new Map<string, Stage>();
  private readonly folder: string;

  private constructor(
    private readonly app: App,
    model: FleetModel,
    private readonly options: FleetOptions<P>,
    folder: string,
  ) {
    this.model = model;
    this.folder = folder;
  }

  /** Reads and checks a fleet: from a file, or as the same object in code. Raises every mistake at once, each with its place. */
  static load<P = Parameters>(app: App, fleet: string | FleetInput, options: FleetOptions<P> = {}): Fleet<P> {
    const model = typeof fleet === 'string' ? loadFleet(fleet, options.overlays ? { overlays: options.overlays } : {}) : parseFleet(fleet);
    return new Fleet(app, model, options, resolve(options.folder ?? (typeof fleet === 'string' ? dirname(fleet) : '.')));
  }

  /** Makes the stages, calling `build` once for each to fill it, and the pipelines that deploy them. */
  deploy(build: (stage: Stage, target: StageTarget<P>) => void): this {
    if (this.stacks.size > 0) throw new FlotillaError('CDK014', 'deploy() was called twice', { fix: 'make all stacks of a stage in one callback', exitCode: 2 });
    checkQualifier(this.app, this.model);
    this.checkParameters();
    for (const { waves } of this.model.pipelines) for (const { targets } of waves) for (const target of targets) this.addStage(target, build);
    const program = addProgram(this.app);
    for (const pipeline of this.model.pipelines) {
      const stack = new PipelineStack({ app: this.app, fleet: this.model, program, stageOf: ({ stageId }) => this.stages.get(stageId)! }, pipeline);
      markStack(stack, this.model, pipeline.tags);
      this.stacks.set(pipeline.stackId, stack);
    }
    return this;
  }

  /** CDK's construct of the only pipeline. Raises CDK010 before `deploy`, CDK015 where there are several. */
  get pipeline(): CodePipeline {
    return this.stack.codePipeline;
  }

  /** The stack of the only pipeline. */
  get stack(): PipelineStack {
    const [only, second] = this.pipelineStacks;
    if (!only) throw new FlotillaError('CDK010', 'the pipelines are not there yet', { why: 'deploy() makes them', fix: 'call fleet.deploy((stage, target) => …) first', exitCode: 2 });
    if (second) throw new FlotillaError('CDK015', `the fleet has ${this.stacks.size} pipelines`, { fix: 'use fleet.pipelineStacks, or fleet.pipelineStack(NAME)', exitCode: 2 });
    return only;
  }

  get pipelineStacks(): readonly PipelineStack[] {
    return [...this.stacks.values()];
  }

  /** The stack of a pipeline by its key under `pipelines`. */
  pipelineStack(key: string): PipelineStack {
    const model = this.model.pipelines.find((pipeline: Pipeline) => pipeline.key === key);
    const stack = model && this.stacks.get(model.stackId);
    if (!stack) throw new FlotillaError('CDK016', `there is no pipeline '${key}'`, { why: `there are ${this.model.pipelines.map((pipeline) => pipeline.key ?? pipeline.name).join(', ')}`, exitCode: 2 });
    return stack;
  }

  private addStage(target: Target, build: (stage: Stage, target: StageTarget<P>) => void): void {
    const { account, stageId, regionsIn, regions } = target;
    const stage = new Stage(this.app, stageId, {
      env: { account, ...(regionsIn === 'stages' ? { region: regions[0]!.region } : {}) },
      ...(target.permissionsBoundary ? { permissionsBoundary: PermissionsBoundary.fromName(target.permissionsBoundary) } : {}),
    });
    if (target.bootstrap.qualifier !== DEFAULT_QUALIFIER) stage.node.setContext(BOOTSTRAP_QUALIFIER_CONTEXT, target.bootstrap.qualifier);
    this.stages.set(stageId, stage);
    addTemplates(stage, target, this.folder);
    build(stage, this.targetOf(target));
    const stacks = stacksOf(stage);
    if (stacks.length === 0) throw new FlotillaError('CDK017', `stage ${stageId} has no stacks`, { why: `the callback of deploy() made none for environment ${target.environment}`, fix: 'make at least one: new MyStack(stage, NAME, { env: target.env })', exitCode: 2 });
    orderStacks(stacks, target);
    for (const stack of stacks) {
      if (target.terminationProtection) stack.terminationProtection = true;
      markStack(stack, this.model, target.tags);
    }
  }

  private targetOf({ account, environment, regions }: Target): StageTarget<P> {
    const each = regions.map(({ region, parameters }) => ({ region, env: { account, region }, params: this.parametersOf(parameters) }));
    const { region, env, params } = each[0]!;
    return { fleet: this.model.name, environment, account, region, env, params, regions: each };
  }

  /** Every target's parameters against the app's schema before anything is made of them. Raises CDK018, with all that it refuses. */
  private checkParameters(): void {
    const refused = new Map<string, unknown>();
    for (const target of this.model.pipelines.flatMap(({ waves }) => waves.flatMap(({ targets }) => targets))) {
      for (const { region, parameters } of target.regions) {
        try {
          this.parametersOf(parameters);
        } catch (cause) {
          refused.set(`${target.stageId} (${region})`, cause);
        }
      }
    }
    const [first, ...others] = refused.keys();
    if (first === undefined) return;
    const why = [...refused].map(([where, cause]) => (others.length === 0 ? refusal(cause) : `${where}: ${refusal(cause).replaceAll('\n', '; ')}`)).join('\n');
    throw new FlotillaError('CDK018', `the parameters of ${first}${others.length === 0 ? '' : ` and ${others.length} more`} don't match the app's schema`, { why, fix: 'correct them in the fleet file, under `parameters:`', exitCode: 2, cause: refused.get(first) });
  }

  private parametersOf(value: unknown): P {
    return this.options.parameters ? this.options.parameters.parse(value) : (value as P);
  }
}

/** What a schema says against a value: zod's issues one a line, otherwise the error's own words. */
function refusal(cause: unknown): string {
  const { issues } = cause as { readonly issues?: readonly { readonly path?: readonly PropertyKey[]; readonly message: string }[] };
  if (Array.isArray(issues)) return issues.map(({ path = [], message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`)).join('\n');
  return cause instanceof Error ? cause.message : String(cause);
}

/** A qualifier that the app's context alone names would reach the stacks, and neither the roles of the gates nor bootstrap and doctor. */
function checkQualifier(app: App, { pipelines }: FleetModel): void {
  const named = app.node.tryGetContext(BOOTSTRAP_QUALIFIER_CONTEXT) as string | undefined;
  const used = pipelines.flatMap(({ bootstrap, waves }) => [bootstrap.qualifier, ...waves.flatMap(({ targets }) => targets.map((target) => target.bootstrap.qualifier))]);
  if (named === undefined || named === DEFAULT_QUALIFIER || !used.includes(DEFAULT_QUALIFIER)) return;
  throw new FlotillaError('CDK022', `the app's context names the bootstrap qualifier '${named}', the fleet none`, { where: `${BOOTSTRAP_QUALIFIER_CONTEXT}, in cdk.json for instance`, why: `the stacks would use '${named}', and the pipeline's checks '${DEFAULT_QUALIFIER}'`, fix: `bootstrap: { qualifier: ${named}, toolkitStackName: … } in the fleet file, or take it out of the context`, exitCode: 2 });
}

/** Dependencies that the fleet file asks for: between stacks by name, and between the regions of a stage whose stacks lie in several. */
function orderStacks(stacks: readonly Stack[], target: Target): void {
  for (const [name, before] of Object.entries(target.dependsOn)) {
    const later = stacksNamed(name, stacks, target);
    for (const earlier of before.map((other) => stacksNamed(other, stacks, target))) {
      // Two that lie in each region wait for each other region by region.
      for (const stack of later.stacks) for (const other of earlier.stacks) if (stack.region === other.region || !later.everywhere || !earlier.everywhere) waitFor(stack, other);
    }
  }
  for (const [index, regions] of target.regionOrder.entries()) {
    const earlier = target.regionOrder[index - 1];
    if (!earlier) continue;
    for (const stack of stacks) if (regions.includes(stack.region)) for (const other of stacks) if (earlier.includes(other.region)) waitFor(stack, other);
  }
}

/** Newer releases of aws-cdk-lib call it `addStackDependency`, and warn of the old name. */
function waitFor(stack: Stack, other: Stack): void {
  if ('addStackDependency' in stack) stack.addStackDependency(other);
  else (stack as Stack).addDependency(other);
}

interface NamedStacks {
  readonly stacks: readonly Stack[];
  /** Whether the name stands for a stack in each region of the stage: `Api` for `Api-us-east-1` and `Api-eu-west-1`. */
  readonly everywhere: boolean;
}

/** The stack of a name: its ID in the stage, or its name in CloudFormation. Raises CDK019. */
function stacksNamed(name: string, stacks: readonly Stack[], { regions, regionsIn, stageId }: Target): NamedStacks {
  const exact = stacks.filter(({ node, stackName }) => node.id === name || stackName === name);
  if (exact.length > 0) return { stacks: exact, everywhere: false };
  const ids = regionsIn === 'stacks' ? regions.map(({ region }) => `${name}-${region}`) : [];
  const found = stacks.filter(({ node }) => ids.includes(node.id));
  if (found.length > 0) return { stacks: found, everywhere: true };
  const known = stacks.map(({ node }) => node.id);
  const meant = nearest(name, known);
  throw new FlotillaError('CDK019', `dependsOn names the stack '${name}', which stage ${stageId} doesn't have`, { why: `it has ${known.join(', ')}`, fix: meant === undefined ? 'name one of these' : `did you mean ${meant}?`, exitCode: 2 });
}
