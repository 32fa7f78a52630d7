import { afterEach, describe, expect, it } from 'vitest';
import { ActionHistory } from '../../../src/ops/action-history.js';
import { where, type WhereReport } from '../../../src/ops/where.js';
import { startStub, type Stub } from './stub.js';

const pipeline = { account: '999999999999', region: 'us-east-1', name: 'app' };
const TARGETS = ['111111111111', '222222222222'];
const role = (account: string) => `arn:aws:iam::${account}:role/cdk-hnb659fds-deploy-role-${account}-us-east-1`;

/** A pipeline of two sources, the application's named last, and a stage with two targets. */
const declaration = {
  name: 'app',
  roleArn: role(pipeline.account),
  stages: [
    { name: 'Source', actions: ['Config', 'App'].map((name) => ({ name, actionTypeId: { category: 'Source', owner: 'AWS', provider: 'CodeCommit', version: '1' }, outputArtifacts: [{ name: `${name}Code` }], configuration: { RepositoryName: name.toLowerCase() } })) },
    { name: 'Build', actions: [{ name: 'Synth', actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' }, inputArtifacts: [{ name: 'ConfigCode' }, { name: 'AppCode' }], configuration: { PrimarySource: 'AppCode' } }] },
    { name: 'Prod', actions: TARGETS.map((account) => ({ name: `Deploy-${account}`, actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'CloudFormation', version: '1' }, roleArn: role(account), configuration: { ActionMode: 'CREATE_UPDATE', StackName: 'App' } })) },
  ],
};

interface Execution {
  readonly id: string;
  readonly status: string;
  /** Status of the deployment to each target, where it came there. */
  readonly prod?: Readonly<Record<string, string>>;
  readonly sourced?: boolean;
}

const commitOf = (id: string): string => id.padStart(40, '0');
const at = (number: number): number => 1_700_000_000 + number * 60;

let stub: Stub;
afterEach(() => stub.stop());

/** Executions, newest first. What AWS gives of each in pages of a hundred. */
async function look(executions: readonly Execution[], stages: Readonly<Record<string, object>>, history?: ActionHistory): Promise<WhereReport> {
  const details = executions.flatMap(({ id, prod = {} }) => Object.entries(prod).map(([account, status]) => ({ pipelineExecutionId: id, actionExecutionId: `${id}-${account}`, stageName: 'Prod', actionName: `Deploy-${account}`, status, startTime: at(Number(id)), lastUpdateTime: at(Number(id)), input: { configuration: {} }, output: status === 'Failed' ? { executionResult: { errorDetails: { message: 'no subnets' } } } : {} })));
  const page = <T>(items: readonly T[], { nextToken = '0' }: { nextToken?: string }, name: string): object => ({ [name]: items.slice(Number(nextToken), Number(nextToken) + 100), ...(items.length > Number(nextToken) + 100 ? { nextToken: String(Number(nextToken) + 100) } : {}) });
  const revisions = (id: string) => [{ actionName: 'Config', revisionId: 'c0'.repeat(20) }, { actionName: 'App', revisionId: commitOf(id), revisionSummary: '{"braces"} in a message' }];
  stub = await startStub({
    GetPipeline: () => ({ pipeline: declaration }),
    GetPipelineState: () => ({ stageStates: declaration.stages.map(({ name }) => ({ stageName: name, ...stages[name] })) }),
    ListPipelineExecutions: (input) => page(executions.map(({ id, status, sourced = true }) => ({ pipelineExecutionId: id, status, sourceRevisions: sourced ? revisions(id) : [] })), input, 'pipelineExecutionSummaries'),
    ListActionExecutions: (input) => page(details, input, 'actionExecutionDetails'),
    GetPipelineExecution: ({ pipelineExecutionId: id }: { pipelineExecutionId: string }) => ({ pipelineExecution: { artifactRevisions: [{ name: 'ConfigCode', revisionId: 'c0'.repeat(20) }, { name: 'AppCode', revisionId: commitOf(id) }] } }),
  });
  return where(stub.target, pipeline, history);
}

const succeeded = (id: string) => ({ latestExecution: { pipelineExecutionId: id, status: 'Succeeded' }, actionStates: TARGETS.map((account) => ({ actionName: `Deploy-${account}`, latestExecution: { status: 'Succeeded', lastStatusChange: at(Number(id)) } })) });
const everywhere = (status: string) => Object.fromEntries(TARGETS.map((account) => [account, status]));
const numbered = (count: number, of: (number: number) => Partial<Execution>): Execution[] => Array.from({ length: count }, (_, index) => ({ id: String(1000 - index), status: 'Succeeded', ...of(1000 - index) }));

describe('where a commit is', () => {
  it('is told by the state of a stage that succeeded, without its history', async () => {
    const { rows, head } = await look(numbered(300, () => ({ prod: everywhere('Succeeded') })), { Prod: succeeded('1000') });
    expect(head).toBe(commitOf('1000'));
    expect(rows.map(({ live, state, since }) => [live, state, since?.getTime()])).toEqual(TARGETS.map(() => [commitOf('1000'), 'deployed', at(1000) * 1000]));
    expect([...stub.calls].sort()).toEqual(['GetPipeline', 'GetPipelineState', 'ListPipelineExecutions']);
  });

  it('is read back as far as the last whole deployment of each target, however many executions ago, and no further', async () => {
    const executions = numbered(400, (number) => (number > 850 ? { status: 'Failed', prod: { [TARGETS[0]!]: 'Succeeded', [TARGETS[1]!]: 'Failed' } } : { prod: everywhere('Succeeded') }));
    const { rows } = await look(executions, { Prod: { latestExecution: { pipelineExecutionId: '1000', status: 'Failed' } } });
    expect(rows.map(({ live, state, detail, attempted }) => [live, state, detail, attempted])).toEqual([
      [commitOf('1000'), 'deployed', undefined, commitOf('1000')],
      [commitOf('850'), 'failed', 'no subnets', commitOf('1000')],
    ]);
    // 150 failed executions of two actions each are three pages; the next one tells.
    expect(stub.calls.filter((name) => name === 'ListActionExecutions')).toHaveLength(4);
    expect(stub.calls.filter((name) => name === 'ListPipelineExecutions')).toHaveLength(1);
  });

  it('is not looked for beyond the newest 5,000 actions, which is said; a later look reads what is newer alone', async () => {
    const failed = (count: number, newest: number): Execution[] => Array.from({ length: count }, (_, index) => ({ id: String(newest - index), status: 'Failed', prod: everywhere('Failed') }));
    const stages = { Prod: { latestExecution: { pipelineExecutionId: '9000', status: 'Failed' } } };
    const reads = () => stub.calls.filter((name) => name === 'ListActionExecutions').length;
    const history = new ActionHistory();
    const first = await look([...failed(3_000, 9_000), { id: '1', status: 'Succeeded', prod: everywhere('Succeeded') }], stages, history);
    expect(first.rows.map(({ live, state, unreadBefore }) => [live, state, unreadBefore?.getTime()])).toEqual(TARGETS.map(() => [undefined, 'failed', at(6_501) * 1000]));
    expect(reads()).toBe(50);
    await stub.stop();
    const second = await look(failed(3_001, 9_001), stages, history);
    expect(second.rows.map(({ attempted, unreadBefore }) => [attempted, unreadBefore?.getTime()])).toEqual(TARGETS.map(() => [commitOf('9001'), at(6_502) * 1000]));
    expect(reads()).toBe(1);
  });

  it('is read anew as far as something was under way when it was looked at', async () => {
    const stages = { Prod: { latestExecution: { pipelineExecutionId: '1000', status: 'InProgress' } } };
    const older = numbered(300, (number) => (number > 1000 - 120 ? { status: 'Failed', prod: everywhere('Failed') } : {})).slice(1);
    const history = new ActionHistory();
    const running = await look([{ id: '1000', status: 'InProgress', prod: { [TARGETS[0]!]: 'Succeeded', [TARGETS[1]!]: 'InProgress' } }, ...older], stages, history);
    expect(running.rows.map(({ live, state }) => [live, state])).toEqual([[commitOf('1000'), 'deployed'], [undefined, 'deploying']]);
    await stub.stop();
    const ended = await look([{ id: '1000', status: 'Succeeded', prod: everywhere('Succeeded') }, ...older], stages, history);
    expect(ended.rows.map(({ live, state }) => [live, state])).toEqual(TARGETS.map(() => [commitOf('1000'), 'deployed']));
    expect(stub.calls.filter((name) => name === 'ListActionExecutions')).toHaveLength(1);
  });

  it('is of the source that the build reads in the first place, and finds a head behind a hundred executions without one', async () => {
    const { head, headSummary, latest } = await look(numbered(150, (number) => ({ status: 'Failed', sourced: number <= 880 })), { Source: { latestExecution: { pipelineExecutionId: '1000', status: 'Failed' } } });
    expect([head, headSummary]).toEqual([commitOf('880'), '{"braces"} in a message']);
    expect(latest).toEqual({ execution: '1000', status: 'Failed', stage: 'Source' });
  });

  it('says where the first execution is while no target has anything', async () => {
    const { rows, latest } = await look([{ id: '1', status: 'InProgress' }], { Source: { latestExecution: { pipelineExecutionId: '1', status: 'Succeeded' } }, Build: { latestExecution: { pipelineExecutionId: '1', status: 'InProgress' } } });
    expect(rows.map(({ state, live }) => [state, live])).toEqual([['never', undefined], ['never', undefined]]);
    expect(latest).toEqual({ execution: '1', status: 'InProgress', commit: commitOf('1'), stage: 'Build' });
    expect(stub.calls).not.toContain('ListActionExecutions');
  });

  it('tells stages that are held, with what it has read anyway', async () => {
    const { heldStages } = await look([], { Prod: { inboundTransitionState: { enabled: false, disabledReason: 'freeze', lastChangedBy: 'arn:aws:iam::999999999999:user/me', lastChangedAt: at(1) } } });
    expect(heldStages).toEqual([{ stage: 'Prod', reason: 'freeze', by: 'arn:aws:iam::999999999999:user/me', at: new Date(at(1) * 1000) }]);
  });
});
