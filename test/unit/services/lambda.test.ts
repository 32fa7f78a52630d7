import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archive } from '../../../src/local/process/zip.js';
import { A, eventually, functionCloud, REGION, type FunctionCloud } from './function-cloud.js';

let cloud: FunctionCloud;
let role: string;
beforeAll(async () => {
  cloud = await functionCloud();
  role = await cloud.role('plain');
});
afterAll(() => cloud.stop());

describe('an invocation', () => {
  it('runs as the function\'s role, with the SDK at hand', async () => {
    await cloud.lambda('who', "const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts'); exports.handler = async () => (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn;", role);
    expect(await cloud.invoke('who')).toMatchObject({ value: `arn:aws:sts::${A}:assumed-role/plain/who` });
  });

  it('answers a failure as AWS forms it, and logs it', async () => {
    await cloud.lambda('fails', "exports.handler = async () => { console.log('before'); throw new TypeError('boom'); };", role);
    const { value, error, log } = await cloud.invoke('fails');
    expect([value, error]).toEqual([expect.objectContaining({ errorType: 'TypeError', errorMessage: 'boom' }), 'Unhandled']);
    expect(log).toMatch(/^START RequestId: \S+ Version: \$LATEST\n.*INFO\tbefore\n.*Invoke Error[^]*\nEND RequestId: \S+\nREPORT RequestId: /);
  });

  it('is stopped when its time is over', async () => {
    await cloud.lambda('slow', 'exports.handler = () => new Promise((done) => setTimeout(done, 60000));', role, { Timeout: 1 });
    expect(await cloud.invoke('slow')).toMatchObject({ error: 'Unhandled', value: { errorType: 'Sandbox.Timedout', errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/) } });
  });

  it('keeps a warm instance, and starts another for a second request at the same time', async () => {
    await cloud.lambda('warm', 'let n = 0; exports.handler = async () => { await new Promise((done) => setTimeout(done, 50)); return ++n; };', role);
    await cloud.invoke('warm');
    expect((await cloud.invoke('warm')).value).toBe(2);
    const both = await Promise.all([cloud.invoke('warm'), cloud.invoke('warm')]);
    expect(both.map(({ value }) => value).sort()).toEqual([1, 3]);
  });

  it('answers by callback, and a missing handler by its name', async () => {
    await cloud.lambda('callback', 'exports.handler = (event, context, callback) => setTimeout(() => callback(null, event.x), 5);', role);
    await cloud.lambda('missing', 'exports.other = 1;', role);
    expect((await cloud.invoke('callback', { x: 'y' })).value).toBe('y');
    expect((await cloud.invoke('missing')).value).toMatchObject({ errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is undefined or not exported' });
  });

  it('runs Python', async () => {
    await cloud.lambda('python', 'def handler(event, context):\n    print("hello")\n    return {"got": event["x"], "left": context.get_remaining_time_in_millis() > 0}\n', role, { Runtime: 'python3.12' });
    expect(await cloud.invoke('python', { x: 1 })).toMatchObject({ value: { got: 1, left: true }, log: expect.stringContaining('\nhello\n') });
  });

  it('runs Python whose botocore is older than AWS_ENDPOINT_URL, as the AWS CLI in the layer of CDK’s BucketDeployment', async () => {
    const older = 'import os, sys, tempfile\nfolder = tempfile.mkdtemp()\nos.mkdir(folder + "/botocore")\nopen(folder + "/botocore/__init__.py", "w").write("__version__ = \'1.29.0\'")\nopen(folder + "/botocore/session.py", "w").write("class Session:\\n  def create_client(self, name, endpoint_url=None):\\n    return endpoint_url")\nsys.path.insert(0, folder)\n';
    await cloud.lambda('older-python', `${older}from botocore.session import Session\ndef handler(event, context):\n    return [Session().create_client("s3"), os.environ["PYTHONPATH"].split(":")[0]]\n`, role, { Runtime: 'python3.9', Environment: { Variables: { PYTHONPATH: '/its/own' } } });
    expect(await cloud.invoke('older-python')).toMatchObject({ value: [cloud.endpoint, '/its/own'], error: undefined });
  });

  it('of a runtime this machine has not says so', async () => {
    await cloud.lambda('java', 'class X {}', role, { Runtime: 'java21' });
    await expect(cloud.invoke('java')).rejects.toMatchObject({ code: 'InvalidRuntimeException', message: expect.stringContaining('java21') });
  });

  it('that nobody waits for runs all the same', async () => {
    await cloud.lambda('async', "const { SSMClient, PutParameterCommand } = require('@aws-sdk/client-ssm'); exports.handler = (event) => new SSMClient({}).send(new PutParameterCommand({ Name: 'came', Type: 'String', Value: event.v }));", await cloud.role('writer', ['ssm:PutParameter']));
    await cloud.invoke('async', { v: 'here' }, { InvocationType: 'Event' });
    const found = await eventually(() => cloud.admin.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: 'came' }).catch(() => undefined));
    expect(found.Parameter.Value).toBe('here');
  });
});

