// The local cloud as a judge of cloud assemblies: every stack is deployed to its account and region, which are bootstrapped for it.
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './setup.mjs';

const BOOTSTRAP = join(root, 'node_modules', 'aws-cdk', 'lib', 'api', 'bootstrap', 'bootstrap-template.yaml');
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess';

/**
 * Deploys the stacks of an assembly on a local cloud of its own, whose state lies in `directory`; the account of the pipeline is trusted everywhere.
 * Answers how many stacks there were, and those that could not be deployed, `{ stack, reason }` each. Assets are not published: stacks that need one fail.
 */
export async function deployLocally(directory, assembly, trusted) {
  const { startLocalCloud } = await import(join(root, 'dist', 'local-api.js'));
  const cloud = await startLocalCloud({ directory });
  try {
    const stacks = stacksOf(assembly);
    const places = new Map();
    const refused = [];
    for (const { account, region, qualifier } of stacks) {
      const key = `${account}/${region}`;
      if (places.has(key)) continue;
      const { place, reason } = await prepared(cloud, account, region, qualifier, trusted);
      places.set(key, place);
      if (reason !== undefined) refused.push({ stack: `bootstrap (${key})`, reason });
    }
    for (const { name, account, region, file } of stacks) {
      const template = readFileSync(file, 'utf8');
      const place = places.get(`${account}/${region}`);
      await standIn(cloud, place, template);
      const reason = await deployed(place, name, template);
      if (reason !== undefined) refused.push({ stack: `${name} (${account}/${region})`, reason });
    }
    return { refused, stacks: stacks.length };
  } finally {
    await cloud.stop();
  }
}

/** Stacks of an assembly and of those nested in it, each behind those it depends on. */
function stacksOf(assembly) {
  return readdirSync(assembly, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('manifest.json'))
    .flatMap((file) => {
      const folder = dirname(join(assembly, file));
      const { artifacts = {} } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
      return inOrder(artifacts).map((id) => {
        const { environment, properties } = artifacts[id];
        const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(environment);
        const [, qualifier] = /:role\/cdk-([a-z0-9]+)-deploy-role-/.exec(properties.assumeRoleArn);
        return { name: properties.stackName ?? id, account, region, qualifier, file: join(folder, properties.templateFile) };
      });
    });
}

/** IDs of the stacks among artifacts, each once, behind its dependencies. */
function inOrder(artifacts) {
  const order = new Set();
  const visit = (id) => {
    const { type, dependencies = [] } = artifacts[id] ?? {};
    if (type !== 'aws:cloudformation:stack' || order.has(id)) return;
    dependencies.forEach(visit);
    order.add(id);
  };
  Object.keys(artifacts).forEach(visit);
  return [...order];
}

/** Clients of an account and region, which has a bucket for templates and is bootstrapped by CDK's own template; and why it could not be. */
async function prepared(cloud, account, region, qualifier, trusted) {
  const settings = { endpoint: cloud.endpoint, region, credentials: cloud.credentials(account) };
  const s3 = new S3({ ...settings, forcePathStyle: true });
  const bucket = `templates-${account}-${region}`;
  await s3.createBucket({ Bucket: bucket, ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region } }) });
  const place = { region, bucket, s3, secrets: new SecretsManager(settings), cloudFormation: new CloudFormation(settings) };
  const parameters = { Qualifier: qualifier, TrustedAccounts: trusted, CloudFormationExecutionPolicies: ADMINISTRATOR };
  return { place, reason: await deployed(place, `CDKToolkit-${qualifier}`, readFileSync(BOOTSTRAP, 'utf8'), parameters) };
}

/** Makes what a template takes from its accounts by name: secrets, and policies that are attached or are boundaries. */
async function standIn(cloud, { secrets }, template) {
  const unlessThere = (code) => (error) => { if (error.name !== code) throw error; };
  for (const [, Name, key] of template.matchAll(/\{\{resolve:secretsmanager:(?:arn:aws:secretsmanager:[^:]+:\d{12}:secret:)?([^:}]+):SecretString:([^:}]*)/g)) await secrets.createSecret({ Name, SecretString: key ? JSON.stringify({ [key]: 'stands-in' }) : 'stands-in' }).catch(unlessThere('ResourceExistsException'));
  for (const [, account, PolicyName] of template.matchAll(/arn:aws:iam::(\d{12}):policy\/([\w+=,.@-]+)/g)) {
    const iam = new IAM({ endpoint: cloud.endpoint, region: 'us-east-1', credentials: cloud.credentials(account) });
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
    await iam.createPolicy({ PolicyName, PolicyDocument }).catch(unlessThere('EntityAlreadyExistsException'));
  }
}

/** Why a stack could not be created; undefined where it was. */
async function deployed({ region, bucket, s3, cloudFormation }, StackName, template, parameters = {}) {
  await s3.putObject({ Bucket: bucket, Key: StackName, Body: template });
  try {
    await cloudFormation.createStack({
      StackName,
      TemplateURL: `https://${bucket}.s3.${region}.amazonaws.com/${StackName}`,
      Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    });
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
  for (;;) {
    const { StackStatus } = (await cloudFormation.describeStacks({ StackName })).Stacks[0];
    if (StackStatus === 'CREATE_COMPLETE') return undefined;
    if (!StackStatus.endsWith('_IN_PROGRESS')) {
      const { StackEvents } = await cloudFormation.describeStackEvents({ StackName });
      const { LogicalResourceId, ResourceStatusReason } = StackEvents.findLast(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED') ?? {};
      return `${LogicalResourceId}: ${ResourceStatusReason}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
