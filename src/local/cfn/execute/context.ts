import { sleep } from '../../../shared/clock.js';
import { HandlerError, PlainFailure, tracing } from '../resources/failure.js';
import { generatedName } from '../resources/names.js';
import type { ProviderContext } from '../resources/provider.js';
import { mergeTags } from '../resources/tags.js';
import type { Tag } from '../store/records.js';
import type { Mailbox } from './mailbox.js';
import type { Session } from './session.js';

export interface ContextOptions {
  readonly logicalId: string;
  readonly type: string;
  readonly token: string;
  readonly tags: readonly Tag[];
  readonly tagsBefore: readonly Tag[];
  readonly onInitiated: (physicalId: string) => void;
}

/** What a provider works with, for one attempt at one resource. */
export function providerContext(session: Session, mailbox: Mailbox, options: ContextOptions): ProviderContext {
  const { found: stack, runtime } = session;
  const { logicalId, type, token } = options;
  const system: Tag[] = [
    { Key: 'aws:cloudformation:stack-name', Value: stack.name },
    { Key: 'aws:cloudformation:logical-id', Value: logicalId },
    { Key: 'aws:cloudformation:stack-id', Value: stack.id },
  ];
  return {
    client: tracing(session.client),
    account: stack.account,
    region: stack.region,
    stackName: stack.name,
    stackId: stack.id,
    logicalId,
    type,
    token,
    clock: runtime.clock,
    signal: session.abort.signal,
    state: runtime.state,
    endpoint: runtime.endpoint,
    tags: (own) => mergeTags(own, options.tags, system),
    tagsBefore: (own) => mergeTags(own, options.tagsBefore, system),
    name: (naming) => generatedName(stack.name, logicalId, token, naming),
    initiated: options.onInitiated,
    poll: (check, polling = {}) => poll(session, check, polling),
    stacks: mailbox.services({
      account: stack.account, region: stack.region, stackUuid: stack.uuid, stackId: stack.id, rootId: stack.rootId, logicalId, token, signal: session.abort.signal, endpoint: runtime.endpoint, nestedChangeSet: type === 'AWS::CloudFormation::Stack' ? nestedChangeSet(session, logicalId) : undefined,
      deploymentConfig: { Mode: session.operation.express ? 'EXPRESS' : 'STANDARD', DisableRollback: session.operation.onFailure === 'DO_NOTHING' },
    }),
  };
}

/** The change set that was computed for a nested stack with the one being executed; going back, there is none. */
function nestedChangeSet({ operation, store }: Session, logicalId: string): string | undefined {
  if (operation.phase !== 'forward' || operation.changeSetUuid === undefined) return undefined;
  return store.changeSet(operation.changeSetUuid)?.plan.changes.find((change) => change.changeSetId !== undefined && change.logicalId === logicalId)?.changeSetId;
}

async function poll<T>(session: Session, check: () => Promise<T | undefined>, { intervalMs = 250, timeoutMs = 3_600_000, what = 'the resource' }: { intervalMs?: number; timeoutMs?: number; what?: string }): Promise<T> {
  const { clock } = session.runtime;
  const end = clock.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if (answer !== undefined) return answer;
    if (session.abort.signal.aborted) throw new PlainFailure('Resource creation cancelled');
    if (clock.now() >= end) throw new HandlerError('NotStabilized', `Exceeded attempts to wait for ${what}`);
    await sleep(clock, intervalMs, session.abort.signal);
  }
}
