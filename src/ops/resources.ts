import { CloudFormationClient, DescribeChangeSetCommand, DescribeStackEventsCommand, type StackEvent } from '@aws-sdk/client-cloudformation';
import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import type { Emit } from './events.js';
import type { StackRef } from './stacks.js';
import { clientOf, type Target } from './target.js';

/** Pause between two looks at one stack; its events are for the eye, the action's own state decides. */
const PAUSE_MS = { LOCAL: 1000, AWS: 3000 } as const;
/** Stacks looked at at a time: as many as a footer has rows for. */
const MOST = 8;

interface Watched {
  readonly stack: StackRef;
  readonly changeSet: string | undefined;
  readonly since: number;
  due: number;
  /** Changes of the change set; null where nothing tells. */
  total: number | null | undefined;
  readonly seen: Set<string>;
  /** Latest status by logical ID. */
  readonly states: Map<string, string>;
  told: string;
}

/** Tells of running CloudFormation actions which of their stack's resources are done, which one is being worked on, and what failed. */
export class ResourceFollower {
  private readonly watched = new Map<string, Watched | 'unreadable'>();

  constructor(
    private readonly target: Target,
    private readonly pipeline: { readonly account: string; readonly region: string },
    private readonly emit: Emit,
    private readonly now: () => number = Date.now,
  ) {}

  /** Looks where a look is due. Who may not read a stack's events is told nothing of them, and asks once. */
  async advance(details: readonly ActionExecutionDetail[]): Promise<void> {
    const running = details.filter(({ status, input }) => status === 'InProgress' && input?.actionTypeId?.provider === 'CloudFormation' && input.configuration?.['ActionMode'] !== 'CHANGE_SET_REPLACE').slice(0, MOST);
    await Promise.all(
      running.map(async (detail) => {
        const id = detail.actionExecutionId ?? '';
        const watched = this.watched.get(id) ?? this.begin(detail);
        this.watched.set(id, watched);
        if (watched === 'unreadable' || watched.due > this.now()) return;
        watched.due = this.now() + PAUSE_MS[this.target.kind];
        await this.look(detail, watched).catch(() => this.watched.set(id, 'unreadable'));
      }),
    );
  }

  private begin({ input, startTime }: ActionExecutionDetail): Watched | 'unreadable' {
    const { StackName: stackName, ChangeSetName: changeSet } = input?.configuration ?? {};
    if (!stackName) return 'unreadable';
    const account = (input?.roleArn ?? '').split(':')[4] || this.pipeline.account;
    return { stack: { account, region: input?.region ?? this.pipeline.region, stackName }, changeSet, since: startTime?.getTime() ?? this.now(), due: 0, total: undefined, seen: new Set(), states: new Map(), told: '' };
  }

  private async look({ stageName: stage = '', actionName: action = '' }: ActionExecutionDetail, watched: Watched): Promise<void> {
    const events = await this.fresh(watched);
    const failed: string[] = [];
    for (const { LogicalResourceId: id = '', ResourceType, ResourceStatus = '', ResourceStatusReason = '' } of events) {
      watched.states.set(id, ResourceStatus);
      if (/_FAILED$/.test(ResourceStatus) && !/cancelled/.test(ResourceStatusReason)) failed.push(`${id} (${ResourceType}): ${ResourceStatusReason}`);
    }
    if (watched.states.size === 0) return;
    if (watched.total === undefined) watched.total = await this.changes(watched);
    const states = [...watched.states];
    const done = states.filter(([, status]) => /_COMPLETE$/.test(status)).length;
    const current = states.findLast(([, status]) => /_IN_PROGRESS$/.test(status))?.[0];
    const total = watched.total === null ? undefined : Math.max(watched.total, states.length);
    const told = `${done}/${total} ${current}`;
    if (told === watched.told && failed.length === 0) return;
    watched.told = told;
    this.emit({ type: 'resources', stage, action, stack: watched.stack.stackName, done, failed, ...(total === undefined ? {} : { total }), ...(current === undefined ? {} : { current }) });
  }

  /** Events of the action's time that weren't seen yet, oldest first, without those of the stack itself. */
  private async fresh({ stack, since, seen }: Watched): Promise<StackEvent[]> {
    const client = await clientOf(this.target, CloudFormationClient, stack.account, stack.region);
    const fresh: StackEvent[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(new DescribeStackEventsCommand({ StackName: stack.stackName, NextToken }));
      const before = fresh.length;
      for (const event of page.StackEvents ?? []) {
        if (seen.has(event.EventId ?? '') || (event.Timestamp?.getTime() ?? 0) < since) continue;
        seen.add(event.EventId ?? '');
        fresh.push(event);
      }
      // Newest first: a page without anything new has nothing new behind it.
      NextToken = fresh.length > before ? page.NextToken : undefined;
    } while (NextToken);
    return fresh.reverse().filter(({ PhysicalResourceId, StackId }) => PhysicalResourceId !== StackId);
  }

  /** How many resources the change set that is executed changes; null where there is none (CREATE_UPDATE) or it can't be read. */
  private async changes({ stack, changeSet }: Watched): Promise<number | null> {
    if (!changeSet) return null;
    const client = await clientOf(this.target, CloudFormationClient, stack.account, stack.region);
    let count = 0;
    let NextToken: string | undefined;
    try {
      do {
        const page = await client.send(new DescribeChangeSetCommand({ StackName: stack.stackName, ChangeSetName: changeSet, NextToken }));
        count += page.Changes?.length ?? 0;
        NextToken = page.NextToken;
      } while (NextToken);
    } catch {
      return null;
    }
    return count;
  }
}
