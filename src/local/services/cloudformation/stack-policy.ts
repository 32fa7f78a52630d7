import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { isObject, type Json } from '../../cfn/json.js';
import { validationError } from '../../cfn/template/error.js';
import { findStack, storeOf } from './lookup.js';
import { readUrl } from './template-source.js';

/** Text of the stack policy a request carries, checked; undefined when it carries none. */
export async function policyText(input: { StackPolicyBody?: string | undefined; StackPolicyURL?: string | undefined }, context: RequestContext): Promise<string | undefined> {
  if (input.StackPolicyBody !== undefined && input.StackPolicyURL !== undefined) throw validationError('You cannot specify both StackPolicyURL and StackPolicyBody');
  const text = input.StackPolicyURL === undefined ? input.StackPolicyBody : await readUrl(input.StackPolicyURL, context);
  if (text === undefined) return undefined;
  if (!isValid(text)) throw validationError('Error validating stack policy: Invalid stack policy');
  return text;
}

export async function setStackPolicy(input: Cfn.SetStackPolicyInput, context: RequestContext): Promise<Record<string, never>> {
  const stack = findStack(context, input.StackName, 'brackets');
  const policy = await policyText(input, context);
  if (policy === undefined) throw validationError('One of StackPolicyBody or StackPolicyURL must be specified');
  storeOf(context).patchStack(stack.uuid, { policy });
  return {};
}

export function getStackPolicy(input: Cfn.GetStackPolicyInput, context: RequestContext): Cfn.GetStackPolicyOutput {
  const stack = findStack(context, input.StackName, 'brackets');
  return stack.policy === undefined ? {} : { StackPolicyBody: stack.policy };
}

/** Statements with effect, `Update:…` actions, the principal `*` and resources (recorded: cfn-stack-policies-*); `{}` says nothing. */
function isValid(text: string): boolean {
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch {
    return false;
  }
  if (!isObject(document)) return false;
  if (Object.keys(document).length === 0) return true;
  if (Object.keys(document).some((key) => key !== 'Statement' && key !== 'Version' && key !== 'Id')) return false;
  const statements = Array.isArray(document['Statement']) ? document['Statement'] : [document['Statement'] ?? null];
  return statements.every((statement) => {
    if (!isObject(statement)) return false;
    const actions = list(statement['Action'] ?? statement['NotAction']);
    return (
      (statement['Effect'] === 'Allow' || statement['Effect'] === 'Deny') && statement['Principal'] === '*' && actions.length > 0 &&
      actions.every((action) => typeof action === 'string' && /^(\*|Update:(\*|Modify|Replace|Delete))$/.test(action)) && (statement['Resource'] !== undefined || statement['NotResource'] !== undefined)
    );
  });
}

function list(value: Json | undefined): Json[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
