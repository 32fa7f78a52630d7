import { CodePipelineClient, GetPipelineCommand, GetPipelineStateCommand } from '@aws-sdk/client-codepipeline';
import { FlotillaError } from '../shared/errors.js';
import { describeCommit } from './commits.js';
import { each, type Limiter } from './concurrency.js';
import { stageChanges, type StackChange } from './changes/stage.js';
import type { CommitDescription, History } from './history.js';
import type { PipelineRef } from './follow.js';
import { openGates } from './open-gates.js';
import { sourcesOf, takenRevision } from './sources.js';
import { clientOf, type Target } from './target.js';
import { expiryOf, where, type WaitingGate } from './where.js';

/** A gate that waits, and for what. */
export interface FoundGate {
  readonly pipeline: PipelineRef;
  readonly stage: string;
  readonly gate: WaitingGate;
  readonly token: string;
  /** A newer commit that waits behind: it takes this one's place when this one is rejected, and follows when it is approved. */
  readonly behind: string | undefined;
}

/** A commit at a gate, with what its approval would bring about. */
export interface GateCase extends FoundGate {
  readonly commit: CommitDescription | undefined;
  /** The commit that stands in the stage's first target. */
  readonly live: string | undefined;
  readonly changes: readonly StackChange[];
  /** Why the changes could not be told. */
  readonly unknown?: string;
}

/** Every gate that waits in these pipelines. */
export async function waitingCases(target: Target, pipelines: readonly PipelineRef[], limit: Limiter): Promise<FoundGate[]> {
  const found = await each(limit, pipelines, async (pipeline) => {
    const client = await clientOf(target, CodePipelineClient, pipeline.account, pipeline.region);
    const [{ stageStates = [] }, { pipeline: declaration }] = await Promise.all([client.send(new GetPipelineStateCommand({ name: pipeline.name })), client.send(new GetPipelineCommand({ name: pipeline.name }))]);
    const sources = sourcesOf(declaration!);
    const revision = (execution: string): Promise<string | undefined> => takenRevision(client, pipeline.name, execution, sources);
    return Promise.all(
      (await openGates(client, declaration!, stageStates)).map(async ({ stage, action, execution, token, since }): Promise<FoundGate> => {
        const next = stageStates.find(({ stageName }) => stageName === stage)?.inboundExecutions?.[0]?.pipelineExecutionId;
        return { pipeline, stage, gate: { action, execution, commit: await revision(execution), since, expires: expiryOf(declaration!, stage, action, since) }, token, behind: next === undefined ? undefined : await revision(next) };
      }),
    );
  });
  return found.flat();
}

/** The whole case: whose commit, what it would change. What can't be read is said, and keeps nobody from deciding. */
export async function examineCase(target: Target, found: FoundGate, commits: History, limit: Limiter): Promise<GateCase> {
  const { pipeline, stage, gate } = found;
  const [commit, report, changes] = await Promise.all([
    gate.commit === undefined ? undefined : describeCommit(target, pipeline, gate.commit, commits),
    where(target, pipeline),
    stageChanges(target, pipeline, gate.execution, stage, limit).catch((error: unknown) => (error instanceof FlotillaError ? `${error.message}${error.why ? `: ${error.why}` : ''}` : String(error))),
  ]);
  const live = report.rows.find((row) => row.stage === stage)?.live;
  return { ...found, commit, live, ...(typeof changes === 'string' ? { changes: [], unknown: changes } : { changes }) };
}
