import { describe, expect, it } from 'vitest';
import { retryStage } from '../../../src/local/pipeline/apply.js';
import { resolveVariables } from '../../../src/local/pipeline/variables.js';
import { build, gate, sourceStage, stage, World, type Plan } from '../../torture/world.js';

/** How executions move through a pipeline (CodePipeline user guide, "How pipeline executions work"), on the engine itself. */

const STAGES = [sourceStage(), stage('Build', build('Compile')), stage('Deploy', build('Ship'))];
const plans = (table: Record<string, Plan | Plan[]>) => (what: string, nth: number): Plan => {
  const found = table[what] ?? table[what.replace(/^\d+\//, '*/')];
  return (Array.isArray(found) ? (found[nth] ?? found.at(-1)) : found) ?? { ms: 1000 };
};
const stagesOf = (world: World, number: number): string[] => world.execution(number).stages.map(({ status }) => status);
const answer = (world: World, number: number, name: string, status: 'Succeeded' | 'Failed'): void => {
  const execution = world.execution(number);
  world.engine.endAction(execution, execution.stages[execution.stage]!.actions.find((action) => action.name === name)!, { status, ...(status === 'Failed' ? { error: { code: 'ApprovalRejected', message: 'no' } } : {}) });
};

describe('one execution', () => {
  it('goes through its stages in order and tells each step', async () => {
    const world = new World();
    world.define(STAGES);
    world.start();
    await world.advance(10_000);
    expect(world.statuses()).toEqual(['Succeeded']);
    expect(world.events).toEqual([
      'execution STARTED', 'Source STARTED', 'Source/Get STARTED', 'Source/Get SUCCEEDED', 'Source SUCCEEDED', 'Build STARTED', 'Build/Compile STARTED', 'Build/Compile SUCCEEDED', 'Build SUCCEEDED',
      'Deploy STARTED', 'Deploy/Ship STARTED', 'Deploy/Ship SUCCEEDED', 'Deploy SUCCEEDED', 'execution SUCCEEDED',
    ]);
    expect(world.execution(1).revisions['Get']).toMatchObject({ revisionId: 'r1', artifact: 'Code' });
  });

  it('starts actions of one run order together and the next order after all of them', async () => {
    const world = new World({ plan: plans({ '*/Build/A': { ms: 100 }, '*/Build/B': { ms: 5000 } }) });
    world.define([sourceStage(), stage('Build', build('A'), build('B'), build('C', 7))]);
    world.start();
    await world.advance(1200);
    const during = world.execution(1).stages[1]!.actions.map(({ status }) => status);
    await world.advance(20_000);
    expect(during).toEqual(['Succeeded', 'InProgress', 'NotStarted']);
    expect(world.attempts('1/Build/C')[0]!.end).toBe(world.attempts('1/Build/B')[0]!.end + 1000);
  });

  it('fails when an action fails, after what runs beside it has ended', async () => {
    const world = new World({ plan: plans({ '*/Build/A': { ms: 100, fails: true }, '*/Build/B': { ms: 5000 } }) });
    world.define([sourceStage(), stage('Build', build('A'), build('B'), build('C', 2)), stage('Deploy', build('Ship'))]);
    world.start();
    await world.advance(2000);
    expect(world.statuses()).toEqual(['InProgress']);
    await world.advance(20_000);
    expect(world.statuses()).toEqual(['Failed']);
    expect(stagesOf(world, 1)).toEqual(['Succeeded', 'Failed', 'NotStarted']);
    expect(world.attempts('1/Build/C')).toEqual([]);
  });

  it('fails an action whose time is over, with a sentence that says so', async () => {
    const world = new World({ plan: plans({ '*/Build/Compile': { ms: 3_600_000 } }) });
    world.define([sourceStage(), stage('Build', build('Compile', 1, { timeoutInMinutes: 5 }))]);
    world.start();
    await world.advance(5 * 60_000 + 1000);
    expect(world.statuses()).toEqual(['Failed']);
    expect(world.execution(1).stages[1]!.actions[0]!.error).toEqual({ code: 'ActionTimeout', message: 'The action failed because it did not complete within 5 minutes' });
  });

  it('waits at a gate until it is answered or its time is over', async () => {
    const world = new World();
    world.define([sourceStage(), stage('Gate', gate('Ok'))]);
    world.start();
    await world.advance(6 * 24 * 3_600_000);
    expect(world.execution(1).stages[1]!.actions[0]!.token).toMatch(/^token-/);
    answer(world, 1, 'Ok', 'Succeeded');
    world.start();
    await world.advance(7 * 24 * 3_600_000 + 2000);
    expect(world.statuses()).toEqual(['Succeeded', 'Failed']);
    expect(world.execution(2).stages[1]!.actions[0]!.error?.message).toMatch(/was not approved or rejected within 10080 minutes/);
    expect(world.clock.untilNext()).toBeUndefined();
  });

  it('fails when its gate is rejected', async () => {
    const world = new World();
    world.define([sourceStage(), stage('Gate', gate('Ok')), STAGES[2]!]);
    world.start();
    await world.advance(1000);
    answer(world, 1, 'Ok', 'Failed');
    await world.advance(1000);
    expect(stagesOf(world, 1)).toEqual(['Succeeded', 'Failed', 'NotStarted']);
    expect(world.events.filter((event) => event.startsWith('Gate/Ok'))).toEqual(['Gate/Ok STARTED', 'Gate/Ok FAILED']);
  });
});

describe('SUPERSEDED', () => {
  it('lets the newest that waits take the place of those before it', async () => {
    const world = new World({ plan: plans({ '1/Build/Compile': { ms: 60_000 } }) });
    world.define(STAGES);
    for (let i = 0; i < 4; i++) {
      world.start();
      await world.advance(2000);
    }
    expect(world.statuses()).toEqual(['InProgress', 'Superseded', 'Superseded', 'InProgress']);
    expect(world.execution(2).summary).toBe(`Superseded by ${world.execution(3).id}`);
    await world.advance(70_000);
    expect(world.statuses()).toEqual(['Succeeded', 'Superseded', 'Superseded', 'Succeeded']);
  });

  it('never supersedes what is inside a stage', async () => {
    const world = new World({ plan: plans({ '1/Source/Get': { ms: 9000 } }) });
    world.define(STAGES);
    world.start();
    world.start();
    await world.advance(60_000);
    expect(world.statuses()).toEqual(['Succeeded', 'Succeeded']);
  });

  it('supersedes an execution that waits before a disabled transition', async () => {
    const world = new World();
    world.define(STAGES);
    world.switchStage('Deploy', false);
    world.start();
    await world.advance(5000);
    world.start();
    await world.advance(5000);
    expect(world.statuses()).toEqual(['Superseded', 'InProgress']);
    world.switchStage('Deploy', true);
    await world.advance(5000);
    expect(world.statuses()).toEqual(['Superseded', 'Succeeded']);
  });
});

describe('QUEUED', () => {
  it('keeps the order, one execution a stage, and loses none', async () => {
    const world = new World({ plan: plans({ '1/Build/Compile': { ms: 20_000 } }) });
    world.define(STAGES, { executionMode: 'QUEUED' });
    for (let i = 0; i < 4; i++) world.start();
    await world.advance(120_000);
    expect(world.statuses()).toEqual(['Succeeded', 'Succeeded', 'Succeeded', 'Succeeded']);
    const ends = [1, 2, 3, 4].map((number) => world.attempts(`${number}/Build/Compile`)[0]!.end);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(new Set(ends).size).toBe(4);
  });
});

describe('PARALLEL', () => {
  it('runs executions without regard to each other, and a redefinition leaves them alone', async () => {
    const world = new World();
    world.define(STAGES, { executionMode: 'PARALLEL' });
    world.start();
    world.start();
    await world.advance(1500);
    world.redefine([sourceStage(), stage('Other', build('X'))], { executionMode: 'PARALLEL' });
    await world.advance(10_000);
    expect(world.statuses()).toEqual(['Succeeded', 'Succeeded']);
    expect(world.attempts('1/Deploy/Ship')[0]!.end).toBe(world.attempts('2/Deploy/Ship')[0]!.end);
  });
});

describe('a redefinition', () => {
  it('cancels what waits at once and what runs when its actions have ended', async () => {
    const world = new World({ plan: plans({ '1/Build/Compile': { ms: 30_000 } }) });
    world.define(STAGES);
    world.start();
    world.start();
    await world.advance(5000);
    world.redefine([...STAGES, stage('More', build('X'))]);
    expect(world.statuses()).toEqual(['InProgress', 'Cancelled']);
    await world.advance(60_000);
    expect(world.statuses()).toEqual(['Cancelled', 'Cancelled']);
    expect(stagesOf(world, 1)).toEqual(['Succeeded', 'Succeeded', 'NotStarted']);
  });

  it('keeps a new execution out of a stage that an old one is still in, by name', async () => {
    const world = new World({ plan: plans({ '1/Build/Compile': { ms: 30_000 } }) });
    world.define(STAGES);
    world.start();
    await world.advance(2000);
    world.redefine([sourceStage(), stage('Before', build('X')), STAGES[1]!]);
    world.start();
    await world.advance(60_000);
    expect(world.statuses()).toEqual(['Cancelled', 'Succeeded']);
    expect(world.attempts('2/Build/Compile')[0]!.end).toBe(world.attempts('1/Build/Compile')[0]!.end + 1000);
  });
});

describe('a stop', () => {
  it('lets running actions end first', async () => {
    const world = new World();
    world.define(STAGES);
    world.start();
    await world.advance(1500);
    world.engine.stop(world.execution(1), { abandon: false, reason: 'enough' });
    expect(world.statuses()).toEqual(['Stopping']);
    await world.advance(5000);
    expect(world.statuses()).toEqual(['Stopped']);
    expect(stagesOf(world, 1)).toEqual(['Succeeded', 'Stopped', 'NotStarted']);
    expect(world.attempts('1/Deploy/Ship')).toEqual([]);
  });

  it('with abandon ends at once; what ran changes nothing any more and is kept as history', async () => {
    const world = new World();
    world.define(STAGES);
    world.start();
    await world.advance(1500);
    const commits = world.commits;
    world.engine.stop(world.execution(1), { abandon: true, reason: '' });
    expect(world.commits - commits).toBe(2);
    await world.advance(5000);
    expect(world.statuses()).toEqual(['Stopped']);
    expect(world.execution(1).stages[1]!.actions[0]!.status).toBe('Abandoned');
    expect(world.store.pastActions('pipe', 1).map(({ action }) => action.status).sort()).toEqual(['Abandoned', 'Succeeded']);
    expect(world.events).not.toContain('Build/Compile FAILED');
  });

  it('of a waiting execution needs no waiting', async () => {
    const world = new World();
    world.define(STAGES);
    world.switchStage('Build', false);
    world.start();
    await world.advance(5000);
    world.engine.stop(world.execution(1), { abandon: false, reason: '' });
    expect(world.statuses()).toEqual(['Stopped']);
  });
});

describe('a retry', () => {
  const failing = (): World => new World({ plan: plans({ '*/Build/A': [{ ms: 100, fails: true }, { ms: 100 }], '*/Build/B': { ms: 100 } }) });
  const stages = [sourceStage(), stage('Build', build('A'), build('B'), build('C', 2))];

  it('of failed actions leaves alone what succeeded', async () => {
    const world = failing();
    world.define(stages);
    world.start();
    await world.advance(5000);
    world.engine.update(world.execution(1), (before) => retryStage(before, 'FAILED_ACTIONS', new Date(world.clock.now())));
    await world.advance(5000);
    expect(world.statuses()).toEqual(['Succeeded']);
    expect(['A', 'B', 'C'].map((name) => world.attempts(`1/Build/${name}`).length)).toEqual([2, 1, 1]);
  });

  it('of all actions does all of them again, under tokens of their own', async () => {
    const world = failing();
    world.define(stages);
    world.start();
    await world.advance(5000);
    world.engine.update(world.execution(1), (before) => retryStage(before, 'ALL_ACTIONS', new Date(world.clock.now())));
    await world.advance(5000);
    expect(['A', 'B', 'C'].map((name) => world.attempts(`1/Build/${name}`).length)).toEqual([2, 2, 1]);
    expect(world.store.pastActions('pipe', 1).length).toBe(6);
  });
});

describe('a pipeline that is deleted while it runs', () => {
  it('leaves nothing behind, and its name begins anew', async () => {
    const world = new World();
    world.define(STAGES);
    world.start();
    await world.advance(1500);
    const running = world.store.active('pipe');
    world.store.removePipeline('pipe');
    for (const execution of running) world.engine.release(execution);
    await world.advance(10_000);
    expect(world.executions()).toEqual([]);
    world.define(STAGES);
    world.start();
    await world.advance(10_000);
    expect(world.statuses()).toEqual(['Succeeded']);
  });
});

describe('variables', () => {
  it('of an action reach later configurations by their namespace', async () => {
    const world = new World({ plan: plans({ '*/Build/Compile': { ms: 10, variables: { Url: 'https://x' } } }) });
    world.define([sourceStage(), stage('Build', build('Compile', 1, { namespace: 'B' }), build('Use', 2, { configuration: { ProjectName: '#{B.Url}/#{variables.Env}/#{codepipeline.PipelineExecutionId}' } }))]);
    world.start('the-id', { Env: 'dev' });
    await world.advance(5000);
    expect(world.execution(1).stages[1]!.actions[1]!.resolved).toEqual({ ProjectName: 'https://x/dev/the-id' });
    expect(resolveVariables('#{B.Url} #{not a reference} ${B.Url}', world.execution(1))).toBe('https://x #{not a reference} ${B.Url}');
  });

  it.each(['#{B.None}', '#{None.Url}', '#{codepipeline.Other}', '#{variables.None}'])('that nobody produced fail the action: %s', async (reference) => {
    const world = new World();
    world.define([sourceStage(), stage('Build', build('Use', 1, { configuration: { ProjectName: reference } }))]);
    world.start();
    await world.advance(5000);
    expect(world.execution(1).stages[1]!.actions[0]!.error).toMatchObject({ code: 'InvalidVariableReference', message: expect.stringContaining(reference) as string });
  });
});
