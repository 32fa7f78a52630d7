import type { Authorization, RequestContext, Service } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { MAILBOX_PATH } from '../../cfn/execute/mailbox.js';
import { createChangeSet, deleteChangeSet, describeChangeSet, describeChangeSetHooks, executeChangeSet, listChangeSets } from './change-sets.js';
import { describeEvents, describeStackEvents, describeStackResource, describeStackResources, describeStacks, listStackResources, listStacks } from './describe.js';
import { describeStackDriftDetectionStatus, describeStackResourceDrifts, detectStackDrift, detectStackResourceDrift } from './drift.js';
import { engineOf } from './engine.js';
import { listExports, listImports } from './exports.js';
import { lookUpChangeSet, storeOf, stackLimit } from './lookup.js';
import { executeNestedChangeSet, nestedStackArn, planNestedChangeSet } from './nested-change-sets.js';
import { signalResource } from './signals.js';
import { getStackPolicy, setStackPolicy } from './stack-policy.js';
import { cancelUpdateStack, continueUpdateRollback, createStack, deleteStack, rollbackStack, updateStack, updateTerminationProtection } from './stacks.js';
import { getTemplate, getTemplateSummary, validateTemplate } from './templates.js';

/** AWS CloudFormation: stacks and change sets over the engine in `src/local/cfn`. */
export const cloudformation: Service = {
  name: 'cloudformation',
  operations: {
    CreateStack: createStack,
    UpdateStack: updateStack,
    DeleteStack: deleteStack,
    CancelUpdateStack: cancelUpdateStack,
    ContinueUpdateRollback: continueUpdateRollback,
    RollbackStack: rollbackStack,
    UpdateTerminationProtection: updateTerminationProtection,
    DescribeStacks: describeStacks,
    ListStacks: listStacks,
    DescribeStackResource: describeStackResource,
    DescribeStackResources: describeStackResources,
    ListStackResources: listStackResources,
    DescribeStackEvents: describeStackEvents,
    DescribeEvents: describeEvents,
    CreateChangeSet: createChangeSet,
    DescribeChangeSet: describeChangeSet,
    DescribeChangeSetHooks: describeChangeSetHooks,
    ExecuteChangeSet: executeChangeSet,
    DeleteChangeSet: deleteChangeSet,
    ListChangeSets: listChangeSets,
    GetTemplate: getTemplate,
    GetTemplateSummary: getTemplateSummary,
    ValidateTemplate: validateTemplate,
    ListExports: listExports,
    ListImports: listImports,
    SetStackPolicy: setStackPolicy,
    GetStackPolicy: getStackPolicy,
    SignalResource: signalResource,
    DetectStackDrift: detectStackDrift,
    DetectStackResourceDrift: detectStackResourceDrift,
    DescribeStackDriftDetectionStatus: describeStackDriftDetectionStatus,
    DescribeStackResourceDrifts: describeStackResourceDrifts,
    ListHookResults: (): Cfn.ListHookResultsOutput => ({ HookResults: [] }),
    DescribeAccountLimits: (_input: unknown, context: RequestContext): Cfn.DescribeAccountLimitsOutput => ({ AccountLimits: [{ Name: 'StackLimit', Value: stackLimit(context) }, { Name: 'StackOutputsLimit', Value: 200 }] }),
  },
  internal: { PlanNestedChangeSet: planNestedChangeSet, ExecuteNestedChangeSet: executeNestedChangeSet },
  authorization: authorization(),
  resourceTags: (arn, context) => {
    const stack = storeOf({ ...context, region: arn.split(':')[3] ?? context.region, account: arn.split(':')[4] ?? context.account }).find(arn);
    return stack?.deployment ? Object.fromEntries(stack.deployment.tags.map((tag) => [tag.Key, tag.Value])) : undefined;
  },
  http: async (request, runtime) => {
    if (!request.path.startsWith(MAILBOX_PATH)) return undefined;
    if (request.method !== 'PUT') return { status: 405, headers: { 'content-type': 'text/plain' }, body: 'PUT only\n' };
    const body = Buffer.from(await request.body.bytes()).toString('utf8');
    const taken = body.length <= 65_536 && engineOf(runtime).mailbox.receive(request.path, request.search, body);
    return { status: taken ? 200 : 403, headers: { 'content-type': 'text/plain' }, body: '' };
  },
  start: (runtime) => engineOf(runtime).resume(),
};

/** Actions on one stack are checked against its ARN, the others against `*` (service authorization reference: CloudFormation). */
function authorization(): Record<string, Authorization> {
  const stack: Authorization = { resource: stackArn };
  const any: Authorization = { resource: '*' };
  const onStack = [
    'UpdateStack', 'DeleteStack', 'CancelUpdateStack', 'ContinueUpdateRollback', 'RollbackStack', 'UpdateTerminationProtection', 'DescribeStacks', 'DescribeStackResource', 'DescribeStackResources',
    'ListStackResources', 'DescribeStackEvents', 'DescribeEvents', 'CreateChangeSet', 'DescribeChangeSet', 'DescribeChangeSetHooks', 'ExecuteChangeSet', 'DeleteChangeSet', 'ListChangeSets', 'GetTemplate',
    'GetTemplateSummary', 'SetStackPolicy', 'GetStackPolicy', 'SignalResource', 'DetectStackDrift', 'DetectStackResourceDrift', 'DescribeStackResourceDrifts',
  ];
  const onAll = ['ListStacks', 'ListExports', 'ListImports', 'ValidateTemplate', 'DescribeStackDriftDetectionStatus', 'ListHookResults', 'DescribeAccountLimits'];
  return {
    ...Object.fromEntries(onStack.map((name) => [name, stack])),
    ...Object.fromEntries(onAll.map((name) => [name, any])),
    PlanNestedChangeSet: { action: 'cloudformation:CreateChangeSet', resource: nestedStackArn },
    ExecuteNestedChangeSet: { action: 'cloudformation:ExecuteChangeSet', resource: nestedStackArn },
    CreateStack: {
      resource: stackArn,
      context: (input: Cfn.CreateStackInput) => ({
        ...(input.RoleARN === undefined ? {} : { 'cloudformation:RoleArn': input.RoleARN }),
        ...(input.TemplateURL === undefined ? {} : { 'cloudformation:TemplateUrl': input.TemplateURL }),
        ...(input.StackPolicyURL === undefined ? {} : { 'cloudformation:StackPolicyUrl': input.StackPolicyURL }),
        ...(input.ResourceTypes === undefined ? {} : { 'cloudformation:ResourceTypes': input.ResourceTypes }),
      }),
    },
  };
}

/** ARN of the stack that a request names, `NAME/*` for one that doesn't exist yet. */
function stackArn(input: { StackName?: string; ChangeSetName?: string }, context: RequestContext): string {
  const { account, region } = context;
  if (input.StackName !== undefined && input.StackName !== '') {
    if (input.StackName.startsWith('arn:')) return input.StackName;
    return storeOf(context).named(input.StackName)?.id ?? `arn:aws:cloudformation:${region}:${account}:stack/${input.StackName}/*`;
  }
  if (input.ChangeSetName?.startsWith('arn:')) return lookUpChangeSet(context, input.ChangeSetName, undefined)?.stackId ?? `arn:aws:cloudformation:${region}:${account}:stack/*/*`;
  return '*';
}
