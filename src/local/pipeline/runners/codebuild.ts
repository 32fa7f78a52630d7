import { AwsError } from '../../kernel/error.js';
import type { Artifact } from '../execution.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

interface StartedBuild {
  readonly id: string;
}

interface BuildState {
  readonly id: string;
  readonly buildStatus: string;
  readonly logs?: { readonly deepLink?: string };
  readonly exportedEnvironmentVariables?: readonly { readonly name: string; readonly value: string }[];
  readonly phases?: readonly { readonly phaseType: string; readonly phaseStatus?: string; readonly contexts?: readonly { readonly message?: string; readonly statusCode?: string }[] }[];
}

/**
 * Starts a build with the action's role and waits for it. CodePipeline hands CodeBuild where its artifacts lie, which no public operation
 * can say: hence the internal one; it is authorised as codebuild:StartBuild.
 */
export const codebuild: ActionRunner = {
  types: ['Build/CodeBuild', 'Test/CodeBuild'],
  async run(context: ActionContext): Promise<ActionResult> {
    const { configuration } = context;
    if (configuration['BatchEnabled'] === 'true') throw new AwsError('InvalidActionDeclarationException', 'The local cloud does not run batch builds (BatchEnabled)', { status: 400 });
    let id = context.memory['build'] as string | undefined;
    if (id === undefined) {
      const started = await context.client.call<StartedBuild>('codebuild', 'StartPipelineBuild', {
        projectName: configuration['ProjectName'],
        idempotencyToken: context.attempt,
        primarySource: configuration['PrimarySource'] ?? context.inputs[0]?.name,
        environmentVariables: parseVariables(configuration['EnvironmentVariables']),
        inputs: context.inputs,
        outputs: (context.declared.outputArtifacts ?? []).map(({ name }) => context.outputLocation(name)),
        encryptionKey: context.encryptionKey,
        initiator: `codepipeline/${context.pipeline.name}`,
        pipelineExecutionId: context.execution.id,
      });
      id = started.id;
      context.remember({ build: id });
    }
    context.announce({ id });
    const build = await finished(context, id);
    if (build.buildStatus !== 'SUCCEEDED') throw new AwsError('JobFailed', failure(build), { status: 400 });
    const outputs = (await context.client.call<{ outputs: Artifact[] }>('codebuild', 'PipelineBuildOutputs', { id, projectName: configuration['ProjectName'] })).outputs;
    return {
      externalId: id,
      outputs,
      variables: Object.fromEntries((build.exportedEnvironmentVariables ?? []).map(({ name, value }) => [name, value])),
    };
  },
};

/** Answers when the build has ended; the service holds the question, so nothing is polled. */
async function finished(context: ActionContext, id: string): Promise<BuildState> {
  for (;;) {
    const { build } = await context.client.call<{ build: BuildState }>('codebuild', 'AwaitPipelineBuild', { id, projectName: context.configuration['ProjectName'] });
    if (build.buildStatus !== 'IN_PROGRESS') return build;
  }
}

function failure(build: BuildState): string {
  const phase = build.phases?.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== 'SUCCEEDED');
  const reason = phase?.contexts?.find(({ message }) => message)?.message;
  const ending = build.buildStatus === 'TIMED_OUT' ? 'Build timed out' : build.buildStatus === 'STOPPED' ? 'Build stopped' : `Build terminated with state: ${build.buildStatus}`;
  return phase ? `${ending}. Phase: ${phase.phaseType}, Code: ${phase.contexts?.[0]?.statusCode ?? 'COMMAND_EXECUTION_ERROR'}, Message: ${reason ?? ''}` : ending;
}

interface Variable {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
}

function parseVariables(text: string | undefined): Variable[] {
  if (text === undefined || text === '') return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed as Variable[];
  } catch {
    // Said below, as for any other text that isn't a list.
  }
  throw new AwsError('InvalidActionDeclarationException', 'The action configuration EnvironmentVariables is not a JSON list of objects with name and value', { status: 400 });
}
