import type { Json } from '../json.js';
import type { Template } from '../template/model.js';
import type { UNKNOWN } from './value.js';

/**
 * What a template is evaluated against. The evaluator is pure: everything it may ask for is in here, looked up beforehand. Functions
 * that don't know an answer yet give `UNKNOWN` (validation) or `KNOWN_AFTER_APPLY` (change sets).
 */
export interface Scope {
  readonly template: Template;
  readonly stack: StackIdentity;
  /** Values of the parameters, lists as lists; unknown are those that a parent's resources will give. */
  readonly parameters: ParameterTable;
  /** Whether the resource exists in this stack (its condition holds). */
  active(logicalId: string): boolean;
  condition(name: string): boolean;
  reference(logicalId: string): Json | typeof UNKNOWN;
  attribute(logicalId: string, name: string): Json | typeof UNKNOWN;
  /** Value of an export of this account and region. Raises when there is none. */
  exported(name: string): Json | typeof UNKNOWN;
  /** Output of another stack, possibly in another region or account (Fn::GetStackOutput). */
  stackOutput(request: StackOutputRequest): Json | typeof UNKNOWN;
  availabilityZones(region: string): readonly string[] | typeof UNKNOWN;
}

export type ParameterTable = Readonly<Record<string, string | readonly string[] | typeof UNKNOWN>>;

export interface StackIdentity {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** The stack's ARN. */
  readonly id: string;
  readonly notificationArns: readonly string[];
}

export interface StackOutputRequest {
  readonly stackName: string;
  readonly region: string;
  readonly outputName: string;
  readonly roleArn: string | undefined;
}

export function stackOutputKey(request: StackOutputRequest): string {
  return [request.roleArn ?? '', request.region, request.stackName, request.outputName].join('\n');
}
