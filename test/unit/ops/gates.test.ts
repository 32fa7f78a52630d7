import { afterEach, describe, expect, it } from 'vitest';
import { limiter } from '../../../src/ops/concurrency.js';
import { followExecution } from '../../../src/ops/follow.js';
import { waitingCases } from '../../../src/ops/gate.js';
import { where } from '../../../src/ops/where.js';
import { startStub, type Stub } from './stub.js';

const pipeline = { account: '999999999999', region: 'us-east-1', name: 'app' };
const at = (minute: number): number => 1_700_000_000 + minute * 60;
const action = (name: string, category: string, provider: string, more: object = {}) => ({ name, actionTypeId: { category, owner: 'AWS', provider, version: '1' }, ...more });
const role = 'arn:aws:iam::333333333333:role/cdk-hnb659fds-deploy-role-333333333333-us-east-1';
const declaration = (executionMode: string) => ({
  name: 'app',
  executionMode,
  roleArn: role,
  stages: [
    { name: 'Source', actions: [action('App', 'Source', 'CodeCommit', { outputArtifacts: [{ name: 'Code' }], configuration: { RepositoryName: 'app' } })] },
    { name: 'Prod', actions: [action('Approve', 'Approval', 'Manual', { timeoutInMinutes: 60 }), action('Deploy', 'Deploy', 'CloudFormation', { roleArn: role, configuration: { ActionMode: 'CREATE_UPDATE', StackName: 'App' } })] },
  ],
});
const commitOf = (id: string): string => id.padStart(40, '0');

let stub: Stub;
afterEach(() => stub.stop());

/** A pipeline of three executions: the two newest stand at the approval, the older one is over. */
async function start(executionMode: string, prod: object): Promise<void> {
  const running = (id: string) => ({ pipelineExecutionId: id, actionExecutionId: `${id}-a`, stageName: 'Prod', actionName: 'Approve', status: 'InProgress', startTime: at(Number(id)), lastUpdateTime: at(Number(id)), input: { actionTypeId: { category: 'Approval' } }, output: { executionResult: { externalExecutionId: `token-${id}` } } });
  stub = await startStub({
    GetPipeline: () => ({ pipeline: declaration(executionMode) }),
    GetPipelineState: () => ({ stageStates: [{ stageName: 'Source', actionStates: [] }, { stageName: 'Prod', ...prod }] }),
    ListPipelineExecutions: () => ({ pipelineExecutionSummaries: ['3', '2', '1'].map((id) => ({ pipelineExecutionId: id, status: id === '1' ? 'Succeeded' : 'InProgress', sourceRevisions: [{ actionName: 'App', revisionId: commitOf(id) }] })) }),
    ListActionExecutions: ({ filter }: { filter?: { pipelineExecutionId: string } }) => ({ actionExecutionDetails: filter === undefined ? [running('3'), running('2')] : [running(filter.pipelineExecutionId)] }),
    GetPipelineExecution: ({ pipelineExecutionId: id }: { pipelineExecutionId: string }) => ({ pipelineExecution: { pipelineExecutionId: id, status: 'InProgress', executionMode, artifactRevisions: [{ name: 'Code', revisionId: commitOf(id) }] } }),
  });
}

const gates = async () => (await waitingCases(stub.target, [pipeline], limiter(4))).map(({ stage, gate, token, behind }) => [stage, gate.action, gate.commit, token, gate.since?.getTime(), gate.expires?.getTime(), behind]);

it('an execution that is followed beside a newer one stands at its own gate', async () => {
  await start('PARALLEL', { latestExecution: { pipelineExecutionId: '3', status: 'InProgress' }, actionStates: [{ actionName: 'Approve', latestExecution: { status: 'InProgress', token: 'token-3', lastStatusChange: at(3) } }] });
  const asked: string[] = [];
  const ended = await followExecution({ target: stub.target, pipeline, execution: '2', gate: ({ token }) => (asked.push(token), Promise.resolve('leave')), decide: () => Promise.resolve(), emit: () => {}, logs: false });
  expect([asked, ended.waiting.map(({ stage, action, token }) => [stage, action, token])]).toEqual([['token-2'], [['Prod', 'Approve', 'token-2']]]);
});

describe('gates that wait', () => {
  it('are, where executions run side by side, each one’s own, with the token that its action tells', async () => {
    await start('PARALLEL', {});
    expect(await gates()).toEqual(['2', '3'].map((id) => ['Prod', 'Approve', commitOf(id), `token-${id}`, at(Number(id)) * 1000, at(Number(id) + 60) * 1000, undefined]));
    const { rows } = await where(stub.target, pipeline);
    expect(rows).toMatchObject([{ state: 'waiting', gate: { action: 'Approve', execution: '3', commit: commitOf('3') } }]);
  });

  it('are otherwise what the state of the stage tells, with the commit that waits behind', async () => {
    await start('SUPERSEDED', { latestExecution: { pipelineExecutionId: '2', status: 'InProgress' }, inboundExecutions: [{ pipelineExecutionId: '3' }], actionStates: [{ actionName: 'Approve', latestExecution: { status: 'InProgress', token: 'the-token', lastStatusChange: at(2) } }] });
    expect(await gates()).toEqual([['Prod', 'Approve', commitOf('2'), 'the-token', at(2) * 1000, at(62) * 1000, commitOf('3')]]);
    expect(stub.calls).not.toContain('ListPipelineExecutions');
  });
});
