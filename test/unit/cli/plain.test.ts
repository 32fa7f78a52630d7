import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { plainRenderer } from '../../../src/cli/render/plain.js';
import { terminal } from '../../../src/cli/terminal.js';

let written: string;
beforeEach(() => {
  written = '';
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const stream = { write: (text: string) => (written += text) };
const renderer = () => plainRenderer(terminal({ color: false }, { stdout: stream, stderr: stream, env: {} }), { logs: false });

describe('the sign of life of plain output', () => {
  it('comes every thirty seconds while something runs', () => {
    const plain = renderer();
    plain.emit({ type: 'step', name: 'synth', status: 'started' });
    vi.advanceTimersByTime(61_000);
    plain.close();
    expect(written).toBe('… synth · 00:30\n… synth · 01:00\n');
  });

  it('does not come where nothing runs: a question may stand there', () => {
    const plain = renderer();
    plain.emit({ type: 'step', name: 'synth', status: 'started' });
    plain.emit({ type: 'step', name: 'synth', status: 'succeeded', seconds: 1 });
    vi.advanceTimersByTime(120_000);
    plain.close();
    expect(written).toMatch(/^✓ synth[^\n]*\n$/);
  });
});
