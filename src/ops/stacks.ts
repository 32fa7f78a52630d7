import { CloudFormationClient, DescribeStackEventsCommand, DescribeStacksCommand, type Stack, type StackEvent } from '@aws-sdk/client-cloudformation';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pair } from './fleet/fleet.js';
import { clientOf, type Target } from './target.js';
import { unlessAbsent } from './aws/absent.js';

export interface StackRef extends Pair {
  /** Name or ARN; after a deletion only the ARN finds it. */
  readonly stackName: string;
}

/** The stack, or undefined where there is none. */
export async function describeStack(target: Target, { account, region, stackName }: StackRef): Promise<Stack | undefined> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  return (await unlessAbsent(client.send(new DescribeStacksCommand({ StackName: stackName }))))?.Stacks?.[0];
}

/** First and longest pause between two looks; the local cloud answers when something is to be told. */
const PAUSE = { LOCAL: { first: 40, longest: 250 }, AWS: { first: 1000, longest: 5000 } } as const;

/** Looks until `look` answers, with pauses that grow. */
export async function until<T>(target: Target, look: () => Promise<T | undefined>, signal?: AbortSignal): Promise<T> {
  const { first, longest } = PAUSE[target.kind];
  for (let pause: number = first; ; pause = Math.min(longest, pause * 1.5)) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(pause, undefined, signal ? { signal } : {});
  }
}

/** Waits for the end of what a stack is doing; answers how it ended, with `DELETE_COMPLETE` where it is gone. */
export function stackEnd(target: Target, stack: StackRef, signal?: AbortSignal): Promise<string> {
  return until(
    target,
    async () => {
      const status = (await describeStack(target, stack))?.StackStatus ?? 'DELETE_COMPLETE';
      return /_IN_PROGRESS$/.test(status) && status !== 'REVIEW_IN_PROGRESS' ? undefined : status;
    },
    signal,
  );
}

/** What CloudFormation says of each resource that failed in the latest operation of a stack. */
export async function failedResources(target: Target, { account, region, stackName }: StackRef): Promise<string[]> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const events = (await client.send(new DescribeStackEventsCommand({ StackName: stackName })).catch(() => undefined))?.StackEvents ?? [];
  return latestOperation(events)
    .filter(({ ResourceStatus, ResourceStatusReason }) => /_FAILED$/.test(ResourceStatus ?? '') && !/cancelled/.test(ResourceStatusReason ?? ''))
    .reverse()
    .map(({ LogicalResourceId, ResourceType, ResourceStatusReason }) => `${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason}`);
}

/** Events, newest first, back to the one that began the operation. */
function latestOperation(events: readonly StackEvent[]): readonly StackEvent[] {
  const begin = events.findIndex(({ ResourceType, ResourceStatus }) => ResourceType === 'AWS::CloudFormation::Stack' && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(ResourceStatus ?? ''));
  return events.slice(0, begin < 0 ? undefined : begin + 1);
}
