import { OutOfScope } from './clients.js';
import { makeCall, Stopped, type Context } from './calls.js';
import { allEvents, Ended, failures, grouped, settledStack, type Event } from './stacks.js';
import { pythonJson, resolve } from './values.js';
import type { Step, Vector } from './vector.js';

const STACK = 'conformance-stack';
const CHANGE_SET = 'conformance-change-set';

/** Since about then AWS answers no `Replacement` for additions any more (the recordings before and after differ in this alone). */
const NO_REPLACEMENT_SINCE = '2025-05-15';

/** `kind: update-process`: a stack created, updated and deleted through change sets, everything looked at on the way. */
export async function runProcess(vector: Vector, context: Context): Promise<void> {
  const { clients, answers, comparison, comparisons, differences } = context;
  const expected = vector.expect!;
  let round = 0;
  let stackId = '';
  for (const step of vector.steps ?? []) {
    if (step.action === 'calls') {
      // A recording that was regrouped before the deletion asks for nothing after it.
      for (const call of step.calls ?? []) await makeCall(call, context);
    } else if (step.action === 'delete') {
      const before = await allEvents(clients, stackId);
      await clients.call('cloudformation', 'DeleteStack', { StackName: stackId });
      await settledStack(clients, stackId);
      const deleted = await clients.call('cloudformation', 'DescribeStacks', { StackName: stackId });
      const after = await allEvents(clients, stackId);
      comparisons.push(() => compareEvents(vector, context, before, after));
      if (expected.deleted) comparisons.push(() => void differences.push(...comparison.compare(expected.deleted, (deleted['Stacks'] as unknown[])[0], 'deleted')));
    } else {
      stackId = await deploy(step, round, vector, context);
      answers.set('update-process', { StackId: stackId });
      round++;
    }
  }
}

async function deploy(step: Step, round: number, vector: Vector, context: Context): Promise<string> {
  const { clients, answers, comparison, comparisons, differences } = context;
  const expected = vector.expect!;
  // What was asked for is known better from the echo in the recording than from the request, which was recovered later.
  const capabilities = (expected.createChangeSet[round]?.['Capabilities'] as string[] | undefined) ?? step.capabilities;
  const { Id, StackId } = (await attempt(context, 'createChangeSet', () =>
    clients.call('cloudformation', 'CreateChangeSet', {
      StackName: STACK, ChangeSetName: CHANGE_SET, ChangeSetType: step.action === 'create' ? 'CREATE' : 'UPDATE',
      TemplateBody: resolve(step.templateBody, answers) ?? pythonJson(resolve(step.template, answers)), Parameters: resolve(step.parameters, answers), Capabilities: capabilities,
    }),
  )) as { Id: string; StackId: string };
  const valued = await clients.call('cloudformation', 'DescribeChangeSet', { ChangeSetName: Id, IncludePropertyValues: true });
  comparisons.push(() => void differences.push(...comparison.compare(modern(expected.changeSetWithValues[round], vector), valued, `changeSetWithValues.${round}`)));
  const plain = await clients.call('cloudformation', 'DescribeChangeSet', { ChangeSetName: Id, IncludePropertyValues: false });
  comparisons.push(() => void differences.push(...comparison.compare(expected.createChangeSet[round], plain, `createChangeSet.${round}`)));
  await attempt(context, 'executeChangeSet', () => clients.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: Id }));
  const settled = await settledStack(clients, StackId);
  if (settled === 'gone' || !/^(CREATE|UPDATE)_COMPLETE$/.test(settled.StackStatus)) {
    const reasons = await failures(clients, StackId);
    const unwilling = context.unwilling(new Ended(reasons));
    if (unwilling !== undefined) throw new OutOfScope(unwilling);
    differences.push({ path: `stack.${round}`, expected: 'success', actual: reasons });
  }
  const { Stacks } = (await clients.call('cloudformation', 'DescribeStacks', { StackName: StackId })) as { Stacks: unknown[] };
  comparisons.push(() => void differences.push(...comparison.compare(expected.stack[round], Stacks[0], `stack.${round}`)));
  return StackId;
}

async function attempt<T>(context: Context, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const unwilling = context.unwilling(error);
    if (unwilling !== undefined) throw new OutOfScope(unwilling);
    context.differences.push({ path: what, expected: 'success', actual: error instanceof Error ? error.message : String(error) });
    throw new Stopped();
  }
}

function modern(expected: Record<string, unknown> | undefined, vector: Vector): unknown {
  if (!expected || vector.source.recorded >= NO_REPLACEMENT_SINCE) return expected;
  const changes = (expected['Changes'] as { ResourceChange: Record<string, unknown> }[]).map((change) => {
    if (change.ResourceChange['Action'] !== 'Add') return change;
    const { Replacement: _, ...rest } = change.ResourceChange;
    return { ...change, ResourceChange: rest };
  });
  return { ...expected, Changes: changes };
}

/** Newer recordings are condensed and include the deletion; older ones are all events, newest first, taken before it. */
function compareEvents(vector: Vector, { comparison, differences }: Context, before: readonly Event[], after: readonly Event[]): void {
  const expected = vector.expect!.events;
  if ('Stack' in expected) {
    const withoutDeletion = !expected['Stack']!.some((event) => String(event['ResourceStatus']).startsWith('DELETE'));
    const members = ['ResourceStatus', 'ResourceType', 'PhysicalResourceId'] as const;
    const shown = withoutDeletion ? grouped(withoutDeletions(before), members, 'oldest') : grouped(after, members);
    differences.push(...comparison.compare(expected, shown, 'events'));
    return;
  }
  const groups: Record<string, unknown[]> = {};
  for (const event of before) {
    const { LogicalResourceId, ResourceStatus, ResourceType, PhysicalResourceId, ResourceStatusReason } = event;
    (groups[LogicalResourceId] ??= []).push({ ResourceStatus, ResourceType, PhysicalResourceId, ...(ResourceStatusReason === undefined ? {} : { ResourceStatusReason }) });
  }
  differences.push(...comparison.compare(expected, groups, 'events'));
}

/** One recording (July 2025) was condensed the other way round: of a run of events the oldest is kept, and deletions are left out. */
function withoutDeletions(events: readonly Event[]): Event[] {
  return events.filter((event) => !event.ResourceStatus.startsWith('DELETE_'));
}
