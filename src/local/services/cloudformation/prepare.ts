import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Client, RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { isObject, type Json, type JsonObject } from '../../cfn/json.js';
import { actingClient, assume } from '../../cfn/execute/acting.js';
import { identityOf } from '../../cfn/execute/session.js';
import { availabilityZones } from '../../cfn/execute/zones.js';
import { evaluate } from '../../cfn/evaluate/evaluate.js';
import { stackOutputKey, type Scope, type StackOutputRequest } from '../../cfn/evaluate/scope.js';
import { makeScope, UNKNOWN_RESOURCES } from '../../cfn/evaluate/scopes.js';
import { UNKNOWN } from '../../cfn/evaluate/value.js';
import { deletionPolicy, updateReplacePolicy } from '../../cfn/plan/policies.js';
import type { Side } from '../../cfn/plan/side.js';
import type { Deployment, StackRecord } from '../../cfn/store/records.js';
import { checkActive } from '../../cfn/template/check.js';
import { validationError } from '../../cfn/template/error.js';
import { checkedTemplate, loadTemplate, requiredCapabilities } from '../../cfn/template/load.js';
import type { Template } from '../../cfn/template/model.js';
import { isListType } from '../../cfn/template/parameter-types.js';
import { isForeseen, parameterTable, resolveParameters, type ParameterValue } from '../../cfn/template/parameters.js';
import { parseTemplateText } from '../../cfn/template/parse.js';
import { readTemplate, transformNames } from '../../cfn/template/read.js';
import { checkRules } from '../../cfn/template/rules.js';
import { intrinsic } from '../../cfn/template/references.js';
import { TransformError } from '../../cfn/transform/error.js';
import { applyTransforms, declaredTransforms } from '../../cfn/transform/transform.js';
import { checkParameterValues } from './parameter-values.js';
import { storeOf } from './lookup.js';
import { snippetReader, templateText, type TemplateSource } from './template-source.js';

/** What all operations that bring a template have in common. */
export interface DeployRequest extends TemplateSource {
  readonly Parameters?: readonly Cfn.Parameter[];
  readonly Capabilities?: readonly Cfn.Capability[];
  readonly Tags?: readonly Cfn.Tag[];
  readonly NotificationARNs?: readonly string[];
  readonly RollbackConfiguration?: Cfn.RollbackConfiguration;
  readonly ResourceTypes?: readonly string[];
  readonly RoleARN?: string;
}

export interface Prepared {
  readonly deployment: Deployment;
  readonly template: Template;
  readonly side: Side;
}

/**
 * Reads, transforms, validates and evaluates what can be known of a template, and raises AWS's error for the first thing that is wrong:
 * nothing has been created then. `direct` operations must acknowledge transforms, change sets need not.
 */
export async function prepare(request: DeployRequest, stack: StackRecord, context: RequestContext, direct: boolean): Promise<Prepared> {
  return prepareText(await templateText(request, stack.deployment?.templateBody, context), request, stack, context, direct);
}

/** As `prepare`, with the text of the template at hand. */
export async function prepareText(text: string, request: DeployRequest, stack: StackRecord, context: RequestContext, direct: boolean): Promise<Prepared> {
  const previous = stack.deployment;
  const original = parseTemplateText(text);
  checkRollbackConfiguration(request.RollbackConfiguration);
  const tags = checkTags(request.Tags ?? (previous && request.Tags === undefined ? previous.tags : []));
  const declared = declaredTransforms(original);
  if (direct && declared.length > 0 && !(request.Capabilities ?? []).includes('CAPABILITY_AUTO_EXPAND')) throw insufficient(['CAPABILITY_AUTO_EXPAND']);
  const processed = declared.length === 0 ? undefined : await applyTransforms(original, transformContext(original, request, previous?.parameters ?? [], stack, context));
  const template = checkedTemplate(original, processed ?? original);
  const parameters = await resolveParameters(template, { inputs: request.Parameters ?? [], previous: previous?.parameters ?? [], fetch: (names) => fetchParameters(names, { given: request.RoleARN, standing: stack.roleArn }, context) });
  await checkParameterValues(template, parameters, context);
  checkResourceTypes(template, request.ResourceTypes);
  const capabilities = request.Capabilities ?? [];
  const needed = requiredCapabilities(template);
  if (needed && !needed.capabilities.every((name) => capabilities.includes(name as Cfn.Capability) || (name === 'CAPABILITY_IAM' && capabilities.includes('CAPABILITY_NAMED_IAM')))) throw insufficient(needed.capabilities);
  const base: Deployment = {
    templateBody: text, processed, parameters, tags, capabilities: [...capabilities], notificationArns: [...(request.NotificationARNs ?? previous?.notificationArns ?? [])],
    rollbackConfiguration: (request.RollbackConfiguration ?? previous?.rollbackConfiguration ?? {}) as JsonObject, description: template.description, stackOutputs: {},
  };
  const deployment = { ...base, stackOutputs: await fetchStackOutputs(template, sideOf(base, template, stack, context), context) };
  const side = sideOf(deployment, template, stack, context);
  checkEvaluable(side);
  return { deployment, template, side };
}

