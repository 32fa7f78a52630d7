import type { BootstrapSettings, Environment } from '../../config/index.js';
import type { Path } from '../../config/index.js';
import type { Report } from './names.js';

type Parameters = Readonly<Record<string, unknown>>;

/** An account of an environment with its regions; all that is disabled is gone. */
export interface AccountPlace {
  readonly account: string;
  readonly path: Path;
  readonly parameters: Parameters | undefined;
  readonly bootstrap: BootstrapSettings | undefined;
  readonly regions: readonly RegionPlace[];
}

export interface RegionPlace {
  readonly region: string;
  readonly path: Path;
  readonly parameters: Parameters | undefined;
  readonly stage: string | undefined;
}

export interface Places {
  readonly accounts: readonly AccountPlace[];
  /** Regions in the order they are first named. */
  readonly regions: readonly string[];
  /** Regions the environment has, but not enabled. */
  readonly disabled: ReadonlySet<string>;
}

type RegionEntry = NonNullable<Environment['regions']>[number];
type AccountEntry = NonNullable<Environment['accounts']>[number];

/** Accounts × regions of an environment: `account` or `accounts`, and `region` or `regions`, of its own or of each account. */
export function placesOf(environment: Environment, path: Path, report: Report): Places {
  const disabled = new Set<string>();
  const common = regionsOf(environment, path, disabled, report);
  if (environment.account !== undefined && environment.accounts !== undefined) report({ code: 'CFG042', path: [...path, 'accounts'], what: 'stands beside account', fix: 'keep one of the two', atKey: true });
  if (environment.account === undefined && environment.accounts === undefined) report({ code: 'CFG040', path, what: 'has neither account nor accounts', fix: 'account: "111111111111"', atKey: true });
  const entries: readonly (readonly [AccountEntry, Path])[] = environment.accounts?.map((entry, index) => [entry, [...path, 'accounts', index]] as const) ?? (environment.account === undefined ? [] : [[environment.account, [...path, 'account']]]);
  const accounts = entries.flatMap(([entry, at]) => {
    const place = typeof entry === 'string' ? { account: entry, enabled: true } : entry;
    if (!place.enabled) return [];
    const own = typeof entry === 'object' && entry.regions !== undefined ? entry.regions.map((region, index) => [region, [...at, 'regions', index]] as const) : undefined;
    const regions = own === undefined ? common : enabledRegions(own, disabled, report);
    if (regions === undefined) report({ code: 'CFG041', path: environment.accounts === undefined ? path : at, what: 'has neither region nor regions', fix: 'regions: [us-east-1]', atKey: true });
    const { account, parameters, bootstrap } = place as Exclude<AccountEntry, string>;
    return [{ account, path: at, parameters, bootstrap, regions: regions ?? [] }];
  });
  const seen = new Set<string>();
  for (const place of accounts) {
    if (seen.has(place.account)) report({ code: 'CFG059', path: place.path, what: `names account ${place.account} a second time`, fix: 'name each account of an environment once' });
    seen.add(place.account);
  }
  return { accounts, regions: [...new Set(accounts.flatMap((place) => place.regions.map(({ region }) => region)))], disabled };
}

function regionsOf(environment: Environment, path: Path, disabled: Set<string>, report: Report): readonly RegionPlace[] | undefined {
  if (environment.region !== undefined && environment.regions !== undefined) report({ code: 'CFG042', path: [...path, 'regions'], what: 'stands beside region', fix: 'keep one of the two', atKey: true });
  if (environment.regions !== undefined) return enabledRegions(environment.regions.map((entry, index) => [entry, [...path, 'regions', index]] as const), disabled, report);
  return environment.region === undefined ? undefined : enabledRegions([[environment.region, [...path, 'region']]], disabled, report);
}

function enabledRegions(entries: readonly (readonly [RegionEntry, Path])[], disabled: Set<string>, report: Report): readonly RegionPlace[] {
  const seen = new Set<string>();
  return entries.flatMap(([entry, path]) => {
    const { region, enabled, parameters, stage } = typeof entry === 'string' ? { region: entry, enabled: true, parameters: undefined, stage: undefined } : entry;
    if (seen.has(region)) report({ code: 'CFG059', path, what: `names ${region} a second time`, fix: 'name each region once' });
    const again = seen.has(region);
    seen.add(region);
    if (!enabled) disabled.add(region);
    return enabled && !again ? [{ region, path, parameters, stage }] : [];
  });
}
