import { OutOfScope, type Clients, type SdkError } from './clients.js';

/** A wait or a deployment that ended otherwise than it should. */
export class Ended extends Error {
  constructor(message: string, readonly stackId?: string) {
    super(message);
  }
}

const LONGEST_WAIT_MS = 60_000;

export async function repeat<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + LONGEST_WAIT_MS;
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 100)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Ended('nothing happened for a minute');
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

interface StackAnswer {
  readonly StackId: string;
  readonly StackStatus: string;
  readonly StackStatusReason?: string;
  readonly Outputs?: readonly { readonly OutputKey: string; readonly OutputValue: string }[];
}

async function stackOf(clients: Clients, name: string, region?: string): Promise<StackAnswer | undefined> {
  try {
    const { Stacks } = (await clients.call('cloudformation', 'DescribeStacks', { StackName: name }, region)) as { Stacks?: StackAnswer[] };
    return Stacks?.[0];
  } catch (error) {
    if (/does not exist/.test((error as SdkError).message)) return undefined;
    throw error;
  }
}

/** Rests until no operation is under way; answers the stack, or undefined when it is gone. */
export function settledStack(clients: Clients, name: string, region?: string): Promise<StackAnswer | 'gone'> {
  return repeat(async () => {
    const stack = await stackOf(clients, name, region);
    if (!stack) return 'gone' as const;
    return stack.StackStatus.endsWith('_IN_PROGRESS') && stack.StackStatus !== 'REVIEW_IN_PROGRESS' ? undefined : stack;
  });
}

/** The waiters of the SDKs that the vectors name. */
export async function waitFor(clients: Clients, service: string, what: string, params: Record<string, unknown>, region?: string): Promise<void> {
  if (what === 'change_set_create_complete' || what === 'change_set_create_failed') {
    const status = await changeSetStatus(clients, params, 'Status', region);
    const good = what === 'change_set_create_complete' ? 'CREATE_COMPLETE' : 'FAILED';
    if (status !== good) throw new Ended(`the change set is ${status}`);
    return;
  }
  if (what === 'change_set_execute_complete') {
    const status = await changeSetStatus(clients, params, 'ExecutionStatus', region);
    if (status !== 'EXECUTE_COMPLETE') throw new Ended(`the change set is ${status}`);
    return;
  }
  const goal = /^stack_(create|update|delete)_complete$/.exec(what)?.[1];
  if (service !== 'cloudformation' || goal === undefined) {
    if (service !== 'cloudformation') return;
    throw new OutOfScope(`waiter ${what}`);
  }
  const stack = await settledStack(clients, String(params['StackName']), region);
  const status = stack === 'gone' ? 'DELETE_COMPLETE' : stack.StackStatus;
  if (status !== `${goal.toUpperCase()}_COMPLETE`) throw new Ended(`the stack is ${status}: ${stack === 'gone' ? '' : `${stack.StackStatusReason ?? ''} ${await failures(clients, stack.StackId, region)}`}`);
}

async function changeSetStatus(clients: Clients, params: Record<string, unknown>, member: 'Status' | 'ExecutionStatus', region?: string): Promise<string> {
  return repeat(async () => {
    const answer = await clients.call('cloudformation', 'DescribeChangeSet', { ChangeSetName: params['ChangeSetName'], StackName: params['StackName'] }, region);
    const status = String(answer[member]);
    return status.endsWith('_IN_PROGRESS') || status === 'CREATE_PENDING' ? undefined : status;
  });
}

export interface Deployed {
  readonly StackId: string;
  readonly ChangeSetId: string;
  readonly Outputs: Record<string, string>;
}

/** `deploy-stack`: a change set, its execution, and the wait for the stack. */
export async function deployStack(clients: Clients, params: Record<string, unknown>, region?: string): Promise<Deployed> {
  const created = (await clients.call('cloudformation', 'CreateChangeSet', params, region)) as { Id: string; StackId: string };
  await describedAsComplete(clients, created.Id, region);
  await clients.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: created.Id }, region);
  const stack = await settledStack(clients, created.StackId, region);
  if (stack === 'gone' || !/^(CREATE|UPDATE)_COMPLETE$/.test(stack.StackStatus)) {
    throw new Ended(`the stack is ${stack === 'gone' ? 'gone' : `${stack.StackStatus}: ${stack.StackStatusReason ?? ''} ${await failures(clients, created.StackId, region)}`}`, created.StackId);
  }
  return { StackId: created.StackId, ChangeSetId: created.Id, Outputs: Object.fromEntries((stack.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue])) };
}

async function describedAsComplete(clients: Clients, id: string, region?: string): Promise<void> {
  const answer = await repeat(async () => {
    const described = await clients.call('cloudformation', 'DescribeChangeSet', { ChangeSetName: id }, region);
    return /PENDING|IN_PROGRESS/.test(String(described['Status'])) ? undefined : described;
  });
  if (answer['Status'] !== 'CREATE_COMPLETE') throw new Ended(`the change set is ${String(answer['Status'])}: ${String(answer['StatusReason'])}`);
}

/** Reasons of the failed resources, for people who read the report. */
export async function failures(clients: Clients, stackId: string, region?: string): Promise<string> {
  const events = await allEvents(clients, stackId, region);
  return events.filter((event) => event.ResourceStatus.endsWith('_FAILED')).map((event) => `${event.LogicalResourceId}: ${event.ResourceStatusReason ?? ''}`).join(' | ');
}

export interface Event {
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId: string;
  readonly ResourceStatus: string;
  readonly ResourceStatusReason?: string;
  readonly ResourceType: string;
  readonly StackId: string;
  readonly Timestamp: Date;
}

export async function allEvents(clients: Clients, stackId: string, region?: string): Promise<Event[]> {
  const events: Event[] = [];
  let NextToken: string | undefined;
  do {
    const page = (await clients.call('cloudformation', 'DescribeStackEvents', { StackName: stackId, NextToken }, region)) as { StackEvents: Event[]; NextToken?: string };
    events.push(...page.StackEvents);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return events;
}

/** Of several events in a row of one resource with the same status only the newest, the clean-up left out; oldest first. */
export function condensed(events: readonly Event[], which: 'newest' | 'oldest' = 'newest'): Event[] {
  const kept: Event[] = [];
  const last = new Map<string, number>();
  for (const event of [...events].reverse()) {
    if (event.ResourceStatus === 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS') continue;
    const before = last.get(event.LogicalResourceId);
    if (before !== undefined && kept[before]!.ResourceStatus === event.ResourceStatus) {
      if (which === 'newest') kept[before] = event;
    } else {
      last.set(event.LogicalResourceId, kept.length);
      kept.push(event);
    }
  }
  return kept;
}

/** Events by logical ID, those of the stack under `Stack`. */
export function grouped(events: readonly Event[], members: readonly (keyof Event)[], which: 'newest' | 'oldest' = 'newest'): Record<string, Record<string, unknown>[]> {
  const groups: Record<string, Record<string, unknown>[]> = {};
  for (const event of condensed(events, which)) {
    const own = event.PhysicalResourceId === event.StackId;
    const shown = Object.fromEntries([...members, ...(own ? (['LogicalResourceId'] as const) : [])].map((member) => [member, event[member]]));
    (groups[own ? 'Stack' : event.LogicalResourceId] ??= []).push(shown);
  }
  return groups;
}
