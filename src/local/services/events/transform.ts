import type * as Events from '../../models/types/events.js';

export interface BusEvent {
  readonly version: string;
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** What a target receives: the event, a constant, a part, or a template filled in (user guide, "EventBridge input transformation"). */
export function inputOf(target: Events.Target, event: BusEvent, rule: { readonly arn: string; readonly name: string; readonly ingested: string }): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(at(event, target.InputPath) ?? null);
  if (target.InputTransformer === undefined) return JSON.stringify(event);
  const { InputPathsMap = {}, InputTemplate } = target.InputTransformer;
  const variables: Record<string, unknown> = {
    ...Object.fromEntries(Object.entries(InputPathsMap).map(([name, path]) => [name, at(event, path)])),
    'aws.events.rule-arn': rule.arn,
    'aws.events.rule-name': rule.name,
    'aws.events.event.ingestion-time': rule.ingested,
    'aws.events.event': Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'detail')),
    'aws.events.event.json': event,
  };
  return fill(InputTemplate, variables);
}

/** Inside quotes a variable is text; outside, JSON. */
function fill(template: string, variables: Readonly<Record<string, unknown>>): string {
  let quoted = false;
  let result = '';
  for (let i = 0; i < template.length; i++) {
    const char = template[i]!;
    const name = char === '<' ? /^<([A-Za-z0-9_.-]+)>/.exec(template.slice(i, i + 260))?.[1] : undefined;
    if (name !== undefined && Object.hasOwn(variables, name)) {
      const value = variables[name];
      result += quoted ? insideQuotes(value) : value === undefined ? '' : JSON.stringify(value);
      i += name.length + 1;
      continue;
    }
    if (char === '\\' && quoted) {
      result += char + (template[++i] ?? '');
      continue;
    }
    if (char === '"') quoted = !quoted;
    result += char;
  }
  return result;
}

function insideQuotes(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}

/** JSONPath as EventBridge knows it: members and indexes, from `$`. */
export function at(value: unknown, path: string): unknown {
  const parts = [...path.replace(/^\$/, '').matchAll(/\.([^.[\]]+)|\[(\d+|\*)\]|\['([^']+)'\]|\["([^"]+)"\]/g)];
  let found: unknown = value;
  for (const [, member, index, single, double] of parts) {
    if (index === '*') continue;
    const key = member ?? index ?? single ?? double!;
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}
