import { AwsError, isAwsError } from '../../kernel/error.js';
import { archive, entry } from '../../process/zip.js';
import { readObject, storeOf, writeObject } from '../artifacts.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

interface Stack {
  readonly StackId: string;
  readonly StackStatus: string;
  readonly StackStatusReason?: string;
  readonly Outputs?: readonly { readonly OutputKey: string; readonly OutputValue: string }[];
}

interface ChangeSet {
  readonly ChangeSetId: string;
  readonly Status: string;
  readonly StatusReason?: string;
  readonly ExecutionStatus?: string;
}

interface TemplateConfiguration {
  readonly Parameters?: Readonly<Record<string, string>>;
  readonly Tags?: Readonly<Record<string, string>>;
  readonly StackPolicy?: unknown;
}

/** Deploys stacks with the action's role (user guide, "AWS CloudFormation deploy action reference"). */
export const cloudformation: ActionRunner = {
  types: ['Deploy/CloudFormation'],
  async run(context: ActionContext): Promise<ActionResult> {
    const mode = context.configuration['ActionMode']!;
    const work = MODES[mode];
    if (!work) throw new AwsError('InvalidActionDeclarationException', `Unknown ActionMode '${mode}'`, { status: 400 });
    return work(context);
  },
};

const MODES: Readonly<Record<string, (context: ActionContext) => Promise<ActionResult>>> = {
  CHANGE_SET_REPLACE: replaceChangeSet,
  CHANGE_SET_EXECUTE: executeChangeSet,
  CREATE_UPDATE: (context) => createOrUpdate(context, false),
  REPLACE_ON_FAILURE: (context) => createOrUpdate(context, true),
  DELETE_ONLY: deleteStack,
};

/** Makes the change set anew; an empty one is a success that the execution then passes over. */
async function replaceChangeSet(context: ActionContext): Promise<ActionResult> {
  const { StackName, ChangeSetName } = names(context);
  const before = await describeStack(context);
  if (!context.memory['changeSet']) {
    await settleChangeSet(context);
    await call(context, 'DeleteChangeSet', { StackName, ChangeSetName }).catch(ignoring('ChangeSetNotFound', 'ValidationError'));
    const fresh = before === undefined || before.StackStatus === 'REVIEW_IN_PROGRESS';
    const { Id } = await call<{ Id: string }>(context, 'CreateChangeSet', {
      ...(await template(context)),
      StackName,
      ChangeSetName,
      ChangeSetType: fresh ? 'CREATE' : 'UPDATE',
      ClientToken: context.attempt,
    });
    context.remember({ changeSet: Id });
  }
  context.announce({ id: context.memory['changeSet'] as string });
  for (;;) {
    const set = await call<ChangeSet>(context, 'DescribeChangeSet', { StackName, ChangeSetName });
    if (set.Status === 'CREATE_COMPLETE') return { externalId: set.ChangeSetId, summary: `Change set ${ChangeSetName} was created.` };
    if (set.Status === 'FAILED') {
      if (isEmpty(set)) return { externalId: set.ChangeSetId, summary: `Change set ${ChangeSetName} was created; it holds no changes.` };
      throw new AwsError('JobFailed', `Change set ${ChangeSetName} failed. Reason: ${set.StatusReason ?? ''}`, { status: 400 });
    }
    await context.sleep(POLL_MS);
  }
}

/** Executes the change set made before. One that is gone was executed already, or never made: AWS's ChangeSetNotFound. */
async function executeChangeSet(context: ActionContext): Promise<ActionResult> {
  const { StackName, ChangeSetName } = names(context);
  if (!context.memory['executed']) {
    const set = await call<ChangeSet>(context, 'DescribeChangeSet', { StackName, ChangeSetName });
    if (set.Status === 'FAILED' && isEmpty(set)) {
      await call(context, 'DeleteChangeSet', { StackName, ChangeSetName });
      return finish(context, await describeStack(context), `No updates are to be performed on stack ${StackName}.`);
    }
    await call(context, 'ExecuteChangeSet', { StackName, ChangeSetName, ClientRequestToken: context.attempt });
    context.remember({ executed: true });
  }
  return finish(context, await settled(context));
}

/** A crash between a call and its note finds, in `memory`, what was about to be called: the same call again, with the same token, starts nothing twice. */
async function createOrUpdate(context: ActionContext, replace: boolean): Promise<ActionResult> {
  const { StackName } = names(context);
  if (!context.memory['started']) {
    if (context.memory['operation'] === undefined) {
      const before = replace ? await withoutFailed(context) : await describeStack(context);
      context.remember({ operation: before && before.StackStatus !== 'REVIEW_IN_PROGRESS' ? 'UpdateStack' : 'CreateStack' });
    }
    const operation = context.memory['operation'] as string;
    try {
      await call(context, operation, { ...(await template(context)), StackName, ClientRequestToken: context.attempt });
    } catch (error) {
      if (isAwsError(error, 'ValidationError') && error.message === 'No updates are to be performed.') return finish(context, await describeStack(context), `No updates are to be performed on stack ${StackName}.`);
      if (!isAwsError(error, 'TokenAlreadyExistsException')) throw error;
    }
    context.remember({ started: true });
  }
  return finish(context, await settled(context));
}

