import type { OpsEvent } from '../../ops/events.js';
import { FlotillaError } from '../../shared/errors.js';
import type { Terminal } from '../terminal.js';
import { liveRenderer } from './live.js';
import { plainRenderer } from './plain.js';

export type Progress = 'live' | 'plain' | 'jsonl';

/** Turns the events of a use case into what somebody sees. */
export interface Renderer {
  emit(event: OpsEvent): void;
  /** Lines of what failed, for the end. */
  failures(): string[];
  close(): void;
}

/**
 * `auto` is live in a terminal and plain elsewhere, also in CI, where a terminal is only said to be one; and plain for commands that ask
 * in the middle of their work.
 */
export function progressOf(text: string, asks = false): Progress {
  if (text === 'auto') return !asks && process.stderr.isTTY && !process.env['CI'] && process.env['TERM'] !== 'dumb' ? 'live' : 'plain';
  if (text === 'live' || text === 'plain' || text === 'jsonl') return text;
  throw new FlotillaError('CLI002', `--progress '${text}' is not known`, { fix: 'auto, live, plain or jsonl', exitCode: 2 });
}

export function renderer(progress: Progress, out: Terminal, options: { logs: boolean; target: string }): Renderer {
  if (progress === 'jsonl') return jsonLines();
  return progress === 'live' ? liveRenderer(process.stderr, out, options) : plainRenderer(out, options);
}

function jsonLines(): Renderer {
  process.stderr.write(`${JSON.stringify({ type: 'version', schema: '1.0' })}\n`);
  return { emit: (event) => void process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`), failures: () => [], close: () => {} };
}
