import type { Json } from '../json.js';
import { validationError } from '../template/error.js';
import type { Template } from '../template/model.js';
import { conditionTable } from './conditions.js';
import { stackOutputKey, type ParameterTable, type Scope, type StackIdentity } from './scope.js';
import { UNKNOWN } from './value.js';

/** How references to resources are answered, the one thing in which the scopes differ. */
export interface ResourceAnswers {
  reference(logicalId: string): Json | typeof UNKNOWN;
  attribute(logicalId: string, name: string): Json | typeof UNKNOWN;
}

export interface ScopeParts {
  readonly template: Template;
  readonly stack: StackIdentity;
  readonly parameters: ParameterTable;
  readonly resources: ResourceAnswers;
  readonly exported: (name: string) => string | undefined;
  readonly stackOutputs: Readonly<Record<string, string>>;
  readonly zones: (region: string) => readonly string[];
  /** What an export or a stack output that doesn't exist is worth: an error, or a value not known yet. */
  readonly missing?: typeof UNKNOWN;
}

export function makeScope(parts: ScopeParts): Scope {
  const { template } = parts;
  const condition = conditionTable(template, () => scope);
  const scope: Scope = {
    template,
    stack: parts.stack,
    parameters: parts.parameters,
    condition,
    active: (logicalId) => {
      const declaration = template.resources[logicalId];
      return declaration !== undefined && (declaration.condition === undefined || condition(declaration.condition));
    },
    reference: parts.resources.reference,
    attribute: parts.resources.attribute,
    exported: (name) => {
      const value = parts.exported(name);
      if (value !== undefined) return value;
      if (parts.missing) return parts.missing;
      throw validationError(`No export named ${name} found.`);
    },
    stackOutput: (request) => {
      const value = parts.stackOutputs[stackOutputKey(request)];
      if (value !== undefined) return value;
      if (parts.missing) return parts.missing;
      throw validationError(`Output ${request.outputName} of stack ${request.stackName} in ${request.region} does not exist.`);
    },
    availabilityZones: parts.zones,
  };
  return scope;
}

/** Nothing about resources is known: what is refused in this scope is refused before anything starts. */
export const UNKNOWN_RESOURCES: ResourceAnswers = { reference: () => UNKNOWN, attribute: () => UNKNOWN };