/** The stack as it stands, as the planner's other side. */
export function standingSide(stack: StackRecord, context: RequestContext): Side | undefined {
  if (!stack.deployment) return undefined;
  return sideOf(stack.deployment, loadTemplate(stack.deployment.templateBody, stack.deployment.processed), stack, context);
}

function sideOf(deployment: Deployment, template: Template, stack: StackRecord, context: RequestContext): Side {
  const store = storeOf(context);
  return {
    template, parameters: deployment.parameters, tags: deployment.tags,
    parts: { stack: identityOf(stack, deployment), exported: (name) => store.export(name)?.value, stackOutputs: deployment.stackOutputs, zones: availabilityZones },
  };
}

/** Evaluates everything with resources unknown: functions that can only fail do so now, with AWS's sentence. */
function checkEvaluable(side: Side): void {
  const scope = validationScope(side);
  for (const name of Object.keys(side.template.conditions)) scope.condition(name);
  checkRules(side.template, scope);
  checkActive(side.template, scope.active, scope.condition);
  for (const declaration of Object.values(side.template.resources)) {
    if (!scope.active(declaration.logicalId)) continue;
    evaluate(declaration.properties, scope);
    deletionPolicy(declaration, scope);
    updateReplacePolicy(declaration, scope);
  }
  for (const output of Object.values(side.template.outputs)) {
    if (output.condition !== undefined && !scope.condition(output.condition)) continue;
    evaluate(output.value, scope);
    if (output.exportName !== undefined) evaluate(output.exportName, scope);
  }
}

function validationScope(side: Side): Scope {
  const unknown = side.parameters.filter((parameter) => isForeseen(parameter.value)).map((parameter) => [parameter.key, UNKNOWN] as const);
  const parameters = { ...parameterTable(side.template, side.parameters), ...Object.fromEntries(unknown) };
  return makeScope({ ...side.parts, template: side.template, parameters, resources: UNKNOWN_RESOURCES, missing: UNKNOWN });
}

/** Sees to it that CloudFormation may use the role: the caller may pass it, and it trusts CloudFormation. */
export async function checkRole(roleArn: string | undefined, context: RequestContext): Promise<void> {
  if (roleArn === undefined) return;
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/.test(roleArn)) throw validationError(`Role ${roleArn} is invalid or cannot be assumed`);
  context.authorize('iam:PassRole', roleArn, { 'iam:PassedToService': 'cloudformation.amazonaws.com' });
  await assume(context.runtime, context.account, context.region, roleArn, 'AWSCloudFormation');
}

