import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { validatePolicy } from '../../iam/index.js';
import type * as Sm from '../../models/types/secretsmanager.js';
import { saveSecret, secretArn, secretOf, unsupported } from './store.js';

export function putResourcePolicy(input: Sm.PutResourcePolicyRequest, context: RequestContext): Sm.PutResourcePolicyResponse {
  if (input.PolicyName !== undefined) throw unsupported('named resource policies (PolicyName)');
  const secret = secretOf(input.SecretId, context);
  const problem = policyProblem(input.ResourcePolicy);
  if (problem) throw malformed(problem);
  if (input.BlockPublicPolicy && isPublic(input.ResourcePolicy)) throw new AwsError('PublicPolicyException', "You can't attach a resource policy that allows broad access to the secret.", { status: 400 });
  const bound = context.runtime.principals.bind(input.ResourcePolicy);
  if ('invalid' in bound) throw malformed('This resource policy contains an unsupported principal.');
  saveSecret(context.state, { ...secret, policy: bound.document });
  return { ARN: secretArn(secret), Name: secret.name };
}

function policyProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return 'This resource policy contains invalid Json.';
  }
  const problem = validatePolicy(text, 'resource');
  return problem === undefined ? undefined : `This resource policy contains a syntax error. ${problem}`;
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** Everyone, without a condition. */
function isPublic(text: string): boolean {
  const { Statement: statements = [] } = JSON.parse(text) as { Statement?: Statement | Statement[] };
  return [statements].flat().some(({ Effect, Principal, Condition }) => Effect === 'Allow' && Condition === undefined && JSON.stringify(Principal ?? '').includes('"*"'));
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', message, { status: 400 });
}

export function getResourcePolicy(input: Sm.GetResourcePolicyRequest, context: RequestContext): Sm.GetResourcePolicyResponse {
  const secret = secretOf(input.SecretId, context);
  return { ARN: secretArn(secret), Name: secret.name, ...(secret.policy === undefined ? {} : { ResourcePolicy: context.runtime.principals.show(secret.policy) }) };
}

export function deleteResourcePolicy(input: Sm.DeleteResourcePolicyRequest, context: RequestContext): Sm.DeleteResourcePolicyResponse {
  const { policy: _, ...secret } = secretOf(input.SecretId, context);
  saveSecret(context.state, secret);
  return { ARN: secretArn(secret), Name: secret.name };
}

export function validateResourcePolicy(input: Sm.ValidateResourcePolicyRequest, context: RequestContext): Sm.ValidateResourcePolicyResponse {
  if (input.SecretId !== undefined) secretOf(input.SecretId, context);
  const problem = policyProblem(input.ResourcePolicy);
  if (problem) throw malformed(problem);
  if (isPublic(input.ResourcePolicy)) return { PolicyValidationPassed: false, ValidationErrors: [{ CheckName: 'PUBLIC_POLICY', ErrorMessage: 'Your resource policy allows broad access to your secret.' }] };
  return { PolicyValidationPassed: true, ValidationErrors: [] };
}
