import type { Client, Runtime } from '../kernel/service.js';
import { isAwsError } from '../kernel/error.js';

/** A build's output: to CloudWatch Logs with the project's role, in batches, in order. */
export interface BuildLog {
  line(text: string): void;
  /** A line of CodeBuild's own: `[Container] 2026/01/31 10:15:00.000000 …`. */
  note(text: string): void;
  /** Everything so far is in CloudWatch Logs; raises what kept it out. */
  open(): Promise<void>;
  flush(): Promise<void>;
}

const INTERVAL_MS = 250;

export function buildLog(runtime: Runtime, client: Client, groupName: string, streamName: string, enabled: boolean): BuildLog {
  let pending: { timestamp: number; message: string }[] = [];
  let writing: Promise<void> = Promise.resolve();
  let scheduled = false;
  let lost = !enabled;
  const write = (): Promise<void> =>
    (writing = writing.then(async () => {
      const batch = pending.splice(0, 1000);
      if (batch.length === 0 || lost) return;
      try {
        await client.call('logs', 'PutLogEvents', { logGroupName: groupName, logStreamName: streamName, logEvents: batch });
      } catch (error) {
        lost = true;
        runtime.log(`codebuild: the log of ${streamName} is lost: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (pending.length > 0) void write();
    }));
  const line = (text: string): void => {
    pending.push({ timestamp: runtime.clock.now(), message: text === '' ? ' ' : `${text}\n` });
    if (scheduled) return;
    scheduled = true;
    runtime.clock.after(INTERVAL_MS, () => {
      scheduled = false;
      void write();
    });
  };
  return {
    line,
    note: (text) => line(`[Container] ${stamp(runtime.clock.now())} ${text}`),
    open: async () => {
      if (lost) return;
      await client.call('logs', 'CreateLogGroup', { logGroupName: groupName }).catch((error: unknown) => {
        if (!isAwsError(error, 'ResourceAlreadyExistsException')) throw error;
      });
      await client.call('logs', 'CreateLogStream', { logGroupName: groupName, logStreamName: streamName }).catch((error: unknown) => {
        if (!isAwsError(error, 'ResourceAlreadyExistsException')) throw error;
      });
    },
    flush: async () => {
      while (pending.length > 0 && !lost) await write();
      await writing;
    },
  };
}

function stamp(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '/')} ${iso.slice(11, 23)}`;
}
