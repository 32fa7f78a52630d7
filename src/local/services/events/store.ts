import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Events from '../../models/types/events.js';
import { table } from '../../state/state.js';

export interface BusRecord {
  readonly name: string;
  readonly description?: string;
  readonly keyId?: string;
  readonly deadLetter?: Events.DeadLetterConfig;
  readonly logging?: Events.LogConfig;
  readonly created: Date;
  readonly modified: Date;
  readonly tags: Readonly<Record<string, string>>;
  /** Statements with principals as unique IDs. */
  readonly statements: readonly Record<string, unknown>[];
}

export interface RuleRecord {
  readonly name: string;
  readonly bus: string;
  readonly account: string;
  readonly region: string;
  readonly pattern?: string;
  readonly schedule?: string;
  readonly state: string;
  readonly description?: string;
  readonly roleArn?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly targets: readonly Events.Target[];
  readonly createdBy: string;
}

export const buses = table<BusRecord>('events', 'buses');
/** By bus and name. */
export const rules = table<RuleRecord>('events', 'rules');

export interface BusName {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

/** A bus by name or ARN; default: the account's own. */
export function parseBus(given: string | undefined, context: Pick<RequestContext, 'account' | 'region'>): BusName {
  const arn = given === undefined ? undefined : parseArn(given);
  if (!arn) return { account: context.account, region: context.region, name: given ?? 'default' };
  return { account: arn.account, region: arn.region, name: arn.resource.replace(/^event-bus\//, '') };
}

export const busArn = (bus: BusName): string => `arn:aws:events:${bus.region}:${bus.account}:event-bus/${bus.name}`;

/** Rules of the default bus have no bus in their ARN. */
export function ruleArn(rule: { account: string; region: string; bus: string; name: string }): string {
  return `arn:aws:events:${rule.region}:${rule.account}:rule/${rule.bus === 'default' ? '' : `${rule.bus}/`}${rule.name}`;
}

/** The bus, if it exists; every account has the default one. */
export function findBus(bus: BusName, context: Pick<RequestContext, 'state' | 'now'>): BusRecord | undefined {
  const found = buses(context.state, bus.account, bus.region).get(bus.name);
  if (found || bus.name !== 'default') return found;
  const epoch = new Date(0);
  return { name: 'default', created: epoch, modified: epoch, tags: {}, statements: [] };
}

export function busOf(given: string | undefined, context: RequestContext): { bus: BusName; record: BusRecord } {
  const bus = parseBus(given, context);
  const record = findBus(bus, context);
  if (!record) throw notFound(`Event bus ${bus.name} does not exist.`);
  return { bus, record };
}

export function ruleOf(name: string, busName: string | undefined, context: RequestContext): RuleRecord {
  const { bus } = busOf(busName, context);
  const rule = rules(context.state, bus.account, bus.region).get(bus.name, name);
  if (!rule) throw notFound(`Rule ${name} does not exist on EventBus ${bus.name}.`);
  return rule;
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, { status: 400 });
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message, { status: 400 });
}

/** A page of a list by an opaque token. */
export function page<T>(all: readonly T[], token: string | undefined, limit = 100): { items: T[]; next: { NextToken?: string } } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw invalid('The token is invalid.');
  return { items: all.slice(start, start + limit), next: start + limit < all.length ? { NextToken: Buffer.from(String(start + limit)).toString('base64url') } : {} };
}
