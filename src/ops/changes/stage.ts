import { CodePipelineClient, GetPipelineCommand, ListActionExecutionsCommand, type ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { S3Client } from '@aws-sdk/client-s3';
import { FlotillaError } from '../../shared/errors.js';
import { each, type Limiter } from '../concurrency.js';
import { stacksOf } from '../fleet/from-pipelines.js';
import type { PipelineRef } from '../follow.js';
import type { StackRef } from '../stacks.js';
import { clientOf, type Target } from '../target.js';
import { artifactFiles } from './artifact.js';
import { compareTemplates, type TemplateChange } from './change.js';
import { deployedTemplate, parseTemplate } from './deployed.js';

export interface StackChange extends StackRef {
  readonly stage: string;
  readonly change: TemplateChange | undefined;
}

/**
 * What an execution would change in a stage: the templates of the very artifact that it carries, against what stands in the accounts now.
 * Raises CHG001 where the artifact is gone or may not be read.
 */
export async function stageChanges(target: Target, pipeline: PipelineRef, execution: string, stage: string, limit: Limiter): Promise<StackChange[]> {
  const client = await clientOf(target, CodePipelineClient, pipeline.account, pipeline.region);
  const { pipeline: declaration } = await client.send(new GetPipelineCommand({ name: pipeline.name }));
  const actions = (declaration?.stages?.find(({ name }) => name === stage)?.actions ?? []).filter(({ actionTypeId, configuration }) => actionTypeId?.provider === 'CloudFormation' && configuration?.['TemplatePath'] !== undefined);
  if (actions.length === 0) return [];
  const accounts = [...new Set([pipeline.account, ...stacksOf(declaration!, pipeline).map(({ account }) => account)])];
  const artifacts = new Map<string, Map<string, string>>();
  for (const name of new Set(actions.map(({ configuration }) => configuration!['TemplatePath']!.split('::')[0]!))) artifacts.set(name, await templatesOf(target, client, pipeline, execution, name));
  return each(limit, actions, async ({ configuration, roleArn, region }) => {
    const [artifact = '', path = ''] = configuration!['TemplatePath']!.split('::');
    const stack: StackRef = { account: (roleArn ?? configuration!['RoleArn'])?.split(':')[4] ?? pipeline.account, region: region ?? pipeline.region, stackName: configuration!['StackName'] ?? '' };
    const text = artifacts.get(artifact)?.get(path);
    if (text === undefined) throw new FlotillaError('CHG001', `the artifact ${artifact} of ${pipeline.name} has no ${path}`, { exitCode: 6 });
    return { ...stack, stage, change: compareTemplates(await deployedTemplate(target, stack), parseTemplate(text), { ...stack, accounts }) };
  });
}

async function templatesOf(target: Target, client: CodePipelineClient, pipeline: PipelineRef, execution: string, name: string): Promise<Map<string, string>> {
  const made = await outputOf(client, pipeline.name, execution, name);
  const place = made?.output?.outputArtifacts?.find((artifact) => artifact.name === name)?.s3location;
  if (!place?.bucket || !place.key) throw new FlotillaError('CHG001', `no action of the execution made the artifact ${name}`, { exitCode: 6 });
  const s3 = await clientOf(target, S3Client, pipeline.account, pipeline.region);
  try {
    return await artifactFiles(s3, { bucket: place.bucket, key: place.key }, (path) => /\.(template\.json|json|ya?ml)$/.test(path) && !/(^|\/)asset\./.test(path));
  } catch (error) {
    if (error instanceof FlotillaError) throw error;
    throw new FlotillaError('CHG001', `the artifact ${name} can't be read`, { why: error instanceof Error ? `${error.name}: ${error.message}` : String(error), fix: 'act with an identity that may read the artifact bucket and use its key', exitCode: 3, cause: error });
  }
}

async function outputOf(client: CodePipelineClient, pipelineName: string, pipelineExecutionId: string, artifact: string): Promise<ActionExecutionDetail | undefined> {
  for (let nextToken: string | undefined; ; ) {
    const page = await client.send(new ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId }, nextToken }));
    const found = page.actionExecutionDetails?.find(({ output, status }) => status === 'Succeeded' && output?.outputArtifacts?.some(({ name }) => name === artifact));
    if (found || !page.nextToken) return found;
    nextToken = page.nextToken;
  }
}
