import { CreatePolicyCommand, GetPolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { fleetFileIn } from '../../config/index.js';
import { loadFleet } from '../../fleet/index.js';
import { DEFAULT_QUALIFIER, DEFAULT_TOOLKIT } from '../../shared/bootstrap.js';
import { isAbsent } from '../aws/absent.js';
import type { Standing, StandingBootstrap } from '../bootstrap/standing.js';
import type { Emit } from '../events.js';
import { pairsOfApp } from '../fleet/from-assembly.js';
import { fleetFromFile, sameBootstrap } from '../fleet/from-file.js';
import type { BootstrapSettings, FleetPair } from '../fleet/fleet.js';
import { clientOf, type Target } from '../target.js';
import type { AssemblyModel } from './assembly.js';

const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess';
const VERSION_NEEDED = 30;

/** What every pair of the app's assembly needs: as its fleet file says, otherwise trust for the accounts of the pipelines. */
export function wantedBootstraps(assembly: AssemblyModel, app: string, overlays: readonly string[]): FleetPair[] {
  const file = fleetFileIn(app);
  const declared = file === undefined ? [] : fleetFromFile(loadFleet(file, { overlays })).pairs;
  return pairsOfApp(assembly, app).map((pair) => declared.find((other) => sameBootstrap(other, pair)) ?? pair);
}

/** Arguments of `cdk bootstrap` that bring a pair to what is wanted; undefined where it stands so. What stands and isn't asked for stays, as with `flotilla bootstrap`. */
export function bootstrapArguments({ bootstrap }: FleetPair, { stack, holder }: Standing): readonly string[] | undefined {
  // Somebody made it under another name: whether it trusts the pipeline, the pipeline finds out.
  if (holder !== undefined) return undefined;
  if (stack && asWanted(bootstrap, stack)) return undefined;
  const trust = union(bootstrap.trust, list(stack, 'TrustedAccounts'));
  const lookup = union(bootstrap.trustForLookup, list(stack, 'TrustedAccountsForLookup'));
  const policies = bootstrap.executionPolicies ?? (trust.length > 0 && list(stack, 'CloudFormationExecutionPolicies').length === 0 ? [ADMINISTRATOR] : []);
  return [
    ...(bootstrap.qualifier === DEFAULT_QUALIFIER ? [] : ['--qualifier', bootstrap.qualifier]),
    ...((bootstrap.toolkitStackName ?? DEFAULT_TOOLKIT) === DEFAULT_TOOLKIT ? [] : ['--toolkit-stack-name', bootstrap.toolkitStackName!]),
    ...(trust.length > 0 ? ['--trust', trust.join(',')] : []),
    ...(lookup.length > 0 ? ['--trust-for-lookup', lookup.join(',')] : []),
    ...(policies.length > 0 ? ['--cloudformation-execution-policies', policies.join(',')] : []),
    ...(bootstrap.permissionsBoundary === undefined ? [] : ['--custom-permissions-boundary', bootstrap.permissionsBoundary]),
    // A key of the real account isn't here: one of the bootstrap's own stands in for it.
    ...(bootstrap.kms === undefined ? [] : [bootstrap.kms === 'aws-managed' ? '--no-bootstrap-customer-key' : '--bootstrap-customer-key']),
    ...Object.entries(bootstrap.tags ?? {}).flatMap(([key, value]) => ['--tags', `${key}=${value}`]),
    ...(bootstrap.terminationProtection === undefined ? [] : [`--termination-protection=${bootstrap.terminationProtection}`]),
  ];
}

function asWanted(bootstrap: BootstrapSettings, stack: StandingBootstrap): boolean {
  const has = (name: string, wanted: readonly string[]): boolean => wanted.every((one) => list(stack, name).includes(one));
  return (
    /^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(stack.status) &&
    stack.version >= VERSION_NEEDED &&
    has('TrustedAccounts', bootstrap.trust) &&
    has('TrustedAccountsForLookup', bootstrap.trustForLookup) &&
    (bootstrap.executionPolicies === undefined || bootstrap.executionPolicies.join(',') === stack.parameters['CloudFormationExecutionPolicies']) &&
    (bootstrap.permissionsBoundary === undefined || bootstrap.permissionsBoundary === stack.parameters['InputPermissionsBoundary']) &&
    (bootstrap.kms === undefined || (bootstrap.kms === 'aws-managed') === (stack.parameters['FileAssetsBucketKmsKeyId'] === 'AWS_MANAGED_KEY')) &&
    Object.entries(bootstrap.tags ?? {}).every(([key, value]) => stack.tags[key] === value) &&
    (bootstrap.terminationProtection === undefined || bootstrap.terminationProtection === stack.terminationProtection)
  );
}

function list(stack: StandingBootstrap | undefined, name: string): string[] {
  return (stack?.parameters[name] ?? '').split(',').filter((one) => one !== '');
}

function union(wanted: readonly string[], standing: readonly string[]): string[] {
  return [...new Set([...wanted, ...standing])].sort();
}

/** Policies of the real account that a bootstrap names and that aren't here: each is made, allowing everything, and said. */
export async function standInPolicies(target: Target, { account, region, bootstrap }: FleetPair, emit: Emit): Promise<void> {
  const boundary = bootstrap.permissionsBoundary === undefined ? [] : [`arn:aws:iam::${account}:policy/${bootstrap.permissionsBoundary}`];
  const own = [...(bootstrap.executionPolicies ?? []), ...boundary].filter((arn) => arn.split(':')[4] === account);
  if (own.length === 0) return;
  const iam = await clientOf(target, IAMClient, account, region);
  for (const PolicyArn of own) {
    try {
      await iam.send(new GetPolicyCommand({ PolicyArn }));
    } catch (error) {
      if (!isAbsent(error)) throw error;
      const [, path, name] = /:policy(\/(?:.*\/)?)([^/]+)$/.exec(PolicyArn)!;
      await iam.send(new CreatePolicyCommand({ PolicyName: name!, Path: path!, PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }), Description: 'Stands in for a policy of the real account' }));
      emit({ type: 'note', text: `the policy ${PolicyArn} that the bootstrap names did not exist: a stand-in that allows everything was made` });
    }
  }
}
