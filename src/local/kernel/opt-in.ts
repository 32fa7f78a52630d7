import { table, type State } from '../state/state.js';
import { REGIONS } from './regions.js';

/** Regions an account has turned off; all others are its to use. */
const closed = table<readonly string[]>('flotilla', 'closed-regions');

/** Regions that every account has from the start and can't turn off (AWS Account Management, "Enable or disable AWS Regions"). */
const ALWAYS: ReadonlySet<string> = new Set([
  'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2', 'ca-central-1', 'eu-central-1',
  'eu-north-1', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2',
]);

export function closedRegions(state: State, account: string): readonly string[] {
  return closed(state, 'cloud', 'global').get(account) ?? [];
}

export function isOpen(state: State, account: string, region: string): boolean {
  return !closedRegions(state, account).includes(region);
}

/** `opt-in-not-required`, `opted-in` or `not-opted-in`, as DescribeRegions says it. */
export function optInStatus(state: State, account: string, region: string): string {
  return ALWAYS.has(region) ? 'opt-in-not-required' : isOpen(state, account, region) ? 'opted-in' : 'not-opted-in';
}

/** Turns regions off for an account; those not named are open. Answers the first that can't be turned off. */
export function closeRegions(state: State, account: string, regions: readonly string[]): string | undefined {
  const impossible = regions.find((region) => ALWAYS.has(region) || !REGIONS.includes(region));
  if (impossible === undefined) closed(state, 'cloud', 'global').put(account, regions);
  return impossible;
}
