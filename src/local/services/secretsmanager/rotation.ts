import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import { parseArn } from '../../kernel/arn.js';
import type { Client, RequestContext } from '../../kernel/service.js';
import type * as Sm from '../../models/types/secretsmanager.js';
import { findSecret, invalidRequest, notFound, saveSecret, secretArn, secretOf, unsupported, type Secret } from './store.js';
import { beginVersion } from './values.js';

/** The four calls of a rotation function (user guide, "Lambda rotation functions"). */
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

/**
 * Sets up rotation and, unless told otherwise, rotates at once: the function is called step by step while the answer is already given. The
 * local cloud rotates when asked; the schedule is kept and shown, nothing waits for its days to pass.
 */
export async function rotateSecret(input: Sm.RotateSecretRequest, context: RequestContext): Promise<Sm.RotateSecretResponse> {
  if (input.ExternalSecretRotationRoleArn !== undefined || input.ExternalSecretRotationMetadata !== undefined) throw unsupported('the rotation of managed external secrets');
  const secret = secretOf(input.SecretId, context);
  const lambda = input.RotationLambdaARN ?? secret.rotation?.lambda;
  if (lambda === undefined) throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
  const rotation = { enabled: true, lambda, rules: input.RotationRules ?? secret.rotation?.rules, last: secret.rotation?.last };
  const client = context.asService({ service: 'secretsmanager.amazonaws.com', sourceArn: secretArn(secret), sourceAccount: secret.account, region: parseArn(lambda)?.region ?? context.region });
  await checkFunction(client, lambda);
  saveSecret(context.state, { ...secret, rotation, changed: context.now() });
  const names = { ARN: secretArn(secret), Name: secret.name };
  if (input.RotateImmediately === false) return names;
  const id = input.ClientRequestToken ?? randomUUID();
  beginVersion({ ...secret, rotation }, id, 'AWSPENDING', context);
  void rotate(secret, lambda, id, client, context);
  return { ...names, VersionId: id };
}

async function checkFunction(client: Client, lambda: string): Promise<void> {
  try {
    await client.call('lambda', 'Invoke', { FunctionName: lambda, InvocationType: 'DryRun' });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === 'ResourceNotFoundException') throw notFound(`Secrets Manager can't find the specified Lambda function: ${lambda}`);
    throw new AwsError('AccessDeniedException', `Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com. (${error.message})`, { status: 400 });
  }
}

async function rotate(secret: Secret, lambda: string, ClientRequestToken: string, client: Client, context: RequestContext): Promise<void> {
  try {
    for (const Step of STEPS) {
      const answer = await client.call<{ FunctionError?: string }>('lambda', 'Invoke', { FunctionName: lambda, InvocationType: 'RequestResponse', Payload: Buffer.from(JSON.stringify({ Step, SecretId: secretArn(secret), ClientRequestToken })) });
      if (answer.FunctionError !== undefined) return context.runtime.log(`secretsmanager: the rotation of ${secretArn(secret)} failed in ${Step}`);
    }
    const after = findSecret(secretArn(secret), context);
    if (after?.rotation) saveSecret(context.state, { ...after, rotation: { ...after.rotation, last: context.now() } });
  } catch (error) {
    context.runtime.log(`secretsmanager: the rotation of ${secretArn(secret)} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function cancelRotateSecret(input: Sm.CancelRotateSecretRequest, context: RequestContext): Sm.CancelRotateSecretResponse {
  const secret = secretOf(input.SecretId, context);
  if (secret.rotation) saveSecret(context.state, { ...secret, rotation: { ...secret.rotation, enabled: false } });
  return { ARN: secretArn(secret), Name: secret.name };
}
