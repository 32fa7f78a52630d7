import { isAwsError } from '../../kernel/error.js';
import type { Client, Runtime } from '../../kernel/service.js';

/** PutLogEvents takes 10,000 events or 1 MB; far smaller batches keep the function waiting less. */
const BATCH = 1000;
const DELAY = 300;

/** A log stream written with the function role's rights: a role without them has no logs (developer guide, "Function logs"). */
export class LogStream {
  private events: { timestamp: number; message: string }[] = [];
  private written: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private made = false;
  private refused = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly client: Client,
    private readonly group: string,
    private readonly stream: string,
  ) {}

  add(timestamp: number, message: string): void {
    if (this.refused || message === '') return;
    this.events.push({ timestamp, message });
    if (this.events.length >= BATCH) void this.flush();
    else if (!this.timer) {
      this.timer = setTimeout(() => void this.flush(), DELAY);
      this.timer.unref();
    }
  }

  /** Writes at the next turn of the event loop. */
  soon(): void {
    setImmediate(() => void this.flush());
  }

  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const events = this.events;
    this.events = [];
    if (events.length > 0) this.written = this.written.then(() => this.put(events));
    return this.written;
  }

  private async put(logEvents: { timestamp: number; message: string }[]): Promise<void> {
    if (this.refused || this.runtime.signal.aborted) return;
    const names = { logGroupName: this.group, logStreamName: this.stream };
    try {
      if (!this.made) await this.make(names);
      await this.client.call('logs', 'PutLogEvents', { ...names, logEvents });
    } catch (error) {
      this.refused = true;
      if (!isAwsError(error)) this.runtime.log(`lambda: logs of ${this.group} were not written: ${String(error)}`);
    }
  }

  private async make(names: { logGroupName: string; logStreamName: string }): Promise<void> {
    try {
      await this.client.call('logs', 'CreateLogStream', names);
    } catch (error) {
      if (!isAwsError(error, 'ResourceNotFoundException')) throw error;
      await this.client.call('logs', 'CreateLogGroup', { logGroupName: this.group }).catch((reason: unknown) => {
        if (!isAwsError(reason, 'ResourceAlreadyExistsException')) throw reason;
      });
      await this.client.call('logs', 'CreateLogStream', names);
    }
    this.made = true;
  }
}
