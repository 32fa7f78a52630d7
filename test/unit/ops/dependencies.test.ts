import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pathOf } from '../../../src/ops/run/dependencies.js';

let app: string;
beforeEach(() => {
  app = mkdtempSync(join(tmpdir(), 'flotilla-dependencies-'));
});
afterEach(() => rmSync(app, { recursive: true, force: true }));

const path = (): string[] => pathOf(app, join(app, '.flotilla')).split(delimiter);
const write = (name: string, text: string): void => writeFileSync(join(app, name), text);

describe('programs that start an app', () => {
  it('find its Python packages: those of its own environment, and those a run installed for these requirements', () => {
    write('cdk.json', JSON.stringify({ app: 'python3 app.py' }));
    write('requirements.txt', 'aws-cdk-lib\n');
    const own = join(app, '.venv', 'bin');
    const installed = join(app, '.flotilla', 'python', createHash('sha256').update('aws-cdk-lib\n').digest('hex').slice(0, 12), 'bin');
    for (const folder of [own, installed]) mkdirSync(folder, { recursive: true });
    expect(path().slice(0, 2)).toEqual([own, installed]);
    write('requirements.txt', 'aws-cdk-lib\npyyaml\n');
    expect(path()).not.toContain(installed);
  });

  it('find what stands in for a bundler last', () => {
    write('cdk.json', JSON.stringify({ app: 'npx tsx app.ts' }));
    expect(path().at(-1)).toBe(join(app, '.flotilla', 'work', 'bin'));
    expect(path().slice(0, -1).join(delimiter)).toBe(process.env['PATH']);
  });
});
