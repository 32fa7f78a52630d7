import { describe, expect, it } from 'vitest';
import { examine } from '../../../src/ops/doctor/checks.js';
import { stalePrincipals, trustedAccounts, withTrust } from '../../../src/ops/doctor/documents.js';
import type { Known, PairFacts, RoleFacts } from '../../../src/ops/doctor/facts.js';
import { isOlder } from '../../../src/ops/doctor/versions.js';
import type { FleetPair } from '../../../src/ops/fleet/fleet.js';

const ACCOUNT = '111111111111';
const TOOLS = '999999999999';
const known = <T>(value: T): Known<T> => ({ known: true, value });
const trust = (...accounts: string[]): string => JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: accounts.map((account) => `arn:aws:iam::${account}:root`) } }] });
const role = (kind: string, document: string, attached: string[] = [], boundary?: string): RoleFacts => ({ name: `cdk-hnb659fds-${kind}-role-${ACCOUNT}-eu-west-1`, arn: `arn:aws:iam::${ACCOUNT}:role/cdk-hnb659fds-${kind}-role-${ACCOUNT}-eu-west-1`, trust: document, attached, ...(boundary ? { boundary } : {}) });
const SERVICE = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'cloudformation.amazonaws.com' } }] });
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
const healthy = {
  deploy: role('deploy', trust(ACCOUNT, TOOLS)),
  lookup: role('lookup', trust(ACCOUNT, TOOLS)),
  'file-publishing': role('file-publishing', trust(ACCOUNT, TOOLS)),
  'image-publishing': role('image-publishing', trust(ACCOUNT, TOOLS)),
  'cfn-exec': role('cfn-exec', SERVICE, ['arn:aws:iam::aws:policy/PowerUserAccess']),
};
const pair: FleetPair = { account: ACCOUNT, region: 'eu-west-1', bootstrap: { qualifier: 'hnb659fds', trust: [TOOLS], trustForLookup: [] } };
const facts: PairFacts = {
  account: ACCOUNT,
  region: 'eu-west-1',
  qualifier: 'hnb659fds',
  toolkitStackName: 'CDKToolkit',
  identity: known('arn:aws:iam::111111111111:user/me'),
  optIn: known('opt-in-not-required'),
  toolkit: known({ status: 'CREATE_COMPLETE', version: 33, parameters: { TrustedAccounts: TOOLS }, terminationProtection: false }),
  version: known(33),
  roles: known(healthy),
  policies: known({}),
  inertBoundaries: known([]),
  bucket: known({ name: 'assets', own: true, policy: null }),
  repository: known({ name: 'images', policy: null }),
  stacks: known([]),
  stackLimit: known(2000),
  pipelines: known([]),
  connections: known([]),
  secrets: known({}),
  quotas: known([]),
  controlPolicies: known([]),
};
const findings = (changed: Partial<PairFacts>, of: FleetPair = pair) => examine(of, { ...facts, ...changed }, { current: 33, stacks: new Set(['Api', 'Web']), builds: new Set(['Concurrently running builds for Linux/Small environment']), flags: '' });
const stale = JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:*', Principal: { AWS: ['AROAEXAMPLEEXAMPLE12', 'arn:aws:iam::111111111111:root'] } } });