describe('a function', () => {
  it('needs a role that Lambda may assume', async () => {
    const other = await cloud.role('for-ec2', [], 'ec2.amazonaws.com');
    await expect(cloud.lambda('refused', '1', other)).rejects.toMatchObject({ code: 'InvalidParameterValueException', message: 'The role defined for the function cannot be assumed by Lambda.' });
  });

  it('runs its new code after an update, and a version what it was', async () => {
    await cloud.lambda('changing', "exports.handler = async () => 'one';", role);
    const { Version } = await cloud.admin.call<{ Version: string }>('lambda', 'PublishVersion', { FunctionName: 'changing' });
    await cloud.invoke('changing');
    await cloud.admin.call('lambda', 'UpdateFunctionCode', { FunctionName: 'changing', ZipFile: await archive([{ name: 'index.js', data: Buffer.from("exports.handler = async () => 'two';") }]) });
    expect([(await cloud.invoke('changing')).value, (await cloud.invoke(`changing:${Version}`)).value]).toEqual(['two', 'one']);
  });

  it('is invoked by a service only when its policy says so', async () => {
    const arn = await cloud.lambda('guarded', 'exports.handler = async () => 1;', role);
    const topic = `arn:aws:sns:${REGION}:${A}:t`;
    const sns = cloud.runtime.client({ principal: { kind: 'service', service: 'sns.amazonaws.com', account: A, sourceArn: topic }, region: REGION });
    await expect(sns.call('lambda', 'Invoke', { FunctionName: arn })).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await cloud.admin.call('lambda', 'AddPermission', { FunctionName: 'guarded', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'sns.amazonaws.com', SourceArn: topic });
    expect(await sns.call('lambda', 'Invoke', { FunctionName: arn })).toMatchObject({ StatusCode: 200 });
  });

  it('answers at its URL', async () => {
    await cloud.lambda('url', 'exports.handler = async (event) => ({ statusCode: 201, body: event.rawPath + event.queryStringParameters.a });', role);
    const { FunctionUrl } = await cloud.admin.call<{ FunctionUrl: string }>('lambda', 'CreateFunctionUrlConfig', { FunctionName: 'url', AuthType: 'NONE' });
    expect((await fetch(`${FunctionUrl}x?a=1`)).status).toBe(403);
    await cloud.admin.call('lambda', 'AddPermission', { FunctionName: 'url', StatementId: 'u', Action: 'lambda:InvokeFunctionUrl', Principal: '*', FunctionUrlAuthType: 'NONE' });
    const answer = await fetch(`${FunctionUrl}x?a=1`);
    expect([answer.status, await answer.text()]).toEqual([201, '/x1']);
  });

  it('finds its layer', async () => {
    const { LayerVersionArn } = await cloud.admin.call<{ LayerVersionArn: string }>('lambda', 'PublishLayerVersion', { LayerName: 'l', Content: { ZipFile: await archive([{ name: 'nodejs/node_modules/layered/index.js', data: Buffer.from("module.exports = 'from the layer';") }]) } });
    await cloud.lambda('layers', "exports.handler = async () => require('layered');", role, { Layers: [LayerVersionArn] });
    expect((await cloud.invoke('layers')).value).toBe('from the layer');
  });

  it('refuses an archive that leads out of its folder', async () => {
    const evil = Buffer.from(await archive([{ name: 'aa/evil.js', data: Buffer.from('1') }]));
    for (let at = evil.indexOf('aa/evil.js'); at >= 0; at = evil.indexOf('aa/evil.js', at)) evil.write('../evil.js', at);
    await expect(cloud.admin.call('lambda', 'CreateFunction', { FunctionName: 'evil', Runtime: 'nodejs20.x', Handler: 'index.handler', Role: role, Code: { ZipFile: evil } })).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
  });

  it('hands its code to whoever has the link', async () => {
    const { Code } = await cloud.admin.call<{ Code: { Location: string } }>('lambda', 'GetFunction', { FunctionName: 'who' });
    expect((await fetch(Code.Location)).status).toBe(200);
    expect((await fetch(Code.Location.replace(/signature=../, 'signature=00'))).status).toBe(403);
  });
});

it('messages of a queue reach the function and go', async () => {
  const { QueueUrl } = await cloud.admin.call<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName: 'q' });
  const reader = await cloud.role('reader', ['sqs:*', 'ssm:PutParameter']);
  await cloud.lambda('polled', "const { SSMClient, PutParameterCommand } = require('@aws-sdk/client-ssm'); exports.handler = (event) => new SSMClient({}).send(new PutParameterCommand({ Name: 'polled', Type: 'String', Value: event.Records[0].body }));", reader);
  await cloud.admin.call('lambda', 'CreateEventSourceMapping', { FunctionName: 'polled', EventSourceArn: `arn:aws:sqs:${REGION}:${A}:q` });
  await cloud.admin.call('sqs', 'SendMessage', { QueueUrl, MessageBody: 'a message' });
  const found = await eventually(() => cloud.admin.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: 'polled' }).catch(() => undefined));
  expect(found.Parameter.Value).toBe('a message');
});
