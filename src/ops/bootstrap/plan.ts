import { FlotillaError } from '../../shared/errors.js';
import { DEFAULT_QUALIFIER, DEFAULT_TOOLKIT } from '../../shared/bootstrap.js';
import { placeOf, type FleetPair } from '../fleet/fleet.js';
import { stackSetOf, type Standing, type StandingBootstrap } from './standing.js';
import type { BootstrapTemplate } from './template.js';

/** What a bootstrap of one pair would do. */
export interface BootstrapPlan {
  readonly pair: FleetPair;
  readonly stackName: string;
  readonly action: 'create' | 'recreate' | 'update' | 'none' | 'refuse';
  readonly changes: readonly BootstrapChange[];
  /** What stands and was not asked for, and stays. */
  readonly kept: readonly string[];
  readonly refusal?: FlotillaError;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean | undefined;
}

export interface BootstrapChange {
  /** `widens`: somebody may do more than before; `drops`: somebody may do less. */
  readonly kind: 'new' | 'upgrade' | 'widens' | 'drops' | 'changes';
  readonly text: string;
}

export interface PlanOptions {
  /** Trust that stands and isn't wanted is taken away; otherwise it stays, and the plan says so. */
  readonly dropTrust: boolean;
  /** It is only to be written down for those who roll it out: a bootstrap that a stack set manages may change. */
  readonly emit?: boolean;
}

const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess';

/** Pure: what stands, what is wanted → what would be done, and why not where it must not. */
export function planBootstrap(pair: FleetPair, { stack: named, holder, instance }: Standing, template: BootstrapTemplate, options: PlanOptions): BootstrapPlan {
  const stackName = pair.bootstrap.toolkitStackName ?? DEFAULT_TOOLKIT;
  const base = { pair, stackName, changes: [], kept: [], parameters: {}, tags: {}, terminationProtection: undefined };
  const refusal = refused(pair, stackName, named, instance ? undefined : holder, template);
  if (refusal) return { ...base, action: 'refuse', refusal };
  if (instance && !named) return planInstance(pair, stackName, instance, template, options);
  const gone = named && /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|REVIEW_IN_PROGRESS|DELETE_FAILED)$/.test(named.status) ? named : undefined;
  const stack = gone ? undefined : named;
  const kept: string[] = [];
  const parameters = wantedParameters(pair, stack, template, options, kept);
  const tags = { ...stack?.tags, ...pair.bootstrap.tags };
  const changes = stack ? differences(pair, stack, parameters, tags, template) : creation(parameters, template, gone);
  const missing = policiesMissing(pair, parameters);
  if (missing) return { ...base, action: 'refuse', refusal: missing };
  if (stack && stack.version > template.version && changes.length > 0)
    return { ...base, action: 'refuse', refusal: new FlotillaError('BST008', `the bootstrap of ${placeOf(pair)} is version ${stack.version}, newer than the ${template.version} of this program`, { why: 'an older template would take away what the newer one brought', fix: 'update flotilla, or bootstrap it with the CLI that made it', exitCode: 2 }) };
  return { pair, stackName, action: gone ? 'recreate' : !stack ? 'create' : changes.length > 0 ? 'update' : 'none', changes, kept, parameters, tags, terminationProtection: pair.bootstrap.terminationProtection };
}

/** A bootstrap that a central team rolled out as a stack set: as it should be, or for them to change. */
function planInstance(pair: FleetPair, stackName: string, instance: StandingBootstrap, template: BootstrapTemplate, options: PlanOptions): BootstrapPlan {
  const set = stackSetOf(instance.stackName);
  const kept = [`an instance of the stack set ${set}`];
  const parameters = wantedParameters(pair, instance, template, options, kept);
  const tags = { ...instance.tags, ...pair.bootstrap.tags };
  const changes = differences(pair, instance, parameters, tags, template);
  const plan = { pair, stackName, changes, kept, parameters, tags, terminationProtection: pair.bootstrap.terminationProtection };
  if (changes.length === 0 || options.emit) return { ...plan, action: 'none' };
  return { ...plan, action: 'refuse', refusal: new FlotillaError('BST012', `the bootstrap of ${placeOf(pair)} is the stack set ${set}'s to change`, { why: changes.map(({ text }) => text).join('\n'), fix: 'hand over what it has to be: flotilla bootstrap --emit stackset', exitCode: 5 }) };
}

