import type { Clock } from '../shared/clock.js';
import type { InboxMessage } from './kernel/service.js';
import { table, type State } from './state/state.js';

/** Messages that would have left the cloud, oldest first, durable. */
export interface Inbox {
  deliver(message: InboxMessage): void;
  messages(): (InboxMessage & { readonly at: Date })[];
}

const KEPT = 1000;
const messages = table<InboxMessage & { at: Date }>('flotilla', 'inbox');

export function inbox(state: State, clock: Clock): Inbox {
  const kept = messages(state, 'cloud', 'global');
  let next = kept.entries([], { reverse: true, limit: 1 }).map(([key]) => Number(key[0]) + 1)[0] ?? 0;
  return {
    deliver(message) {
      state.transaction(() => {
        kept.put(next, { ...message, at: new Date(clock.now()) });
        kept.delete(next - KEPT);
      });
      next++;
    },
    messages: () => kept.list(),
  };
}
