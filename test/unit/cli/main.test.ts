import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const program = `${process.execPath} --import tsx src/cli/main.ts`;
const bash = (script: string) => spawnSync('bash', ['-c', script], { cwd: root, encoding: 'utf8' });

describe('the command line', () => {
  it('ends quietly when whoever reads its output closes it', () => {
    const { stdout, stderr } = bash(`{ ${program} explain; echo "code $?" >&2; } | true`);
    expect([stdout, stderr]).toEqual(['', 'code 141\n']);
  });

  it('takes no format of output that it doesn’t have', () => {
    const { status, stderr } = bash(`${program} --output xml explain`);
    expect([status, stderr.split('\n')[0]]).toEqual([2, "error: option '--output <format>' argument 'xml' is invalid. Allowed choices are text, json."]);
  });

  it('tells an error in JSON behind the version, as any data', () => {
    const { status, stdout } = bash(`${program} --output json explain CFG999`);
    const [version, ...record] = stdout.split('\n');
    expect([status, version, JSON.parse(record.join('\n'))]).toEqual([6, '{"type":"version","schema":"1.0"}', expect.objectContaining({ type: 'error', code: 'CLI012' })]);
  });
});
