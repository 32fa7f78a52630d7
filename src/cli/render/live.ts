import { stripVTControlCharacters } from 'node:util';
import { remainingSeconds } from '../../ops/estimate.js';
import type { OpsEvent, PipelineShape } from '../../ops/events.js';
import type { Terminal } from '../terminal.js';
import { clock, eventLines } from './plain.js';
import type { Renderer } from './render.js';

/** What the footer needs of a terminal. */
export interface Screen {
  readonly columns?: number;
  write(text: string): unknown;
}

/** Rows of the footer at most; what is finished scrolls above it as text. */
const ROWS = 12;
const REPAINT_MS = 200;

/** Lines as in a plain terminal, and under them a footer that is painted again: what runs, which stages are done, how long it takes. */
export function liveRenderer(screen: Screen, out: Terminal, options: { logs: boolean; target: string }): Renderer {
  const lines = eventLines(out, options);
  const state = new FooterState(options.target);
  let painted = 0;
  let paused = false;
  const erase = (): string => (painted === 0 ? '' : `\x1b[${painted}A\r\x1b[J`);
  const paint = (above: () => void = () => {}): void => {
    if (paused) return above();
    const rows = state.rows(out, screen.columns ?? 80);
    screen.write(erase());
    painted = 0;
    above();
    screen.write(rows.map((row) => `${row}\n`).join(''));
    painted = rows.length;
  };
  const timer = setInterval(() => paint(), REPAINT_MS);
  timer.unref();
  const clear = (): void => {
    screen.write(erase());
    painted = 0;
  };
  out.keepBelow({
    above: paint,
    async aside(work) {
      clear();
      paused = true;
      try {
        return await work();
      } finally {
        paused = false;
      }
    },
  });
  return {
    emit(event) {
      state.take(event);
      const line = lines.of(event);
      if (line !== undefined) out.message(line);
    },
    failures: lines.failures,
    close() {
      clearInterval(timer);
      out.keepBelow(undefined);
      clear();
    },
  };
}

interface Running {
  readonly name: string;
  readonly since: number;
  /** The last line of its log. */
  last: string;
  /** Resources of the stack it deploys. */
  resources?: { readonly done: number; readonly total?: number; readonly current?: string };
}

/** What the footer shows, as events tell it. */
class FooterState {
  private readonly start = Date.now();
  private pipeline = '';
  private commit = '';
  private step: Running | undefined;
  private stages: PipelineShape['stages'] = [];
  private waves: PipelineShape['waves'] = [];
  private readonly finished = new Map<string, string>();
  private readonly running = new Map<string, Running>();

  constructor(private readonly target: string) {}

  take(event: OpsEvent): void {
    switch (event.type) {
      case 'commit':
        this.commit = `${event.id.slice(0, 7)} "${event.summary}"`;
        return;
      case 'pipeline':
        this.pipeline = event.name;
        this.stages = event.stages;
        this.waves = event.waves;
        this.finished.clear();
        this.running.clear();
        return;
      case 'step':
        this.step = event.status === 'started' ? { name: event.name, since: Date.now(), last: '' } : undefined;
        return;
      case 'action': {
        const name = `${event.stage}/${event.action}`;
        if (event.status === 'InProgress') this.running.set(name, { name, since: Date.now(), last: '' });
        else {
          this.running.delete(name);
          this.finished.set(name, event.status);
        }
        return;
      }
      case 'resources': {
        const running = this.running.get(`${event.stage}/${event.action}`);
        if (running) running.resources = event;
        return;
      }
      case 'log': {
        const running = this.running.get(event.source);
        if (running) running.last = event.line;
        return;
      }
      default:
        return;
    }
  }

  rows(out: Terminal, columns: number): string[] {
    const width = Math.max(20, columns - 1);
    const active = [...(this.step ? [this.step] : []), ...this.running.values()];
    const heading = [this.pipeline, this.commit, this.target, clock(Date.now() - this.start)].filter(Boolean).join(' · ');
    const fit = (text: string): string => (stripVTControlCharacters(text).length <= width ? text : `${stripVTControlCharacters(text).slice(0, width - 1)}…`);
    const total = this.stages.reduce((sum, { actions }) => sum + actions.length, 0);
    const done = [...this.finished.values()].filter((status) => status === 'Succeeded').length;
    const head = fit(`─ ${heading} `);
    const shown = active.slice(0, ROWS - 4);
    return [
      out.style('dim', `${head}${'─'.repeat(Math.max(0, width - head.length))}`),
      ...(this.stages.length > 0 ? [fit(` ${this.stages.map((stage) => `${stage.name}${this.glyph(stage)}`).join(' ')}`)] : []),
      ...shown.map((running) => fit(` ▶ ${running.name}${progress(running, width)}  ${Math.floor((Date.now() - running.since) / 1000)}s${running.last ? `  ${running.last}` : ''}`)),
      ...(active.length > shown.length ? [fit(` … ${active.length - shown.length} more`)] : []),
      ...(total > 0 ? [fit(` ${done}/${total} actions${this.estimate()} · Ctrl-C stops, the next run goes on`)] : []),
    ];
  }

  /** By how long the last execution took; nothing where that says nothing, or nothing is left but what waits for people. */
  private estimate(): string {
    const now = Date.now();
    const seconds = remainingSeconds(this.waves, (name) => {
      const running = this.running.get(name);
      return running ? (now - running.since) / 1000 : this.finished.get(name) === 'Succeeded' ? 'done' : undefined;
    });
    return seconds === undefined || seconds < 1 ? '' : ` · est ${clock(seconds * 1000)} left`;
  }

  private glyph({ name, actions }: { readonly name: string; readonly actions: readonly string[] }): string {
    const states = actions.map((action) => this.finished.get(`${name}/${action}`));
    if (states.includes('Failed')) return '✖';
    if (states.every((state) => state === 'Succeeded')) return '✓';
    return actions.some((action) => this.running.has(`${name}/${action}`)) || states.some((state) => state !== undefined) ? '▶' : '·';
  }
}

const BAR = 10;
/** Columns from which on a bar has room beside what it stands for. */
const BAR_FROM = 60;

/** ` ███████░░░ 9/13 LogGroup`. */
function progress({ resources }: Running, width: number): string {
  if (!resources) return '';
  const { done, total, current } = resources;
  const filled = total ? Math.floor((BAR * done) / total) : 0;
  return [total && width >= BAR_FROM ? ` ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}` : '', ` ${total === undefined ? `${done} done` : `${done}/${total}`}`, current ? ` ${current}` : ''].join('');
}
