import type { ActionExecutionDetail, CodePipelineClient } from '@aws-sdk/client-codepipeline';
import { describe, expect, it } from 'vitest';
import { lastDurations, shapeOf } from '../../../src/ops/estimate.js';

/** What a pipeline is expected to take, by its last execution. */

const type = (category: string, provider: string) => ({ category, owner: 'AWS', provider, version: '1' });
const declaration = {
  stages: [
    { name: 'Build', actions: [{ name: 'Synth', actionTypeId: type('Build', 'CodeBuild') }] },
    { name: 'Prod', actions: [{ name: 'Deploy', runOrder: 2, actionTypeId: type('Deploy', 'CloudFormation') }, { name: 'Ok', runOrder: 1, actionTypeId: type('Approval', 'Manual') }, { name: 'Smoke', runOrder: 3, actionTypeId: type('Build', 'CodeBuild') }] },
  ],
};
const took = (stageName: string, actionName: string, provider: string, seconds: number): ActionExecutionDetail => ({ stageName, actionName, startTime: new Date(0), lastUpdateTime: new Date(seconds * 1000), input: { actionTypeId: type('Build', provider) as never } });
const client = (executions: object[]): CodePipelineClient => ({ send: async ({ constructor }: object) => (constructor.name === 'GetPipelineCommand' ? { pipeline: declaration } : { pipelineExecutionSummaries: executions }) }) as never;

describe('an estimate', () => {
  it('takes the last execution that succeeded', async () => {
    const asked: string[] = [];
    const of = async (id: string) => (asked.push(id), []);
    await lastDurations(client([{ pipelineExecutionId: 'now', status: 'InProgress' }, { pipelineExecutionId: 'bad', status: 'Failed' }, { pipelineExecutionId: 'good', status: 'Succeeded' }, { pipelineExecutionId: 'older', status: 'Succeeded' }]), 'p', of);
    expect(asked).toEqual(['good']);
    expect(await lastDurations(client([]), 'p', of)).toEqual([]);
  });

  it('goes by waves; people take no time, a new action as long as others of its provider, and of some nothing is known', async () => {
    expect((await shapeOf(client([]), 'p', [took('Build', 'Synth', 'CodeBuild', 40)])).waves).toEqual([
      [{ name: 'Build/Synth', seconds: 40 }],
      [{ name: 'Prod/Ok', seconds: 0 }],
      [{ name: 'Prod/Deploy' }],
      [{ name: 'Prod/Smoke', seconds: 40 }],
    ]);
  });
});
