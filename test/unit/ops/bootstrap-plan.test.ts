import { describe, expect, it } from 'vitest';
import { pairTemplate, stackSetTemplate } from '../../../src/ops/bootstrap/emit.js';
import { planBootstrap, type BootstrapPlan } from '../../../src/ops/bootstrap/plan.js';
import type { StandingBootstrap } from '../../../src/ops/bootstrap/standing.js';
import { parseTemplate } from '../../../src/ops/bootstrap/template.js';
import type { BootstrapSettings, FleetPair } from '../../../src/ops/fleet/fleet.js';

const BODY = `Parameters:
  TrustedAccounts:
    Default: ''
    Type: CommaDelimitedList
  TrustedAccountsForLookup:
    Default: ''
  CloudFormationExecutionPolicies:
    Default: ''
  FileAssetsBucketKmsKeyId:
    Default: ''
  Qualifier:
    Default: hnb659fds
  InputPermissionsBoundary:
    Default: ''
  ApplyPermissionsBoundaryToAllRoles:
    Default: 'false'
  BootstrapVariant:
    Default: 'AWS CDK: Default Resources'
Resources:
  CdkBootstrapVersion:
    Properties:
      Value: '33'
`;
const template = parseTemplate(BODY);
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
const pair = (bootstrap: Partial<BootstrapSettings> = {}, account = '111111111111', region = 'eu-west-1'): FleetPair => ({ account, region, bootstrap: { qualifier: 'hnb659fds', trust: [], trustForLookup: [], ...bootstrap } });
const standing = (parameters: Record<string, string> = {}, rest: Partial<StandingBootstrap> = {}): StandingBootstrap => ({
  stackName: 'CDKToolkit',
  status: 'CREATE_COMPLETE',
  version: 33,
  parameters: { Qualifier: 'hnb659fds', TrustedAccounts: '', TrustedAccountsForLookup: '', CloudFormationExecutionPolicies: ADMIN, FileAssetsBucketKmsKeyId: 'AWS_MANAGED_KEY', InputPermissionsBoundary: '', ApplyPermissionsBoundaryToAllRoles: 'false', BootstrapVariant: 'AWS CDK: Default Resources', ...parameters },
  tags: {},
  terminationProtection: false,
  ...rest,
});
const plan = (wanted: FleetPair, stack?: StandingBootstrap, options: { dropTrust?: boolean; holder?: string } = {}): BootstrapPlan => planBootstrap(wanted, { stack, holder: options.holder }, template, { dropTrust: options.dropTrust ?? false });
const kinds = ({ changes }: BootstrapPlan) => changes.map(({ kind, text }) => `${kind} ${text}`);

