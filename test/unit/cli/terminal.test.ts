import { describe, expect, it } from 'vitest';
import { terminal, type GlobalOptions } from '../../../src/cli/terminal.js';

/** What arrives at each stream. */
function written(options: GlobalOptions, ttys: { stdout?: boolean; stderr?: boolean }, env: NodeJS.ProcessEnv = {}): [stdout: string, stderr: string] {
  const got = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ isTTY: ttys[name] ?? false, columns: 60, write: (text: string) => (got[name] += text) });
  const out = terminal(options, { stdout: stream('stdout'), stderr: stream('stderr'), env });
  out.print(out.style('green', 'data'));
  out.message(out.style('red', 'message'));
  return [got.stdout, got.stderr];
}

const [DATA, MESSAGE] = ['\u001b[32mdata\u001b[39m\n', '\u001b[31mmessage\u001b[39m\n'];

describe('colours', () => {
  it.each<[string, GlobalOptions, { stdout?: boolean; stderr?: boolean }, NodeJS.ProcessEnv, [string, string]]>([
    ['are on a terminal', {}, { stdout: true, stderr: true }, {}, [DATA, MESSAGE]],
    ['are on stderr where only stdout goes into a pipe', {}, { stderr: true }, {}, ['data\n', MESSAGE]],
    ['are on stdout where only stderr goes into a file', {}, { stdout: true }, {}, [DATA, 'message\n']],
    ['are nowhere without a terminal', {}, {}, {}, ['data\n', 'message\n']],
    ['are nowhere with NO_COLOR', {}, { stdout: true, stderr: true }, { NO_COLOR: '1' }, ['data\n', 'message\n']],
    ['are as ever with an empty NO_COLOR', {}, { stdout: true, stderr: true }, { NO_COLOR: '' }, [DATA, MESSAGE]],
    ['are nowhere with --no-color', { color: false }, { stdout: true, stderr: true }, { FORCE_COLOR: '1' }, ['data\n', 'message\n']],
    ['are everywhere with --color', { color: true }, {}, { NO_COLOR: '1' }, [DATA, MESSAGE]],
    ['are everywhere with FORCE_COLOR', {}, {}, { FORCE_COLOR: '1' }, [DATA, MESSAGE]],
    ['are nowhere with FORCE_COLOR=0', {}, { stdout: true, stderr: true }, { FORCE_COLOR: '0' }, ['data\n', 'message\n']],
    ['are nowhere on a dumb terminal', {}, { stdout: true, stderr: true }, { TERM: 'dumb' }, ['data\n', 'message\n']],
  ])('%s', (_what, options, ttys, env, expected) => expect(written(options, ttys, env)).toEqual(expected));

  it('are not messages: --quiet silences stderr alone', () => expect(written({ quiet: true }, { stdout: true, stderr: true })).toEqual([DATA, '']));
});

it('JSON begins with the version of its schema, once, however many records come', () => {
  let got = '';
  const out = terminal({ output: 'json' }, { stdout: { write: (text: string) => (got += text) }, stderr: { write: () => true }, env: {} });
  out.data({ record: 1 });
  out.data({ record: 2 });
  expect(got).toBe('{"type":"version","schema":"1.0"}\n{\n  "record": 1\n}\n{\n  "record": 2\n}\n');
});
