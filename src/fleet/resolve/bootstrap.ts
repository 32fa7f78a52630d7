import { deepMerge, type BootstrapSettings } from '../../config/index.js';
import { DEFAULT_QUALIFIER, DEFAULT_TOOLKIT } from '../../shared/bootstrap.js';
import type { BootstrapPair, Pipeline } from '../model.js';
import type { Report } from './names.js';
import type { PlacedTarget } from './targets.js';

/** The CDK's own defaults (CDK guide, Bootstrap your environment): the qualifier of every bootstrap nobody named, and its stack. */
const DEFAULTS = { qualifier: DEFAULT_QUALIFIER, toolkitStackName: DEFAULT_TOOLKIT } as const;

/** Settings laid over each other, the CDK's defaults below them. */
export function bootstrapOf(layers: readonly (BootstrapSettings | undefined)[]): BootstrapSettings {
  return layers.reduce<unknown>((base, over) => deepMerge(base, over), DEFAULTS) as BootstrapSettings;
}

/**
 * Every pair the pipelines need, each once, in the order of first use. A pipeline needs its own pair and those of its targets, and no more:
 * the support stacks that hold its artifact buckets in other regions are deployed with the deploy role of its own region
 * (aws-codepipeline, Pipeline.getCrossRegionSupportSynthesizer).
 */
export function bootstrapMatrix(pipelines: readonly Pipeline[], report: Report): readonly BootstrapPair[] {
  const pairs = new Map<string, BootstrapPair>();
  for (const pipeline of pipelines) {
    add(pairs, pipeline.account, pipeline.region, pipeline.bootstrap, [], 'pipeline', ['pipeline'], report);
    for (const target of pipeline.waves.flatMap((wave) => wave.targets)) {
      const trust = target.account === pipeline.account ? [] : [pipeline.account];
      for (const { region } of target.regions) add(pairs, target.account, region, target.bootstrap, trust, target.environment, (target as PlacedTarget).path, report);
    }
  }
  return [...pairs.values()];
}

function add(pairs: Map<string, BootstrapPair>, account: string, region: string, settings: BootstrapSettings, trust: readonly string[], user: string, path: readonly (string | number)[], report: Report): void {
  const { qualifier = DEFAULTS.qualifier, toolkitStackName = DEFAULTS.toolkitStackName, ...others } = settings;
  const key = `${account}/${region}/${qualifier}`;
  const wanted: BootstrapPair = { ...others, account, region, qualifier, toolkitStackName, trust: [...new Set([...trust, ...(settings.trust ?? [])])], usedBy: [user] };
  const known = pairs.get(key);
  if (known === undefined) {
    for (const other of pairs.values()) {
      if (other.account === account && other.region === region && other.toolkitStackName === toolkitStackName) report({ code: 'CFG060', path, what: `needs ${account}/${region} bootstrapped with qualifier ${qualifier}, ${other.usedBy.join(', ')} with ${other.qualifier}, both as stack ${toolkitStackName}`, fix: 'give each qualifier a toolkitStackName of its own' });
    }
    pairs.set(key, wanted);
    return;
  }
  const different = differing(known, wanted);
  if (different !== undefined) report({ code: 'CFG060', path, what: `wants ${account}/${region} bootstrapped with another ${different} than ${known.usedBy.join(', ')}`, why: 'one bootstrap serves everything with its qualifier in that account and region', fix: 'say the same for both, or set `bootstrap:` once at the top of the file' });
  pairs.set(key, { ...known, trust: [...new Set([...known.trust, ...wanted.trust])], usedBy: [...new Set([...known.usedBy, user])] });
}

function differing(known: BootstrapPair, wanted: BootstrapPair): string | undefined {
  const keys = ['toolkitStackName', 'executionPolicies', 'trustForLookup', 'permissionsBoundary', 'kms', 'terminationProtection', 'tags'] as const;
  return keys.find((key) => JSON.stringify(known[key]) !== JSON.stringify(wanted[key]));
}