describe('the plan of a bootstrap', () => {
  it('creates what is not there, as cdk bootstrap has it', () => {
    const made = plan(pair());
    expect(made).toMatchObject({ action: 'create', stackName: 'CDKToolkit', parameters: { CloudFormationExecutionPolicies: ADMIN, FileAssetsBucketKmsKeyId: 'AWS_MANAGED_KEY' } });
  });

  it('changes nothing where all is as wanted', () => {
    expect(plan(pair(), standing())).toMatchObject({ action: 'none', changes: [] });
    // As `cdk bootstrap` leaves it: no policy is named, which makes deployments administrators while nobody is trusted.
    expect(plan(pair({ executionPolicies: [ADMIN] }), standing({ CloudFormationExecutionPolicies: '' }))).toMatchObject({ action: 'none', changes: [] });
    expect(plan(pair({ tags: { team: 'a' }, terminationProtection: true }), standing({}, { tags: { team: 'a', own: 'b' }, terminationProtection: true }))).toMatchObject({ action: 'none' });
  });

  it('says who gets more, and keeps trust it was not asked for', () => {
    const made = plan(pair({ trust: ['999999999999'] }), standing({ TrustedAccounts: '888888888888' }));
    expect(made.parameters['TrustedAccounts']).toBe('888888888888,999999999999');
    expect(kinds(made)).toEqual(['widens may deploy: + 999999999999']);
    expect(made.kept).toEqual([expect.stringContaining('trust of 888888888888')]);
  });

  it('takes trust away only when told to', () => {
    expect(kinds(plan(pair({ trust: [] }), standing({ TrustedAccounts: '888888888888' }), { dropTrust: true }))).toEqual(['drops may deploy: − 888888888888']);
  });

  it('keeps execution policies that stand', () => {
    const own = 'arn:aws:iam::111111111111:policy/Deployments';
    expect(plan(pair({ trust: ['999999999999'] }), standing({ CloudFormationExecutionPolicies: own })).parameters['CloudFormationExecutionPolicies']).toBe(own);
    expect(kinds(plan(pair({ executionPolicies: [ADMIN] }), standing({ CloudFormationExecutionPolicies: own })))).toEqual(['widens deployments have: + AdministratorAccess', 'drops deployments have: − Deployments']);
  });

  it('upgrades an old version, and says that the removal of a boundary widens', () => {
    expect(kinds(plan(pair(), standing({}, { version: 21 })))).toEqual(['upgrade version 21 → 33']);
    expect(kinds(plan(pair({ permissionsBoundary: '' }), standing({ InputPermissionsBoundary: 'bounds' })))).toEqual(['widens permissions boundary bounds → none']);
  });

  it('replaces a stack whose creation failed', () => {
    expect(plan(pair(), standing({}, { status: 'ROLLBACK_COMPLETE' }))).toMatchObject({ action: 'recreate' });
  });

  it.each([
    ['a qualifier in the shared toolkit stack', 'BST002', pair({ qualifier: 'acme' }), undefined, undefined],
    ['a qualifier that is none', 'BST001', pair({ qualifier: 'much-too-long', toolkitStackName: 'T' }), undefined, undefined],
    ['a toolkit stack that holds another qualifier', 'BST004', pair({ qualifier: 'acme', toolkitStackName: 'CDKToolkit-acme' }), standing({ Qualifier: 'other' }), undefined],
    ['a stack that is no bootstrap', 'BST004', pair({ qualifier: 'acme', toolkitStackName: 'Shared' }), standing({}, { parameters: {} }), undefined],
    ['a qualifier that another stack holds', 'BST005', pair({ qualifier: 'acme', toolkitStackName: 'Mine' }), undefined, 'TheirToolkit'],
    ['a bootstrap of a kind of its own', 'BST005', pair(), standing({ BootstrapVariant: 'ours' }), undefined],
    ['a stack that is being changed', 'BST006', pair({ tags: { a: 'b' } }), standing({}, { status: 'UPDATE_IN_PROGRESS' }), undefined],
    ['a rollback that failed', 'BST007', pair(), standing({}, { status: 'UPDATE_ROLLBACK_FAILED' }), undefined],
    ['trust without execution policies', 'BST003', pair({ trust: ['999999999999'] }), undefined, undefined],
    ['a newer template that would change', 'BST008', pair({ trust: ['999999999999'] }), standing({}, { version: 34 }), undefined],
  ] as const)('refuses %s', (_what, code, wanted, stack, holder) => {
    expect(plan(wanted, stack, holder === undefined ? {} : { holder })).toMatchObject({ action: 'refuse', refusal: { code } });
  });

  it('leaves a newer template as it is', () => {
    expect(plan(pair(), standing({}, { version: 34 }))).toMatchObject({ action: 'none' });
  });
});

describe('a bootstrap as CloudFormation', () => {
  it('is one stack set for each kind, with its accounts and regions', () => {
    const policies = { executionPolicies: [ADMIN], trust: ['999999999999'] };
    const plans = [plan(pair(policies)), plan(pair(policies, '222222222222')), plan(pair(policies, '222222222222', 'us-east-1')), plan(pair({}, '999999999999'))];
    const { Resources } = stackSetTemplate(plans, template) as { Resources: Record<string, { Properties: Record<string, unknown> }> };
    expect(Object.values(Resources).map(({ Properties }) => Properties['StackInstancesGroup'])).toEqual([
      [
        { DeploymentTargets: { Accounts: ['111111111111'] }, Regions: ['eu-west-1'] },
        { DeploymentTargets: { Accounts: ['222222222222'] }, Regions: ['eu-west-1', 'us-east-1'] },
      ],
      [{ DeploymentTargets: { Accounts: ['999999999999'] }, Regions: ['eu-west-1'] }],
    ]);
  });

  it('is the template with the defaults of its parameters set', () => {
    const text = pairTemplate(plan(pair({ trust: ['999999999999'], executionPolicies: [ADMIN] })), template);
    expect(parseTemplate(text).parameters).toMatchObject({ TrustedAccounts: '999999999999', CloudFormationExecutionPolicies: ADMIN, Qualifier: 'hnb659fds' });
  });
});
