import { basename } from 'node:path';
import { cdkSettings } from '../run/cdk-json.js';
import { readAssembly, type AssemblyModel, type AssemblyStack } from '../run/assembly.js';
import { DEFAULT_QUALIFIER } from '../../shared/bootstrap.js';
import { type FleetPair, type FleetStack, type OperatedFleet, type Pair } from './fleet.js';

export interface AssemblyFleetOptions {
  /** Folder of the app: its cdk.json may name the toolkit stack. */
  readonly app?: string;
  /** Stands for what the app left open. */
  readonly fallback: Pair;
}

/** The fleet that a synthesized app describes: each pair trusts the accounts of the pipelines. */
export function fleetFromAssembly(directory: string, options: AssemblyFleetOptions): OperatedFleet {
  const assembly = readAssembly(directory, options.fallback);
  return {
    name: assembly.pipelines[0]?.stackName ?? (options.app === undefined ? (assembly.stacks[0]?.stackName ?? 'fleet') : basename(options.app)),
    pipelines: assembly.pipelines.map(({ account, region, stackName, secrets }) => ({ account, region, stackName, secrets })),
    pairs: pairsOfApp(assembly, options.app),
    stacks: assembly.stacks.map((stack) => fleetStack(stack, assembly)),
    assembly: directory,
  };
}

/** One pair for each qualifier that is used in an account and region; the app's cdk.json may name the toolkit stack. */
export function pairsOfApp(assembly: AssemblyModel, app: string | undefined): FleetPair[] {
  const { toolkitStackName } = app === undefined ? {} : cdkSettings(app);
  const found = new Map<string, FleetPair>();
  const trusted = [...new Set(assembly.pipelines.map(({ account }) => account))].sort();
  for (const { account, region, qualifier, path, ownRoles } of assembly.stacks) {
    if (!ownRoles) continue;
    const environment = environmentOf(path);
    const name = toolkitStackName ?? (qualifier === DEFAULT_QUALIFIER ? undefined : `CDKToolkit-${qualifier}`);
    const key = `${account}/${region}/${qualifier}`;
    const known = found.get(key);
    if (known && (known.environment !== undefined || environment === undefined)) continue;
    found.set(key, {
      account,
      region,
      ...(environment === undefined ? {} : { environment }),
      bootstrap: { qualifier, ...(name === undefined ? {} : { toolkitStackName: name }), trust: trusted.filter((other) => other !== account), trustForLookup: [] },
    });
  }
  return [...found.values()];
}

/** A stage's name says its environment: `Pipeline/Prod-eu-west-1/Api` is of `prod`. */
function environmentOf(path: string): string | undefined {
  const stage = path.split('/').at(-2);
  return path.split('/').length < 2 ? undefined : stage?.replace(/-[a-z]{2}(-[a-z]+)+-\d$/, '').toLowerCase();
}

function fleetStack(stack: AssemblyStack, assembly: AssemblyModel): FleetStack {
  const { path, stackName, account, region, templateFile, dependsOn, qualifier } = stack;
  const stage = stack.top ? undefined : path.split('/').at(-2);
  const kind = assembly.pipelines.some((pipeline) => pipeline.path === path) ? 'pipeline' : stack.top && assembly.pipelines.some(({ dependsOn: needed }) => needed.includes(path)) && /support-(\d{12}-)?[a-z]{2}(-[a-z]+)+-\d$/i.test(stackName) ? 'support' : 'application';
  return { path, stackName, account, region, templateFile, dependsOn, qualifier, kind, ...(stage === undefined ? {} : { stage }) };
}
