import { createHash } from 'node:crypto';
import { stringifyScalars, type Json, type JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { PlainFailure } from './failure.js';
import type { Created, ProviderContext, ResourceProvider, Signal } from './provider.js';
import { withoutSystemTags } from './tags.js';

export interface StackProperties {
  readonly TemplateURL: string;
  readonly Parameters?: Readonly<Record<string, Json>>;
  readonly Tags?: readonly Tag[];
  readonly NotificationARNs?: readonly string[];
  readonly TimeoutInMinutes?: number;
}

interface StackAnswer {
  readonly StackStatus: string;
  readonly StackStatusReason?: string;
}

/** Stacks within stacks; a template that nests itself must come to an end (our own bound, AWS's is the quota of stacks). */
export const DEEPEST_NESTING = 16;

export function tooDeep(): string {
  return `Nested stacks are deeper than ${DEEPEST_NESTING} levels`;
}

const nestedName = (context: ProviderContext): string => context.name({ limit: 128 });

interface NestedStackInput {
  readonly TemplateURL: string;
  readonly Parameters: { ParameterKey: string; ParameterValue: string }[];
  readonly Tags: Tag[];
  readonly Capabilities: ('CAPABILITY_IAM' | 'CAPABILITY_NAMED_IAM' | 'CAPABILITY_AUTO_EXPAND')[];
  readonly NotificationARNs?: string[];
  readonly TimeoutInMinutes?: number;
}

/** What CloudFormation is asked for on behalf of a nested stack. */
export function nestedStackInput(properties: StackProperties, tags: readonly Tag[]): NestedStackInput {
  return {
    TemplateURL: properties.TemplateURL,
    Parameters: Object.entries(properties.Parameters ?? {}).map(([ParameterKey, value]) => ({ ParameterKey, ParameterValue: Array.isArray(value) ? value.map(String).join(',') : String(value) })),
    Tags: withoutSystemTags(tags),
    // A nested stack has the capabilities that its parent was given.
    Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    ...(properties.NotificationARNs ? { NotificationARNs: [...properties.NotificationARNs] } : {}),
    ...(properties.TimeoutInMinutes ? { TimeoutInMinutes: properties.TimeoutInMinutes } : {}),
  };
}

function stackInput(properties: StackProperties, context: ProviderContext): Record<string, unknown> {
  return { ...nestedStackInput(properties, context.tags(properties.Tags)) };
}

/** Nested stacks are brought about as their parent is: in its mode, rolling back if it does. */
function how({ stacks: { deploymentConfig } }: ProviderContext): object {
  return deploymentConfig.Mode === 'EXPRESS' ? { DeploymentConfig: deploymentConfig } : { DisableRollback: deploymentConfig.DisableRollback };
}

/** Executes the change set that was computed for the nested stack, with the values that are known by now. */
async function executeNested(ChangeSetName: string, properties: StackProperties, context: ProviderContext): Promise<string> {
  const { TemplateURL: _, Capabilities: __, ...input } = nestedStackInput(properties, context.tags(properties.Tags));
  const { StackId } = await context.client.call<{ StackId: string }>('cloudformation', 'ExecuteNestedChangeSet', { ...input, ChangeSetName, ClientRequestToken: context.token, DeploymentConfig: context.stacks.deploymentConfig });
  return StackId;
}

async function createStack(properties: StackProperties, context: ProviderContext): Promise<string> {
  if (context.stacks.depth() >= DEEPEST_NESTING) throw new PlainFailure(tooDeep());
  if (context.stacks.nestedChangeSet !== undefined) return executeNested(context.stacks.nestedChangeSet, properties, context);
  const { StackId } = await context.client.call<{ StackId: string }>('cloudformation', 'CreateStack', {
    ...stackInput(properties, context), StackName: nestedName(context), ClientRequestToken: context.token, ...how(context),
  });
  context.stacks.adopt(StackId);
  return StackId;
}

/** A stack of its own, driven through CloudFormation's own operations; its outputs are the attributes `Outputs.NAME`. */
const stack: ResourceProvider<StackProperties> = {
  type: 'AWS::CloudFormation::Stack',
  async create(properties, context) {
    const StackId = await createStack(properties, context);
    context.initiated(StackId);
    const ended = await settled(StackId, context);
    if (ended.StackStatus !== 'CREATE_COMPLETE') throw new PlainFailure(`Embedded stack ${StackId} was not successfully created: ${await why(StackId, ended, context)}`);
    return { physicalId: StackId, attributes: outputs(StackId, context) };
  },
  async update(StackId, _before, after, context) {
    try {
      if (context.stacks.nestedChangeSet !== undefined) await executeNested(context.stacks.nestedChangeSet, after, context);
      else await context.client.call('cloudformation', 'UpdateStack', { ...stackInput(after, context), StackName: StackId, ...how(context) });
    } catch (error) {
      if (error instanceof Error && error.message === 'No updates are to be performed.') return { attributes: outputs(StackId, context) };
      throw error;
    }
    const ended = await settled(StackId, context);
    if (ended.StackStatus !== 'UPDATE_COMPLETE') throw new PlainFailure(`Embedded stack ${StackId} was not successfully updated. Currently in ${ended.StackStatus} with reason: ${await why(StackId, ended, context)}`);
    return { attributes: outputs(StackId, context) };
  },
  async delete(StackId, _properties, context) {
    await context.client.call('cloudformation', 'DeleteStack', { StackName: StackId, ...(context.stacks.deploymentConfig.Mode === 'EXPRESS' ? { DeploymentConfig: { Mode: 'EXPRESS' } } : {}) });
    const ended = await settled(StackId, context);
    if (ended.StackStatus !== 'DELETE_COMPLETE') throw new PlainFailure(`Embedded stack ${StackId} was not successfully deleted: ${ended.StackStatusReason ?? ended.StackStatus}`);
  },
  recover: (properties, context) => stack.create(properties, context),
};

async function settled(StackId: string, context: ProviderContext): Promise<StackAnswer> {
  await context.stacks.settled(StackId);
  const { Stacks } = await context.client.call<{ Stacks: StackAnswer[] }>('cloudformation', 'DescribeStacks', { StackName: StackId });
  return Stacks[0]!;
}

/** The first reason in the nested stack's own words. */
async function why(StackId: string, ended: StackAnswer, context: ProviderContext): Promise<string> {
  if (ended.StackStatusReason !== undefined) return ended.StackStatusReason;
  const { StackEvents } = await context.client.call<{ StackEvents: { PhysicalResourceId?: string; ResourceStatus: string; ResourceStatusReason?: string }[] }>('cloudformation', 'DescribeStackEvents', { StackName: StackId });
  const turn = StackEvents.find((event) => event.PhysicalResourceId === StackId && event.ResourceStatus.endsWith('ROLLBACK_IN_PROGRESS'));
  return (turn?.ResourceStatusReason ?? ended.StackStatus).replace(/ ?Rollback requested by user\.$/, '');
}

function outputs(StackId: string, context: ProviderContext): JsonObject {
  return Object.fromEntries(Object.entries(context.stacks.outputs(StackId)).map(([key, value]) => [`Outputs.${key}`, value]));
}

const waitConditionHandle: ResourceProvider = {
  type: 'AWS::CloudFormation::WaitConditionHandle',
  create: async (_properties, context) => ({ physicalId: context.stacks.waitHandle() }),
  update: async () => undefined,
  delete: async () => undefined,
};

interface WaitConditionProperties {
  readonly Handle?: string;
  readonly Timeout?: number | string;
  readonly Count?: number;
}

const waitCondition: ResourceProvider<WaitConditionProperties> = {
  type: 'AWS::CloudFormation::WaitCondition',
  async create(properties, context) {
    const count = properties.Count ?? 1;
    const physicalId = `arn:aws:cloudformation:${context.region}:${context.account}:stack/${context.stackName}/${context.stackId.split('/').pop()!}/${context.logicalId}`;
    context.initiated(physicalId);
    // Without a handle it is the CreationPolicy that waits (user guide: "CreationPolicy attribute").
    if (properties.Handle === undefined) return { physicalId, attributes: { Data: data([]) } };
    const signals = await context.stacks.signals(properties.Handle, count, Number(properties.Timeout ?? 43_200) * 1000);
    if (!signals) throw new PlainFailure(`WaitCondition timed out. Received 0 conditions when expecting ${count}`);
    const failure = signals.find((signal) => signal.status === 'FAILURE');
    if (failure) throw new PlainFailure(`WaitCondition received failed message: '${failure.reason ?? ''}' for uniqueId: ${failure.id}`);
    return { physicalId, attributes: { Data: data(signals) } };
  },
  async delete() {
    // Nothing of it exists outside the stack.
  },
};

/** `{"id": "data", …}` (user guide: "Using wait conditions in a template"). */
function data(signals: readonly Signal[]): string {
  return JSON.stringify(Object.fromEntries(signals.map((signal) => [signal.id, signal.data])));
}

interface CustomProperties {
  readonly ServiceToken: string;
  readonly ServiceTimeout?: number | string;
  readonly [property: string]: Json | undefined;
}

interface CustomResponse {
  readonly Status?: string;
  readonly Reason?: string;
  readonly PhysicalResourceId?: string;
  readonly Data?: JsonObject;
}

const LONGEST_TIMEOUT = 3600;

/** `AWS::CloudFormation::CustomResource` and `Custom::*`: somebody else's code, asked through Lambda or SNS (user guide: "Custom resources"). */
const customResource: ResourceProvider<CustomProperties> = {
  type: 'AWS::CloudFormation::CustomResource',
  create: async (properties, context) => answered(await ask('Create', properties, {}, context)),
  // Resumed, the request isn't sent again: its answer is waited for.
  recover: async (properties, context) => answered(await ask('Create', properties, {}, context)),
  async update(physicalId, before, after, context) {
    return answered(await ask('Update', after, { PhysicalResourceId: physicalId, OldResourceProperties: shown(before) }, context), physicalId);
  },
  async delete(physicalId, properties, context) {
    await ask('Delete', properties, { PhysicalResourceId: physicalId }, context);
  },
};

function answered(response: CustomResponse & { requestId: string }, fallback?: string): Created {
  return { physicalId: response.PhysicalResourceId ?? fallback ?? response.requestId, attributes: response.Data ?? {} };
}

function shown(properties: CustomProperties): JsonObject {
  return stringifyScalars(properties as JsonObject) as JsonObject;
}

async function ask(type: 'Create' | 'Update' | 'Delete', properties: CustomProperties, extra: JsonObject, context: ProviderContext): Promise<CustomResponse & { requestId: string }> {
  const physicalId = typeof extra['PhysicalResourceId'] === 'string' ? extra['PhysicalResourceId'] : '';
  const purpose = `${type}-${createHash('sha256').update(physicalId).digest('hex').slice(0, 12)}`;
  const requestId = requestIdOf(`${context.token}/${purpose}`);
  const request = {
    RequestType: type, ServiceToken: properties.ServiceToken, ResponseURL: context.stacks.responseUrl(purpose), StackId: context.stackId, RequestId: requestId, LogicalResourceId: context.logicalId,
    ResourceType: context.type, ResourceProperties: shown(properties), ...extra,
  };
  if (context.stacks.firstTime(purpose)) await send(properties.ServiceToken, request, context);
  const timeout = Math.min(Number(properties.ServiceTimeout ?? LONGEST_TIMEOUT), LONGEST_TIMEOUT);
  const body = await context.stacks.response(purpose, timeout * 1000);
  if (body === undefined) {
    throw new PlainFailure(
      `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${requestId}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.`,
    );
  }
  const response = parse(body);
  if (!response) throw new PlainFailure('Invalid Response object: the response must be JSON');
  if (response.Status === 'FAILED') throw new PlainFailure(`Received response status [FAILED] from custom resource. Message returned: ${response.Reason ?? ''} (RequestId: ${requestId})`);
  if (response.Status !== 'SUCCESS') throw new PlainFailure('Invalid Response object: Value of property Status must be SUCCESS or FAILED');
  if (type === 'Create' && response.PhysicalResourceId === undefined) throw new PlainFailure('Invalid PhysicalResourceId');
  return { ...response, requestId };
}

function requestIdOf(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

async function send(token: string, request: object, context: ProviderContext): Promise<void> {
  const [, , service, region] = token.split(':');
  const client = region !== undefined && region !== '' ? context.client.in(region) : context.client;
  if (service === 'lambda') {
    await client.call('lambda', 'Invoke', { FunctionName: token, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(request)) });
  } else if (service === 'sns') {
    await client.call('sns', 'Publish', { TopicArn: token, Subject: 'AWS CloudFormation custom resource request', Message: JSON.stringify(request) });
  } else throw new PlainFailure(`Invalid service token: ${token}`);
}

function parse(body: string): CustomResponse | undefined {
  try {
    return JSON.parse(body) as CustomResponse;
  } catch {
    return undefined;
  }
}

/** Macros need somebody to run them while templates are read: refused by name. */
const macro: ResourceProvider = {
  type: 'AWS::CloudFormation::Macro',
  create: async () => {
    throw new PlainFailure('Resource type AWS::CloudFormation::Macro is not implemented by the local cloud.');
  },
  delete: async () => undefined,
};

export const cloudformation = [stack, waitConditionHandle, waitCondition, customResource, macro];