/** Bootstraps that aren't this fleet's to change, and the trap of a qualifier that takes over the shared toolkit stack (aws-cdk-cli: the stack's name is not made of the qualifier). */
function refused(pair: FleetPair, stackName: string, stack: StandingBootstrap | undefined, holder: string | undefined, template: BootstrapTemplate): FlotillaError | undefined {
  const { qualifier } = pair.bootstrap;
  const place = placeOf(pair);
  const own = `--toolkit-stack-name CDKToolkit-${qualifier}`;
  if (qualifier !== DEFAULT_QUALIFIER && stackName === DEFAULT_TOOLKIT)
    return new FlotillaError('BST002', `the qualifier '${qualifier}' needs a toolkit stack of its own`, { where: place, why: `in the stack ${DEFAULT_TOOLKIT} it would replace the default qualifier, and with it delete the roles that other apps deploy with`, fix: own, exitCode: 2 });
  if (!/^[A-Za-z0-9_-]{1,10}$/.test(qualifier)) return new FlotillaError('BST001', `'${qualifier}' is no qualifier`, { where: place, why: 'a qualifier has 1 to 10 letters, digits, _ and -', exitCode: 2 });
  if (stack && stack.parameters['Qualifier'] !== undefined && stack.parameters['Qualifier'] !== qualifier)
    return new FlotillaError('BST004', `the stack ${stackName} of ${place} holds the qualifier '${stack.parameters['Qualifier']}', not '${qualifier}'`, { why: 'it is the bootstrap of somebody else: changing its qualifier would delete their roles', fix: own, exitCode: 5 });
  if (stack && stack.parameters['Qualifier'] === undefined && !/^(ROLLBACK_COMPLETE|REVIEW_IN_PROGRESS)$/.test(stack.status))
    return new FlotillaError('BST004', `the stack ${stackName} of ${place} is no bootstrap of today's kind`, { why: 'it has no parameter Qualifier', fix: `name another: ${own}`, exitCode: 5 });
  if (holder !== undefined)
    return new FlotillaError('BST005', `the qualifier '${qualifier}' of ${place} is held by ${holder === '?' ? 'something that is no stack' : `the stack ${holder}`}`, { why: 'two stacks can’t make the same roles and bucket', fix: holder === '?' ? `delete the parameter /cdk-bootstrap/${qualifier}/version if nothing uses it` : `if it is yours: --toolkit-stack-name ${holder}; otherwise take another qualifier`, exitCode: 5 });
  const variant = stack?.parameters['BootstrapVariant'];
  if (variant !== undefined && variant !== template.variant) return new FlotillaError('BST005', `the bootstrap of ${place} is of a kind of its own: '${variant}'`, { why: 'somebody adapted the template; the standard one would take their changes away', fix: 'ask its owners, or take a qualifier and a toolkit stack of your own', exitCode: 5 });
  if (stack && /_IN_PROGRESS$/.test(stack.status) && stack.status !== 'REVIEW_IN_PROGRESS') return new FlotillaError('BST006', `the stack ${stackName} of ${place} is being changed`, { why: stack.status, fix: 'wait for its end and run again', exitCode: 4 });
  if (stack?.status === 'UPDATE_ROLLBACK_FAILED')
    return new FlotillaError('BST007', `the stack ${stackName} of ${place} is in UPDATE_ROLLBACK_FAILED`, { why: 'CloudFormation takes no update before its rollback is finished', fix: `aws cloudformation continue-update-rollback --stack-name ${stackName} --region ${pair.region}`, exitCode: 4 });
  return undefined;
}

const list = (text: string | undefined): string[] => (text ?? '').split(',').filter((one) => one !== '');

function wantedParameters({ bootstrap }: FleetPair, stack: StandingBootstrap | undefined, template: BootstrapTemplate, { dropTrust }: PlanOptions, kept: string[]): Record<string, string> {
  const standing = stack?.parameters ?? {};
  const trust = (name: string, wanted: readonly string[], what: string): string => {
    const extra = list(standing[name]).filter((account) => !wanted.includes(account));
    if (extra.length > 0 && !dropTrust) kept.push(`${what} of ${extra.join(', ')}, which this fleet does not ask for (--drop-trust takes it away)`);
    return [...wanted, ...(dropTrust ? [] : extra)].sort().join(',');
  };
  const TrustedAccounts = trust('TrustedAccounts', bootstrap.trust, 'trust');
  const policies = bootstrap.executionPolicies?.join(',') ?? standing['CloudFormationExecutionPolicies'];
  const wanted: Record<string, string | undefined> = {
    Qualifier: bootstrap.qualifier,
    TrustedAccounts,
    TrustedAccountsForLookup: trust('TrustedAccountsForLookup', bootstrap.trustForLookup, 'trust for lookups'),
    // As `cdk bootstrap` has it: without trusted accounts the execution role is an administrator's.
    CloudFormationExecutionPolicies: policies || (TrustedAccounts === '' ? ADMINISTRATOR : ''),
    FileAssetsBucketKmsKeyId: bootstrap.kms === undefined ? (standing['FileAssetsBucketKmsKeyId'] ?? 'AWS_MANAGED_KEY') : bootstrap.kms === 'aws-managed' ? 'AWS_MANAGED_KEY' : bootstrap.kms === 'customer' ? '' : bootstrap.kms.key,
    InputPermissionsBoundary: bootstrap.permissionsBoundary ?? standing['InputPermissionsBoundary'],
    ApplyPermissionsBoundaryToAllRoles: bootstrap.boundaryOnAllRoles === undefined ? standing['ApplyPermissionsBoundaryToAllRoles'] : String(bootstrap.boundaryOnAllRoles),
  };
  return Object.fromEntries(Object.entries(template.parameters).map(([name, fallback]) => [name, wanted[name] ?? standing[name] ?? fallback]));
}

