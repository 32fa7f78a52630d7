import { randomUUID } from 'node:crypto';
import { table } from '../../state/state.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { resourceSchema } from '../../models/resources.js';
import { isObject, sameValue, type Json, type JsonObject } from '../../cfn/json.js';
import { differences } from '../../cfn/plan/difference.js';
import { providerOf } from '../../cfn/resources/index.js';
import { coerceProperties } from '../../cfn/resources/schema.js';
import type { ResourceRecord, StackRecord } from '../../cfn/store/records.js';
import { validationError } from '../../cfn/template/error.js';
import { findStack, storeOf } from './lookup.js';
import { observer } from './observer.js';

interface Detection {
  readonly id: string;
  readonly stackId: string;
  readonly status: 'DETECTION_COMPLETE' | 'DETECTION_FAILED';
  readonly driftStatus: StackRecord['driftStatus'];
  readonly count: number;
  readonly at: Date;
}

const detections = table<Detection>('cloudformation', 'drift-detections');

/** Compares what the stack declares with what its providers read. Types that can't be read stay NOT_CHECKED. */
export async function detectStackDrift(input: Cfn.DetectStackDriftInput, context: RequestContext): Promise<Cfn.DetectStackDriftOutput> {
  const stack = findStack(context, input.StackName, 'brackets');
  requireChecked(stack);
  const wanted = new Set(input.LogicalResourceIds ?? []);
  const store = storeOf(context);
  const resources = store.resources(stack.uuid).filter((resource) => wanted.size === 0 || wanted.has(resource.logicalId));
  let drifted = 0;
  let checked = 0;
  for (const resource of resources) {
    const drift = await driftOf(stack, resource, context);
    if (!drift) continue;
    checked++;
    if (drift.status !== 'IN_SYNC') drifted++;
    store.putResource(stack.uuid, { ...resource, drift });
  }
  const driftStatus = drifted > 0 ? 'DRIFTED' : checked > 0 ? 'IN_SYNC' : 'NOT_CHECKED';
  const detection: Detection = { id: randomUUID(), stackId: stack.id, status: 'DETECTION_COMPLETE', driftStatus, count: drifted, at: context.now() };
  store.patchStack(stack.uuid, { driftStatus, driftCheckedAt: context.now() });
  detections(context.state, context.account, context.region).put(detection.id, detection);
  return { StackDriftDetectionId: detection.id };
}

function requireChecked(stack: StackRecord): void {
  if (stack.status.endsWith('_IN_PROGRESS') || stack.status === 'DELETE_COMPLETE') throw validationError(`Drift detection cannot be performed on stack [${stack.id}] while stack is in state [${stack.status}]`);
}

async function driftOf(stack: StackRecord, resource: ResourceRecord, context: RequestContext): Promise<ResourceRecord['drift']> {
  const provider = providerOf(resource.type);
  if (!provider.read) return undefined;
  const actual = await provider.read(resource.physicalId, (await observer(stack, context))(resource));
  if (actual === undefined) return { status: 'DELETED', at: context.now(), differences: [], actual: undefined };
  const expected = comparable(resource.type, resource.properties);
  // Only what the template says is compared: defaults that the service filled in are no drift.
  const seen = Object.fromEntries(Object.keys(expected).filter((name) => actual[name] !== undefined).map((name) => [name, actual[name]!]));
  const found = differences(expected, { ...expected, ...coerceProperties(resource.type, seen) }, ['']).filter((difference) => !sameMeaning(difference.before, difference.after));
  return {
    status: found.length > 0 ? 'MODIFIED' : 'IN_SYNC', at: context.now(), actual: { ...expected, ...seen },
    differences: found.map(({ path, before, after }) => ({
      PropertyPath: path.join('/'), ExpectedValue: text(before), ActualValue: text(after), DifferenceType: before === undefined ? 'ADD' : after === undefined ? 'REMOVE' : 'NOT_EQUAL',
    })),
  };
}

