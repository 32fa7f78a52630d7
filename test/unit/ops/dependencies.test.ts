import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlotillaError } from '../../../src/shared/errors.js';
import { pathOf, prepareDependencies } from '../../../src/ops/run/dependencies.js';
import { localEnvironment, runProgram } from '../../../src/ops/run/programs.js';

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

  it('that no machine has are named, with what is wanted of them', async () => {
    const error: unknown = await runProgram('no-such-program', [], 'RUN006', 'installing it', { cwd: app, env: localEnvironment({}) }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'RUN006', message: 'installing it failed: no-such-program could not be started', why: expect.stringContaining('PATH') as string, fix: 'install no-such-program, then run again' });
  });
});

describe('what an app needs before it is started', () => {
  const before = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = before;
  });

  it('is installed by Yarn where it keeps a lockfile of Yarn, from the registry where the machine has no Yarn', async () => {
    const machine = join(app, 'machine');
    mkdirSync(machine);
    symlinkSync('/bin/sh', join(machine, 'sh'));
    writeFileSync(join(machine, 'npx'), '#!/bin/sh\necho "npx $*" > asked\n', { mode: 0o755 });
    process.env['PATH'] = machine;
    write('cdk.json', JSON.stringify({ app: 'npx tsx app.ts' }));
    write('package.json', '{}');
    write('yarn.lock', '');
    await prepareDependencies({ directory: app, emit: () => {}, folder: join(app, '.flotilla') });
    expect(readFileSync(join(app, 'asked'), 'utf8')).toBe('npx --yes yarn@1 install --frozen-lockfile\n');
  });
});

describe('a cdk.json', () => {
  it('that can’t be used is refused with its place, why and what to do', () => {
    const refusal = (text: string): unknown => {
      write('cdk.json', text);
      try {
        return path();
      } catch (error) {
        const { code, message, where, why, fix, exitCode } = error as FlotillaError;
        return { code, message: message.replace(app, ''), where: where?.replace(app, ''), why: why !== undefined, fix: fix !== undefined, exitCode };
      }
    };
    expect(refusal('{\n  "app": "npx tsx app.ts",\n}')).toEqual({ code: 'OPS008', message: '/cdk.json is not valid JSON', where: '/cdk.json:3:1', why: true, fix: true, exitCode: 2 });
    expect(refusal('{\n  "app": "npx')).toMatchObject({ code: 'OPS008', where: '/cdk.json:2:14' });
    expect(refusal('[]')).toMatchObject({ code: 'OPS008', message: '/cdk.json is no object' });
    expect(refusal('{\n  "context": {},\n  "app": ["npx"]\n}')).toMatchObject({ code: 'OPS008', where: '/cdk.json:3:3' });
    for (const none of ['{}', '{"app":" "}']) expect(refusal(none)).toEqual({ code: 'OPS009', message: "/cdk.json doesn't say how the app is started", where: '/cdk.json', why: true, fix: true, exitCode: 2 });
  });
});