/** What deployments have: where nothing is named and nobody is trusted, the template makes the execution role an administrator's. */
function policiesInForce({ parameters }: StandingBootstrap): string {
  return parameters['CloudFormationExecutionPolicies'] || ((parameters['TrustedAccounts'] ?? '') === '' ? ADMINISTRATOR : '');
}

function policiesMissing(pair: FleetPair, parameters: Readonly<Record<string, string>>): FlotillaError | undefined {
  if (parameters['CloudFormationExecutionPolicies'] !== '') return undefined;
  return new FlotillaError('BST003', `${placeOf(pair)} trusts ${parameters['TrustedAccounts']}, and nobody said what its deployments may do`, { why: 'with trusted accounts CDK takes no default for the execution role', fix: `--cloudformation-execution-policies ${ADMINISTRATOR}, or a policy of your own`, exitCode: 2 });
}

function creation(parameters: Readonly<Record<string, string>>, template: BootstrapTemplate, gone: StandingBootstrap | undefined): BootstrapChange[] {
  const changes: BootstrapChange[] = [{ kind: 'new', text: `${gone ? `removes the stack in ${gone.status} and creates` : 'creates'} version ${template.version}` }];
  if (parameters['TrustedAccounts']) changes.push({ kind: 'widens', text: `${parameters['TrustedAccounts'].replaceAll(',', ', ')} may deploy and publish assets` });
  if (parameters['TrustedAccountsForLookup']) changes.push({ kind: 'widens', text: `${parameters['TrustedAccountsForLookup'].replaceAll(',', ', ')} may look up values` });
  changes.push({ kind: 'widens', text: `deployments have ${names(parameters['CloudFormationExecutionPolicies'])}${parameters['InputPermissionsBoundary'] ? ` within ${parameters['InputPermissionsBoundary']}` : ''}` });
  return changes;
}

function differences(pair: FleetPair, stack: StandingBootstrap, wanted: Readonly<Record<string, string>>, tags: Readonly<Record<string, string>>, template: BootstrapTemplate): BootstrapChange[] {
  const changes: BootstrapChange[] = [];
  if (stack.version < template.version) changes.push({ kind: 'upgrade', text: `version ${stack.version} → ${template.version}` });
  const compare = (name: string, what: string): void => {
    const before = list(name === 'CloudFormationExecutionPolicies' ? policiesInForce(stack) : stack.parameters[name]);
    const after = list(wanted[name]);
    const added = after.filter((one) => !before.includes(one));
    const dropped = before.filter((one) => !after.includes(one));
    if (added.length > 0) changes.push({ kind: 'widens', text: `${what} + ${names(added.join(','))}` });
    if (dropped.length > 0) changes.push({ kind: 'drops', text: `${what} − ${names(dropped.join(','))}` });
  };
  compare('TrustedAccounts', 'may deploy:');
  compare('TrustedAccountsForLookup', 'may look up:');
  compare('CloudFormationExecutionPolicies', 'deployments have:');
  const boundary = stack.parameters['InputPermissionsBoundary'] ?? '';
  if (boundary !== wanted['InputPermissionsBoundary']) changes.push({ kind: boundary === '' ? 'drops' : 'widens', text: `permissions boundary ${boundary || 'none'} → ${wanted['InputPermissionsBoundary'] || 'none'}` });
  const other = Object.keys(wanted).filter((name) => !['TrustedAccounts', 'TrustedAccountsForLookup', 'CloudFormationExecutionPolicies', 'InputPermissionsBoundary'].includes(name));
  // A parameter that an older template has not counts as its default: the upgrade brings it.
  for (const name of other) if ((stack.parameters[name] ?? template.parameters[name]) !== wanted[name]) changes.push({ kind: 'changes', text: `${name} '${stack.parameters[name] ?? ''}' → '${wanted[name]}'` });
  for (const [key, value] of Object.entries(tags)) if (stack.tags[key] !== value) changes.push({ kind: 'changes', text: `tag ${key}=${value}` });
  const protection = pair.bootstrap.terminationProtection;
  if (protection !== undefined && protection !== stack.terminationProtection) changes.push({ kind: protection ? 'changes' : 'widens', text: `termination protection ${protection ? 'on' : 'off'}` });
  return changes;
}

function names(policies: string | undefined): string {
  return list(policies).map((one) => one.replace(/^arn:[a-z-]+:iam::(aws|\d+):policy\//, '')).join(', ');
}
