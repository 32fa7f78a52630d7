import { randomUUID } from 'node:crypto';
import type { Runtime } from '../../kernel/service.js';
import { GLOBAL, table } from '../../state/state.js';
import { parseSchedule } from './cron.js';
import { dispatchTo } from './deliver.js';
import { ruleArn, rules, type RuleRecord } from './store.js';

/** Rules that run by time, in all accounts, and when each runs next (milliseconds since the epoch). */
const scheduleTable = table<{ account: string; region: string; name: string; next: number }>('events', 'schedules');
const timers = new WeakMap<Runtime, Map<string, () => void>>();

/** Follows a rule's schedule from now on, or no longer. */
export function follow(runtime: Runtime, rule: RuleRecord): void {
  const arn = ruleArn(rule);
  timersOf(runtime).get(arn)?.();
  timersOf(runtime).delete(arn);
  const due = rule.schedule && rule.state === 'ENABLED' ? nextOf(rule.schedule, runtime.clock.now()) : undefined;
  const schedules = scheduleTable(runtime.state, GLOBAL, GLOBAL);
  if (due === undefined) return schedules.delete(arn);
  schedules.put(arn, { account: rule.account, region: rule.region, name: rule.name, next: due });
  wait(runtime, arn, due);
}

/** Takes up all schedules when the server starts; what fell due while it was down is skipped, as time passed without it. */
export function resumeSchedules(runtime: Runtime): void {
  for (const { account, region, name } of scheduleTable(runtime.state, GLOBAL, GLOBAL).list()) {
    const rule = rules(runtime.state, account, region).get('default', name);
    if (rule) follow(runtime, rule);
  }
}

function timersOf(runtime: Runtime): Map<string, () => void> {
  let known = timers.get(runtime);
  if (!known) timers.set(runtime, (known = new Map()));
  return known;
}

function nextOf(schedule: string, after: number): number | undefined {
  const parsed = parseSchedule(schedule);
  return parsed?.kind === 'rate' ? after + parsed.ms : parsed?.next(after);
}

function wait(runtime: Runtime, arn: string, due: number): void {
  const cancel = runtime.clock.after(Math.max(0, due - runtime.clock.now()), () => {
    if (runtime.clock.now() < due) return wait(runtime, arn, due);
    run(runtime, arn, due);
  });
  timersOf(runtime).set(arn, cancel);
  runtime.signal.addEventListener('abort', cancel, { once: true });
}

function run(runtime: Runtime, arn: string, due: number): void {
  const entry = scheduleTable(runtime.state, GLOBAL, GLOBAL).get(arn);
  const rule = entry && rules(runtime.state, entry.account, entry.region).get('default', entry.name);
  if (!rule) return;
  const event = {
    version: '0', id: randomUUID(), 'detail-type': 'Scheduled Event', source: 'aws.events', account: rule.account, time: new Date(due).toISOString().replace(/\.\d+Z$/, 'Z'), region: rule.region, resources: [arn], detail: {},
  };
  dispatchTo(runtime, rule, event);
  follow(runtime, rule);
}
