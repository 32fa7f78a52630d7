import type { Json, JsonObject } from '../json.js';
import { evaluate, evaluateJson } from '../evaluate/evaluate.js';
import type { Scope } from '../evaluate/scope.js';
import { makeScope, type ResourceAnswers, type ScopeParts } from '../evaluate/scopes.js';
import { NO_VALUE } from '../evaluate/value.js';
import { isAwsError } from '../../kernel/error.js';
import { canonical } from '../json.js';
import type { ParameterValue } from '../template/parameters.js';
import { parameterTable } from '../template/parameters.js';
import type { ResourceDeclaration, Template } from '../template/model.js';
import type { Tag } from '../store/records.js';

/** One state of a stack, as the planner sees it: before or after. */
export interface Side {
  readonly template: Template;
  readonly parameters: readonly ParameterValue[];
  readonly tags: readonly Tag[];
  readonly parts: Omit<ScopeParts, 'template' | 'parameters' | 'resources'>;
}

export const MASK = '****';

export function scopeOf(side: Side, resources: ResourceAnswers, options: { masked?: boolean } = {}): Scope {
  const values = options.masked ? side.parameters.map((parameter) => (parameter.noEcho ? { ...parameter, value: MASK, resolved: parameter.resolved === undefined ? undefined : MASK } : parameter)) : side.parameters;
  return makeScope({ ...side.parts, template: side.template, parameters: parameterTable(side.template, values), resources });
}

/** References to resources become text that names them: equal texts are equal whatever the resources turn out to be. */
export const SYMBOLIC: ResourceAnswers = {
  reference: (logicalId) => `{{changeSet:${logicalId}}}`,
  attribute: (logicalId, name) => `{{changeSet:${logicalId}.${name}}}`,
};

export function symbolicScope(side: Side): Scope {
  const exported = side.parts.exported;
  return scopeOf({ ...side, parts: { ...side.parts, exported: (name) => exported(name) ?? `{{changeSet:export ${name}}}` } }, SYMBOLIC);
}

/** Properties one by one: a function that can't work on symbols leaves the property as it is written. */
export function symbolicProperties(declaration: ResourceDeclaration, scope: Scope): JsonObject {
  return evaluateEach(declaration.properties, scope, (_, raw) => canonical(raw));
}

export function evaluateEach(properties: JsonObject, scope: Scope, onError: (error: Error, raw: Json, name: string) => Json): JsonObject {
  const result: JsonObject = {};
  for (const [name, raw] of Object.entries(properties)) {
    try {
      const value = evaluate(raw, scope);
      if (value !== NO_VALUE) result[name] = value as Json;
    } catch (error) {
      if (!isAwsError(error)) throw error;
      result[name] = onError(error, raw, name);
    }
  }
  return result;
}

export function evaluateMetadata(declaration: ResourceDeclaration, scope: Scope): Json | undefined {
  if (declaration.metadata === undefined) return undefined;
  try {
    return evaluateJson(declaration.metadata, scope);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return declaration.metadata;
  }
}
