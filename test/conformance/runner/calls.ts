import { STATUS_CODES } from 'node:http';
import type { Comparison, Difference } from './compare.js';
import { OutOfScope, type Clients, type SdkError } from './clients.js';
import { allEvents, condensed, deployStack, Ended, grouped, repeat, settledStack, waitFor } from './stacks.js';
import { at, pythonJson, resolve } from './values.js';
import type { Call, Recorded } from './vector.js';

export interface Context {
  readonly clients: Clients;
  readonly answers: Map<string, unknown>;
  readonly comparison: Comparison;
  readonly differences: Difference[];
  /** Comparisons wait until all answers are there: what a text is to be replaced by may come last. */
  readonly comparisons: (() => void)[];
  /** Day of the recording. */
  readonly recordedAt: string;
  readonly unwilling: (error: unknown) => string | undefined;
}

/** Makes one call of a vector and compares its answer. */
export async function makeCall(call: Call, context: Context): Promise<void> {
  let answer: unknown;
  try {
    answer = await perform(call, context);
  } catch (error) {
    if (error instanceof OutOfScope) throw error;
    const unwilling = context.unwilling(error);
    if (unwilling !== undefined) throw new OutOfScope(unwilling);
    if (call.fails !== true) {
      context.differences.push({ path: call.label, expected: 'success', actual: describe(error) });
      throw error instanceof Ended || (error as SdkError).$metadata || error instanceof TypeError ? new Stopped() : error;
    }
    context.answers.set(call.label, errorShape(error, call));
    context.comparisons.push(() => compareError(call, error, context));
    return;
  }
  context.answers.set(call.label, answer);
  if (call.fails === true) {
    context.differences.push({ path: call.label, expected: call.recorded?.error ?? 'failure', actual: 'success' });
    return;
  }
  for (const recorded of [call.recorded, ...(call.alsoRecorded ?? [])]) if (recorded) context.comparisons.push(() => compareAnswer(call, recorded, answer, context));
}

/** Makes all comparisons, in the order of the calls. */
export function compareAll({ comparison, comparisons, answers }: Context): void {
  comparison.setSubstitutions((value) => safely(() => resolve(value, answers)));
  for (const compare of comparisons) compare();
}

/** A call on which the rest of the vector depends went wrong; the difference is noted. */
export class Stopped extends Error {}

async function perform(call: Call, { clients, answers, recordedAt }: Context): Promise<unknown> {
  const params = { ...(resolve(call.params, answers) as Record<string, unknown>), ...eraParameters(call, recordedAt) };
  const { region, service = 'cloudformation' } = call;
  switch (call.operation) {
    case 'deploy-stack': {
      const { template, templateBody, ...rest } = params;
      return deployStack(clients, { ...rest, TemplateBody: templateBody ?? (template === undefined ? undefined : pythonJson(template)) }, region);
    }
    case 'delete-stack-and-wait': {
      await clients.call('cloudformation', 'DeleteStack', params, region);
      const stack = await settledStack(clients, String(params['StackName']), region);
      if (stack !== 'gone' && stack.StackStatus !== 'DELETE_COMPLETE') throw new Ended(`the stack is ${stack.StackStatus}: ${stack.StackStatusReason ?? ''}`);
      return {};
    }
    case 'wait':
      return waitFor(clients, service, String(params['for']), params, region);
    case 'collect-resource-events':
      return grouped(await allEvents(clients, String(params['StackName']), region), ['LogicalResourceId', 'PhysicalResourceId', 'ResourceStatus', 'ResourceType', 'Timestamp']);
    case 'collect-state-changes':
      return condensed(await allEvents(clients, String(params['StackName']), region)).map((event) => [event.LogicalResourceId, event.ResourceStatus]);
    case 'observe':
      return params['value'];
    case 'pause':
      return new Promise((done) => setTimeout(done, Math.min(Number(params['seconds'] ?? 1), 5) * 1000));
    default:
      return call.poll ? repeat(() => rested(call, params, clients)) : call.paginate ? paginate(call, params, clients) : read(await clients.call(service, call.operation, params, region));
  }
}

/** Defaults that AWS has changed since: what a request of that time meant is said outright today. */
function eraParameters(call: Call, recordedAt: string): Record<string, unknown> {
  // Buckets took ACLs before April 2023 (S3: "Default settings for new S3 buckets FAQ").
  if (call.service === 's3' && call.operation === 'CreateBucket' && call.params['ACL'] !== undefined && call.params['ObjectOwnership'] === undefined && recordedAt < '2023-04-05') return { ObjectOwnership: 'ObjectWriter' };
  return {};
}

/** Streams are read, so that their bytes can be compared. */
async function read(answer: Record<string, unknown>): Promise<Record<string, unknown>> {
  const body = answer['Body'] as { transformToByteArray?: () => Promise<Uint8Array> } | undefined;
  if (typeof body?.transformToByteArray !== 'function') return answer;
  const bytes = await body.transformToByteArray();
  const text = Buffer.from(bytes).toString('utf8');
  return { ...answer, Body: Buffer.from(text).equals(Buffer.from(bytes)) ? text : bytes };
}

