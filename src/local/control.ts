import { timingSafeEqual } from 'node:crypto';
import { FlotillaError } from '../shared/errors.js';
import type { Inbox } from './inbox.js';
import type { Journal } from './journal.js';
import { validatePolicy } from './iam/index.js';
import { setFaults, type Fault } from './faults.js';
import { isAwsError } from './kernel/error.js';
import { declaredAccounts } from './kernel/accounts.js';
import { closedRegions, closeRegions } from './kernel/opt-in.js';
import { setQuotas, type QuotaSetting } from './kernel/quotas.js';
import type { HttpAnswer, HttpRequest, Runtime, Service } from './kernel/service.js';
import { accountCredentials, credential, setOrganization, setScpLevels, setScps, type ControlPolicy } from './services/iam/identity.js';
import { describeIsolation, resolveIsolation, type IsolationWish } from './process/index.js';
import { startedPipelines } from './pipeline/store.js';

interface Parts {
  /** AWS requests from outside since the start. */
  requests(): number;
  readonly token: string;
  readonly runtime: Runtime;
  readonly journal: Journal;
  readonly inbox: Inbox;
  readonly services: ReadonlyMap<string, Service>;
  readonly stop: (() => void) | undefined;
}

type Command = (parts: Parts, input: Record<string, unknown>) => unknown;

/**
 * What the command line asks the local cloud itself, not AWS: `POST /_flotilla/COMMAND` with the token of the installation and a JSON
 * body. It is not part of any AWS API and no role reaches it.
 */
const COMMANDS: Readonly<Record<string, Command>> = {
  status: ({ runtime, services, requests }) => ({
    requests: requests(),
    endpoint: runtime.endpoint,
    pid: process.pid,
    directory: runtime.directory,
    uptime: process.uptime(),
    memory: process.memoryUsage().rss,
    services: [...services.values()].map((service) => ({ name: service.name, operations: Object.keys(service.operations).length })),
    accounts: declaredAccounts(runtime.state).list(),
  }),
  declare: ({ runtime }, input) => {
    const id = String(input['id'] ?? '');
    if (!/^\d{12}$/.test(id)) throw new FlotillaError('CLD010', `'${id}' is not an account ID`, { why: 'an account ID has twelve digits', exitCode: 2 });
    const account = { id, name: String(input['name'] ?? id), region: String(input['region'] ?? 'us-east-1') };
    declaredAccounts(runtime.state).put(id, account);
    return { ...account, ...accountCredentials(runtime.state, id) };
  },
  accounts: ({ runtime }) => declaredAccounts(runtime.state).list().map((account) => ({ ...account, ...accountCredentials(runtime.state, account.id) })),
  // What was enforced and what was not: resources of stacks by whether their service exists here, and how code is kept apart.
  report: async ({ runtime }) => {
    const resources = runtime.state.list<{ type: string; modelled: boolean }>([]).filter(([key]) => key[2] === 'cloudformation' && key[3] === 'resources').map(([, resource]) => resource);
    const modelled: Record<string, number> = {};
    for (const { type } of resources.filter((resource) => resource.modelled)) modelled[type] = (modelled[type] ?? 0) + 1;
    const isolation = await resolveIsolation((process.env['FLOTILLA_ISOLATION'] as IsolationWish | undefined) ?? 'auto');
    return { resources: resources.length, modelled, isolation, meaning: describeIsolation(isolation) };
  },
  // A repository the local cloud serves: answers where it lies, so that git on this machine can push into it; `changes` tells what a push did.
  serve: async ({ runtime }, input) => {
    const { kind, name, account, region } = input as { kind: string; name: string; account: string; region: string };
    const changes = (input['changes'] as unknown[] | undefined) ?? [];
    const principal = credential(runtime.state, account)?.principal;
    if (!principal) throw new FlotillaError('CLD010', `'${account}' is not an account ID`, { exitCode: 2 });
    const client = runtime.client({ principal, region });
    return kind === 'codecommit' ? client.call('codecommit', 'Pushed', { repositoryName: name, changes }) : client.call('codeconnections', 'Serve', { FullRepositoryId: name, changes });
  },
  // Accounts and regions that have pipelines.
  pipelines: ({ runtime }) => [...new Map(startedPipelines(runtime.state).map(({ account, region }) => [`${account}/${region}`, { account, region }])).values()],
  inbox: ({ inbox }) => inbox.messages(),
  why: ({ journal }, input) => journal.why(typeof input['requestId'] === 'string' ? input['requestId'] : undefined) ?? null,
  // Policies of the account with FullAWSAccess beside them, or all there are by `levels`: the account's own first, the root's last.
  scps: ({ runtime }, input) => {
    const account = accountId(runtime, String(input['account']));
    if (input['levels'] === undefined) setScps(runtime.state, account, controlPolicies(input['policies']));
    else if (Array.isArray(input['levels'])) setScpLevels(runtime.state, account, input['levels'].map(controlPolicies));
    else throw new FlotillaError('CLD013', 'levels are a list of lists of {name, document}', { exitCode: 2 });
    return { account };
  },
  organization: ({ runtime }, input) => setOrganization(runtime.state, accountId(runtime, String(input['management']))),
  // Values of quotas that hold for an account and region; answers those of quotas that nothing here obeys.
  quotas: ({ runtime }, input) => {
    const account = accountId(runtime, String(input['account']));
    const values = input['quotas'];
    if (!Array.isArray(values) || !values.every(isQuota)) throw new FlotillaError('CLD013', 'quotas are a list of {service, code, value}', { exitCode: 2 });
    return { account, region: input['region'], unknown: setQuotas(runtime.state, account, String(input['region']), values) };
  },
  // What is to be rehearsed: regions an account has not opted in to, calls that are throttled or denied.
  regions: ({ runtime }, input) => {
    const account = accountId(runtime, String(input['account']));
    const impossible = closeRegions(runtime.state, account, (input['closed'] as string[] | undefined) ?? []);
    if (impossible !== undefined) throw new FlotillaError('CLD015', `'${impossible}' is no region that can be turned off`, { why: 'regions launched before March 2019 are always on', exitCode: 2 });
    return { account, closed: closedRegions(runtime.state, account) };
  },
  faults: ({ runtime }, input) => {
    const wanted = (input['faults'] as Partial<Fault>[] | undefined) ?? [];
    if (!Array.isArray(wanted) || !wanted.every(({ kind }) => kind === 'throttle' || kind === 'deny')) throw new FlotillaError('CLD013', "faults are a list of {kind: 'throttle' | 'deny', account?, region?, service?, operation?, times?, every?}", { exitCode: 2 });
    setFaults(runtime.state, wanted.map((fault, index) => ({ ...fault, id: String(index), kind: fault.kind!, times: fault.times ?? 1, every: fault.every ?? 1, passed: 0 })));
    return { faults: wanted.length };
  },
  dump: ({ runtime }, input) => {
    const prefix = Array.isArray(input['prefix']) ? (input['prefix'] as string[]) : [];
    return runtime.state.list(prefix).filter(([key]) => !SECRET.has(`${key[2]}/${key[3]}`)).map(([key, value]) => ({ key, value }));
  },
  stop: ({ stop }) => {
    if (stop) setImmediate(stop);
    return { stopping: stop !== undefined };
  },
};

