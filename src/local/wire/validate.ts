import { unreachable } from '../../shared/errors.js';
import { AwsError } from '../kernel/error.js';
import type { Member, ServiceModel, Shape } from '../models/model.js';
import { matchesPattern } from './patterns.js';
import type { Structure } from './types.js';
import { violationError, type Violation } from './violations.js';

/**
 * Holds an input against its model: required members, types, lengths, ranges, patterns, enumerations. Raises the service's own error
 * with AWS's sentence, which names every violation.
 */
export function validateInput(model: ServiceModel, operationName: string, input: Structure): void {
  const shape = model.operation(operationName)?.input;
  if (!shape) return;
  const violations: Violation[] = [];
  structure(shape, input, '', { model, violations, top: undefined }, `${model.name}:${operationName}`);
  if (violations.length > 0) throw violationError(model, violations);
}

interface Checking {
  readonly model: ServiceModel;
  readonly violations: Violation[];
  /** The member of the input everything now looked at lies in. */
  top: Member | undefined;
}

/** `RoleName` is reported as `roleName`. */
const lowerCamel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function structure(shape: Shape, value: Structure, path: string, checking: Checking, where: string): void {
  for (const key of Object.keys(value)) if (!shape.members.has(key) && value[key] !== undefined) unreachable(`${where} was called with '${key}', which its model doesn't have`);
  for (const member of shape.members.values()) {
    if (path === '') checking.top = member;
    const item = Object.hasOwn(value, member.name) ? value[member.name] : undefined;
    const at = path === '' ? lowerCamel(member.name) : `${path}.${lowerCamel(member.name)}`;
    if (item === undefined || item === null) {
      if (shape.required.includes(member.name)) report(checking, member, at, undefined, 'null', 'Member must not be null');
    } else checkMember(member, item, at, checking, where);
  }
}

function report(checking: Checking, member: Member, path: string, value: unknown, kind: Violation['kind'], sentence: string): void {
  checking.violations.push({ path, member, top: checking.top ?? member, value, kind, sentence });
}

function checkMember(member: Member, value: unknown, path: string, checking: Checking, where: string): void {
  const { shape } = member;
  if (shape.document || member.streaming || shape.streaming) return;
  checkType(shape, value, path);
  for (const [kind, sentence] of broken(shape, value)) report(checking, member, path, value, kind, sentence);
  if (shape.type === 'structure') structure(shape, value as Structure, path, checking, where);
  else if (shape.type === 'list') checkList(member, value as unknown[], path, checking, where);
  else if (shape.type === 'map') checkMap(member, value as Structure, path, checking, where);
}

/** Scalars in a list are reported on the list, with all that is asked of its items; structures by their place. */
function checkList(member: Member, value: readonly unknown[], path: string, checking: Checking, where: string): void {
  const item = member.shape.member!;
  if (isScalar(item.shape)) {
    const bad = value.some((one) => one === null || one === undefined || (checkType(item.shape, one, path), broken(item.shape, one).length > 0));
    if (bad) report(checking, member, path, value, 'items', `Member must satisfy constraint: [${constraints(checking.model, item.shape)}]`);
    return;
  }
  value.forEach((one, index) => {
    const at = `${path}.${index + 1}.member`;
    if (one === null || one === undefined) report(checking, item, at, undefined, 'null', 'Member must not be null');
    else checkMember(item, one, at, checking, where);
  });
}

function checkMap(member: Member, value: Structure, path: string, checking: Checking, where: string): void {
  const { key, value: content } = member.shape;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.some(([name]) => broken(key!.shape, name).length > 0)) report(checking, member, path, value, 'items', `Map keys must satisfy constraint: [${constraints(checking.model, key!.shape)}]`);
  if (!isScalar(content!.shape)) {
    for (const [name, item] of entries) checkMember(content!, item, `${path}.${name}.member`, checking, where);
  } else if (entries.some(([, item]) => (checkType(content!.shape, item, path), broken(content!.shape, item).length > 0))) {
    report(checking, member, path, value, 'items', `Map value must satisfy constraint: [${constraints(checking.model, content!.shape)}]`);
  }
}

