import { CodePipelineClient, PutApprovalResultCommand } from '@aws-sdk/client-codepipeline';
import { FlotillaError } from '../shared/errors.js';
import type { Gate, PipelineRef } from './follow.js';
import { clientSettings, type Target } from './target.js';

/** Answers a gate. Raises GAT002 when somebody else did, or the gate belongs to an execution that is over. */
export async function decideGate(target: Target, pipeline: PipelineRef, gate: Gate, decision: 'approve' | 'reject', comment: string): Promise<void> {
  const client = new CodePipelineClient(await clientSettings(target, pipeline.account, pipeline.region));
  try {
    await client.send(
      new PutApprovalResultCommand({ pipelineName: pipeline.name, stageName: gate.stage, actionName: gate.action, token: gate.token, result: { status: decision === 'approve' ? 'Approved' : 'Rejected', summary: comment } }),
    );
  } catch (error) {
    if (error instanceof Error && /^(ApprovalAlreadyCompletedException|InvalidApprovalTokenException)$/.test(error.name))
      throw new FlotillaError('GAT002', `the gate ${gate.stage}/${gate.action} was answered already, or its execution is over`, { why: error.message, fix: 'flotilla where shows what waits now', exitCode: 6, cause: error });
    throw error;
  } finally {
    client.destroy();
  }
}
