import { coversAction, type Statement } from './compile.js';
import type { Condition } from './conditions.js';
import { Context } from './context.js';
import { matchGlob } from './glob.js';
import { DIRECT, NONE, principalLevel, type Level } from './principals.js';
import type { AuthorizationRequest, PolicySet, Requester } from './request.js';
import { fillGlob } from './template.js';

/** A request made ready for matching. */
export interface Question {
  readonly requester: Requester;
  /** In lower case: action names ignore case. */
  readonly action: string;
  readonly resource: string;
  readonly resourceAccount: string;
  readonly sameAccount: boolean;
  readonly hasBoundary: boolean;
  readonly context: Context;
}

export function question(request: AuthorizationRequest, policies: PolicySet): Question {
  const { principal } = request;
  const own = principal.account;
  const resourceAccount = request.resourceAccount ?? policies.resource?.account ?? (accountOf(request.resource) || own);
  return {
    requester: principal,
    action: request.action.toLowerCase(),
    resource: request.resource,
    resourceAccount,
    sameAccount: own === resourceAccount,
    hasBoundary: policies.boundary !== undefined,
    context: new Context(request.context, principal, resourceAccount),
  };
}

/** The fifth field of an ARN: twelve digits, or nothing (S3). */
function accountOf(resource: string): string {
  if (!resource.startsWith('arn:')) return '';
  let colon = 3;
  for (let i = 0; i < 3; i++) colon = resource.indexOf(':', colon + 1);
  const end = resource.indexOf(':', colon + 1);
  const account = colon < 0 || end < 0 ? '' : resource.slice(colon + 1, end);
  return /^\d{12}$/.test(account) ? account : '';
}

/** How strongly a statement that covers the action applies to the request; NONE when it doesn't. */
export function applies(statement: Statement, asked: Question): Level {
  let level: Level = DIRECT;
  if (statement.principals) {
    level = namedLevel(statement, asked);
    if (level === NONE) return NONE;
  }
  if (!coversResource(statement, asked)) return NONE;
  for (const condition of statement.conditions) if (!condition.holds(asked.context)) return NONE;
  return level;
}

/**
 * "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions boundary policy attached,
 * regardless of the values specified" (IAM reference, "NotPrincipal").
 */
function namedLevel(statement: Statement, asked: Question): Level {
  const set = statement.principals!;
  if (set.not && !statement.allow && asked.hasBoundary) return DIRECT;
  return principalLevel(set, asked.requester, asked.context);
}

function coversResource(statement: Statement, asked: Question): boolean {
  const { resources } = statement;
  if (!resources) return true;
  for (const pattern of resources.patterns) {
    if (pattern.void) continue;
    const compiled = pattern.constant ?? fillGlob(pattern.template, asked.context);
    if (compiled !== undefined && matchGlob(compiled, asked.resource)) return !resources.not;
  }
  return resources.not;
}

/** The first element of a statement that keeps it from applying. */
export interface Mismatch {
  readonly element: 'Action' | 'NotAction' | 'Principal' | 'NotPrincipal' | 'Resource' | 'NotResource' | 'Condition';
  readonly detail: string;
}

/** Why a statement doesn't apply; undefined when it does. */
export function mismatch(statement: Statement, asked: Question): Mismatch | undefined {
  if (!coversAction(statement, asked.action)) {
    const element = statement.actions.not ? 'NotAction' : 'Action';
    return { element, detail: `${asked.action} is ${statement.actions.not ? 'excluded by' : 'not among'} ${shown(statement.actions.written)}` };
  }
  if (statement.principals && namedLevel(statement, asked) === NONE) {
    const { not, written } = statement.principals;
    return { element: not ? 'NotPrincipal' : 'Principal', detail: `the caller is ${not ? 'excluded by' : 'not named by'} ${shown(written)}` };
  }
  if (!coversResource(statement, asked)) {
    const { not, written } = statement.resources!;
    return { element: not ? 'NotResource' : 'Resource', detail: `${asked.resource} is ${not ? 'excluded by' : 'not covered by'} ${shown(written)}` };
  }
  const failed = statement.conditions.find((condition) => !condition.holds(asked.context));
  return failed && { element: 'Condition', detail: describeCondition(failed, asked.context) };
}

function describeCondition(failed: Condition, context: Context): string {
  const actual = context.values(failed.key.toLowerCase());
  const value = actual === undefined ? 'absent' : shown(actual);
  return `${failed.operator} ${failed.key} ${shown(failed.values)} does not hold: the request's ${failed.key} is ${value}`;
}

function shown(values: readonly string[]): string {
  const few = values.slice(0, 4).map((value) => JSON.stringify(value));
  if (values.length > few.length) few.push(`and ${values.length - few.length} more`);
  return few.length === 1 ? few[0]! : `[${few.join(', ')}]`;
}