describe('doctor', () => {
  it('has nothing to say of a pair that is as it should be', () => expect(findings({})).toEqual([]));

  it('says nothing of quotas that the fleet’s builds don’t count against', () => {
    const quota = (size: string, value: number) => ({ service: 'codebuild', code: 'L-1', name: `Concurrently running builds for ${size} environment`, value });
    expect(findings({ quotas: known([quota('Linux/XLarge', 1), quota('ARM/Small', 0)]) })).toEqual([]);
    expect(findings({ quotas: known([quota('Linux/Small', 0)]) })).toMatchObject([{ code: 'DOC021', severity: 'error', why: 'no build can start' }]);
  });

  it('says nothing of what it could not read', () => {
    const why: Known<never> = { known: false, why: 'AccessDenied' };
    expect(findings({ toolkit: why, version: why, roles: why, policies: why, inertBoundaries: why, bucket: why, repository: why, stacks: why, stackLimit: why, pipelines: why, connections: why, secrets: why, quotas: why })).toEqual([]);
  });

  it.each<[string, string, Partial<PairFacts>, string]>([
    ['an account without credentials', 'DOC001', { identity: { known: false, why: 'no credentials' } }, 'error'],
    ['a region not opted in', 'DOC002', { optIn: known('not-opted-in') }, 'error'],
    ['no bootstrap', 'DOC003', { toolkit: known(null), version: known(null) }, 'error'],
    ['a bootstrap that apps do not deploy to', 'DOC004', { version: known(5) }, 'error'],
    ['a bootstrap whose bucket can be taken over', 'DOC004', { version: known(20) }, 'warning'],
    ['a bootstrap that is merely old', 'DOC004', { version: known(32) }, 'note'],
    ['a toolkit stack whose update could not be rolled back', 'DOC005', { toolkit: known({ status: 'UPDATE_ROLLBACK_FAILED', version: 33, parameters: {}, terminationProtection: false }) }, 'error'],
    ['a missing role', 'DOC006', { roles: known({ ...healthy, lookup: null }) }, 'error'],
    ['a role that does not trust the pipeline’s account', 'DOC007', { roles: known({ ...healthy, deploy: role('deploy', trust(ACCOUNT)) }) }, 'error'],
    ['an execution role that does not trust CloudFormation', 'DOC008', { roles: known({ ...healthy, 'cfn-exec': role('cfn-exec', trust(ACCOUNT)) }) }, 'error'],
    ['trust that the fleet does not ask for', 'DOC009', { roles: known({ ...healthy, deploy: role('deploy', trust(ACCOUNT, TOOLS, '888888888888')) }) }, 'warning'],
    ['a missing bucket', 'DOC010', { bucket: known(null) }, 'error'],
    ['a bucket of somebody else', 'DOC011', { bucket: known({ name: 'assets', own: false, policy: null }) }, 'error'],
    ['a missing repository', 'DOC012', { repository: known(null) }, 'error'],
    ['a key that is going to be deleted', 'DOC013', { bucket: known({ name: 'assets', own: true, policy: null, key: { id: 'k', state: 'PendingDeletion', policy: null } }) }, 'error'],
    ['a stale principal of the bucket', 'DOC014', { bucket: known({ name: 'assets', own: true, policy: stale }) }, 'error'],
    ['a stale principal of a pipeline’s key', 'DOC014', { pipelines: known([{ name: 'p', policies: { key: stale } }]) }, 'error'],
    ['deployments that may do anything', 'DOC015', { roles: known({ ...healthy, 'cfn-exec': role('cfn-exec', SERVICE, [ADMIN]) }) }, 'warning'],
    ['a boundary that binds nothing', 'DOC016', { inertBoundaries: known(['arn:aws:iam::111111111111:policy/Bounds']) }, 'error'],
    ['a stack of the fleet that is stuck', 'DOC017', { stacks: known([{ name: 'Api', status: 'ROLLBACK_COMPLETE' }]) }, 'error'],
    ['a pending connection', 'DOC018', { connections: known([{ arn: 'c', name: 'bitbucket', status: 'PENDING' }]) }, 'error'],
    ['a missing secret', 'DOC019', { secrets: known({ 'github-token': false }) }, 'error'],
    ['a quota that is near', 'DOC020', { stackLimit: known(2) }, 'warning'],
    ['few builds at a time', 'DOC021', { quotas: known([{ service: 'codebuild', code: 'L-1', name: 'Concurrently running builds for Linux/Small environment', value: 1 }]) }, 'warning'],
    ['a version without a stack', 'DOC022', { toolkit: known(null) }, 'warning'],
  ])('finds %s', (_what, code, changed, severity) => {
    const found = findings(changed);
    expect(found.map((finding) => [finding.code, finding.severity])).toEqual([[code, severity]]);
    expect(found[0]!.fix).not.toBe('');
    expect(found[0]!.why).not.toBe('');
  });

  it('does not offer to delete stacks of others', () => {
    expect(findings({ stacks: known([{ name: 'Theirs', status: 'ROLLBACK_COMPLETE' }]) })).toEqual([]);
    expect(findings({ stacks: known([{ name: 'Theirs', status: 'UPDATE_ROLLBACK_FAILED' }]) })).toMatchObject([{ severity: 'note' }]);
  });

  it('takes an administrator within a boundary as bound', () => {
    expect(findings({ roles: known({ ...healthy, 'cfn-exec': role('cfn-exec', SERVICE, [ADMIN], 'arn:aws:iam::111111111111:policy/Bounds') }) })).toEqual([]);
  });
});

describe('policy documents', () => {
  it('tell whom they trust, and whom they name who is no more', () => {
    expect(trustedAccounts(JSON.stringify({ Statement: [{ Effect: 'Allow', Action: ['sts:AssumeRole'], Principal: { AWS: ['222222222222', 'arn:aws:iam::333333333333:role/x'] } }, { Effect: 'Deny', Action: 'sts:AssumeRole', Principal: { AWS: '444444444444' } }] }))).toEqual(['222222222222', '333333333333']);
    expect(stalePrincipals(stale)).toEqual(['AROAEXAMPLEEXAMPLE12']);
    expect(stalePrincipals(null)).toEqual([]);
    expect(trustedAccounts(withTrust(trust(ACCOUNT), [TOOLS]))).toEqual([ACCOUNT, TOOLS]);
  });
});

describe('a pin of the CLI', () => {
  it.each([
    ['2.100.0', '2.1148.1', true],
    ['2.1148.1', '2.1148.1', false],
    ['2.2000.0', '2.1148.1', false],
    ['2', '2.1148.1', false],
    ['^2.100.0', '2.1148.1', false],
    ['~2.100', '2.1148.1', true],
    ['1', '2.1148.1', true],
    ['next', '2.1148.1', false],
  ])('%s against %s', (pin, minimum, older) => expect(isOlder(pin, minimum)).toBe(older));
});
