import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { liveRenderer } from '../../../src/cli/render/live.js';
import { terminal } from '../../../src/cli/terminal.js';

/** A terminal as wide as asked that keeps what a person would see: lines, the cursor at the end of the last. */
class Emulator {
  lines: string[] = [''];

  constructor(readonly columns: number) {}

  write(text: string): boolean {
    for (const part of text.split(/(\x1b\[\d+A|\x1b\[J|\r|\n)/)) {
      const up = /^\x1b\[(\d+)A$/.exec(part);
      if (up) this.row -= Number(up[1]);
      else if (part === '\x1b[J') this.lines.length = this.row + 1;
      else if (part === '\r') this.lines[this.row] = '';
      else if (part === '\n') this.lines[++this.row] ??= '';
      else this.lines[this.row] += stripVTControlCharacters(part);
    }
    return true;
  }

  private row = 0;

  get seen(): string[] {
    return this.lines.filter((line) => line !== '');
  }
}

let screen: Emulator;
const open = (columns = 100) => {
  screen = new Emulator(columns);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => screen.write(String(text)));
  return liveRenderer(screen, terminal({ color: false }), { logs: false, target: 'LOCAL' });
};
beforeEach(() => vi.useFakeTimers({ now: new Date('2026-11-21T12:00:00Z') }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const pipeline = { type: 'pipeline', name: 'payments', stages: [{ name: 'Source', actions: ['repo'] }, { name: 'Dev', actions: ['App.Deploy', 'Smoke'] }], waves: [] } as const;
const action = (stage: string, name: string, status: string, done: number) => ({ type: 'action', stage, action: name, status, done, total: 3, seconds: 1 }) as const;

describe('the footer', () => {
  it('stays below the lines that are finished, and says what runs', () => {
    const render = open();
    render.emit({ type: 'commit', id: '3f9c1a2b', summary: 'Add refunds' });
    render.emit(pipeline);
    render.emit(action('Source', 'repo', 'Succeeded', 1));
    render.emit(action('Dev', 'App.Deploy', 'InProgress', 1));
    vi.advanceTimersByTime(3000);
    expect(screen.seen[0]).toMatch(/^✓ Source\/repo .*1\/3$/);
    expect(screen.seen[1]).toMatch(/^─ payments · 3f9c1a2 "Add refunds" · LOCAL · 00:03 ─+$/);
    expect(screen.seen.slice(2)).toEqual([' Source✓ Dev▶', ' ▶ Dev/App.Deploy  3s', ' 1/3 actions · Ctrl-C stops, the next run goes on']);
    render.close();
    expect(screen.seen).toHaveLength(1);
  });

  it('says how long it takes by what the last execution took, and counts down', () => {
    const render = open();
    const wave = (...actions: [name: string, seconds: number][]) => actions.map(([name, seconds]) => ({ name, seconds }));
    render.emit({ ...pipeline, waves: [wave(['Source/repo', 4]), wave(['Dev/App.Deploy', 30], ['Dev/Other', 10]), wave(['Dev/Smoke', 15])] });
    render.emit(action('Source', 'repo', 'Succeeded', 1));
    render.emit(action('Dev', 'App.Deploy', 'InProgress', 1));
    vi.advanceTimersByTime(5000);
    expect(screen.seen.at(-1)).toBe(' 1/3 actions · est 00:40 left · Ctrl-C stops, the next run goes on');
    render.close();
  });

  it('estimates nothing where an action is left of which nothing is known', () => {
    const render = open();
    render.emit({ ...pipeline, waves: [[{ name: 'Source/repo', seconds: 4 }], [{ name: 'Dev/Smoke' }]] });
    vi.advanceTimersByTime(1000);
    expect(screen.seen.at(-1)).toBe(' 0/3 actions · Ctrl-C stops, the next run goes on');
    render.close();
  });

  it('never is wider than the terminal, nor higher than twelve rows', () => {
    const render = open(40);
    render.emit({ ...pipeline, stages: Array.from({ length: 30 }, (_, n) => ({ name: `Stage${n}`, actions: ['A'] })) });
    for (let n = 0; n < 30; n++) render.emit(action(`Stage${n}`, 'A', 'InProgress', 0));
    vi.advanceTimersByTime(1000);
    expect(screen.seen.length).toBeLessThanOrEqual(12);
    expect(Math.max(...screen.seen.map((line) => line.length))).toBeLessThan(40);
    expect(screen.seen.join('\n')).toContain('… 22 more');
    render.close();
  });

  it('shows how far a deployment is: resources done of all, and the one that is worked on', () => {
    const render = open();
    render.emit(pipeline);
    render.emit(action('Dev', 'App.Deploy', 'InProgress', 0));
    render.emit({ type: 'resources', stage: 'Dev', action: 'App.Deploy', stack: 'App', done: 9, total: 13, current: 'LogGroup', failed: [] });
    vi.advanceTimersByTime(6000);
    expect(screen.seen).toContain(' ▶ Dev/App.Deploy ██████░░░░ 9/13 LogGroup  6s');
    render.emit({ type: 'resources', stage: 'Dev', action: 'App.Deploy', stack: 'App', done: 10, failed: ['Db (AWS::RDS::DBInstance): no subnet'] });
    vi.advanceTimersByTime(300);
    expect(screen.seen[0]).toMatch(/^✖ Dev\/App\.Deploy +Db \(AWS::RDS::DBInstance\): no subnet$/);
    expect(screen.seen).toContain(' ▶ Dev/App.Deploy 10 done  6s');
    render.close();
  });

  it('leaves the bar out where there is no room for it', () => {
    const render = open(40);
    render.emit(pipeline);
    render.emit(action('Dev', 'App.Deploy', 'InProgress', 0));
    render.emit({ type: 'resources', stage: 'Dev', action: 'App.Deploy', stack: 'App', done: 9, total: 13, current: 'AVeryLongLogicalIdOfALogGroup', failed: [] });
    vi.advanceTimersByTime(300);
    expect(screen.seen.find((line) => line.includes('App.Deploy'))).toMatch(/^ ▶ Dev\/App\.Deploy 9\/13 AVeryLong\w*…$/);
    expect(Math.max(...screen.seen.map((line) => line.length))).toBeLessThan(40);
    render.close();
  });

  it('marks the stage where something failed', () => {
    const render = open();
    render.emit(pipeline);
    render.emit(action('Dev', 'App.Deploy', 'Failed', 0));
    vi.advanceTimersByTime(300);
    expect(screen.seen.join('\n')).toContain('Source· Dev✖');
    render.close();
  });

  it('makes way for a question and comes back after it', async () => {
    screen = new Emulator(80);
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => screen.write(String(text)));
    const out = terminal({ color: false });
    const render = liveRenderer(screen, out, { logs: false, target: 'LOCAL' });
    render.emit(pipeline);
    vi.advanceTimersByTime(300);
    await out.alone(async () => {
      vi.advanceTimersByTime(1000);
      expect(screen.seen).toEqual([]);
    });
    vi.advanceTimersByTime(300);
    expect(screen.seen.join('\n')).toContain('payments');
    render.close();
  });
});
