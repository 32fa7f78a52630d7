import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');

/** Rooms a room may import from, itself aside (docs/architecture.md). `types` of models are data and go everywhere inside local. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  config: ['shared'],
  fleet: ['config', 'shared'],
  cdk: ['fleet', 'config', 'shared'],
  permissions: ['shared'],
  ops: ['permissions', 'fleet', 'config', 'shared'],
  steps: ['ops', 'shared'],
  cli: ['ops', 'config', 'fleet', 'shared', '.'],
  dashboard: ['ops', 'shared'],
  'local/kernel': ['shared', 'local/state'],
  'local/wire': ['shared', 'local/kernel', 'local/models'],
  'local/models': ['shared', 'local/kernel'],
  'local/state': ['shared'],
  'local/iam': ['shared', 'local/kernel'],
  'local/process': ['shared', 'local/kernel'],
  'local/repositories': ['shared', 'local/kernel'],
  'local/cfn': ['shared', 'local/kernel', 'local/models', 'local/state', 'local/process'],
  'local/pipeline': ['shared', 'local/kernel', 'local/models', 'local/state', 'local/process'],
  'local/build': ['shared', 'local/kernel', 'local/models', 'local/state', 'local/process'],
};

/** A service may use state, models and its own engine; others it reaches by a client. */
const SERVICE = ['shared', 'local/kernel', 'local/models', 'local/state', 'local/iam'];
const ENGINES: Readonly<Record<string, readonly string[]>> = {
  cloudformation: ['local/cfn'],
  codepipeline: ['local/pipeline'],
  codebuild: ['local/build', 'local/process'],
  codecommit: ['local/repositories'],
  codeconnections: ['local/repositories'],
  lambda: ['local/process'],
  // STS has no resources of its own: it makes sessions of what IAM holds; Organizations tells the control policies that IAM enforces.
  sts: ['local/services/iam'],
  organizations: ['local/services/iam'],
};

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : /\.ts$/.test(name) && !name.endsWith('.d.ts') ? [path] : [];
  });
}

function roomOf(path: string): string {
  const parts = relative(source, path).split('/');
  if (parts.length === 1) return '.';
  if (parts[0] !== 'local') return parts[0]!;
  if (parts.length === 2) return 'local';
  return parts[1] === 'services' && parts.length > 3 ? `local/services/${parts[2]}` : `local/${parts[1]}`;
}

const imports = files(source).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => ({ file: relative(source, file), from: roomOf(file), to: roomOf(resolve(dirname(file), match[1]!)), target: match[1]! })),
);

function permitted(from: string, to: string): boolean {
  if (from === to || from === '.' || from === 'local' || from === 'local/services') return !(from === '.' && to.startsWith('local'));
  if (from.startsWith('local/services/')) return [...SERVICE, ...(ENGINES[from.slice('local/services/'.length)] ?? [])].includes(to);
  return (ALLOWED[from] ?? []).includes(to);
}

describe('rooms import only what the table allows', () => {
  test('there is something to check', () => {
    expect(imports.length).toBeGreaterThan(500);
  });

  test('no import crosses a wall', () => {
    const crossing = imports.filter(({ from, to }) => !permitted(from, to)).map(({ file, target }) => `${file} imports ${target}`);
    expect(crossing).toEqual([]);
  });

  test('the local cloud and the rest never meet in code', () => {
    const meeting = imports.filter(({ from, to }) => (from.startsWith('local') && /^(config|fleet|cdk|ops|cli|dashboard)/.test(to)) || (/^(config|fleet|cdk|ops|cli|dashboard)/.test(from) && to.startsWith('local')));
    expect(meeting).toEqual([]);
  });
});
