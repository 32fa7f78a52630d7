import { CreatePolicyCommand, GetPolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLocalCloud } from '../../../src/local/index.js';
import type { StandingBootstrap } from '../../../src/ops/bootstrap/standing.js';
import type { OpsEvent } from '../../../src/ops/events.js';
import type { BootstrapSettings, FleetPair } from '../../../src/ops/fleet/fleet.js';
import { bootstrapArguments, standInPolicies } from '../../../src/ops/run/bootstrap.js';
import { clientOf, type Target } from '../../../src/ops/target.js';

const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
const NARROW = 'arn:aws:iam::aws:policy/AWSLambda_FullAccess';
const pair = (bootstrap: Partial<BootstrapSettings> = {}): FleetPair => ({ account: '111111111111', region: 'eu-west-1', bootstrap: { qualifier: 'hnb659fds', trust: ['999999999999'], trustForLookup: [], ...bootstrap } });
const standing = (parameters: Record<string, string> = {}, rest: Partial<StandingBootstrap> = {}): StandingBootstrap => ({
  stackName: 'CDKToolkit',
  status: 'CREATE_COMPLETE',
  version: 30,
  parameters: { Qualifier: 'hnb659fds', TrustedAccounts: '999999999999', TrustedAccountsForLookup: '', CloudFormationExecutionPolicies: ADMIN, FileAssetsBucketKmsKeyId: 'AWS_MANAGED_KEY', InputPermissionsBoundary: '', ...parameters },
  tags: {},
  terminationProtection: false,
  ...rest,
});
const args = (wanted: FleetPair, stack?: StandingBootstrap): readonly string[] | undefined => bootstrapArguments(wanted, { stack, holder: undefined });

describe('a run bootstraps', () => {
  it('what is not there: trust for the pipeline, the rights of an administrator where nobody says others', () => {
    expect(args(pair())).toEqual(['--trust', '999999999999', '--cloudformation-execution-policies', ADMIN]);
    expect(args(pair({ trust: [] }))).toEqual([]);
  });

  it('with all that the fleet file says of it', () => {
    const wanted = { qualifier: 'own', toolkitStackName: 'OwnToolkit', executionPolicies: [NARROW], trustForLookup: ['888888888888'], permissionsBoundary: 'edge', kms: 'customer' as const, tags: { team: 'a' }, terminationProtection: true };
    expect(args(pair(wanted))).toEqual(['--qualifier', 'own', '--toolkit-stack-name', 'OwnToolkit', '--trust', '999999999999', '--trust-for-lookup', '888888888888', '--cloudformation-execution-policies', NARROW, '--custom-permissions-boundary', 'edge', '--bootstrap-customer-key', '--tags', 'team=a', '--termination-protection=true']);
  });

  it('nothing that stands as it is wanted, nor what somebody made under another name', () => {
    expect(args(pair(), standing())).toBeUndefined();
    expect(args(pair({ executionPolicies: [NARROW] }), standing({ CloudFormationExecutionPolicies: NARROW }))).toBeUndefined();
    expect(bootstrapArguments(pair(), { stack: undefined, holder: 'TheirToolkit' })).toBeUndefined();
  });

  it('without widening what stands: policies nobody names and trust of others stay', () => {
    expect(args(pair(), standing({ CloudFormationExecutionPolicies: NARROW }))).toBeUndefined();
    expect(args(pair(), standing({ TrustedAccounts: '777777777777', CloudFormationExecutionPolicies: NARROW }))).toEqual(['--trust', '777777777777,999999999999']);
  });

  it.each<[string, Partial<BootstrapSettings>, StandingBootstrap]>([
    ['an old version', {}, standing({}, { version: 21 })],
    ['a creation that failed', {}, standing({}, { status: 'ROLLBACK_COMPLETE' })],
    ['other policies', { executionPolicies: [NARROW] }, standing()],
    ['another boundary', { permissionsBoundary: 'edge' }, standing()],
    ['another kind of key', { kms: 'customer' }, standing()],
    ['a tag less', { tags: { team: 'a' } }, standing()],
    ['no protection', { terminationProtection: true }, standing()],
    ['no trust for lookups', { trustForLookup: ['888888888888'] }, standing()],
  ])('again where there is %s', (_, wanted, stack) => {
    expect(args(pair(wanted), stack)).toBeDefined();
  });
});

it('policies of the real account that a bootstrap names are stood in for, once, and said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-run-bootstrap-'));
  const cloud = await startLocalCloud({ directory: join(folder, 'cloud') });
  try {
    const target: Target = { kind: 'LOCAL', endpoint: cloud.endpoint, credentials: (account) => Promise.resolve(cloud.credentials(account)) };
    const iam = await clientOf(target, IAMClient, '111111111111', 'eu-west-1');
    const wanted = pair({ executionPolicies: [ADMIN, 'arn:aws:iam::111111111111:policy/team/deploy'], permissionsBoundary: 'edge' });
    await iam.send(new CreatePolicyCommand({ PolicyName: 'edge', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iam:*', Resource: '*' }] }) }));
    const events: OpsEvent[] = [];
    for (const _ of [1, 2]) await standInPolicies(target, wanted, (event) => void events.push(event));
    expect(events).toEqual([{ type: 'note', text: 'the policy arn:aws:iam::111111111111:policy/team/deploy that the bootstrap names did not exist: a stand-in that allows everything was made' }]);
    expect((await iam.send(new GetPolicyCommand({ PolicyArn: 'arn:aws:iam::111111111111:policy/team/deploy' }))).Policy?.PolicyName).toBe('deploy');
  } finally {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
