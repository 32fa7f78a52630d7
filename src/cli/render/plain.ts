import type { OpsEvent } from '../../ops/events.js';
import { hanging, paragraph } from '../table.js';
import type { Terminal } from '../terminal.js';
import type { Renderer } from './render.js';

const HEARTBEAT_MS = 30_000;

/** Renders events as lines that are only ever added: what happened, `n/N`, and a sign of life every 30 seconds. */
export function plainRenderer(out: Terminal, options: { logs: boolean }): Renderer {
  const start = Date.now();
  let last = Date.now();
  const running = new Set<string>();
  const lines = eventLines(out, options);
  const heartbeat = setInterval(() => {
    // Where nothing runs nobody is to be told that something does: a question may stand there.
    const doing = [...running].at(-1);
    if (doing === undefined || Date.now() - last < HEARTBEAT_MS) return;
    last = Date.now();
    out.message(out.style('dim', `… ${doing} · ${clock(Date.now() - start)}`));
  }, 1000);
  heartbeat.unref();
  return {
    emit(event) {
      if (event.type === 'step') running[event.status === 'started' ? 'add' : 'delete'](event.name);
      if (event.type === 'action') running[event.status === 'InProgress' ? 'add' : 'delete'](`${event.stage}/${event.action}`);
      const line = lines.of(event);
      if (line === undefined) return;
      last = Date.now();
      out.message(line);
    },
    failures: lines.failures,
    close: () => clearInterval(heartbeat),
  };
}

export interface EventLines {
  /** The line an event leaves behind, if it leaves one. */
  of(event: OpsEvent): string | undefined;
  failures(): string[];
}

/** Events as lines for people; keeps the ends of logs for what failed. */
export function eventLines(out: Terminal, options: { logs: boolean }): EventLines {
  const tails = new Map<string, string[]>();
  return {
    of(event) {
      switch (event.type) {
        case 'step':
          if (event.status === 'started') return undefined;
          return hanging(paragraph(`${mark(event.status, out)} ${event.name.padEnd(34)} ${seconds(event.seconds)}`, out.messageColumns), event.detail ? ` ${event.detail}` : '', out.messageColumns);
        case 'action':
          if (event.status === 'InProgress') return undefined;
          return hanging(`${mark(event.status, out)} ${`${event.stage}/${event.action}`.padEnd(34)} ${seconds(event.seconds)}  ${event.done}/${event.total}`, event.detail ? ` ${oneLine(event.detail)}` : '', out.messageColumns);
        case 'resources':
          return event.failed.length === 0 ? undefined : event.failed.map((reason) => `${mark('failed', out)} ${`${event.stage}/${event.action}`.padEnd(34)} ${oneLine(reason)}`).join('\n');
        case 'log': {
          const tail = tails.get(event.source) ?? [];
          tail.push(event.line);
          if (tail.length > 40) tail.shift();
          tails.set(event.source, tail);
          return options.logs ? `${out.style('dim', `${event.source} │`)} ${event.line}` : undefined;
        }
        case 'gate':
          return paragraph(`${out.style('yellow', '⏸')} ${event.stage}/${event.action} waits for an approval${event.message ? `: ${event.message}` : ''}`, out.messageColumns);
        case 'execution':
          return paragraph(`${mark(event.status, out)} execution ${event.id.slice(0, 8)} ${event.status}${event.detail ? `: ${event.detail}` : ''}`, out.messageColumns);
        case 'note':
          return paragraph(`${out.style('cyan', 'ℹ')} ${event.text}`, out.messageColumns);
        default:
          return undefined;
      }
    },
    failures: () => [...tails].flatMap(([source, tail]) => tail.map((line) => `${source} │ ${line}`)),
  };
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
