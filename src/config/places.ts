import { edits, nearest } from '../shared/suggest.js';
import type { Mistake, Path } from './mistake.js';
import { REGIONS } from './regions.js';
import type { FleetConfig } from './schema/fleet.js';
import { isDictionary } from './merge.js';

type Named = readonly [Path, string];

/** Regions that AWS doesn't have, most likely misspelt. */
export function regionMistakes(config: FleetConfig): readonly Mistake[] {
  const known = new Set([...REGIONS, ...(config.newRegions ?? [])]);
  return regionsIn(config)
    .filter(([, region]) => !known.has(region))
    .map(([path, region]) => {
      const meant = nearest(region, known);
      return { code: 'CFG013', path, what: `is ${region}, which this version of Flotilla doesn't know`, fix: `${meant === undefined ? '' : `did you mean ${meant}? `}If AWS has opened it since: newRegions: [${region}]` };
    });
}

/** Accounts that differ from another one of the file in one digit: allowed, but most likely misspelt. */
export function accountWarnings(config: FleetConfig): readonly Mistake[] {
  const accounts = accountsIn(config);
  const times = new Map<string, number>();
  for (const [, account] of accounts) times.set(account, (times.get(account) ?? 0) + 1);
  return [...times.keys()].flatMap((account) => {
    // Of two, the one that stands less often (then the later one) is the odd one.
    const twin = [...times.keys()].find((other) => other !== account && edits(account, other, 2) === 1);
    if (twin === undefined || times.get(account)! > times.get(twin)! || (times.get(account) === times.get(twin) && order(account, times) < order(twin, times))) return [];
    const [path] = accounts.find(([, one]) => one === account)!;
    return [{ code: 'CFG070', path, what: `is ${account}, one digit off ${twin}`, why: 'both stand in the file', fix: `did you mean "${twin}"?` }];
  });
}

/** The account of the file that a misspelt one is nearest to. */
export function nearestAccount(value: string, root: unknown): string | undefined {
  const known = new Set<string>();
  const collect = (part: unknown): void => {
    if (typeof part === 'string' && /^\d{12}$/.test(part)) known.add(part);
    else if (Array.isArray(part) || isDictionary(part)) Object.values(part).forEach(collect);
  };
  collect(root);
  return [...known].find((account) => edits(value, account, 3) < 3);
}

function order(account: string, times: ReadonlyMap<string, number>): number {
  return [...times.keys()].indexOf(account);
}

function regionsIn(config: FleetConfig): readonly Named[] {
  const found: Named[] = [];
  const add = (path: Path, entry: string | { readonly region: string } | undefined): void => {
    if (typeof entry === 'string') found.push([path, entry]);
    else if (entry !== undefined) found.push([[...path, 'region'], entry.region]);
  };
  add(['pipeline', 'region'], config.pipeline?.region);
  for (const [key, pipeline] of Object.entries(config.pipelines ?? {})) add(['pipelines', key, 'region'], pipeline.region);
  for (const [name, environment] of Object.entries(config.environments)) {
    const path = ['environments', name];
    add([...path, 'region'], environment.region);
    environment.regions?.forEach((entry, index) => add([...path, 'regions', index], entry));
    environment.accounts?.forEach((entry, at) => typeof entry === 'object' && entry.regions?.forEach((region, index) => add([...path, 'accounts', at, 'regions', index], region)));
  }
  return found;
}

function accountsIn(config: FleetConfig): readonly Named[] {
  const found: Named[] = [];
  const add = (path: Path, account: string | undefined): void => void (account !== undefined && found.push([path, account]));
  add(['pipeline', 'account'], config.pipeline?.account);
  for (const [key, pipeline] of Object.entries(config.pipelines ?? {})) add(['pipelines', key, 'account'], pipeline.account);
  config.bootstrap?.trust?.forEach((account, index) => add(['bootstrap', 'trust', index], account));
  for (const [name, environment] of Object.entries(config.environments)) {
    add(['environments', name, 'account'], environment.account);
    environment.accounts?.forEach((entry, index) => (typeof entry === 'string' ? add(['environments', name, 'accounts', index], entry) : add(['environments', name, 'accounts', index, 'account'], entry.account)));
  }
  return found;
}
