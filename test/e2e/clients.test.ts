import { createHash, createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { EC2 } from '@aws-sdk/client-ec2';
import { ECR } from '@aws-sdk/client-ecr';
import { IAM } from '@aws-sdk/client-iam';
import { KMS } from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand, S3, S3Client } from '@aws-sdk/client-s3';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { SNS } from '@aws-sdk/client-sns';
import { SQS } from '@aws-sdk/client-sqs';
import { SSM } from '@aws-sdk/client-ssm';
import { STS } from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, installed, startTestCloud, type TestCloud } from './cloud.js';

/** The clients people have: SDK v3, the `aws` CLI, boto3, and plain HTTP with a signature. */

const ACCOUNT = '111111111111';
let cloud: TestCloud;
beforeAll(async () => void (cloud = await startTestCloud({ dev: `${ACCOUNT}/eu-west-1`, other: '222222222222/eu-west-1' })));
afterAll(() => cloud?.stop());

describe('SDK v3', () => {
  it('reaches every service of a bootstrap', async () => {
    const settings = cloud.client('dev');
    expect(await new STS(settings).getCallerIdentity({})).toMatchObject({ Account: ACCOUNT });
    expect((await new IAM(settings).listRoles({})).Roles).toEqual([]);
    const { KeyMetadata } = await new KMS(settings).createKey({ Description: 'judge' });
    const { CiphertextBlob } = await new KMS(settings).encrypt({ KeyId: KeyMetadata!.KeyId, Plaintext: Buffer.from('secret') });
    expect(Buffer.from((await new KMS(settings).decrypt({ CiphertextBlob })).Plaintext!).toString()).toBe('secret');
    const secrets = new SecretsManager(settings);
    const secret = await secrets.createSecret({ Name: 'judge', SecretString: 'one' });
    await secrets.putSecretValue({ SecretId: secret.ARN, SecretString: 'two' });
    expect((await secrets.getSecretValue({ SecretId: 'judge', VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('one');
    const ssm = new SSM(settings);
    await ssm.putParameter({ Name: '/judge/secret', Value: 'hidden', Type: 'SecureString' });
    expect((await ssm.getParameter({ Name: '/judge/secret' })).Parameter!.Value).not.toBe('hidden');
    expect((await ssm.getParametersByPath({ Path: '/judge', WithDecryption: true })).Parameters).toMatchObject([{ Name: '/judge/secret', Value: 'hidden' }]);
    const { TopicArn } = await new SNS(settings).createTopic({ Name: 'judge' });
    const sqs = new SQS(settings);
    const { QueueUrl } = await sqs.createQueue({ QueueName: 'judge' });
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['QueueArn'] });
    await sqs.setQueueAttributes({ QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Attributes!['QueueArn'] } }) } });
    await new SNS(settings).subscribe({ TopicArn, Protocol: 'sqs', Endpoint: Attributes!['QueueArn'], Attributes: { RawMessageDelivery: 'true' } });
    await new SNS(settings).publish({ TopicArn, Message: 'hello' });
    expect((await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 })).Messages).toMatchObject([{ Body: 'hello' }]);
    expect((await new EC2(settings).describeAvailabilityZones({})).AvailabilityZones).toHaveLength(3);
    const { repository } = await new ECR(settings).createRepository({ repositoryName: 'judge' });
    expect(repository!.repositoryUri).toContain(`${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/judge`);
    const logs = new CloudWatchLogs(settings);
    await logs.createLogGroup({ logGroupName: '/judge' });
    await logs.createLogStream({ logGroupName: '/judge', logStreamName: 's' });
    await logs.putLogEvents({ logGroupName: '/judge', logStreamName: 's', logEvents: [{ timestamp: Date.now(), message: 'line' }] });
    expect((await logs.getLogEvents({ logGroupName: '/judge', logStreamName: 's' })).events).toMatchObject([{ message: 'line' }]);
  });

  it('keeps accounts and regions apart', async () => {
    await expect(new SSM(cloud.client('other')).getParameter({ Name: '/judge/secret' })).rejects.toMatchObject({ name: 'ParameterNotFound' });
    await expect(new SSM(cloud.client('dev', 'us-east-1')).getParameter({ Name: '/judge/secret' })).rejects.toMatchObject({ name: 'ParameterNotFound' });
    await expect(new SecretsManager(cloud.client('other')).getSecretValue({ SecretId: 'judge' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('is told by name what has no behaviour, and nothing is changed', async () => {
    const failed = await new CloudFormation(cloud.client('dev')).createStackSet({ StackSetName: 'x', TemplateBody: '{}' }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ $metadata: { httpStatusCode: 501 }, message: expect.stringContaining('cloudformation:CreateStackSet') });
  });
});

describe('S3', () => {
  const s3 = (): S3 => new S3(cloud.client('dev'));
  beforeAll(() => s3().createBucket({ Bucket: 'judged', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));

  it('gives and takes objects by presigned URLs, until they expire or are changed', async () => {
    const client = new S3Client(cloud.client('dev'));
    const put = await getSignedUrl(client, new PutObjectCommand({ Bucket: 'judged', Key: 'by url', ContentType: 'text/plain' }), { expiresIn: 60 });
    expect((await fetch(put, { method: 'PUT', body: 'presigned', headers: { 'content-type': 'text/plain' } })).status).toBe(200);
    const get = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'judged', Key: 'by url' }), { expiresIn: 60 });
    expect(await (await fetch(get)).text()).toBe('presigned');
    const other = await fetch(get.replace('by%20url', 'another'));
    expect([other.status, await other.text()]).toEqual([403, expect.stringContaining('<Code>SignatureDoesNotMatch</Code>')]);
    const old = await fetch(await getSignedUrl(client, new GetObjectCommand({ Bucket: 'judged', Key: 'by url' }), { expiresIn: 60, signingDate: new Date(Date.now() - 120_000) }));
    expect([old.status, await old.text()]).toEqual([403, expect.stringMatching(/<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>/)]);
    expect((await fetch(get, { method: 'DELETE' })).status).toBe(403);
  });

  it('joins parts, in their order, and lists none that were given up', async () => {
    const key = { Bucket: 'judged', Key: 'parts' };
    const { UploadId } = await s3().createMultipartUpload(key);
    const parts = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.from('the end')];
    const done = await Promise.all(parts.map(async (Body, i) => ({ PartNumber: i + 1, ETag: (await s3().uploadPart({ ...key, UploadId, PartNumber: i + 1, Body })).ETag })));
    await expect(s3().completeMultipartUpload({ ...key, UploadId, MultipartUpload: { Parts: [...done].reverse() } })).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    const { ETag } = await s3().completeMultipartUpload({ ...key, UploadId, MultipartUpload: { Parts: done } });
    expect(ETag).toMatch(/-2"$/);
    expect((await s3().headObject(key)).ContentLength).toBe(5 * 1024 * 1024 + 7);
    expect(await (await s3().getObject({ ...key, Range: 'bytes=-7' })).Body!.transformToString()).toBe('the end');
    const given = await s3().createMultipartUpload(key);
    await s3().abortMultipartUpload({ ...key, UploadId: given.UploadId });
    expect((await s3().listMultipartUploads({ Bucket: 'judged' })).Uploads ?? []).toEqual([]);
  });

  it('reads chunks that are signed one by one, and refuses one that was changed', async () => {
    const send = (tamper: boolean) => signedChunks(cloud, '/judged/chunks', ['first chunk '.repeat(6000), 'second chunk'], tamper);
    const good = await send(false);
    expect([good.status, await good.text()]).toEqual([200, '']);
    expect(await (await s3().getObject({ Bucket: 'judged', Key: 'chunks' })).Body!.transformToString()).toBe(`${'first chunk '.repeat(6000)}second chunk`);
    const bad = await send(true);
    expect([bad.status, await bad.text()]).toEqual([403, expect.stringContaining('<Code>SignatureDoesNotMatch</Code>')]);
  });
});

