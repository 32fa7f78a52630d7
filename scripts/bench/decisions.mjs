// IAM decisions a second on one core: the sources of src/local/iam, bundled for this run.
import { build } from 'esbuild';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../setup.mjs';

const ROLE = 'cdk-hnb659fds-deploy-role-222222222222-eu-west-1';
const BUCKET = 'cdk-hnb659fds-assets-222222222222-eu-west-1';

export async function decisions(out) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-iam-'));
  try {
    cpSync(join(root, 'src', 'local', 'iam', 'data'), join(folder, 'data'), { recursive: true });
    await build({ entryPoints: [join(root, 'src/local/iam/index.ts')], bundle: true, platform: 'node', format: 'esm', outfile: join(folder, 'iam.mjs'), logLevel: 'error' });
    const { decide } = await import(pathToFileURL(join(folder, 'iam.mjs')).href);
    out.add('IAM decisions, simple policy', rate(() => decide(...simple()), true), '/s', { least: 200_000 });
    out.add('IAM decisions, deploy role on the bootstrap bucket', rate(() => decide(...deployRole()), true), '/s');
    const large = hundredStatements();
    out.add('IAM decisions, 100 statements in 6 kB', rate((i) => decide(...large(i)), true), '/s', { note: `${large.size} bytes; the statement that allows is a different one each time` });
    out.add('wildcards: time of 8× the text ÷ time of the text', growth(decide), '×', { most: 10, note: 'pattern *a*a*a*a*a*b*c on aaaa…c: linear is 8' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Decisions a second, over a second, after a warm-up; each must come out as `allowed`. */
function rate(work, allowed) {
  for (let i = 0; i < 20_000; i++) if (work(i).allowed !== allowed) throw new Error('the benchmark asks what is decided otherwise');
  const begin = performance.now();
  let count = 0;
  while (performance.now() - begin < 1000) for (let i = 0; i < 500; i++, count++) work(i);
  return (1000 * count) / (performance.now() - begin);
}

const user = { kind: 'user', account: '111111111111', arn: 'arn:aws:iam::111111111111:user/ann', userId: 'AIDAEXAMPLE', userName: 'ann', tags: {} };
const document = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const GET_PUT = document({ Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::bucket/*' });

// Each question is a new object with a context as the server makes it: nothing is decided by identity of the question.
function simple() {
  return [
    { principal: user, action: 's3:GetObject', resource: 'arn:aws:s3:::bucket/key', resourceAccount: '111111111111', context: { 'aws:PrincipalArn': user.arn, 'aws:RequestedRegion': 'eu-west-1' } },
    { identity: [{ name: 'simple', document: GET_PUT }] },
  ];
}

const session = {
  kind: 'session', account: '222222222222', arn: `arn:aws:sts::222222222222:assumed-role/${ROLE}/run`, userId: 'AROAEXAMPLE:run', roleArn: `arn:aws:iam::222222222222:role/${ROLE}`, roleName: ROLE,
  roleId: 'AROAEXAMPLE', sessionName: 'run', issuedAt: 0, tags: {}, sessionPolicies: [], transitiveTags: [],
};
// The inline policy of the bootstrap template's DeploymentActionRole (version 33), as it stands in account 222222222222.
const DEPLOY = document(
  { Sid: 'CloudFormationPermissions', Effect: 'Allow', Action: ['cloudformation:CreateChangeSet', 'cloudformation:DeleteChangeSet', 'cloudformation:DescribeChangeSet', 'cloudformation:DescribeStacks', 'cloudformation:ExecuteChangeSet', 'cloudformation:CreateStack', 'cloudformation:UpdateStack'], Resource: '*' },
  { Sid: 'PipelineCrossAccountArtifactsBucket', Effect: 'Allow', Action: ['s3:GetObject*', 's3:GetBucket*', 's3:List*', 's3:Abort*', 's3:DeleteObject*', 's3:PutObject*'], Resource: '*', Condition: { StringNotEquals: { 's3:ResourceAccount': '222222222222' } } },
  { Sid: 'PipelineCrossAccountArtifactsKey', Effect: 'Allow', Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'], Resource: '*', Condition: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } } },
  { Effect: 'Allow', Action: 'iam:PassRole', Resource: 'arn:aws:iam::222222222222:role/cdk-hnb659fds-cfn-exec-role-222222222222-eu-west-1' },
  { Sid: 'CliPermissions', Effect: 'Allow', Action: ['cloudformation:DescribeStackEvents', 'cloudformation:GetTemplate', 'cloudformation:DeleteStack', 'cloudformation:UpdateTerminationProtection', 'sts:GetCallerIdentity', 'cloudformation:GetTemplateSummary'], Resource: '*' },
  { Sid: 'CliStagingBucket', Effect: 'Allow', Action: ['s3:GetObject*', 's3:GetBucket*', 's3:List*'], Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`] },
  { Sid: 'ReadVersion', Effect: 'Allow', Action: ['ssm:GetParameter', 'ssm:GetParameters'], Resource: 'arn:aws:ssm:eu-west-1:222222222222:parameter/cdk-bootstrap/hnb659fds/version' },
);
const TLS_ONLY = document({ Sid: 'AllowSSLRequestsOnly', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`], Condition: { Bool: { 'aws:SecureTransport': 'false' } } });

function deployRole() {
  return [
    {
      principal: session, action: 's3:GetObject', resource: `arn:aws:s3:::${BUCKET}/abc.json`, resourceAccount: '222222222222',
      context: { 'aws:PrincipalArn': session.roleArn, 'aws:SecureTransport': true, 's3:ResourceAccount': '222222222222', 'aws:RequestedRegion': 'eu-west-1' },
    },
    { identity: [{ name: 'default', document: DEPLOY }], resource: { kind: 'resource', document: TLS_ONLY, account: '222222222222', name: BUCKET } },
  ];
}

function hundredStatements() {
  const text = document(...Array.from({ length: 100 }, (_, i) => ({ Effect: 'Allow', Action: 's3:Get*', Resource: `arn:aws:s3:::b${i}/*` })));
  const question = (i) => [
    { principal: user, action: 's3:GetObject', resource: `arn:aws:s3:::b${i % 100}/key`, resourceAccount: '111111111111', context: { 'aws:PrincipalArn': user.arn } },
    { identity: [{ name: 'large', document: text }] },
  ];
  question.size = text.length;
  return question;
}

function growth(decide) {
  const document_ = document({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket/*a*a*a*a*a*b*c' });
  const time = (length) => {
    const question = () => decide({ principal: user, action: 's3:GetObject', resource: `arn:aws:s3:::bucket/${'a'.repeat(length)}c`, resourceAccount: '111111111111', context: {} }, { identity: [{ name: 'w', document: document_ }] });
    const begin = performance.now();
    for (let i = 0; i < 200; i++) question();
    return performance.now() - begin;
  };
  // The best of several: what else the machine does makes times longer, never shorter.
  const best = (length) => Math.min(...Array.from({ length: 12 }, () => time(length)));
  best(1000);
  return best(8000) / best(1000);
}
