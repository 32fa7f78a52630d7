import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuildClient } from '@aws-sdk/client-codebuild';
import { CodePipelineClient, GetPipelineExecutionCommand } from '@aws-sdk/client-codepipeline';
import { attempts, failuresOf, LogFollower, type FollowResult, type PipelineRef } from './follow.js';
import { until } from './stacks.js';
import { clientOf, type Target } from './target.js';

export interface LogOptions {
  wanted(stage: string, action: string): boolean;
  readonly follow: boolean;
  line(source: string, line: string): void;
  /** What keeps lines from being read. */
  note(text: string): void;
}

/** Lines of an execution's builds, as far as they are written or, followed, to its end; answers what failed. */
export async function executionLogs(target: Target, pipeline: PipelineRef, execution: string, options: LogOptions): Promise<FollowResult['failures']> {
  const { account, region, name } = pipeline;
  const client = await clientOf(target, CodePipelineClient, account, region);
  const logs = new LogFollower(await clientOf(target, CodeBuildClient, account, region), await clientOf(target, CloudWatchLogsClient, account, region), (event) => {
    if (event.type === 'log') options.line(event.source, event.line);
    else if (event.type === 'note') options.note(event.text);
  });
  return until(target, async () => {
    // The status first: what it was before the lines were read is what they are complete for.
    const { pipelineExecution } = await client.send(new GetPipelineExecutionCommand({ pipelineName: name, pipelineExecutionId: execution }));
    const details = (await attempts(client, name, execution)).filter(({ stageName = '', actionName = '' }) => options.wanted(stageName, actionName));
    await logs.advance(details);
    return options.follow && /^(InProgress|Stopping)$/.test(pipelineExecution?.status ?? '') ? undefined : failuresOf(details, pipeline, target);
  });
}
