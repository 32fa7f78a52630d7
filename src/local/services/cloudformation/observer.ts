import type { RequestContext } from '../../kernel/service.js';
import { actingClient } from '../../cfn/execute/acting.js';
import { providerContext } from '../../cfn/execute/context.js';
import { Session } from '../../cfn/execute/session.js';
import type { ProviderContext } from '../../cfn/resources/provider.js';
import type { StackRecord, Tag } from '../../cfn/store/records.js';
import { engineOf } from './engine.js';
import { storeOf } from './lookup.js';

/** What a provider needs to look at a resource on behalf of the caller, without any operation under way. */
export async function observer(stack: StackRecord, context: RequestContext): Promise<(resource: { logicalId: string; type: string; stackTags?: readonly Tag[] }, token?: string) => ProviderContext> {
  const client = await actingClient(context.runtime, { account: context.account, region: context.region, principal: context.principal, roleArn: undefined });
  const session = new Session(context.runtime, storeOf(context), { stackUuid: stack.uuid } as Session['operation'], client, stack);
  const { mailbox } = engineOf(context.runtime);
  return ({ logicalId, type, stackTags = [] }, token = context.requestId) => providerContext(session, mailbox, { logicalId, type, token, tags: stackTags, tagsBefore: stackTags, onInitiated: () => undefined });
}
