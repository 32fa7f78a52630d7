import { CloudFormationClient, CreateStackCommand, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { ECRClient, DeleteRepositoryCommand } from '@aws-sdk/client-ecr';
import { AttachRolePolicyCommand, CreatePolicyCommand, DeleteRolePermissionsBoundaryCommand, DeleteRolePolicyCommand, DetachRolePolicyCommand, DeleteRoleCommand, GetPolicyCommand, IAMClient, PutRolePermissionsBoundaryCommand, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { DeleteBucketCommand, DeleteBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { isDeepStrictEqual } from 'node:util';
import { unlessAbsent } from '../aws/absent.js';
import { bootstrapTemplate } from '../bootstrap/template.js';
import { readRoles } from '../doctor/roles.js';
import { ROLE_KINDS, type PairFacts, type RoleFacts } from '../doctor/facts.js';
import { failedResources, stackEnd } from '../stacks.js';
import { clientOf, type Target } from '../target.js';

/**
 * Makes the bootstrap what the record says: its own template with its own parameters, and then what was changed by hand since — trust, policies,
 * boundaries, roles and buckets that are gone.
 */
export async function restoreBootstrap(target: Target, facts: PairFacts, known: string[], assumed: string[]): Promise<void> {
  const toolkit = facts.toolkit.known ? facts.toolkit.value : null;
  if (!toolkit) {
    known.push('not bootstrapped');
    if (facts.version.known && facts.version.value !== null) await putVersion(target, facts, facts.version.value);
    return;
  }
  // The example boundary is a resource of the template itself.
  const made = toolkit.parameters['UseExamplePermissionsBoundary'] === 'true' ? `cdk-${facts.qualifier}-permissions-boundary-${facts.account}-${facts.region}` : undefined;
  if (facts.policies.known) for (const [arn, document] of Object.entries(facts.policies.value)) if (arn.split('/').at(-1) !== made) await putPolicy(target, facts, arn, document);
  if (!facts.policies.known) assumed.push(`policies of the roles are AWS’s own (${facts.policies.why})`);
  const failure = await deployToolkit(target, facts, toolkit.template ?? (await bootstrapTemplate()).body);
  if (failure !== undefined) {
    assumed.push(`no bootstrap: the recorded one can’t be made here (${failure})`);
    return;
  }
  if (toolkit.template === undefined) assumed.push('the bootstrap has the current template: the record has none');
  known.push(`bootstrap version ${toolkit.version}`);
  if (facts.version.known && facts.version.value !== null && facts.version.value !== toolkit.version) await putVersion(target, facts, facts.version.value);
  if (facts.roles.known) {
    const changed = await restoreRoles(target, facts, facts.roles.value);
    known.push(`roles with their trust, policies and boundaries${changed > 0 ? ` (${changed} changed by hand)` : ''}`);
  } else assumed.push(`the roles are as their template has them (${facts.roles.why})`);
  await restoreStores(target, facts, assumed);
}

async function putVersion(target: Target, { account, region, qualifier }: PairFacts, version: number): Promise<void> {
  const ssm = await clientOf(target, SSMClient, account, region);
  await ssm.send(new PutParameterCommand({ Name: `/cdk-bootstrap/${qualifier}/version`, Value: String(version), Type: 'String', Overwrite: true }));
}

async function putPolicy(target: Target, { account }: PairFacts, arn: string, PolicyDocument: string): Promise<void> {
  const iam = await clientOf(target, IAMClient, account, 'us-east-1');
  if (await unlessAbsent(iam.send(new GetPolicyCommand({ PolicyArn: arn })))) return;
  const path = arn.split(':policy')[1]!;
  const cut = path.lastIndexOf('/') + 1;
  try {
    await iam.send(new CreatePolicyCommand({ PolicyName: path.slice(cut), Path: path.slice(0, cut), PolicyDocument }));
  } catch (error) {
    // Pairs of the same account are restored at the same time, and share its policies.
    if (!(error instanceof Error) || !/^EntityAlreadyExists/.test(error.name)) throw error;
  }
}

/** Why it could not be made, or undefined when it stands. */
async function deployToolkit(target: Target, facts: PairFacts, TemplateBody: string): Promise<string | undefined> {
  const { account, region, toolkitStackName: StackName, toolkit } = facts;
  const { parameters, terminationProtection } = toolkit.known && toolkit.value ? toolkit.value : { parameters: {}, terminationProtection: false };
  const client = await clientOf(target, CloudFormationClient, account, region);
  try {
    await client.send(new CreateStackCommand({ StackName, TemplateBody, Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })), Capabilities: ['CAPABILITY_NAMED_IAM'] }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const end = await stackEnd(target, { account, region, stackName: StackName });
  if (end !== 'CREATE_COMPLETE') return (await failedResources(target, { account, region, stackName: StackName })).join('; ') || end;
  if (terminationProtection) await client.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: true }));
  return undefined;
}

