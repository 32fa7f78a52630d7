// Pipelines of 10, 50 and 200 targets whose stacks hold one parameter each and which build nothing: what the engine and CloudFormation cost
// a target, and whether that stays the same.
import { client } from './aws.mjs';
import { startCloud } from './cloud.mjs';

const ACCOUNT = '999999999999';
const REGION = 'us-east-1';
const TARGETS = [10, 50, 200];
/** Actions in one stage: 50 is CodePipeline's own limit. */
const WAVE = 10;

export async function growth(out) {
  const cloud = await startCloud();
  try {
    const api = client(cloud.endpoint, await cloud.credentials(ACCOUNT), { connections: 4 });
    await roles(api);
    await source(api);
    const each = [];
    for (const targets of TARGETS) {
      const first = await execute(api, targets, `growth-${targets}`);
      each.push(first.whole / targets);
      out.add(`growth: ${targets} targets`, first.whole, 'ms', { note: `${first.actions} actions, the engine idle ${(first.idle / first.actions).toFixed(1)} ms an action` });
    }
    out.add('growth: time a target, 200 ÷ 50', each[2] / each[1], '×', { most: 1.3 });
    out.add('growth: memory after', cloud.memory(), 'MB', { most: 300 });
    api.close();
  } finally {
    await cloud.stop();
  }
}

async function roles(api) {
  for (const service of ['codepipeline', 'cloudformation']) {
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action: 'sts:AssumeRole' }] });
    await api.query('iam', REGION, 'CreateRole', { RoleName: service, AssumeRolePolicyDocument });
    await api.query('iam', REGION, 'AttachRolePolicy', { RoleName: service, PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' });
  }
}

async function source(api) {
  await api.s3('PUT', REGION, '/growth-bucket');
  await api.s3('PUT', REGION, '/growth-bucket', Buffer.from('<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>'), undefined, 'versioning=');
  const template = JSON.stringify({ Resources: { One: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { Ref: 'AWS::StackName' } } } } });
  await api.s3('PUT', REGION, '/growth-bucket/source.zip', await zip('template.json', template));
}

async function zip(name, text) {
  const { ZipFile } = await import('yazl');
  const file = new ZipFile();
  file.addBuffer(Buffer.from(text), name);
  file.end();
  const chunks = [];
  for await (const chunk of file.outputStream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Makes the pipeline, whose creation starts it, and waits for the end of that execution. */
async function execute(api, targets, name) {
  const action = (i) => [
    deploy(`Prepare${i}`, i, 1, { ActionMode: 'CHANGE_SET_REPLACE', TemplatePath: 'Source::template.json', RoleArn: `arn:aws:iam::${ACCOUNT}:role/cloudformation` }, name),
    deploy(`Deploy${i}`, i, 2, { ActionMode: 'CHANGE_SET_EXECUTE' }, name),
  ];
  const waves = Array.from({ length: Math.ceil(targets / WAVE) }, (_, w) => ({ name: `Wave${w}`, actions: Array.from({ length: Math.min(WAVE, targets - w * WAVE) }, (_, i) => action(w * WAVE + i)).flat() }));
  const stages = [
    {
      name: 'Source',
      actions: [{ name: 'Source', actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' }, configuration: { S3Bucket: 'growth-bucket', S3ObjectKey: 'source.zip', PollForSourceChanges: 'false' }, outputArtifacts: [{ name: 'Source' }] }],
    },
    ...waves,
  ];
  const call = (operation, input) => api.json('codepipeline', REGION, `CodePipeline_20150709.${operation}`, input);
  await call('CreatePipeline', { pipeline: { name, roleArn: `arn:aws:iam::${ACCOUNT}:role/codepipeline`, artifactStore: { type: 'S3', location: 'growth-bucket' }, stages, version: 1, pipelineType: 'V2' } });
  for (;;) {
    const { pipelineExecutionSummaries: [execution] = [] } = await call('ListPipelineExecutions', { pipelineName: name });
    if (execution && execution.status !== 'InProgress') {
      if (execution.status !== 'Succeeded') throw new Error(`${name} is ${execution.status}: ${JSON.stringify((await call('GetPipelineState', { name })).stageStates.flatMap(({ actionStates }) => actionStates).find(({ latestExecution }) => latestExecution?.errorDetails))}`);
      return spans(await actionsOf(call, name), execution);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function deploy(name, i, runOrder, configuration, pipeline) {
  return {
    name, runOrder,
    actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'CloudFormation', version: '1' },
    inputArtifacts: configuration.TemplatePath ? [{ name: 'Source' }] : [],
    configuration: { StackName: `${pipeline}-${i}`, ChangeSetName: 'change', ...configuration },
  };
}

async function actionsOf(call, pipelineName) {
  const found = [];
  let nextToken;
  do {
    const page = await call('ListActionExecutions', { pipelineName, maxResults: 100, ...(nextToken ? { nextToken } : {}) });
    found.push(...page.actionExecutionDetails.map(({ startTime, lastUpdateTime }) => ({ start: startTime * 1000, end: lastUpdateTime * 1000 })));
    nextToken = page.nextToken;
  } while (nextToken);
  return found.sort((a, b) => a.start - b.start);
}

/** Milliseconds of the whole, and those in which no action ran. */
function spans(actions, execution) {
  let until = execution.startTime * 1000;
  const begin = until;
  let idle = 0;
  for (const { start, end } of actions) {
    idle += Math.max(0, start - until);
    until = Math.max(until, end);
  }
  return { whole: until - begin, idle, actions: actions.length };
}
