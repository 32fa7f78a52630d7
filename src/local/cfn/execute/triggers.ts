import { sleep } from '../../../shared/clock.js';
import { isAwsError } from '../../kernel/error.js';
import type { JsonObject } from '../json.js';
import type { Session } from './session.js';

/** How often alarms are looked at. */
const LOOK_MS = 2000;

/**
 * Rollback triggers of an operation (user guide: "Roll back your CloudFormation stack on alarm breach"): alarms watched while resources
 * are brought about and for the monitoring time after it. One that is missing or in ALARM ends the operation.
 */
export class Triggers {
  /** Why the operation must go back; the sentence is ours, no recording of AWS's was found. */
  breach: string | undefined;
  private readonly alarms: readonly string[];
  private readonly minutes: number;
  private stopped = false;

  constructor(private readonly session: Session) {
    const configuration = session.operation.kind === 'IMPORT' ? {} : (session.operation.target?.rollbackConfiguration ?? {});
    this.alarms = ((configuration['RollbackTriggers'] ?? []) as JsonObject[]).map((trigger) => String(trigger['Arn']));
    this.minutes = Number(configuration['MonitoringTimeInMinutes'] ?? 0);
  }

  /** Looks once, then from time to time until `stop`; a breach aborts what is under way. */
  async start(): Promise<void> {
    await this.look();
    if (this.alarms.length > 0 && this.breach === undefined) this.again();
  }

  stop(): void {
    this.stopped = true;
  }

  /** Waits the monitoring time out; its end survives a restart. Without alarms too: the time is there to look at the stack and cancel. */
  async monitor(): Promise<void> {
    if (this.breach === undefined) await this.look();
    if (this.minutes === 0 || this.breach !== undefined) return;
    const { session } = this;
    const { clock } = session.runtime;
    const until = session.operation.monitorUntil ?? clock.now() + this.minutes * 60_000;
    if (session.operation.monitorUntil === undefined) session.putOperation({ monitorUntil: until });
    while (clock.now() < until && this.breach === undefined && !session.abort.signal.aborted && !session.runtime.signal.aborted) {
      await sleep(clock, Math.min(LOOK_MS, until - clock.now()), session.abort.signal);
      await this.look();
    }
  }

  private again(): void {
    this.session.runtime.clock.after(LOOK_MS, () => {
      if (this.stopped || this.session.runtime.signal.aborted) return;
      void this.look().then(() => {
        if (this.breach === undefined) this.again();
        else if (!this.stopped) this.session.abort.abort();
      });
    });
  }

  private async look(): Promise<void> {
    if (this.alarms.length === 0) return;
    try {
      const states = await this.states();
      const missing = this.alarms.filter((arn) => !states.has(arn));
      const breaching = this.alarms.filter((arn) => states.get(arn) === 'ALARM');
      if (missing.length > 0) this.breach = `Rollback trigger [${missing.join(', ')}] does not exist. `;
      else if (breaching.length > 0) this.breach = `Rollback trigger [${breaching.join(', ')}] is in ALARM state. `;
    } catch (error) {
      if (!isAwsError(error)) throw error;
      this.breach = `Rollback triggers could not be monitored: ${error.message} `;
    }
  }

  private async states(): Promise<ReadonlyMap<string, string>> {
    const AlarmNames = this.alarms.map((arn) => arn.split(':').slice(6).join(':'));
    const { MetricAlarms = [], CompositeAlarms = [] } = await this.session.client.call<{ MetricAlarms?: Answer[]; CompositeAlarms?: Answer[] }>('cloudwatch', 'DescribeAlarms', { AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
    return new Map([...MetricAlarms, ...CompositeAlarms].map((alarm) => [alarm.AlarmArn, alarm.StateValue]));
  }
}

interface Answer {
  readonly AlarmArn: string;
  readonly StateValue: string;
}