function insufficient(capabilities: readonly string[]): AwsError {
  return new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${capabilities.join(', ')}]`, { status: 400 });
}

function checkTags(tags: readonly Cfn.Tag[]): { Key: string; Value: string }[] {
  if (tags.length > 50) throw validationError("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50");
  const keys = new Set<string>();
  return tags.map(({ Key = '', Value = '' }) => {
    if (Key.startsWith('aws:')) throw validationError('aws: prefixed tag key names are not allowed for external use.');
    if (keys.has(Key)) throw validationError(`Duplicate tag keys found. Please remove the duplicate tag key ${Key}.`);
    keys.add(Key);
    return { Key, Value };
  });
}

/** Recorded: cfn-update-stack-update-with-invalid-rollback-configuration-errors. */
function checkRollbackConfiguration(configuration: Cfn.RollbackConfiguration | undefined): void {
  for (const trigger of configuration?.RollbackTriggers ?? []) {
    if (trigger.Type !== 'AWS::CloudWatch::Alarm' && trigger.Type !== 'AWS::CloudWatch::CompositeAlarm') throw validationError('Rollback Trigger Type not supported');
    if (!/^arn:[^:]+:cloudwatch:[^:]*:[^:]*:alarm:.+/.test(trigger.Arn ?? '')) throw validationError("RelativeId of a Rollback Trigger's ARN is incorrect");
  }
}

/** `ResourceTypes`: exact names, `AWS::S3::*`, `AWS::*`, `Custom::*`. Recorded: cfn-update-stack-update-with-resource-types. */
function checkResourceTypes(template: Template, allowed: readonly string[] | undefined): void {
  if (!allowed || allowed.length === 0) return;
  for (const { type } of Object.values(template.resources)) {
    const fits = allowed.some((pattern) => pattern === type || (pattern.endsWith('::*') && type.startsWith(pattern.slice(0, -1))));
    if (!fits) throw validationError(`Resource type ${type} is not allowed by parameter ResourceTypes [${allowed.join(', ')}]`);
  }
}

interface StoredParameter {
  readonly Name: string;
  readonly Value: string;
  readonly ARN?: string;
  readonly Selector?: string;
}

/** A stack's service role: what the request gives must be the caller's to pass, what the stack has from before need not (user guide, "service role"). */
interface ServiceRole {
  readonly given: string | undefined;
  readonly standing: string | undefined;
}

async function fetchParameters(names: readonly string[], role: ServiceRole, context: RequestContext): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let i = 0; i < names.length; i += 10) {
    const batch = names.slice(i, i + 10);
    for (const parameter of await stored(batch, role, context)) {
      for (const name of batch) if (name === parameter.Name || name === parameter.ARN || name === `${parameter.Name}${parameter.Selector ?? ''}`) found.set(name, parameter.Value);
    }
  }
  return found;
}

/**
 * A stack with a service role reads as that role: whom AWS denies it is told as `…/AWSCloudFormation`, and CDK's deploy role, which asks for the change set,
 * may not read what stacks name (images, shared names). But it may read the bootstrap version, "for CreateChangeSet" as its template says, which roles with
 * few rights may not. AWS documents neither, so either's right is enough here.
 */
async function stored(Names: readonly string[], { given, standing }: ServiceRole, context: RequestContext): Promise<readonly StoredParameter[]> {
  await checkRole(given, context);
  const roleArn = given ?? standing;
  const asked = (client: Client) => client.call<{ Parameters?: StoredParameter[] }>('ssm', 'GetParameters', { Names });
  const { Parameters = [] } = await (roleArn === undefined ? asked(context.onBehalf) : asRole(roleArn, context).then(asked).catch((denied: unknown) => {
    if (!isAwsError(denied, 'AccessDeniedException')) throw denied;
    return asked(context.onBehalf).catch(() => Promise.reject(denied as Error));
  }));
  return Parameters;
}

function asRole(roleArn: string, context: RequestContext): Promise<Client> {
  return actingClient(context.runtime, { account: context.account, region: context.region, principal: context.principal, roleArn });
}

/** What a transform may ask of parameters: given values, previous ones, defaults. */
function transformContext(original: JsonObject, request: DeployRequest, previous: readonly ParameterValue[], stack: StackRecord, context: RequestContext): Parameters<typeof applyTransforms>[1] {
  const given = new Map((request.Parameters ?? []).map((input) => [input.ParameterKey ?? '', input.UsePreviousValue ? previous.find((parameter) => parameter.key === input.ParameterKey)?.value : input.ParameterValue]));
  const declarations = isObject(original['Parameters'] ?? null) ? (original['Parameters'] as JsonObject) : {};
  const parameters: Record<string, string | string[]> = {};
  for (const [key, declaration] of Object.entries(declarations)) {
    if (!isObject(declaration)) continue;
    const value = given.get(key) ?? (declaration['Default'] === undefined ? undefined : String(declaration['Default']));
    if (value !== undefined) parameters[key] = isListType(String(declaration['Type'])) ? value.split(',').map((item) => item.trim()) : value;
  }
  return {
    parameters,
    pseudo: { 'AWS::AccountId': stack.account, 'AWS::Region': stack.region, 'AWS::StackName': stack.name, 'AWS::StackId': stack.id, 'AWS::Partition': 'aws', 'AWS::URLSuffix': 'amazonaws.com' },
    readObject: snippetReader(context.onBehalf, (message) => new TransformError('AWS::Include', message)),
  };
}

/** Reads the outputs of other stacks that Fn::GetStackOutput names, in their region and, with a role, in their account. */
async function fetchStackOutputs(template: Template, side: Side, context: RequestContext): Promise<Record<string, string>> {
  const requests = new Map<string, StackOutputRequest>();
  const base = validationScope(side);
  const scope: Scope = { ...base, stackOutput: (request) => (requests.set(stackOutputKey(request), request), UNKNOWN) };
  for (const declaration of Object.values(template.resources)) if (usesStackOutput(declaration.properties) && scope.active(declaration.logicalId)) evaluate(declaration.properties, scope);
  for (const output of Object.values(template.outputs)) if (usesStackOutput(output.value)) evaluate(output.value, scope);
  const found: Record<string, string> = {};
  for (const [key, request] of requests) found[key] = await stackOutput(request, context);
  return found;
}

function usesStackOutput(value: Json): boolean {
  if (intrinsic(value)?.name === 'Fn::GetStackOutput') return true;
  return Array.isArray(value) ? value.some(usesStackOutput) : isObject(value) && Object.values(value).some(usesStackOutput);
}

async function stackOutput(request: StackOutputRequest, context: RequestContext): Promise<string> {
  const client = request.roleArn === undefined
    ? context.onBehalf.in(request.region)
    : await actingClient(context.runtime, { account: context.account, region: request.region, principal: context.principal, roleArn: request.roleArn });
  try {
    const { Stacks = [] } = await client.call<Cfn.DescribeStacksOutput>('cloudformation', 'DescribeStacks', { StackName: request.stackName });
    const output = Stacks[0]?.Outputs?.find((candidate) => candidate.OutputKey === request.outputName);
    if (output?.OutputValue === undefined) throw validationError(`Output ${request.outputName} of stack ${request.stackName} in ${request.region} does not exist.`);
    return output.OutputValue;
  } catch (error) {
    if (isAwsError(error) && error.message.endsWith('does not exist')) throw validationError(`Stack ${request.stackName} in ${request.region} does not exist.`);
    throw error;
  }
}

/** A template nobody deploys: for ValidateTemplate and GetTemplateSummary. */
export async function readOnly(source: TemplateSource, previous: string | undefined, context: RequestContext): Promise<{ text: string; template: Template; declared: string[] }> {
  const text = await templateText(source, previous, context);
  const original = parseTemplateText(text);
  const declared = declaredTransforms(original);
  const template = declared.length === 0 ? checkedTemplate(original, original) : { ...readTemplate(stripTransforms(original)), transforms: transformNames(original['Transform']) };
  return { text, template, declared };
}

/** What the transforms would fill in isn't known here: the sections are read without it. */
function stripTransforms(document: JsonObject): JsonObject {
  const resources = isObject(document['Resources'] ?? null) ? (document['Resources'] as JsonObject) : {};
  const plain = Object.fromEntries(Object.entries(resources).filter(([key, value]) => !key.startsWith('Fn::') && isObject(value) && !String(value['Type']).startsWith('AWS::Serverless::')));
  return { ...document, Resources: Object.keys(plain).length > 0 ? plain : { Placeholder: { Type: 'AWS::CDK::Metadata' } } };
}
