import { decide, type AuthorizationRequest, type Grant, type NamedPolicy, type PolicySet, type Requester } from '../../../src/local/iam/index.js';

/** One row of a decision table; see cases.json. Letters as in the reference: I identity, R resource, B boundary, S session policy. */
export interface Row {
  case: number | string;
  name: string;
  principal?: string;
  tags?: Record<string, string>;
  action?: string;
  resource?: string;
  owner?: string;
  context?: AuthorizationRequest['context'];
  I?: object[];
  Idoc?: object;
  B?: object[];
  Btext?: string;
  S?: object[];
  R?: { kind?: 'trust' | 'kms' | 'resource'; account?: string; statements?: object[]; document?: object };
  scp?: object[][];
  rcp?: object[][];
  endpoint?: object[];
  grants?: Grant[];
  expect: 'A' | 'D';
  /** Part of the denial's sentence. */
  says?: string;
  /** All of it. */
  message?: string;
}

export function decideRow(row: Row): ReturnType<typeof decide> {
  return decide(requestOf(row), policiesOf(row));
}

export function requestOf(row: Row): AuthorizationRequest {
  return {
    principal: principal(row.principal ?? 'user', row.tags),
    action: row.action ?? 's3:GetObject',
    resource: row.resource ?? 'arn:aws:s3:::bucket/key',
    resourceAccount: row.owner,
    context: row.context ?? {},
  };
}

export function policiesOf(row: Row): PolicySet {
  return {
    identity: row.Idoc ? [{ name: 'inline', document: JSON.stringify(row.Idoc) }] : row.I ? [policy('inline', row.I)] : [],
    boundary: row.Btext ? { name: 'boundary', document: row.Btext } : row.B && policy('boundary', row.B),
    session: row.S && [policy('session', row.S)],
    resource: row.R && {
      kind: row.R.kind ?? 'resource',
      account: row.R.account ?? '111111111111',
      document: JSON.stringify(row.R.document ?? { Version: '2012-10-17', Statement: row.R.statements }),
    },
    scps: row.scp?.map((level) => [policy('scp', level, 'arn:aws:organizations::999999999999:policy/o-local/service_control_policy/p-1')]),
    rcps: row.rcp?.map((level) => [policy('rcp', level)]),
    vpcEndpoint: row.endpoint && policy('endpoint', row.endpoint),
    grants: row.grants,
  };
}

function policy(name: string, statements: object[], arn?: string): NamedPolicy {
  return { name, document: JSON.stringify({ Version: '2012-10-17', Statement: statements }), ...(arn ? { arn } : {}) };
}

export function principal(name: string, tags: Record<string, string> = {}): Requester {
  const account = '111111111111';
  const alice = { kind: 'user', account, arn: `arn:aws:iam::${account}:user/alice`, userId: 'AIDAALICE00000000000', userName: 'alice', tags } as const;
  if (name.startsWith('service:')) return { kind: 'service', service: name.slice('service:'.length), account };
  switch (name) {
    case 'user':
      return alice;
    case 'session':
      return session(account, 'app', 'AROAAPP0000000000000', tags);
    case 'service-linked':
      return session(account, 'aws-service-role/x.amazonaws.com/X', 'AROASLR0000000000000', tags);
    case 'stranger':
      return { ...alice, account: '222222222222', arn: 'arn:aws:iam::222222222222:user/bob', userId: 'AIDABOB0000000000000', userName: 'bob' };
    case 'root':
      return { kind: 'root', account, arn: `arn:aws:iam::${account}:root`, userId: account };
    case 'anonymous':
      return { kind: 'anonymous', account: '' };
    case 'federated':
      return {
        kind: 'federated-user',
        account,
        arn: `arn:aws:sts::${account}:federated-user/fred`,
        userId: `${account}:fred`,
        name: 'fred',
        issuer: alice,
        sessionPolicies: [],
        tags: {},
        issuedAt: 0,
        expiresAt: 1,
      };
    case 'web':
      return { kind: 'web-identity', account: '', provider: `arn:aws:iam::${account}:oidc-provider/token.example.com`, subject: 'repo:acme/app' };
    default:
      throw new TypeError(`no principal ${name}`);
  }
}

function session(account: string, path: string, roleId: string, tags: Record<string, string>): Requester {
  const roleName = path.split('/').at(-1)!;
  return {
    kind: 'session',
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/session`,
    roleArn: `arn:aws:iam::${account}:role/${path}`,
    roleName,
    roleId,
    sessionName: 'session',
    userId: `${roleId}:session`,
    sessionPolicies: [],
    tags,
    transitiveTagKeys: [],
    issuedAt: Date.UTC(2026, 0, 1),
    expiresAt: Date.UTC(2026, 0, 2),
    assumedBy: 'arn:aws:iam::111111111111:user/alice',
  };
}
