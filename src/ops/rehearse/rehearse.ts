import { CloudFormationClient, paginateDescribeStacks } from '@aws-sdk/client-cloudformation';
import { FlotillaError } from '../../shared/errors.js';
import { each, type Limiter } from '../concurrency.js';
import type { ControlPolicyFacts, PairFacts, QuotaFacts } from '../doctor/facts.js';
import type { Emit } from '../events.js';
import { placeOf, type OperatedFleet, type Pair } from '../fleet/fleet.js';
import { clientOf, type Target } from '../target.js';
import type { AccountsRecord } from './record.js';
import { restoreBootstrap } from './bootstrap.js';
import { restoreStacks } from './stacks.js';

/** What a rehearsal needs of the local cloud beyond AWS's APIs. */
export interface Conditions {
  closeRegions(account: string, regions: readonly string[]): Promise<void>;
  /** By level, the account's own policies first, the root's last; one that allows everything is among them, or nothing is allowed. */
  controlPolicies(account: string, levels: readonly (readonly ControlPolicyFacts[])[]): Promise<void>;
  /** Quotas that the local cloud obeys; the others are answered with their names. */
  quotas(pair: Pair, values: readonly QuotaFacts[]): Promise<readonly QuotaFacts[]>;
}

/** For one target: what the rehearsal has from the record, and what it takes for granted. */
export interface Basis extends Pair {
  readonly known: readonly string[];
  readonly assumed: readonly string[];
}

export interface RehearsalOptions {
  readonly target: Target;
  readonly record: AccountsRecord;
  readonly fleet: OperatedFleet;
  readonly conditions: Conditions;
  readonly limit: Limiter;
  readonly emit: Emit;
}

/** Makes the accounts of a new local cloud what the record says the real ones are. Pairs that the record doesn't have are left to the caller. */
export async function restoreAccounts(options: RehearsalOptions): Promise<Basis[]> {
  const { record, fleet, limit, emit, target, conditions } = options;
  if (target.kind !== 'LOCAL') throw new FlotillaError('REH003', 'accounts are restored on a local cloud only', { exitCode: 2 });
  const wanted = record.pairs.filter((facts) => fleet.pairs.some((pair) => samePair(pair, facts)));
  const bases = await each(limit, wanted, async (facts) => {
    const start = performance.now();
    const basis = await restorePair(options, facts);
    emit({ type: 'step', name: `restore ${placeOf(facts)}`, status: 'succeeded', seconds: (performance.now() - start) / 1000, detail: basis.known.join(', ') });
    return basis;
  });
  // What forbids comes last: it is not to forbid the restoration.
  for (const account of new Set(wanted.map((facts) => facts.account))) await forbid(account, wanted.filter((facts) => facts.account === account), conditions);
  return [...bases, ...fleet.pairs.filter((pair) => !wanted.some((facts) => samePair(pair, facts))).map(({ account, region }) => ({ account, region, known: [], assumed: ['everything: the record does not have it; bootstrapped as the app needs it'] }))];
}

/** Whether the record says what the pair is; otherwise the run bootstraps it as the app needs it. */
export function isRecorded(record: AccountsRecord, pair: Pair): boolean {
  return record.pairs.some((facts) => samePair(pair, facts) && facts.identity.known && (isClosed(facts) || facts.toolkit.known));
}

/** Whether a secret was missing there when the record was made. */
export function wasMissing(record: AccountsRecord, pair: Pair, secret: string): boolean {
  return record.pairs.some((facts) => samePair(pair, facts) && facts.secrets.known && facts.secrets.value[secret] === false);
}

function samePair(a: Pair, b: Pair): boolean {
  return a.account === b.account && a.region === b.region;
}

function isClosed({ optIn }: PairFacts): boolean {
  return optIn.known && optIn.value === 'not-opted-in';
}

