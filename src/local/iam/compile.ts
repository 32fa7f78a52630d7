import { condition, type Condition } from './conditions.js';
import { encodedGlob, encodeWildcards, matchGlob, type Glob } from './glob.js';
import { principalSet, type PrincipalSet } from './principals.js';
import { fillGlob, template, type Template } from './template.js';

/** A policy document made ready for decisions. */
export interface CompiledPolicy {
  readonly statements: readonly Statement[];
  /** Set when the document can't be evaluated: such a policy denies (iam.md, order 8). */
  readonly error: string | undefined;
  /** Statements whose Action or NotAction covers the action (in lower case). */
  about(action: string): readonly Statement[];
}

export interface Statement {
  /** From 0. */
  readonly index: number;
  readonly sid: string | undefined;
  readonly allow: boolean;
  readonly actions: { readonly not: boolean; readonly written: readonly string[]; readonly patterns: readonly Glob[] };
  /** Undefined in a trust policy, whose resource is the role itself. */
  readonly resources: { readonly not: boolean; readonly written: readonly string[]; readonly patterns: readonly ResourcePattern[] } | undefined;
  readonly principals: PrincipalSet | undefined;
  readonly conditions: readonly Condition[];
}

export interface ResourcePattern {
  readonly constant: Glob | undefined;
  readonly template: Template;
  /** A variable before the fifth colon of an ARN stands for nothing. */
  readonly void: boolean;
}

/** Compiled policies by text, in two generations: bounded, and a hit costs one lookup. */
const LIMIT_CHARACTERS = 4_000_000;
let young = new Map<string, CompiledPolicy>();
let old = new Map<string, CompiledPolicy>();
let youngCharacters = 0;

export function compilePolicy(document: string): CompiledPolicy {
  let policy = young.get(document);
  if (policy) return policy;
  policy = old.get(document) ?? compile(document);
  if (youngCharacters > LIMIT_CHARACTERS) {
    old = young;
    young = new Map();
    youngCharacters = 0;
  }
  young.set(document, policy);
  youngCharacters += document.length + 200;
  return policy;
}

function compile(document: string): CompiledPolicy {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    return broken('the document is not JSON');
  }
  if (!isObject(parsed)) return broken('the document is not an object');
  const variables = parsed.Version === '2012-10-17';
  const statements: Statement[] = [];
  for (const [index, element] of list(parsed.Statement).entries()) {
    const statement = compileStatement(element, index, variables);
    if (typeof statement === 'string') return broken(`statement ${index + 1}: ${statement}`);
    statements.push(statement);
  }
  return { statements, error: undefined, about: indexByAction(statements) };
}

function broken(error: string): CompiledPolicy {
  return { statements: [], error, about: () => [] };
}

const ACTIONS_REMEMBERED = 512;

function indexByAction(statements: readonly Statement[]): (action: string) => readonly Statement[] {
  const known = new Map<string, readonly Statement[]>();
  return (action) => {
    let found = known.get(action);
    if (!found) {
      found = statements.filter((statement) => coversAction(statement, action));
      if (known.size >= ACTIONS_REMEMBERED) known.clear();
      known.set(action, found);
    }
    return found;
  };
}

export function coversAction(statement: Statement, action: string): boolean {
  return statement.actions.patterns.some((pattern) => matchGlob(pattern, action)) !== statement.actions.not;
}

function compileStatement(element: unknown, index: number, variables: boolean): Statement | string {
  if (!isObject(element)) return 'is not an object';
  if (element.Effect !== 'Allow' && element.Effect !== 'Deny') return 'Effect must be Allow or Deny';
  const actions = strings(element.Action ?? element.NotAction);
  if (!actions) return 'Action must be text';
  const resources = element.Resource === undefined && element.NotResource === undefined ? undefined : strings(element.Resource ?? element.NotResource);
  if (resources === undefined && (element.Resource ?? element.NotResource) !== undefined) return 'Resource must be text';
  const written = element.Principal ?? element.NotPrincipal;
  const principals = written === undefined ? undefined : principalSet(written, element.Principal === undefined);
  if (written !== undefined && !principals) return 'Principal is malformed';
  const conditions = compileConditions(element.Condition, variables);
  if (typeof conditions === 'string') return conditions;
  return {
    index,
    sid: typeof element.Sid === 'string' && element.Sid !== '' ? element.Sid : undefined,
    allow: element.Effect === 'Allow',
    actions: {
      not: element.Action === undefined,
      written: actions,
      patterns: actions.map((action) => encodedGlob(encodeWildcards(action.toLowerCase()))),
    },
    resources: resources && {
      not: element.Resource === undefined,
      written: resources,
      patterns: resources.map((resource) => resourcePattern(resource, variables)),
    },
    principals,
    conditions,
  };
}

function resourcePattern(resource: string, variables: boolean): ResourcePattern {
  const value = template(resource, variables);
  const constant = value.constant ? fillGlob(value, undefined) : undefined;
  return { constant, template: value, void: !value.constant && variableBeforeFifthColon(resource) };
}

function variableBeforeFifthColon(resource: string): boolean {
  const variable = resource.search(/\$\{[^*?$]/);
  return variable >= 0 && resource.slice(0, variable).split(':').length < 6;
}

function compileConditions(block: unknown, variables: boolean): Condition[] | string {
  if (block === undefined) return [];
  if (!isObject(block)) return 'Condition is not an object';
  const conditions: Condition[] = [];
  for (const [operator, keys] of Object.entries(block)) {
    if (!isObject(keys)) return `Condition ${operator} is not an object`;
    for (const [key, value] of Object.entries(keys)) {
      const values = list(value).map(String);
      const compiled = condition(operator, key, values, variables);
      if (!compiled) return `unknown condition operator ${operator}`;
      conditions.push(compiled);
    }
  }
  return conditions;
}

export function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function strings(value: unknown): string[] | undefined {
  const values = list(value);
  return values.every((item) => typeof item === 'string') && value !== undefined ? (values as string[]) : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
