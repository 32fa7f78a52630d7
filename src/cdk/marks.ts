import { Tags, type Stack } from 'aws-cdk-lib';
import type { Fleet } from '../fleet/index.js';

/** Says on every stack which fleet it belongs to, so that what is no longer declared can be found. */
const FLEET_TAG = 'flotilla:fleet';

/** The fleet's name and the tags of the file on a stack. CloudFormation hands them to its resources; the template stays as it was. */
export function markStack(stack: Stack, fleet: Fleet, tags: Readonly<Record<string, string>> = {}): void {
  for (const [key, value] of Object.entries({ ...fleet.tags, ...tags, [FLEET_TAG]: fleet.name })) Tags.of(stack).add(key, value, { includeResourceTypes: ['aws:cdk:stack'] });
}
