import type { Judgement } from './authorize.js';
import type { Call } from './dispatch.js';
import { explain } from './iam/index.js';
import { table, type State } from './state/state.js';

/** What was asked and how it was decided, so that `flotilla cloud why` can say it afterwards. */
export interface Journal {
  record(call: Call, judgements: readonly Judgement[], at: Date): void;
  /** The explanation of a request, or of the latest denied one. */
  why(requestId?: string): Explanation | undefined;
}

export interface Explanation {
  readonly requestId: string;
  readonly at: Date;
  readonly service: string;
  readonly operation: string;
  readonly allowed: boolean;
  readonly text: string;
}

/** Allowed requests are remembered in memory, as many as these; denials are durable. */
const REMEMBERED = 1000;
const REMEMBERED_DENIALS = 200;

const denials = table<Explanation>('flotilla', 'denials');

export function journal(state: State): Journal {
  const recent = new Map<string, { call: Call; judgements: readonly Judgement[]; at: Date }>();
  const durable = denials(state, 'cloud', 'global');

  return {
    record(call, judgements, at) {
      if (judgements.length === 0) return;
      if (judgements.some(({ decision }) => !decision.allowed)) {
        durable.put([at.getTime(), call.requestId], explanation(call, judgements, at));
        const known = durable.entries();
        for (const [key] of known.slice(0, Math.max(0, known.length - REMEMBERED_DENIALS))) durable.delete(...key);
        return;
      }
      recent.set(call.requestId, { call: { ...call, input: {} }, judgements, at });
      if (recent.size > REMEMBERED) recent.delete(recent.keys().next().value!);
    },
    why(requestId) {
      const denied = durable.list().reverse();
      if (requestId === undefined) return denied[0];
      const found = denied.find((entry) => entry.requestId === requestId);
      if (found) return found;
      const allowed = recent.get(requestId);
      return allowed && explanation(allowed.call, allowed.judgements, allowed.at);
    },
  };
}

function explanation(call: Call, judgements: readonly Judgement[], at: Date): Explanation {
  return {
    requestId: call.requestId,
    at,
    service: call.model.name,
    operation: call.operation,
    allowed: judgements.every(({ decision }) => decision.allowed),
    text: judgements.map(({ decision }) => explain(decision)).join('\n'),
  };
}