/** An upload as the older SDKs make it (S3 API reference, "Transferring payload in multiple chunks"). */
async function signedChunks(on: TestCloud, path: string, chunks: readonly string[], tamper: boolean): Promise<Response> {
  const { credentials } = on.client('dev');
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/eu-west-1/s3/aws4_request`;
  const hash = (data: string): string => createHash('sha256').update(data).digest('hex');
  const key = scope.split('/').reduce<Buffer>((current, part) => createHmac('sha256', current).update(part).digest(), Buffer.from(`AWS4${credentials.secretAccessKey}`));
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
  const payload = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
  const headers: Record<string, string> = { 'content-encoding': 'aws-chunked', host: new URL(on.endpoint).host, 'x-amz-content-sha256': payload, 'x-amz-date': stamp, 'x-amz-decoded-content-length': String(chunks.join('').length) };
  const names = Object.keys(headers).sort();
  const canonical = ['PUT', path, '', ...names.map((name) => `${name}:${headers[name]}`), '', names.join(';'), payload].join('\n');
  let previous = sign(['AWS4-HMAC-SHA256', stamp, scope, hash(canonical)].join('\n'));
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${previous}`;
  const body = [...chunks, ''].map((chunk, i) => {
    previous = sign(['AWS4-HMAC-SHA256-PAYLOAD', stamp, scope, previous, hash(''), hash(chunk)].join('\n'));
    return `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${tamper && i === 1 ? chunk.toUpperCase() : chunk}\r\n`;
  }).join('');
  return fetch(`${on.endpoint}${path}`, { method: 'PUT', headers: { ...headers, authorization }, body });
}