/** Deletes a stack that failed, as REPLACE_ON_FAILURE has it; answers one that didn't. */
async function withoutFailed(context: ActionContext): Promise<Stack | undefined> {
  const before = await describeStack(context);
  const failed = before && /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED|UPDATE_ROLLBACK_FAILED)$/.test(before.StackStatus);
  // A process that died while the stack was deleted left it so.
  if (!failed && before?.StackStatus !== 'DELETE_IN_PROGRESS') return before;
  if (failed) await call(context, 'DeleteStack', withRole(context, { StackName: before.StackId }));
  const end = await settled(context, before.StackId);
  if (end && end.StackStatus !== 'DELETE_COMPLETE') throw stackFailure(end, names(context).StackName);
  return undefined;
}

async function deleteStack(context: ActionContext): Promise<ActionResult> {
  const { StackName } = names(context);
  const stack = await describeStack(context);
  if (!stack) return { summary: `Stack ${StackName} does not exist.` };
  if (!context.memory['started']) {
    await call(context, 'DeleteStack', withRole(context, { StackName, ClientRequestToken: context.attempt }));
    context.remember({ started: true });
  }
  const end = await settled(context, stack.StackId);
  if (end && end.StackStatus !== 'DELETE_COMPLETE') throw stackFailure(end, StackName);
  return { externalId: stack.StackId, summary: `Stack ${StackName} was deleted.` };
}

/** Poll interval: a question costs this process a fraction of a millisecond. */
const POLL_MS = 50;

const SUCCEEDED = /^(CREATE_COMPLETE|UPDATE_COMPLETE|IMPORT_COMPLETE|DELETE_COMPLETE)$/;
const MOVING = /_IN_PROGRESS$/;

async function settled(context: ActionContext, id?: string): Promise<Stack | undefined> {
  for (;;) {
    const stack = await describeStack(context, id);
    if (!stack || !MOVING.test(stack.StackStatus)) return stack;
    context.announce({ id: stack.StackId });
    await context.sleep(POLL_MS);
  }
}

