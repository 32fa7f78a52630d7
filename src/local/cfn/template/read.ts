import { hasResourceType } from '../../models/resources.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { formatError, validationError } from './error.js';
import { LIMITS, type OutputDeclaration, type ParameterDeclaration, type ResourceDeclaration, type RuleDeclaration, type Template } from './model.js';
import { isParameterType } from './parameter-types.js';

const SECTIONS = new Set(['AWSTemplateFormatVersion', 'Description', 'Metadata', 'Parameters', 'Mappings', 'Conditions', 'Rules', 'Transform', 'Hooks', 'Resources', 'Outputs', 'Globals']);
const RESOURCE_MEMBERS = new Set(['Type', 'Properties', 'Condition', 'DependsOn', 'Metadata', 'DeletionPolicy', 'UpdateReplacePolicy', 'CreationPolicy', 'UpdatePolicy', 'Description']);
const PARAMETER_MEMBERS = new Set(['Type', 'Default', 'Description', 'NoEcho', 'AllowedValues', 'AllowedPattern', 'ConstraintDescription', 'MinLength', 'MaxLength', 'MinValue', 'MaxValue']);
const OUTPUT_MEMBERS = new Set(['Value', 'Description', 'Condition', 'Export']);
const ALPHANUMERIC = /^[A-Za-z0-9]+$/;

/**
 * Structural validation of a document whose transforms were applied, with AWS's sentences (recorded vectors where there are any,
 * otherwise the texts users report). References between the sections are checked by `checkReferences`.
 */
export function readTemplate(document: JsonObject): Template {
  checkSections(document);
  const resources = mapSection(document, 'Resources', readResource);
  if (Object.keys(resources).length === 0) throw formatError('At least one Resources member must be defined.');
  limit('resources', resources, LIMITS.resources);
  refuseUnknownTypes(resources);
  const parameters = mapSection(document, 'Parameters', readParameter);
  limit('parameters', parameters, LIMITS.parameters);
  const outputs = mapSection(document, 'Outputs', readOutput);
  limit('outputs', outputs, LIMITS.outputs);
  const conditions = section(document, 'Conditions') as Record<string, Json>;
  for (const name of Object.keys(conditions)) checkName('Conditions', name);
  return {
    document,
    description: typeof document['Description'] === 'string' ? document['Description'] : undefined,
    metadata: document['Metadata'],
    parameters,
    mappings: readMappings(document),
    conditions,
    rules: mapSection(document, 'Rules', readRule),
    resources,
    outputs,
    transforms: transformNames(document['Transform']),
  };
}

export function transformNames(transform: Json | undefined): string[] {
  const list = transform === undefined ? [] : Array.isArray(transform) ? transform : [transform];
  return list.map((entry) => {
    if (typeof entry === 'string') return entry;
    if (isObject(entry) && typeof entry['Name'] === 'string') return entry['Name'];
    // Recorded: cfn-template-engine-error-pass-macro-as-reference.
    throw validationError('Key Name of transform definition must be a string.');
  });
}

function checkSections(document: JsonObject): void {
  const version = document['AWSTemplateFormatVersion'];
  if (version !== undefined && version !== '2010-09-09') throw formatError(`Template version ${String(version)} is not supported; use 2010-09-09`);
  const unknown = Object.keys(document).filter((name) => !SECTIONS.has(name));
  if (unknown.length > 0) throw validationError(`Invalid template property or properties [${unknown.join(', ')}]`);
  const description = document['Description'];
  if (description !== undefined && typeof description !== 'string') throw formatError('Description must be a string.');
  if (typeof description === 'string' && Buffer.byteLength(description) > 1024) throw formatError('Template description is longer than 1024 bytes.');
}

function section(document: JsonObject, name: string): JsonObject {
  const value = document[name];
  if (value === undefined) return {};
  if (!isObject(value)) throw formatError(`${name} block must be a map`);
  return value;
}

function mapSection<T>(document: JsonObject, name: string, read: (key: string, value: Json) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(section(document, name)).map(([key, value]) => [key, read(key, value)]));
}

function limit(plural: string, entries: object, most: number): void {
  const count = Object.keys(entries).length;
  if (count > most) throw formatError(`Number of ${plural}, ${count}, is greater than maximum allowed, ${most}`);
}

function checkName(block: string, name: string): void {
  if (ALPHANUMERIC.test(name)) return;
  const noun = { Resources: 'Resource name', Parameters: 'Parameter name', Outputs: 'Output name', Conditions: 'Condition name', Mappings: 'Mappings name' }[block] ?? block;
  throw formatError(`${noun} ${name} is non alphanumeric.`);
}

function readResource(logicalId: string, value: Json): ResourceDeclaration {
  checkName('Resources', logicalId);
  if (!isObject(value)) throw formatError(`[/Resources/${logicalId}] resource definition is malformed`);
  const type = value['Type'];
  if (type === undefined) throw formatError(`[/Resources/${logicalId}] Every Resources object must contain a Type member.`);
  if (typeof type !== 'string') throw formatError(`[/Resources/${logicalId}/Type] Type must be a string`);
  const invalid = Object.keys(value).find((member) => !RESOURCE_MEMBERS.has(member));
  if (invalid !== undefined) throw validationError(`Invalid template resource property '${invalid}'`);
  const properties = value['Properties'] ?? {};
  if (!isObject(properties)) throw formatError(`[/Resources/${logicalId}/Properties] Properties must be a map`);
  const condition = value['Condition'];
  if (condition !== undefined && typeof condition !== 'string') throw formatError(`[/Resources/${logicalId}/Condition] Every Condition member must be a string.`);
  return {
    logicalId,
    type,
    properties,
    condition,
    dependsOn: readDependsOn(logicalId, value['DependsOn']),
    metadata: value['Metadata'],
    deletionPolicy: value['DeletionPolicy'],
    updateReplacePolicy: value['UpdateReplacePolicy'],
    creationPolicy: value['CreationPolicy'],
    updatePolicy: value['UpdatePolicy'],
  };
}

