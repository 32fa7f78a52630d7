import { randomUUID } from 'node:crypto';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { enqueue } from './asynchronous.js';
import { poolOf } from './pool.js';
import { program } from './runtimes.js';
import { functionArn, resolve } from './store.js';

/** Lambda quotas: "Invocation payload (request and response)". */
const MAX_SYNCHRONOUS = 6_291_456;
const MAX_ASYNCHRONOUS = 1_048_576;

export async function invoke(input: Lambda.InvocationRequest, context: RequestContext): Promise<Lambda.InvocationResponse> {
  const target = resolve(context, input.FunctionName, input.Qualifier);
  const payload = input.Payload && input.Payload.byteLength > 0 ? input.Payload : Buffer.from('{}');
  const limit = input.InvocationType === 'Event' ? MAX_ASYNCHRONOUS : MAX_SYNCHRONOUS;
  if (payload.byteLength > limit)
    throw new AwsError('RequestEntityTooLargeException', `${payload.byteLength} byte payload is too large for the ${input.InvocationType ?? 'RequestResponse'} invocation type (limit ${limit} bytes)`, { status: 413 });
  checkJson(payload);
  if (input.InvocationType === 'DryRun') return { StatusCode: 204 };
  if (input.InvocationType === 'Event') {
    await program(target.version);
    enqueue(context.runtime, { requestId: context.requestId, account: target.at.account, region: target.at.region, name: target.at.name, ...(target.at.qualifier ? { qualifier: target.at.qualifier } : {}), payload: Buffer.from(payload) });
    return { StatusCode: 202, Payload: new Uint8Array() };
  }
  const outcome = await poolOf(context.runtime).invoke(target, { requestId: context.requestId, payload, arn: target.arn, ...(input.ClientContext ? { clientContext: Buffer.from(input.ClientContext, 'base64').toString('utf8') } : {}) });
  return {
    StatusCode: 200,
    ExecutedVersion: target.version.version,
    Payload: outcome.payload,
    ...(outcome.error ? { FunctionError: outcome.error } : {}),
    ...(input.LogType === 'Tail' ? { LogResult: Buffer.from(outcome.tail).toString('base64') } : {}),
  };
}

function checkJson(payload: Uint8Array): void {
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
  } catch (error) {
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${error instanceof Error ? error.message : String(error)}`, { status: 400, fields: { Type: 'User' } });
  }
}

export interface DirectOutcome {
  readonly payload: Uint8Array;
  readonly error?: 'Unhandled';
  readonly requestId: string;
}

/** Invokes a function for Lambda's own pollers and URLs, whose rights were checked when they were set up. */
export async function invokeDirectly(runtime: Runtime, at: { account: string; region: string; name: string; qualifier?: string | undefined }, event: unknown): Promise<DirectOutcome> {
  const target = resolve({ state: runtime.state, account: at.account, region: at.region }, functionArn(at, at.qualifier));
  const requestId = randomUUID();
  try {
    const outcome = await poolOf(runtime).invoke(target, { requestId, payload: Buffer.from(JSON.stringify(event)), arn: target.arn });
    return { payload: outcome.payload, ...(outcome.error ? { error: outcome.error } : {}), requestId };
  } catch (error) {
    if (isAwsError(error)) return { payload: Buffer.from(JSON.stringify({ errorType: error.code, errorMessage: error.message })), error: 'Unhandled', requestId };
    throw error;
  }
}