/** Equal, or two spellings of the same policy: a document as text, a list of one, an account by its number or the ARN of its root. */
function sameMeaning(expected: Json | undefined, actual: Json | undefined): boolean {
  return sameValue(spelledOut(expected), spelledOut(actual));
}

function spelledOut(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.length === 1 ? spelledOut(value[0]) : value.map((item) => spelledOut(item)!);
  if (isObject(value ?? null)) return Object.fromEntries(Object.entries(value as JsonObject).map(([name, member]) => [name, spelledOut(member)!]));
  if (typeof value !== 'string') return value;
  if (value.trimStart().startsWith('{')) {
    try {
      return spelledOut(JSON.parse(value) as Json);
    } catch {
      return value;
    }
  }
  return /^arn:aws:iam::(\d{12}):root$/.exec(value)?.[1] ?? value;
}

/** Properties the service would answer: those that are only written are left out. */
function comparable(type: string, properties: JsonObject): JsonObject {
  const hidden = new Set((resourceSchema(type)?.writeOnlyProperties ?? []).map((pointer) => pointer.split('/')[2]));
  return coerceProperties(type, Object.fromEntries(Object.entries(properties).filter(([name, value]) => !hidden.has(name) && !JSON.stringify(value).includes('{{resolve:'))));
}

function text(value: Json | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

export async function detectStackResourceDrift(input: Cfn.DetectStackResourceDriftInput, context: RequestContext): Promise<Cfn.DetectStackResourceDriftOutput> {
  const stack = findStack(context, input.StackName, 'brackets');
  requireChecked(stack);
  const store = storeOf(context);
  const resource = store.resource(stack.uuid, input.LogicalResourceId);
  if (!resource) throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
  const drift = await driftOf(stack, resource, context);
  if (!drift) throw validationError(`Drift detection is not supported for resource type ${resource.type}`);
  const next = { ...resource, drift };
  store.putResource(stack.uuid, next);
  return { StackResourceDrift: driftShape(stack, next) };
}

export function describeStackDriftDetectionStatus(input: Cfn.DescribeStackDriftDetectionStatusInput, context: RequestContext): Cfn.DescribeStackDriftDetectionStatusOutput {
  const detection = detections(context.state, context.account, context.region).get(input.StackDriftDetectionId);
  if (!detection) throw validationError(`Drift detection ${input.StackDriftDetectionId} does not exist`);
  return { StackId: detection.stackId, StackDriftDetectionId: detection.id, StackDriftStatus: detection.driftStatus, DetectionStatus: detection.status, DriftedStackResourceCount: detection.count, Timestamp: detection.at };
}

export function describeStackResourceDrifts(input: Cfn.DescribeStackResourceDriftsInput, context: RequestContext): Cfn.DescribeStackResourceDriftsOutput {
  const stack = findStack(context, input.StackName, 'brackets');
  const wanted = new Set<string>(input.StackResourceDriftStatusFilters ?? []);
  const resources = storeOf(context).resources(stack.uuid).filter((resource) => resource.drift !== undefined && (wanted.size === 0 || wanted.has(resource.drift.status)));
  return { StackResourceDrifts: resources.map((resource) => driftShape(stack, resource)) };
}

function driftShape(stack: StackRecord, resource: ResourceRecord): Cfn.StackResourceDrift {
  const drift = resource.drift!;
  return {
    StackId: stack.id, LogicalResourceId: resource.logicalId, PhysicalResourceId: resource.physicalId, ResourceType: resource.type, ExpectedProperties: JSON.stringify(resource.properties),
    ...(drift.actual === undefined ? {} : { ActualProperties: JSON.stringify(drift.actual) }),
    PropertyDifferences: drift.differences as unknown as Cfn.PropertyDifference[], StackResourceDriftStatus: drift.status as Cfn.StackResourceDriftStatus, Timestamp: drift.at,
  };
}