async function finish(context: ActionContext, stack: Stack | undefined, summary?: string): Promise<ActionResult> {
  const { StackName } = names(context);
  if (!stack) throw new AwsError('JobFailed', `Stack ${StackName} does not exist`, { status: 400 });
  if (summary === undefined && !SUCCEEDED.test(stack.StackStatus)) throw stackFailure(stack, StackName);
  const outputs = Object.fromEntries((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  const file = context.configuration['OutputFileName'];
  const artifact = context.declared.outputArtifacts?.[0]?.name;
  const written = file && artifact ? [await context.writeArtifact(artifact, await archive([{ name: file, data: Buffer.from(JSON.stringify(outputs)) }]))] : [];
  return { externalId: stack.StackId, summary: summary ?? `Deployment Succeeded`, variables: outputs, outputs: written };
}

function stackFailure(stack: Stack, name: string): AwsError {
  return new AwsError('JobFailed', `Stack ${name} is in ${stack.StackStatus} state${stack.StackStatusReason ? `: ${stack.StackStatusReason}` : ''}`, { status: 400 });
}

function isEmpty(set: ChangeSet): boolean {
  return /didn't contain changes|No updates are to be performed/.test(set.StatusReason ?? '');
}

function names(context: ActionContext): { StackName: string; ChangeSetName: string } {
  const { StackName = '', ChangeSetName = '' } = context.configuration;
  return { StackName, ChangeSetName };
}

function call<O>(context: ActionContext, operation: string, input: Record<string, unknown>): Promise<O> {
  return context.client.call<O>('cloudformation', operation, input);
}

async function describeStack(context: ActionContext, id?: string): Promise<Stack | undefined> {
  try {
    return (await call<{ Stacks: Stack[] }>(context, 'DescribeStacks', { StackName: id ?? names(context).StackName })).Stacks[0];
  } catch (error) {
    if (isAwsError(error, 'ValidationError') && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** Another execution's change set may still be in the making: it can be deleted only afterwards. */
async function settleChangeSet(context: ActionContext): Promise<void> {
  for (;;) {
    const set = await call<ChangeSet>(context, 'DescribeChangeSet', names(context)).catch(ignoring('ChangeSetNotFound', 'ValidationError'));
    if (!set || !/^CREATE_(PENDING|IN_PROGRESS)$/.test((set as ChangeSet).Status)) return;
    await context.sleep(POLL_MS);
  }
}

function ignoring(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof AwsError && codes.includes(error.code)) return undefined;
    throw error;
  };
}

function withRole(context: ActionContext, input: Record<string, unknown>): Record<string, unknown> {
  const role = context.configuration['RoleArn'];
  return role ? { ...input, RoleARN: role } : input;
}

/** Body, parameters, tags, capabilities and role of the stack. */
async function template(context: ActionContext): Promise<Record<string, unknown>> {
  const { configuration } = context;
  const path = configuration['TemplatePath'];
  if (!path) throw new AwsError('InvalidActionDeclarationException', `Action configuration for action '${context.declared.name}' is missing required configuration 'TemplatePath'`, { status: 400 });
  const settings = configuration['TemplateConfiguration'] ? (JSON.parse(Buffer.from(await artifactFile(context, configuration['TemplateConfiguration'])).toString('utf8')) as TemplateConfiguration) : {};
  const overrides = configuration['ParameterOverrides'] ? await parameterOverrides(context, configuration['ParameterOverrides']) : {};
  const parameters = { ...settings.Parameters, ...overrides };
  const capabilities = (configuration['Capabilities'] ?? '').split(',').map((name) => name.trim()).filter(Boolean);
  return withRole(context, {
    ...(await templateSource(context, await artifactFile(context, path))),
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    Tags: Object.entries(settings.Tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
    ...(capabilities.length > 0 ? { Capabilities: capabilities } : {}),
  });
}

/** Longest template CloudFormation takes in a request; a larger one goes by way of the artifact store. */
const MAX_BODY = 51_200;

async function templateSource(context: ActionContext, body: Uint8Array): Promise<Record<string, string>> {
  if (body.byteLength <= MAX_BODY) return { TemplateBody: Buffer.from(body).toString('utf8') };
  const { execution, region } = context;
  const store = storeOf(execution.declaration, region);
  const location = { name: 'template', bucket: store.location, key: `${execution.pipeline.slice(0, 20)}/templates/${context.attempt}` };
  await writeObject(context.pipelineClient.in(region), location, body, store.encryptionKey?.id);
  return { TemplateURL: `https://${location.bucket}.s3.${region}.amazonaws.com/${location.key}` };
}

/** `Artifact::path/in/it`. */
async function artifactFile(context: ActionContext, reference: string): Promise<Uint8Array> {
  const separator = reference.indexOf('::');
  const name = reference.slice(0, separator);
  const artifact = context.inputs.find((input) => input.name === name);
  if (separator < 0 || !artifact) throw new AwsError('InvalidActionDeclarationException', `'${reference}' does not name a file of an input artifact (ArtifactName::FileName)`, { status: 400 });
  return entry(await cachedArtifact(context, artifact.name), reference.slice(separator + 2));
}

/** Archives by object, for a moment: the many actions of a wave read templates of one assembly. The role's right to read is asked each time. */
const archives = new Map<string, Uint8Array>();
const KEPT = 4;

async function cachedArtifact(context: ActionContext, name: string): Promise<Uint8Array> {
  const artifact = context.inputs.find((input) => input.name === name)!;
  const key = `${artifact.bucket}/${artifact.key}/${artifact.versionId ?? ''}`;
  const known = archives.get(key);
  if (known) {
    await context.client.call('s3', 'HeadObject', { Bucket: artifact.bucket, Key: artifact.key, ...(artifact.versionId ? { VersionId: artifact.versionId } : {}) });
    return known;
  }
  const content = await readObject(context.client, artifact);
  archives.set(key, content);
  if (archives.size > KEPT) archives.delete(archives.keys().next().value!);
  return content;
}

/** JSON with `Fn::GetParam` and `Fn::GetArtifactAtt` (CloudFormation user guide, "Using parameter override functions with CodePipeline"). */
async function parameterOverrides(context: ActionContext, text: string): Promise<Record<string, string>> {
  const given = JSON.parse(text) as Record<string, unknown>;
  const resolved: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) resolved[name] = await override(context, value);
  return resolved;
}

async function override(context: ActionContext, value: unknown): Promise<string> {
  if (typeof value !== 'object' || value === null) return String(value);
  const call = value as Record<string, unknown>;
  if (Array.isArray(call['Fn::GetParam'])) {
    const [artifact, file, key] = call['Fn::GetParam'] as [string, string, string];
    const found = (JSON.parse(Buffer.from(await artifactFile(context, `${artifact}::${file}`)).toString('utf8')) as Record<string, unknown>)[key];
    if (found === undefined) throw new AwsError('InvalidActionDeclarationException', `The key '${key}' is not in '${file}' of artifact '${artifact}'`, { status: 400 });
    return String(found);
  }
  if (Array.isArray(call['Fn::GetArtifactAtt'])) {
    const [name, attribute] = call['Fn::GetArtifactAtt'] as [string, string];
    const artifact = context.inputs.find((input) => input.name === name) ?? context.execution.artifacts[name];
    if (artifact && attribute === 'BucketName') return artifact.bucket;
    if (artifact && attribute === 'ObjectKey') return artifact.key;
    if (artifact && attribute === 'URL') return `https://s3.${context.region}.amazonaws.com/${artifact.bucket}/${artifact.key}`;
  }
  throw new AwsError('InvalidActionDeclarationException', `ParameterOverrides holds a value the service doesn't know: ${JSON.stringify(value)}`, { status: 400 });
}
