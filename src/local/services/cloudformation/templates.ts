import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { resourceSchema } from '../../models/resources.js';
import { validationError } from '../../cfn/template/error.js';
import { requiredCapabilities } from '../../cfn/template/load.js';
import type { Template } from '../../cfn/template/model.js';
import type { Deployment } from '../../cfn/store/records.js';
import { changeSetNotFound, findStack, lookUpChangeSet, storeOf } from './lookup.js';
import { readOnly } from './prepare.js';

export function getTemplate(input: Cfn.GetTemplateInput, context: RequestContext): Cfn.GetTemplateOutput {
  const deployment = deploymentOf(input, context);
  const processed = input.TemplateStage === 'Processed' && deployment.processed !== undefined;
  return { TemplateBody: processed ? JSON.stringify(deployment.processed) : deployment.templateBody, StagesAvailable: ['Original', 'Processed'] };
}

/** Recorded: cfn-templates-get-template-*. */
function deploymentOf(input: { StackName?: string; ChangeSetName?: string }, context: RequestContext): Deployment {
  if (input.ChangeSetName === undefined) {
    if (input.StackName === undefined) throw validationError('StackName is required if ChangeSetName is not specified.');
    const stack = findStack(context, input.StackName);
    if (stack.deployment) return stack.deployment;
    // A stack in review has the template of its newest change set.
    const newest = storeOf(context).changeSetsOf(stack.uuid).sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0];
    if (!newest) throw validationError(`Stack with id ${input.StackName} does not exist`);
    return newest.deployment;
  }
  if (!input.ChangeSetName.startsWith('arn:') && input.StackName === undefined) throw validationError('StackName is a required parameter.');
  const changeSet = lookUpChangeSet(context, input.ChangeSetName, input.StackName);
  if (!changeSet) throw changeSetNotFound(input.ChangeSetName);
  return changeSet.deployment;
}

export async function getTemplateSummary(input: Cfn.GetTemplateSummaryInput, context: RequestContext): Promise<Cfn.GetTemplateSummaryOutput> {
  const stack = input.StackName === undefined ? undefined : findStack(context, input.StackName);
  if (stack?.status === 'REVIEW_IN_PROGRESS') throw validationError('GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.');
  const { template, declared } = await readOnly(stack ? { TemplateBody: stack.deployment?.templateBody ?? '' } : input, undefined, context);
  const capabilities = requiredCapabilities(template);
  const types = [...new Set(Object.values(template.resources).map((resource) => resource.type))];
  return {
    Parameters: Object.entries(template.parameters).map(([key, declaration]) => ({
      ParameterKey: key, ParameterType: declaration.type, NoEcho: declaration.noEcho,
      ...(declaration.default === undefined ? {} : { DefaultValue: declaration.noEcho ? '****' : declaration.default }),
      ...(declaration.description === undefined ? {} : { Description: declaration.description }),
      ParameterConstraints: declaration.allowedValues ? { AllowedValues: [...declaration.allowedValues] } : {},
    })),
    ...(template.description === undefined ? {} : { Description: template.description }),
    ...capabilitiesShape(capabilities, declared),
    ResourceTypes: types,
    ...(typeof template.document['AWSTemplateFormatVersion'] === 'string' ? { Version: template.document['AWSTemplateFormatVersion'] } : {}),
    ...(template.metadata === undefined ? {} : { Metadata: JSON.stringify(template.metadata) }),
    ...(declared.length === 0 ? {} : { DeclaredTransforms: declared }),
    ResourceIdentifierSummaries: identifierSummaries(template),
  };
}

function capabilitiesShape(needed: ReturnType<typeof requiredCapabilities>, declared: readonly string[]): Pick<Cfn.GetTemplateSummaryOutput, 'Capabilities' | 'CapabilitiesReason'> {
  const capabilities = [...(needed?.capabilities ?? []), ...(declared.length > 0 ? ['CAPABILITY_AUTO_EXPAND'] : [])];
  if (capabilities.length === 0) return {};
  const reason = needed?.reason ?? `The following transform(s) require capabilities: [${declared.join(', ')}]`;
  return { Capabilities: capabilities as Cfn.Capability[], CapabilitiesReason: reason };
}

/** How resources of each type are named in an import. */
function identifierSummaries(template: Template): Cfn.ResourceIdentifierSummary[] {
  const byType = new Map<string, string[]>();
  for (const { logicalId, type } of Object.values(template.resources)) byType.set(type, [...(byType.get(type) ?? []), logicalId]);
  return [...byType].flatMap(([type, logicalIds]) => {
    const identifiers = resourceSchema(type)?.primaryIdentifier?.map((pointer) => pointer.split('/').slice(2).join('/'));
    return identifiers ? [{ ResourceType: type, LogicalResourceIds: logicalIds, ResourceIdentifiers: identifiers }] : [];
  });
}

export async function validateTemplate(input: Cfn.ValidateTemplateInput, context: RequestContext): Promise<Cfn.ValidateTemplateOutput> {
  const { template, declared } = await readOnly(input, undefined, context);
  return {
    Parameters: Object.entries(template.parameters).map(([key, declaration]) => ({
      ParameterKey: key, NoEcho: declaration.noEcho,
      ...(declaration.default === undefined ? {} : { DefaultValue: declaration.noEcho ? '****' : declaration.default }),
      ...(declaration.description === undefined ? {} : { Description: declaration.description }),
    })),
    ...(template.description === undefined ? {} : { Description: template.description }),
    ...capabilitiesShape(requiredCapabilities(template), declared),
    ...(declared.length === 0 ? {} : { DeclaredTransforms: declared }),
  };
}
