import { unreachable } from '../../shared/errors.js';
import { table, type State } from '../state/state.js';

/** A quota that something here obeys. */
export interface Quota {
  /** `cloudformation`. */
  readonly service: string;
  readonly code: string;
  readonly name: string;
  /** What AWS gives a new account (each service's page of quotas). */
  readonly awsDefault: number;
  /** What an account of the local cloud has as long as nobody says otherwise. */
  readonly here: number;
}

/** Names and codes as Service Quotas lists them. CodeBuild counts the builds of each size of machine by itself. */
export const QUOTAS: readonly Quota[] = [
  { service: 'cloudformation', code: 'L-0485CB21', name: 'Stack count', awsDefault: 2000, here: 2000 },
  { service: 'codepipeline', code: 'L-78D200AD', name: 'Total pipelines', awsDefault: 1000, here: 1000 },
  ...(
    [
      ['Linux/Small', 'L-9D07B6EF'],
      ['Linux/Medium', 'L-2DC20C30'],
      ['Linux/Large', 'L-4DDC4A99'],
      ['Linux/XLarge', 'L-04E5CA62'],
      ['Linux/2XLarge', 'L-0397D009'],
      ['ARM/Small', 'L-5ED1D25B'],
      ['ARM/Large', 'L-596BEAB4'],
    ] as const
  ).map(([size, code]) => ({ service: 'codebuild', code, name: `Concurrently running builds for ${size} environment`, awsDefault: 1, here: 60 })),
];

const applied = table<number>('service-quotas', 'applied');

/** The value that holds for an account in a region. */
export function quotaValue(state: State, account: string, region: string, { service, code, here }: Quota): number {
  return applied(state, account, region).get(service, code) ?? here;
}

export interface QuotaSetting {
  readonly service: string;
  readonly code: string;
  readonly value: number;
}

/** Sets values; answers those that are of no quota here. */
export function setQuotas<T extends QuotaSetting>(state: State, account: string, region: string, values: readonly T[]): T[] {
  const isKnown = ({ service, code }: QuotaSetting): boolean => QUOTAS.some((quota) => quota.service === service && quota.code === code);
  for (const { service, code, value } of values.filter(isKnown)) applied(state, account, region).put([service, code], value);
  return values.filter((one) => !isKnown(one));
}

/** A quota of QUOTAS by its service and name. */
export function quotaNamed(service: string, name: string): Quota {
  return QUOTAS.find((quota) => quota.service === service && quota.name === name) ?? unreachable(`no quota ${service} ${name}`);
}
