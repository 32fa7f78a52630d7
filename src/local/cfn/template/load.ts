import { isObject, type JsonObject } from '../json.js';
import type { Template } from './model.js';
import { checkReferences } from './check.js';
import { parseTemplateText } from './parse.js';
import { readTemplate, transformNames } from './read.js';

/** A template that was validated before: text (or its processed document) to the model. The names of its transforms stay known. */
export function loadTemplate(text: string, processed: JsonObject | undefined): Template {
  const original = parseTemplateText(text);
  const template = readTemplate(processed ?? original);
  return processed ? { ...template, transforms: transformNames(original['Transform']) } : template;
}

/** Reads and checks a processed document (a change set's or an operation's). */
export function checkedTemplate(original: JsonObject, processed: JsonObject): Template {
  const template = { ...readTemplate(processed), transforms: transformNames(original['Transform']) };
  checkReferences(template);
  return template;
}

/** A stack's declared capabilities, by what a template contains (user guide: "Acknowledging IAM resources"). */
export function requiredCapabilities(template: Template): { capabilities: string[]; reason: string } | undefined {
  const iam = Object.values(template.resources).filter((resource) => IAM_NAMES[resource.type] !== undefined);
  if (iam.length === 0) return undefined;
  const named = iam.filter((resource) => IAM_NAMES[resource.type]!.some((property) => isObject(resource.properties) && resource.properties[property] !== undefined));
  const types = [...new Set(iam.map((resource) => resource.type))];
  return {
    capabilities: [named.length > 0 ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'],
    reason: `The following resource(s) require capabilities: [${types.join(', ')}]`,
  };
}

/** IAM types that need an acknowledgement, with the properties that give them a name of their own. */
const IAM_NAMES: Readonly<Record<string, readonly string[]>> = {
  'AWS::IAM::AccessKey': [],
  'AWS::IAM::Group': ['GroupName'],
  'AWS::IAM::InstanceProfile': ['InstanceProfileName'],
  'AWS::IAM::ManagedPolicy': ['ManagedPolicyName'],
  'AWS::IAM::Policy': [],
  'AWS::IAM::Role': ['RoleName'],
  'AWS::IAM::User': ['UserName'],
  'AWS::IAM::UserToGroupAddition': [],
  'AWS::IAM::RolePolicy': [],
  'AWS::IAM::UserPolicy': [],
  'AWS::IAM::GroupPolicy': [],
};