/** Tables whose values no dump shows. */
const SECRET: ReadonlySet<string> = new Set(['flotilla/secret', 'iam/credentials', 'iam/access-keys', 'secretsmanager/values', 'kms/material', 'sns/signing', 'ecr/secret', 'lambda/secret']);

export function controlInterface(parts: Parts): (request: HttpRequest) => Promise<HttpAnswer> {
  return async (request) => {
    if (!sameToken(request.headers['x-flotilla-token'] ?? '', parts.token)) return json(403, { code: 'CLD001', message: 'the control interface needs the token of this installation' });
    const name = request.path.slice('/_flotilla/'.length);
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command || request.method !== 'POST') return json(404, { code: 'CLD002', message: `the local cloud has no command '${name}'` });
    try {
      return json(200, (await command(parts, parse(Buffer.from(await request.body.bytes()).toString('utf8')))) ?? null);
    } catch (error) {
      const code = error instanceof FlotillaError || isAwsError(error) ? error.code : 'CLD000';
      return json(error instanceof FlotillaError ? 400 : 500, { code, message: error instanceof Error ? error.message : String(error), why: error instanceof FlotillaError ? error.why : undefined });
    }
  };
}

function isQuota(one: unknown): one is QuotaSetting {
  const { service, code, value } = (one ?? {}) as Readonly<Record<string, unknown>>;
  return typeof service === 'string' && typeof code === 'string' && Number.isInteger(value) && (value as number) >= 0;
}

function controlPolicies(policies: unknown): ControlPolicy[] {
  const given = (one: unknown): one is ControlPolicy => typeof (one as { name?: unknown } | null)?.name === 'string' && typeof (one as { document?: unknown }).document === 'string';
  if (!Array.isArray(policies) || !policies.every(given)) throw new FlotillaError('CLD013', 'policies are a list of {name, document}', { exitCode: 2 });
  for (const { name, document } of policies) {
    const problem = validatePolicy(document, 'scp');
    if (problem !== undefined) throw new FlotillaError('CLD014', `'${name}' is no service control policy`, { why: problem, exitCode: 2 });
  }
  return policies;
}

/** An account by its ID or by the name it was declared under. */
function accountId(runtime: Runtime, given: string): string {
  const id = /^\d{12}$/.test(given) ? given : declaredAccounts(runtime.state).list().find(({ name }) => name === given)?.id;
  if (id === undefined) throw new FlotillaError('CLD010', `'${given}' is not an account ID, and no account is known by that name`, { why: 'an account ID has twelve digits', exitCode: 2 });
  return id;
}

function parse(text: string): Record<string, unknown> {
  if (text === '') return {};
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new FlotillaError('CLD013', 'the body of a command is a JSON object', { exitCode: 2 });
}

function sameToken(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value, (_, v: unknown) => (v instanceof Uint8Array ? `<${v.byteLength} bytes>` : v)) };
}
