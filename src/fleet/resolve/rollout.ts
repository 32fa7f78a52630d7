import type { Environment, Path } from '../../config/index.js';
import type { Report } from './names.js';
import type { Places } from './places.js';

/** Regions that are deployed at the same time, in the order of the rollout. */
export function regionGroups(environment: Environment, places: Places, path: Path, report: Report): readonly (readonly string[])[] {
  const { rollout } = environment;
  if (rollout === 'parallel') return places.regions.length === 0 ? [] : [places.regions];
  if (rollout === 'one-by-one') return places.regions.map((region) => [region]);
  const at: Path = [...path, 'rollout', 'waves'];
  const seen = new Set<string>();
  for (const [wave, regions] of rollout.waves.entries()) {
    for (const [index, region] of regions.entries()) {
      if (seen.has(region)) report({ code: 'CFG048', path: [...at, wave, index], what: `names ${region} a second time`, fix: 'a region is deployed in one wave' });
      else if (!places.regions.includes(region) && !places.disabled.has(region)) report({ code: 'CFG048', path: [...at, wave, index], what: `names ${region}, which is no region of the environment`, fix: `its regions are ${places.regions.join(', ')}` });
      seen.add(region);
    }
  }
  const missing = places.regions.filter((region) => !seen.has(region));
  if (missing.length > 0) report({ code: 'CFG048', path: at, what: `leaves out ${missing.join(', ')}`, why: 'what no wave names would not be deployed', fix: `add it to a wave, for instance a last one: [${missing.join(', ')}]`, atKey: true });
  const left = new Set(places.regions);
  return rollout.waves.map((regions) => regions.filter((region) => left.delete(region))).filter((regions) => regions.length > 0);
}