/** Brings each role to what was recorded; answers how many were not as the template makes them. */
async function restoreRoles(target: Target, facts: PairFacts, recorded: Readonly<Record<string, RoleFacts | null>>): Promise<number> {
  const { account, region, qualifier } = facts;
  const iam = await clientOf(target, IAMClient, account, 'us-east-1');
  const made = await readRoles(target, { account, region, bootstrap: { qualifier, trust: [], trustForLookup: [] } }, true);
  let changed = 0;
  for (const kind of ROLE_KINDS) {
    const is = made[kind];
    const was = recorded[kind] ?? null;
    if (!is) continue;
    if (!was) {
      await deleteRole(iam, is);
      changed++;
    } else if (await changeRole(iam, is, was)) changed++;
  }
  return changed;
}

async function changeRole(iam: IAMClient, is: RoleFacts, was: RoleFacts): Promise<boolean> {
  const RoleName = is.name;
  let changed = false;
  const differ = async (different: boolean, change: () => Promise<unknown>): Promise<void> => {
    if (!different) return;
    await change();
    changed = true;
  };
  await differ(!isDeepStrictEqual(JSON.parse(is.trust), JSON.parse(was.trust)), () => iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: was.trust })));
  for (const PolicyArn of was.attached) await differ(!is.attached.includes(PolicyArn), () => iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn })));
  for (const PolicyArn of is.attached) await differ(!was.attached.includes(PolicyArn), () => iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })));
  for (const [PolicyName, PolicyDocument] of Object.entries(was.inline ?? {})) await differ(is.inline?.[PolicyName] === undefined || !isDeepStrictEqual(JSON.parse(is.inline[PolicyName]!), JSON.parse(PolicyDocument)), () => iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument })));
  if (was.inline) for (const PolicyName of Object.keys(is.inline ?? {})) await differ(was.inline[PolicyName] === undefined, () => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
  await differ(is.boundary !== was.boundary, () => (was.boundary ? iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: was.boundary })) : iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }))));
  return changed;
}

async function deleteRole(iam: IAMClient, { name: RoleName, attached, inline }: RoleFacts): Promise<void> {
  for (const PolicyArn of attached) await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  for (const PolicyName of Object.keys(inline ?? {})) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  await iam.send(new DeleteRoleCommand({ RoleName }));
}

/** Bucket and repository: gone where they were gone, with the policy they had. */
async function restoreStores(target: Target, facts: PairFacts, assumed: string[]): Promise<void> {
  const { account, region, qualifier, bucket, repository } = facts;
  const Bucket = `cdk-${qualifier}-assets-${account}-${region}`;
  const s3 = await clientOf(target, S3Client, account, region);
  if (!bucket.known) assumed.push(`the asset bucket is as its template has it (${bucket.why})`);
  else if (bucket.value === null) await s3.send(new DeleteBucketCommand({ Bucket }));
  else if (!bucket.value.own) assumed.push('the asset bucket is the account’s own; there, it is somebody else’s');
  else if (bucket.value.policy === null) await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  else
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: bucket.value.policy })).catch((error: Error) => assumed.push(`the policy of the asset bucket is as its template has it (the recorded one is refused here: ${error.message})`));
  if (!repository.known) assumed.push(`the repository is as its template has it (${repository.why})`);
  else if (repository.value === null) await (await clientOf(target, ECRClient, account, region)).send(new DeleteRepositoryCommand({ repositoryName: `cdk-${qualifier}-container-assets-${account}-${region}`, force: true }));
}
