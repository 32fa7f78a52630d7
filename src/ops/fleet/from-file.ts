import type { BuildSettings } from '../../config/index.js';
import type { BootstrapPair, Fleet, Pipeline } from '../../fleet/index.js';
import { FlotillaError } from '../../shared/errors.js';
import type { BootstrapSettings, FleetPair, FleetPipeline, OperatedFleet } from './fleet.js';

/** The fleet that a fleet file describes, without its app: pipelines and pairs, no stacks. Enough for bootstrap and doctor. */
export function fleetFromFile(fleet: Fleet): OperatedFleet {
  return { name: fleet.name, pipelines: fleet.pipelines.map(pipelineOf), pairs: fleet.bootstrap.map(pairOf), stacks: [] };
}

/**
 * What an app's assembly says of its stacks, and its fleet file of how pairs are bootstrapped; what the file doesn't name is as the assembly has it.
 * Raises OPS010 where the file declares pipelines that the app didn't make: then it isn't the file, or not all of it, that the app reads.
 */
export function withFleetFile(assembled: OperatedFleet, fleet: Fleet): OperatedFleet {
  const { name, pairs, pipelines } = fleetFromFile(fleet);
  const made = new Map(assembled.pipelines.map((pipeline) => [pipeline.stackName, pipeline]));
  if (pipelines.some(({ stackName }) => !made.has(stackName))) throw notTheApps(pipelines, assembled.pipelines);
  const declared = new Set(pipelines.map(({ stackName }) => stackName));
  return {
    ...assembled,
    name,
    pairs: [...pairs, ...assembled.pairs.filter((pair) => !pairs.some((other) => sameBootstrap(other, pair)))],
    pipelines: [...pipelines.map((pipeline) => ({ ...made.get(pipeline.stackName), ...pipeline })), ...assembled.pipelines.filter(({ stackName }) => !declared.has(stackName))],
  };
}

/** Whether two pairs are the same account and region under the same qualifier. */
export function sameBootstrap(one: FleetPair, other: FleetPair): boolean {
  return one.account === other.account && one.region === other.region && one.bootstrap.qualifier === other.bootstrap.qualifier;
}

function notTheApps(declared: readonly FleetPipeline[], made: readonly FleetPipeline[]): FlotillaError {
  const names = (pipelines: readonly FleetPipeline[]): string => pipelines.map(({ stackName }) => stackName).join(', ') || 'none';
  return new FlotillaError('OPS010', 'the app makes other pipelines than its fleet file declares', { why: `the file declares ${names(declared)}, the app made ${names(made)}: it lays other files over it, or depends on its context`, fix: '--overlay FILE for each file that the app lays over it, --context KEY=VALUE as cdk synth is given it', exitCode: 2 });
}

function pipelineOf(pipeline: Pipeline): FleetPipeline {
  const { account, region, name, stackId } = pipeline;
  return { account, region, name, stackName: stackId, secrets: [...new Set(secretsOf(pipeline))] };
}

/** Secrets by name; the file never holds their values. */
function secretsOf({ source, inputs, build, synth, waves }: Pipeline): string[] {
  const tokens = [source, ...Object.values(inputs)].flatMap((each) => ('github' in each && each.token !== undefined ? [each.token] : []));
  const settings: readonly BuildSettings[] = [build, synth, ...waves.flatMap(({ before, targets }) => [...before, ...targets.flatMap(({ verify }) => verify)].map((step) => step.build))];
  return [
    ...tokens,
    ...settings.flatMap(({ secrets = {}, npm, docker = [] }) => [...Object.values(secrets), ...(npm?.token === undefined ? [] : [npm.token]), ...docker.flatMap((credential) => ('dockerHub' in credential ? [credential.dockerHub] : 'registry' in credential ? [credential.secret] : []))]),
  ];
}

function pairOf(pair: BootstrapPair): FleetPair {
  const environment = pair.usedBy.find((user) => user !== 'pipeline');
  return { account: pair.account, region: pair.region, ...(environment === undefined ? {} : { environment }), bootstrap: settingsOf(pair) };
}

function settingsOf({ qualifier, toolkitStackName, trust, trustForLookup = [], executionPolicies, permissionsBoundary, kms, tags, terminationProtection }: BootstrapPair): BootstrapSettings {
  return {
    qualifier,
    toolkitStackName,
    trust,
    trustForLookup,
    ...(executionPolicies === undefined ? {} : { executionPolicies }),
    ...(permissionsBoundary === undefined ? {} : { permissionsBoundary }),
    ...(kms === undefined ? {} : { kms: typeof kms === 'string' ? { key: kms } : kms ? ('customer' as const) : ('aws-managed' as const) }),
    ...(tags === undefined ? {} : { tags }),
    ...(terminationProtection === undefined ? {} : { terminationProtection }),
  };
}