const isScalar = (shape: Shape): boolean => shape.type !== 'structure' && shape.type !== 'list' && shape.type !== 'map';

/** What the value breaks, in AWS's words. */
function broken(shape: Shape, value: unknown): [Violation['kind'], string][] {
  const result: [Violation['kind'], string][] = [];
  const size = measure(shape, value);
  if (size !== undefined) {
    const noun = NUMBERS.has(shape.type) ? 'value' : 'length';
    if (shape.max !== undefined && size > shape.max) result.push(['size', `Member must have ${noun} less than or equal to ${shape.max}`]);
    if (shape.min !== undefined && size < shape.min) result.push(['size', `Member must have ${noun} greater than or equal to ${shape.min}`]);
  }
  if (typeof value !== 'string' || shape.type !== 'string') return result;
  if (shape.pattern !== undefined && !matchesPattern(shape.pattern, value)) result.push(['pattern', `Member must satisfy regular expression pattern: ${shape.pattern}`]);
  if (shape.enum && !shape.enum.includes(value) && !takesBeyondModel(shape, value)) result.push(['enum', `Member must satisfy enum value set: [${shape.enum.join(', ')}]`]);
  return result;
}

/** Values that a service takes though its model doesn't list them. */
function takesBeyondModel(shape: Shape, value: string): boolean {
  // Which location a bucket may have depends on where the request went: CreateBucket says it in words of its own.
  if (shape.name === 'BucketLocationConstraint') return true;
  // S3 user guide, "Canned ACL": buckets have this one as well; CloudFormation's LogDeliveryWrite is it.
  return shape.name === 'BucketCannedACL' && value === 'log-delivery-write';
}

/** All that is asked of a scalar, as AWS lists it for items of lists and maps. */
function constraints(model: ServiceModel, shape: Shape): string {
  const noun = NUMBERS.has(shape.type) ? 'value' : 'length';
  const list = [
    ...(shape.max === undefined ? [] : [`Member must have ${noun} less than or equal to ${shape.max}`]),
    ...(shape.min === undefined ? [] : [`Member must have ${noun} greater than or equal to ${shape.min}`]),
    ...(shape.pattern === undefined ? [] : [`Member must satisfy regular expression pattern: ${shape.pattern}`]),
    ...(shape.enum ? [`Member must satisfy enum value set: [${shape.enum.join(', ')}]`] : []),
  ];
  // Recorded of Lambda; other services name it only where nothing else is asked.
  return [...list, ...(model.name === 'lambda' || list.length === 0 ? ['Member must not be null'] : [])].join(', ');
}

const NUMBERS: ReadonlySet<string> = new Set(['integer', 'long', 'float', 'double']);

function measure(shape: Shape, value: unknown): number | undefined {
  if (shape.min === undefined && shape.max === undefined) return undefined;
  if (typeof value === 'number') return value;
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  return shape.type === 'map' ? Object.keys(value as Structure).length : undefined;
}

/** Values that came over the wire have their types already; a caller inside the process may be wrong as any client. */
function checkType(shape: Shape, value: unknown, path: string): void {
  if (TYPE_CHECKS[shape.type](value)) return;
  const found = typeof value === 'string' ? 'STRING_VALUE' : typeof value === 'number' ? 'NUMBER_VALUE' : typeof value === 'boolean' ? `${String(value).toUpperCase()}_VALUE` : Array.isArray(value) ? 'LIST_VALUE' : 'STRUCTURE_VALUE';
  throw new AwsError('SerializationException', `${found} at '${path}' can not be converted to ${/^[aeiou]/.test(shape.type) ? 'an' : 'a'} ${shape.type.charAt(0).toUpperCase()}${shape.type.slice(1)}`, { status: 400 });
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const TYPE_CHECKS: Readonly<Record<Shape['type'], (value: unknown) => boolean>> = {
  structure: isObject,
  map: isObject,
  list: Array.isArray,
  string: (value) => typeof value === 'string',
  character: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'number',
  long: (value) => typeof value === 'number',
  float: (value) => typeof value === 'number',
  double: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  timestamp: (value) => value instanceof Date,
  blob: (value) => value instanceof Uint8Array || typeof value === 'string' || isObject(value),
};
