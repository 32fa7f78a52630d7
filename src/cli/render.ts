import type { OpsEvent } from '../ops/events.js';
import type { Terminal } from './terminal.js';

export type Progress = 'plain' | 'jsonl';

export interface Renderer {
  emit(event: OpsEvent): void;
  /** Lines of what failed, for the end. */
  failures(): string[];
  close(): void;
}

const HEARTBEAT_MS = 30_000;

/** Renders events as lines that are only ever added: what happened, `n/N`, and a sign of life every 30 seconds. */
export function renderer(progress: Progress, out: Terminal, options: { logs: boolean }): Renderer {
  if (progress === 'jsonl') return jsonLines();
  const start = Date.now();
  let last = Date.now();
  let doing = '';
  const tails = new Map<string, string[]>();
  const say = (text: string): void => {
    last = Date.now();
    out.message(text);
  };
  const heartbeat = setInterval(() => {
    if (Date.now() - last >= HEARTBEAT_MS) say(out.style('dim', `… ${doing} · ${clock(Date.now() - start)}`));
  }, 1000);
  heartbeat.unref();
  return {
    emit(event) {
      switch (event.type) {
        case 'step':
          doing = event.name;
          if (event.status === 'started') return;
          return say(`${mark(event.status, out)} ${event.name.padEnd(34)} ${seconds(event.seconds)}${event.detail ? `  ${event.detail}` : ''}`);
        case 'action':
          doing = `${event.stage}/${event.action}`;
          if (event.status === 'InProgress') return;
          return say(`${mark(event.status, out)} ${doing.padEnd(34)} ${seconds(event.seconds)}  ${event.done}/${event.total}${event.detail ? `  ${oneLine(event.detail)}` : ''}`);
        case 'log': {
          const tail = tails.get(event.source) ?? [];
          tail.push(event.line);
          if (tail.length > 40) tail.shift();
          tails.set(event.source, tail);
          if (options.logs) say(`${out.style('dim', `${event.source} │`)} ${event.line}`);
          return;
        }
        case 'gate':
          return say(`${out.style('yellow', '⏸')} ${event.stage}/${event.action} waits for an approval${event.message ? `: ${event.message}` : ''}`);
        case 'execution':
          return say(`${mark(event.status, out)} execution ${event.id.slice(0, 8)} ${event.status}${event.detail ? `: ${event.detail}` : ''}`);
        case 'note':
          return say(`${out.style('cyan', 'ℹ')} ${event.text}`);
        case 'stage':
          return;
      }
    },
    failures: () => [...tails].flatMap(([source, tail]) => tail.map((line) => `${source} │ ${line}`)),
    close: () => clearInterval(heartbeat),
  };
}

function jsonLines(): Renderer {
  process.stderr.write(`${JSON.stringify({ type: 'version', schema: '1.0' })}\n`);
  return { emit: (event) => void process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`), failures: () => [], close: () => {} };
}

function mark(status: string, out: Terminal): string {
  if (/^(succeeded|Succeeded)$/.test(status)) return out.style('green', '✓');
  if (/^(failed|Failed|Stopped)$/.test(status)) return out.style('red', '✖');
  return out.style('dim', '=');
}

function seconds(value: number | undefined): string {
  return value === undefined ? '       ' : `${value.toFixed(1).padStart(6)}s`;
}

export function clock(ms: number): string {
  const total = Math.round(ms / 1000);
  return `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`;
}

function oneLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 157)}…` : line;
}