/** The cloud says that it won't: repeating the call changes nothing. */
function isUnwilling(error: unknown): boolean {
  return (error as SdkError).$metadata?.httpStatusCode === 501;
}

async function rested(call: Call, params: Record<string, unknown>, clients: Clients): Promise<unknown> {
  try {
    const answer = await clients.call(call.service!, call.operation, params, call.region);
    return /"[^"]*(_IN_PROGRESS|PENDING|Pending|creating)"/.test(JSON.stringify(answer).replaceAll('REVIEW_IN_PROGRESS', '')) ? undefined : answer;
  } catch (error) {
    if (call.fails || error instanceof OutOfScope || isUnwilling(error)) throw error;
    return undefined;
  }
}

async function paginate(call: Call, params: Record<string, unknown>, clients: Clients): Promise<unknown> {
  let all: Record<string, unknown> = {};
  let token: unknown;
  do {
    const page = await clients.call(call.service!, call.operation, { ...params, ...(token === undefined ? {} : { NextToken: token }) }, call.region);
    token = page['NextToken'];
    delete page['NextToken'];
    all = Object.fromEntries([...new Set([...Object.keys(all), ...Object.keys(page)])].map((key) => [key, Array.isArray(page[key]) ? [...((all[key] as unknown[]) ?? []), ...(page[key] as unknown[])] : (page[key] ?? all[key])]));
  } while (token !== undefined);
  return all;
}

function compareAnswer(call: Call, recorded: Recorded, answer: unknown, { comparison, differences, answers }: Context): void {
  if (recorded.error) return void differences.push({ path: call.label, expected: recorded.error, actual: 'success' });
  const options = { ...(recorded.unordered ? { unordered: recorded.unordered } : {}), ...(recorded.notRecorded ? { notRecorded: recorded.notRecorded } : {}) };
  if ('response' in recorded) differences.push(...comparison.compare(recorded.response, answer, call.label, options));
  else if ('value' in recorded) differences.push(...comparison.compare(recorded.value, derive(recorded, answer, answers), `${call.label}${recorded.path ? `:${recorded.path}` : ''}`, options));
}

/** Values that the recording picked from the answer as `derived` says. */
function derive(recorded: Recorded, answer: unknown, answers: ReadonlyMap<string, unknown>): unknown {
  const value = recorded.path === undefined ? answer : at(answer, recorded.path);
  const { derived } = recorded;
  if (derived === undefined || !Array.isArray(value)) return value;
  const list = value as Record<string, string>[];
  const stacks = new Set([...answers.values()].map((other) => (other as { StackId?: string } | undefined)?.StackId));
  if (derived.startsWith('only events of the resources')) {
    const names = /resources (.*?) whose/.exec(derived)![1]!.split(/, | and /);
    return list.filter((event) => names.includes(event['LogicalResourceId']!) && event['ResourceStatus']!.endsWith('_COMPLETE')).reverse();
  }
  if (/sorted by StackName/.test(derived)) return list.filter((stack) => stacks.has(stack['StackId'])).sort((a, b) => (a['StackName']! < b['StackName']! ? -1 : 1));
  if (/only exports of the stack/.test(derived)) return list.filter((entry) => stacks.has(entry['ExportingStackId'])).sort((a, b) => (a['Name']! < b['Name']! ? -1 : 1));
  return value;
}

function compareError(call: Call, error: unknown, { comparison, differences }: Context): void {
  const { recorded } = call;
  if (!recorded) return;
  if (!recorded.error) return void differences.push({ path: call.label, expected: recorded.response ?? recorded.value, actual: describe(error) });
  if (error instanceof Ended) return void differences.push({ path: call.label, expected: recorded.error, actual: error.message });
  const shape = errorShape(error, call);
  const wanted = recorded.error;
  const actual = Object.fromEntries(Object.keys(wanted).map((key) => [key, shape[key]]));
  differences.push(...comparison.compare(wanted, actual, `${call.label}.error`));
  for (const [key, value] of Object.entries(recorded.errorFields ?? {})) differences.push(...comparison.compare(value, shape[key], `${call.label}.error.${key}`));
  const status = (error as SdkError).$metadata?.httpStatusCode;
  if (recorded.httpStatus !== undefined && status !== undefined && status !== recorded.httpStatus) differences.push({ path: `${call.label}.httpStatus`, expected: recorded.httpStatus, actual: status });
}

/** Members of an SDK error under the names boto3 gives them. */
function errorShape(error: unknown, call: Call): Record<string, unknown> {
  const given = error as SdkError & Record<string, unknown>;
  const status = given.$metadata?.httpStatusCode;
  // The answer to HEAD has no body: all that boto3 knows is the status line.
  if (call.operation.startsWith('Head') && status !== undefined) return { ...given, Code: String(status), Message: STATUS_CODES[status] ?? '', message: given.message };
  const nested = (given['Error'] ?? {}) as Record<string, unknown>;
  const message = given.message === 'UnknownError' ? '' : given.message;
  return { ...nested, ...given, Code: nested['Code'] ?? given.Code ?? given.name, Message: message, Type: nested['Type'] ?? given['Type'], message };
}

function describe(error: unknown): string {
  const given = error as SdkError;
  return `${given.Code ?? given.name}: ${given.message}`;
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