const withAws = await installed('aws', '--version');
describe.skipIf(!withAws)('the aws CLI', () => {
  // Debian's 2.9 knows no AWS_ENDPOINT_URL.
  const aws = async (...args: string[]) => expectSuccess(await cloud.program('aws', [...args, '--endpoint-url', cloud.endpoint]));

  it('works by the profiles of `flotilla cloud env`', async () => {
    expect(JSON.parse((await aws('sts', 'get-caller-identity', '--output', 'json')).stdout)).toMatchObject({ Account: ACCOUNT });
    writeFileSync(join(cloud.folder, 'big.bin'), Buffer.alloc(9 * 1024 * 1024, 1));
    await aws('s3', 'mb', 's3://by-cli');
    await aws('s3', 'cp', join(cloud.folder, 'big.bin'), 's3://by-cli/sub/big.bin');
    expect((await aws('s3', 'ls', 's3://by-cli/sub/')).stdout).toMatch(/9437184 big\.bin/);
    await aws('s3', 'rb', '--force', 's3://by-cli');
    const template = join(cloud.folder, 'template.json');
    writeFileSync(template, JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } }, Outputs: { Arn: { Value: { Ref: 'Topic' } } } }));
    await aws('cloudformation', 'deploy', '--stack-name', 'by-cli', '--template-file', template);
    expect((await aws('cloudformation', 'describe-stacks', '--stack-name', 'by-cli', '--query', 'Stacks[0].Outputs[0].OutputValue', '--output', 'text')).stdout).toContain(`arn:aws:sns:eu-west-1:${ACCOUNT}:by-cli-Topic-`);
    await aws('cloudformation', 'delete-stack', '--stack-name', 'by-cli');
    await aws('cloudformation', 'wait', 'stack-delete-complete', '--stack-name', 'by-cli');
  });
});

const withBoto3 = await installed('python3', '-c', 'import boto3');
describe.skipIf(!withBoto3)('boto3', () => {
  it('works by its environment alone', async () => {
    const script = `
import boto3, os
from botocore.exceptions import ClientError
def client(name):
    return boto3.client(name, endpoint_url=os.environ['AWS_ENDPOINT_URL'])
assert client('sts').get_caller_identity()['Account'] == '${ACCOUNT}'
s3 = client('s3')
s3.create_bucket(Bucket='by-boto', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
for i in range(3):
    s3.put_object(Bucket='by-boto', Key=f'a key/{i}+ü', Body=b'x' * i, Metadata={'n': str(i)})
keys = [o['Key'] for page in s3.get_paginator('list_objects_v2').paginate(Bucket='by-boto', PaginationConfig={'PageSize': 2}) for o in page.get('Contents', [])]
assert keys == ['a key/0+ü', 'a key/1+ü', 'a key/2+ü'], keys
assert s3.get_object(Bucket='by-boto', Key='a key/2+ü')['Metadata'] == {'n': '2'}
try:
    s3.get_object(Bucket='by-boto', Key='none')
    raise AssertionError('found')
except s3.exceptions.NoSuchKey:
    pass
assert [z['ZoneName'] for z in client('ec2').describe_availability_zones()['AvailabilityZones']] == ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']
try:
    client('cloudformation').describe_stacks(StackName='none')
    raise AssertionError('found')
except ClientError as error:
    assert error.response['Error']['Code'] == 'ValidationError' and error.response['Error']['Message'] == 'Stack with id none does not exist', error
client('ssm').put_parameter(Name='/boto', Value='v', Type='String')
client('sqs').create_queue(QueueName='boto')
client('cloudformation').create_stack(StackName='boto', TemplateBody='{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}')
client('cloudformation').get_waiter('stack_create_complete').wait(StackName='boto', WaiterConfig={'Delay': 1})
print('done')
`;
    expect(expectSuccess(await cloud.program('python3', ['-'], { input: script })).stdout).toBe('done\n');
  });
});
