// npm run corpus -- DIR…: runs checked-out CDK Pipelines apps as they are and prints what became of each. A folder without a repository of
// its own is taken as part of the one it lies in.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build, root, setUp } from './setup.mjs';

const folders = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const keep = process.argv.includes('--keep');
if (folders.length === 0) {
  process.stderr.write('usage: npm run corpus -- DIR… [--keep]\n');
  process.exit(2);
}
setUp();
build();
const cli = join(root, 'dist', 'cli.js');

const rows = [];
for (const folder of folders) rows.push(tryApp(resolve(folder)));
print(rows);
process.exit(rows.every(({ result }) => result === 'through') ? 0 : 4);

function tryApp(directory) {
  if (!existsSync(join(directory, 'cdk.json'))) return { app: basename(directory), result: 'no cdk.json' };
  const state = join(directory, '.flotilla');
  if (!keep) stopAndRemove(state);
  mkdirSync(state, { recursive: true });
  process.stderr.write(`\n── ${directory}\n`);
  const begin = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'run', directory, '--approve', 'all', '--output', 'json'], { encoding: 'utf8', maxBuffer: 256 * 1024 ** 2, timeout: 20 * 60_000 });
  process.stderr.write(stderr.split('\n').filter((line) => /^[✓✖⏸]/.test(line)).join('\n'));
  const seconds = Math.round((Date.now() - begin) / 1000);
  const report = parse(stdout);
  const resources = Number(/\((\d+) resources really exist\)/.exec(stderr)?.[1] ?? 0);
  const modelled = Number(/modelled only (\d+) resources/.exec(stderr)?.[1] ?? 0);
  const error = /^✖ ([A-Z]{3}\d{3} .*)$/m.exec(stderr)?.[1] ?? report?.pipelines?.flatMap(({ failures }) => failures)[0]?.message.split('\n').slice(0, 2).join(' — ');
  if (!keep) stopAndRemove(state);
  return {
    app: basename(directory),
    pipelines: report?.pipelines?.length ?? 0,
    stages: new Set(report?.where?.flatMap(({ rows: all, pipeline }) => all.map(({ stage }) => `${pipeline.name}/${stage}`))).size,
    stacks: report?.where?.flatMap(({ rows: all }) => all.flatMap(({ stacks }) => stacks)).length ?? 0,
    resources,
    modelled,
    seconds,
    result: status === 0 ? 'through' : (error ?? `exit code ${status}`),
  };
}

function stopAndRemove(state) {
  spawnSync(process.execPath, [cli, 'cloud', 'stop', '--dir', state], { stdio: 'ignore' });
  rmSync(state, { recursive: true, force: true });
}

/** The JSON output: a version record, then the result. */
function parse(text) {
  try {
    return JSON.parse(text.slice(text.indexOf('\n') + 1));
  } catch {
    return undefined;
  }
}

function print(all) {
  const columns = ['app', 'pipelines', 'stages', 'stacks', 'resources', 'modelled', 'seconds', 'result'];
  const width = Object.fromEntries(columns.map((name) => [name, Math.max(name.length, ...all.map((row) => String(row[name] ?? '').slice(0, 60).length))]));
  const line = (row) => columns.map((name) => String(row[name] ?? '').padEnd(width[name])).join('  ');
  process.stdout.write(`\n${line(Object.fromEntries(columns.map((name) => [name, name])))}\n${all.map(line).join('\n')}\n`);
}