async function restorePair(options: RehearsalOptions, facts: PairFacts): Promise<Basis> {
  const { account, region } = facts;
  const known: string[] = [];
  const assumed: string[] = [];
  if (!facts.identity.known) return { account, region, known, assumed: [`everything: it could not be read (${facts.identity.why}); bootstrapped as the app needs it`] };
  if (isClosed(facts)) return { account, region, known: ['the account has not opted in to the region'], assumed };
  if (facts.toolkit.known) await restoreBootstrap(options.target, facts, known, assumed);
  else assumed.push(`the bootstrap: it could not be read (${facts.toolkit.why}); bootstrapped as the app needs it`);
  await restoreStacks(options.target, facts, options.fleet, known, assumed);
  if (facts.controlPolicies.known) known.push(`${facts.controlPolicies.value.length} control policies`);
  else assumed.push(`no control policy forbids anything (${facts.controlPolicies.why})`);
  if (!facts.optIn.known) assumed.push(`the region is open (${facts.optIn.why})`);
  if (facts.secrets.known && Object.keys(facts.secrets.value).length > 0) known.push(`${Object.keys(facts.secrets.value).length} secrets, by name only`);
  if (facts.quotas.known) await restoreQuotas(options, facts, facts.quotas.value, known, assumed);
  else assumed.push(`quotas suffice: they could not be read (${facts.quotas.why})`);
  if (facts.connections.known && facts.connections.value.some(({ status }) => status !== 'AVAILABLE')) assumed.push(`connections are confirmed; there, ${facts.connections.value.filter(({ status }) => status !== 'AVAILABLE').map(({ name, status }) => `${name} is ${status}`).join(', ')}`);
  return { account, region, known, assumed };
}

async function forbid(account: string, pairs: readonly PairFacts[], conditions: Conditions): Promise<void> {
  const closed = pairs.filter(isClosed).map(({ region }) => region);
  if (closed.length > 0) await conditions.closeRegions(account, closed);
  const policies = pairs.find(({ controlPolicies }) => controlPolicies.known)?.controlPolicies;
  if (policies?.known && policies.value.length > 0) await conditions.controlPolicies(account, levelsOf(policies.value));
}

/** A record of before says nothing of levels: everything was allowed that no policy denied. */
function levelsOf(policies: readonly ControlPolicyFacts[]): ControlPolicyFacts[][] {
  if (policies.some(({ target }) => target === undefined)) return [[...policies, EVERYTHING]];
  return [...new Set(policies.map(({ target }) => target))].map((level) => policies.filter(({ target }) => target === level));
}

const EVERYTHING: ControlPolicyFacts = { name: 'FullAWSAccess', document: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }) };

/** Sets the quotas there are; of stacks those that the account has besides the ones that stand here are taken off. */
async function restoreQuotas({ conditions, fleet, target }: RehearsalOptions, facts: PairFacts, quotas: readonly QuotaFacts[], known: string[], assumed: string[]): Promise<void> {
  if (quotas.length === 0) return;
  const own = new Set(fleet.stacks.filter((stack) => samePair(stack, facts)).map(({ stackName }) => stackName));
  const others = facts.stacks.known ? facts.stacks.value.filter(({ name }) => !own.has(name)).length : 0;
  const here = others === 0 ? 0 : await othersHere(target, facts, own);
  const missing = await conditions.quotas(facts, quotas.map((quota) => (quota.service === 'cloudformation' && quota.name === STACK_COUNT ? { ...quota, value: Math.max(0, quota.value - others + here) } : quota)));
  known.push(`${quotas.length - missing.length} quotas`);
  if (missing.length > 0) assumed.push(`quotas suffice that the local cloud doesn't have: ${missing.map(({ name }) => name).join(', ')}`);
}

/** As Service Quotas names it. */
const STACK_COUNT = 'Stack count';

/** Stacks that stand here and are not the fleet's: the bootstrap, and those that stand for what exports values. */
async function othersHere(target: Target, { account, region }: Pair, own: ReadonlySet<string>): Promise<number> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  let count = 0;
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) count += Stacks.filter(({ StackName = '' }) => !own.has(StackName)).length;
  return count;
}
