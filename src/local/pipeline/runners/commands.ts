import { AwsError } from '../../kernel/error.js';
import type { Artifact } from '../execution.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

/** Shell commands without a project of one's own: CodePipeline runs them in a build it manages (user guide, "Commands action reference"). */
export const commands: ActionRunner = {
  types: ['Compute/Commands'],
  async run(context: ActionContext): Promise<ActionResult> {
    const { declared } = context;
    const outputs = declared.outputArtifacts ?? [];
    let id = context.memory['build'] as string | undefined;
    if (id === undefined) {
      const started = await context.client.call<{ id: string }>('codebuild', 'StartCommandsBuild', {
        idempotencyToken: context.attempt,
        pipeline: context.pipeline.name,
        stage: context.stage,
        action: declared.name,
        commands: declared.commands ?? [],
        environmentVariables: (declared.environmentVariables ?? []).map(({ name, value, type }) => ({ name, value, type })),
        outputVariables: declared.outputVariables ?? [],
        files: outputs[0]?.files ?? [],
        inputs: context.inputs,
        outputs: outputs.map(({ name }) => context.outputLocation(name)),
        encryptionKey: context.encryptionKey,
        credentials: context.credentials,
        pipelineExecutionId: context.execution.id,
      });
      id = started.id;
      context.remember({ build: id });
    }
    context.announce({ id });
    for (;;) {
      const { build } = await context.client.call<{ build: { buildStatus: string; exportedEnvironmentVariables?: { name: string; value: string }[] } }>('codebuild', 'AwaitPipelineBuild', { id });
      if (build.buildStatus === 'IN_PROGRESS') continue;
      if (build.buildStatus !== 'SUCCEEDED') throw new AwsError('JobFailed', `Build terminated with state: ${build.buildStatus}`, { status: 400 });
      const made = (await context.client.call<{ outputs: Artifact[] }>('codebuild', 'PipelineBuildOutputs', { id })).outputs;
      return { externalId: id, outputs: made, variables: Object.fromEntries((build.exportedEnvironmentVariables ?? []).map(({ name, value }) => [name, value])) };
    }
  },
};
