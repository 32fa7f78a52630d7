import type { BuildSettings } from '../../config/index.js';
import type { BootstrapPair, Fleet, Pipeline } from '../../fleet/index.js';
import type { BootstrapSettings, FleetPair, FleetPipeline, OperatedFleet } from './fleet.js';

/** The fleet that a fleet file describes, without its app: pipelines and pairs, no stacks. Enough for bootstrap and doctor. */
export function fleetFromFile(fleet: Fleet): OperatedFleet {
  return { name: fleet.name, pipelines: fleet.pipelines.map(pipelineOf), pairs: fleet.bootstrap.map(pairOf), stacks: [] };
}

/** What an app's assembly says of its stacks, and its fleet file of everything else. */
export function withFleetFile(assembled: OperatedFleet, fleet: Fleet): OperatedFleet {
  const { name, pairs, pipelines } = fleetFromFile(fleet);
  return { ...assembled, name, pairs, pipelines: pipelines.map((pipeline) => ({ ...assembled.pipelines.find(({ stackName }) => stackName === pipeline.stackName), ...pipeline })) };
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
