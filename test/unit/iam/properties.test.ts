import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, explain, type Change, type NamedPolicy, type PolicySet } from '../../../src/local/iam/index.js';
import { principal } from './tables.js';

const A = '111111111111';
const B = '222222222222';

const action = fc.constantFrom('s3:GetObject', 's3:PutObject', 'kms:Decrypt', 'iam:PassRole', 'sts:AssumeRole');
const actionPattern = fc.constantFrom('s3:GetObject', 's3:*', 'S3:get*', 'kms:*', '*', '*', 'iam:PassRole', 'sts:*');
const resource = fc.constantFrom('arn:aws:s3:::b/k', 'arn:aws:s3:::b/alice/k', `arn:aws:kms:eu-west-1:${A}:key/1`, `arn:aws:iam::${B}:role/x`, '*');
const resourcePattern = fc.constantFrom('*', '*', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/${aws:username}/*', `arn:aws:kms:*:${A}:key/*`, 'arn:aws:iam::*:role/?');
const condition = fc.constantFrom(
  {},
  {},
  { StringEquals: { 'aws:SourceVpc': 'v1' } },
  { StringNotEquals: { 'aws:SourceVpc': 'v1' } },
  { Null: { 'aws:SourceVpc': 'true' } },
  { 'ForAllValues:StringLike': { 'aws:TagKeys': ['a*'] } },
  { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${A}:role/*` } },
);
const named = fc.constantFrom(
  '*',
  { AWS: A },
  { AWS: B },
  { AWS: `arn:aws:iam::${A}:user/alice` },
  { AWS: `arn:aws:iam::${A}:role/app` },
  { AWS: `arn:aws:sts::${A}:assumed-role/app/session` },
  { Service: 'sns.amazonaws.com' },
);
type Effect = 'Allow' | 'Deny';

function statement(effects: readonly Effect[], withPrincipal: boolean) {
  return fc
    .record({
      Effect: fc.constantFrom(...effects),
      actionKey: fc.constantFrom('Action', 'Action', 'Action', 'NotAction'),
      action: fc.array(actionPattern, { minLength: 1, maxLength: 2 }),
      resourceKey: fc.constantFrom('Resource', 'Resource', 'Resource', 'NotResource'),
      resource: fc.array(resourcePattern, { minLength: 1, maxLength: 2 }),
      Condition: condition,
      Principal: named,
    })
    .map((s) => ({
      Effect: s.Effect,
      [s.actionKey]: s.action,
      [s.resourceKey]: s.resource,
      Condition: s.Condition,
      ...(withPrincipal ? { Principal: s.Principal } : {}),
    }));
}

type Statements = object[];
interface World {
  identity: Statements[];
  boundary?: Statements;
  session?: Statements;
  resource?: { kind: 'trust' | 'kms' | 'resource'; account: string; statements: Statements };
  scps: Statements[];
}

const statements = (withPrincipal = false) => fc.array(statement(['Allow', 'Allow', 'Deny'], withPrincipal), { maxLength: 3 });
const world: fc.Arbitrary<World> = fc.record(
  {
    identity: fc.array(statements(), { maxLength: 3 }),
    boundary: statements(),
    session: statements(),
    resource: fc.record({
      kind: fc.constantFrom('trust' as const, 'kms' as const, 'resource' as const),
      account: fc.constantFrom(A, B),
      statements: statements(true),
    }),
    scps: fc.array(statements(), { maxLength: 2 }),
  },
  { requiredKeys: ['identity', 'scps'] },
);
const request = fc.record({
  principal: fc.constantFrom('user', 'session', 'root', 'service:sns.amazonaws.com', 'anonymous', 'federated').map((name) => principal(name)),
  action,
  resource,
  context: fc.constantFrom({}, { 'aws:SourceVpc': 'v1' }, { 'aws:SourceVpc': 'v2', 'aws:TagKeys': ['ab', 'b'] }),
});

/** Somewhere in the world a statement is added. */
const place = fc.constantFrom('identity', 'boundary', 'session', 'resource', 'scps');

function policies(from: World): PolicySet {
  const document = (list: Statements) => JSON.stringify({ Version: '2012-10-17', Statement: list });
  const policy = (name: string, list: Statements): NamedPolicy => ({ name, document: document(list) });
  return {
    identity: from.identity.map((list, i) => policy(`identity${i}`, list)),
    boundary: from.boundary && policy('boundary', from.boundary),
    session: from.session && [policy('session', from.session)],
    resource: from.resource && { kind: from.resource.kind, account: from.resource.account, document: document(from.resource.statements) },
    scps: from.scps.map((list, i) => [policy(`scp${i}`, list)]),
  };
}

/** The same world with the statement in an existing policy (or a further one that can't restrict by being there). */
function withStatement(from: World, where: string, added: object): World | undefined {
  const next = structuredClone(from);
  if (where === 'identity') next.identity.push([added]);
  else if (where === 'scps') next.scps[0]?.push(added);
  else if (where === 'resource') next.resource?.statements.push(added);
  else next[where as 'boundary' | 'session']?.push(added);
  return JSON.stringify(next) === JSON.stringify(from) ? undefined : next;
}

describe('properties of every decision', () => {
  it('adding a Deny never grants', () => {
    fc.assert(
      fc.property(world, request, place, statement(['Deny'], true), (before, asked, where, deny) => {
        const after = withStatement(before, where, deny);
        if (after && !decide(asked, policies(before)).allowed) expect(decide(asked, policies(after)).allowed).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('adding an Allow never revokes', () => {
    fc.assert(
      fc.property(world, request, place, statement(['Allow'], true), (before, asked, where, allow) => {
        const after = withStatement(before, where, allow);
        if (after && decide(asked, policies(before)).allowed) expect(decide(asked, policies(after)).allowed).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  it('the order of statements and of policies never matters', () => {
    fc.assert(
      fc.property(world, request, (before, asked) => {
        const turned = structuredClone(before);
        turned.identity.reverse().forEach((list) => list.reverse());
        turned.scps.reverse().forEach((list) => list.reverse());
        turned.boundary?.reverse();
        turned.session?.reverse();
        turned.resource?.statements.reverse();
        expect(decide(asked, policies(turned)).allowed).toBe(decide(asked, policies(before)).allowed);
      }),
      { numRuns: 2000 },
    );
  });

  it('the case of actions and of condition keys never matters', () => {
    fc.assert(
      fc.property(world, request, (before, asked) => {
        const context = Object.fromEntries(Object.entries(asked.context).map(([key, value]) => [key.toUpperCase(), value]));
        const shouting = { ...asked, action: asked.action.toUpperCase(), context };
        expect(decide(shouting, policies(before)).allowed).toBe(decide(asked, policies(before)).allowed);
      }),
      { numRuns: 1000 },
    );
  });

  it('the smallest change that is suggested allows what was denied, and none is suggested otherwise', () => {
    fc.assert(
      fc.property(world, request, (before, asked) => {
        const decision = decide(asked, policies(before));
        const { changes } = decision.explanation;
        expect(explain(decision)).toContain(decision.allowed ? 'ALLOWED' : 'DENIED');
        expect(changes.length > 0).toBe(!decision.allowed);
        const after = decide(asked, policies(applied(before, changes)));
        expect(after.allowed, `${explain(decision)}\n\nafter:\n${explain(after)}`).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('every suggested change is needed: leaving one out keeps the denial', () => {
    fc.assert(
      fc.property(world, request, fc.nat(), (before, asked, pick) => {
        const { changes } = decide(asked, policies(before)).explanation;
        fc.pre(changes.length > 0);
        const fewer = changes.filter((_, i) => i !== pick % changes.length);
        expect(decide(asked, policies(applied(before, fewer))).allowed).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

function applied(before: World, changes: readonly Change[]): World {
  const next = structuredClone(before);
  const removed = new Set<object>();
  for (const change of changes) if (change.kind === 'remove') removed.add(listOf(next, change)[change.statement - 1]!);
  const keep = (list: Statements): void => void list.splice(0, list.length, ...list.filter((item) => !removed.has(item)));
  for (const list of [...next.identity, ...next.scps, next.boundary, next.session, next.resource?.statements]) if (list) keep(list);
  for (const change of changes) {
    if (change.kind !== 'add') continue;
    if (change.type === 'identity-based policy') next.identity.push([change.statement]);
    else if (change.type === 'service control policy') next.scps[change.tier]!.push(change.statement);
    else if (change.type === 'permissions boundary') next.boundary!.push(change.statement);
    else if (change.type === 'session policy') (next.session ??= []).push(change.statement);
    else (next.resource ??= { kind: 'resource', account: A, statements: [] }).statements.push(change.statement);
  }
  if (changes.some((change) => change.kind === 'add' && change.type.includes('resource-based')) && !before.resource) next.resource!.account = B;
  return next;
}

function listOf(from: World, change: Extract<Change, { kind: 'remove' }>): Statements {
  const number = Number(/\d+$/.exec(change.policy)?.[0]);
  if (change.type === 'identity-based policy') return from.identity[number]!;
  if (change.type === 'service control policy') return from.scps[number]!;
  if (change.type === 'permissions boundary') return from.boundary!;
  return change.type === 'session policy' ? from.session! : from.resource!.statements;
}
