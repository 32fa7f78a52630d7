import type { BootstrapSettings, BuildSettings, Notify, PipelineSettings, Source, Synth } from '../config/index.js';

/**
 * A fleet with everything said and nothing left to decide: what the constructs build, `plan` prints and the operator walks over. Made by
 * `resolveFleet` from a validated fleet file, or written down in code. Pure data.
 */
export interface Fleet {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly pipelines: readonly Pipeline[];
  /** Every pair the fleet needs, each once: targets, pipelines, and what lies behind them. In the order of first use. */
  readonly bootstrap: readonly BootstrapPair[];
  readonly quotas: Readonly<Record<string, number>>;
}

export interface Pipeline {
  /** Key under `pipelines`, or undefined for the only one. */
  readonly key: string | undefined;
  /** ID of the pipeline's stack, from the fleet's name and the key: never from the pipeline's own name. */
  readonly stackId: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly source: Source;
  /** Further sources by the folder they are put into. */
  readonly inputs: Readonly<Record<string, Source>>;
  readonly synth: SynthStep;
  readonly build: BuildSettings;
  readonly type: 'V1' | 'V2';
  readonly executionMode: 'superseded' | 'queued' | 'parallel';
  readonly selfMutation: boolean;
  readonly restartOnUpdate: boolean;
  readonly preflight: boolean;
  readonly assets: { readonly batch: boolean };
  readonly artifacts: ArtifactSettings;
  readonly changeSets: boolean;
  readonly terminationProtection: boolean;
  readonly permissionsBoundary: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly bootstrap: BootstrapSettings;
  readonly notify: Notify | undefined;
  /** Waves in the order they run. */
  readonly waves: readonly Wave[];
}

export type SynthStep = Exclude<Synth, readonly string[]> & { readonly output: string };

export type ArtifactSettings = NonNullable<PipelineSettings['artifacts']> & { readonly expireAfter: number; readonly templatesOnly: boolean };

/** Stages that are deployed at the same time. */
export interface Wave {
  /** ID of the CDK wave and name of the pipeline's stage. */
  readonly id: string;
  /** Approvals before any stage of the wave; one for each environment that asks for it here. */
  readonly approvals: readonly Approval[];
  /** Steps before any stage of the wave. */
  readonly before: readonly Step[];
  readonly targets: readonly Target[];
}

export interface Approval {
  readonly environment: string;
  readonly name: string;
  readonly comment: string | undefined;
  readonly notify: string | undefined;
  /** Minutes. */
  readonly timeout: number | undefined;
}

/** One CDK stage: a copy of the app in one account, in one region or (with `regionsIn: stacks`) in several. */
export interface Target {
  readonly environment: string;
  /** ID of the CDK stage; the head of every stack name in it. */
  readonly stageId: string;
  readonly account: string;
  /** The regions of the target, each with its parameters; one unless `regionsIn: stacks`. */
  readonly regions: readonly TargetRegion[];
  readonly regionsIn: 'stages' | 'stacks';
  /** Regions one after another inside the stage (`regionsIn: stacks` with a rollout); each entry is deployed at the same time. */
  readonly regionOrder: readonly (readonly string[])[];
  /** Parameters of the first region's: fleet, environment, account and region laid over each other. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly permissions: PermissionsGate | undefined;
  readonly verify: readonly Step[];
  readonly templates: readonly TemplateStack[];
  /** Stacks by the stacks deployed before them. */
  readonly dependsOn: Readonly<Record<string, readonly string[]>>;
  readonly bootstrap: BootstrapSettings;
  readonly permissionsBoundary: string | undefined;
  readonly terminationProtection: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface TargetRegion {
  readonly region: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A person confirms when the deployment broadens permissions. */
export interface PermissionsGate {
  /** Topic that hears of it; undefined: one of the pipeline's own. */
  readonly notify: string | undefined;
  /** Whether a person must approve; otherwise the topic hears of it and the deployment goes on. */
  readonly approve: boolean;
}

export interface Step {
  readonly name: string;
  readonly environment: string;
  readonly install: readonly string[];
  readonly commands: readonly string[];
  /** Environment variables from stack outputs: `Stack.Output`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What the step itself and its environment's `environment` say, to be laid over the settings of the pipeline's builds. */
  readonly build: BuildSettings;
}

export interface TemplateStack {
  readonly name: string;
  /** Path from the fleet file's folder. */
  readonly template: string;
  readonly parameters: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface BootstrapPair extends Omit<BootstrapSettings, 'trust'> {
  readonly account: string;
  readonly region: string;
  /** CDK's default where nothing else is said: `hnb659fds`. */
  readonly qualifier: string;
  readonly toolkitStackName: string;
  readonly trust: readonly string[];
  /** What needs the pair: environments by name, and `pipeline` for the pipeline's own. */
  readonly usedBy: readonly string[];
}