function readDependsOn(logicalId: string, value: Json | undefined): string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((name): name is string => typeof name === 'string')) {
    throw formatError(`DependsOn for resource ${logicalId} must be a string or a list of strings`);
  }
  return list;
}

/** The unknown type is refused before anything is created. */
function refuseUnknownTypes(resources: Record<string, ResourceDeclaration>): void {
  const unknown = new Set(Object.values(resources).map((resource) => resource.type).filter((type) => !isKnownType(type)));
  if (unknown.size > 0) throw formatError(`Unrecognized resource types: [${[...unknown].join(', ')}]`);
}

function isKnownType(type: string): boolean {
  return type.startsWith('Custom::') ? /^Custom::[A-Za-z0-9_@-]{1,52}(::MODULE)?$/.test(type) : type === 'AWS::CDK::Metadata' || hasResourceType(type);
}

function readParameter(name: string, value: Json): ParameterDeclaration {
  checkName('Parameters', name);
  if (!isObject(value)) throw formatError('Every Parameters object must contain a Type member.');
  const invalid = Object.keys(value).find((member) => !PARAMETER_MEMBERS.has(member));
  if (invalid !== undefined) throw validationError(`Invalid template parameter property '${invalid}'`);
  const type = value['Type'];
  if (typeof type !== 'string') throw formatError('Every Parameters object must contain a Type member.');
  if (!isParameterType(type)) throw formatError(`Unrecognized parameter type: ${type}`);
  const fallback = value['Default'];
  if (fallback !== undefined && (isObject(fallback) || Array.isArray(fallback))) throw formatError('Every Default member must be a string.');
  const allowed = value['AllowedValues'];
  if (allowed !== undefined && (!Array.isArray(allowed) || allowed.length === 0)) throw formatError('Every AllowedValues member must be a list of strings.');
  return {
    type,
    default: fallback === undefined ? undefined : String(fallback),
    description: text(value['Description']),
    noEcho: String(value['NoEcho'] ?? false).toLowerCase() === 'true',
    allowedValues: Array.isArray(allowed) ? allowed.map(String) : undefined,
    allowedPattern: text(value['AllowedPattern']),
    constraintDescription: text(value['ConstraintDescription']),
    minLength: number(value['MinLength'], 'MinLength'),
    maxLength: number(value['MaxLength'], 'MaxLength'),
    minValue: number(value['MinValue'], 'MinValue'),
    maxValue: number(value['MaxValue'], 'MaxValue'),
  };
}

function text(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function number(value: Json | undefined, member: string): number | undefined {
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (typeof value === 'object' || Number.isNaN(parsed)) throw formatError(`Every ${member} member must be a number.`);
  return parsed;
}

/** Recorded: cfn-mappings-mapping-minimum-nesting-depth, cfn-mappings-mapping-with-invalid-refs. */
function readMappings(document: JsonObject): Record<string, Record<string, JsonObject>> {
  const mappings = section(document, 'Mappings');
  limit('mappings', mappings, LIMITS.mappings);
  for (const [name, mapping] of Object.entries(mappings)) {
    if (name === 'Fn::Transform') continue;
    if (!isObject(mapping)) throw formatError(`Every Mappings member ${name} must be a map`);
    for (const [key, attributes] of Object.entries(mapping)) {
      if (!isObject(attributes)) throw formatError(`Every Mappings member ${key} must be a map`);
      for (const value of Object.values(attributes)) {
        if (isObject(value) || (Array.isArray(value) && value.some((item) => isObject(item) || Array.isArray(item)))) {
          throw formatError('Every Mappings attribute must be a String or a List.');
        }
      }
    }
  }
  return mappings as Record<string, Record<string, JsonObject>>;
}

function readRule(name: string, value: Json): RuleDeclaration {
  if (!isObject(value) || !Array.isArray(value['Assertions'])) throw formatError(`Rule ${name} must contain a list of Assertions`);
  return {
    condition: value['RuleCondition'],
    assertions: value['Assertions'].map((assertion) => {
      if (!isObject(assertion) || assertion['Assert'] === undefined) throw formatError(`Every assertion of rule ${name} must contain an Assert member`);
      return { assert: assertion['Assert'], description: text(assertion['AssertDescription']) };
    }),
  };
}

function readOutput(name: string, value: Json): OutputDeclaration {
  checkName('Outputs', name);
  if (!isObject(value)) throw formatError(`Output ${name} is malformed.`);
  const invalid = Object.keys(value).filter((member) => !OUTPUT_MEMBERS.has(member));
  if (invalid.length > 0) throw validationError(`Invalid template output property '${invalid[0]}'`);
  if (value['Value'] === undefined) throw formatError('Every Outputs member must contain a Value object');
  const exported = value['Export'];
  if (exported !== undefined && (!isObject(exported) || exported['Name'] === undefined)) {
    throw formatError(`Output ${name} is malformed. The Name field of every Export member must be specified`);
  }
  const description = value['Description'];
  if (description !== undefined && typeof description !== 'string') throw formatError('Every Description member must be a string.');
  const condition = value['Condition'];
  return {
    value: value['Value'],
    description,
    condition: typeof condition === 'string' ? condition : undefined,
    exportName: isObject(exported) ? exported['Name'] : undefined,
  };
}
