// npm run torture: random pipelines against a model of the rules with a death before every commit, then kill -9 of the real process at
// every transition, then the properties of the unit tests on new samples. `--simulation`, `--kill` or `--properties` runs one of them;
// `--seeds N --from SEED` and `--from N --to N` replay, FLOTILLA_SEED=SEED npm test -- --project unit replays a round of properties.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, root, setUp } from './setup.mjs';

setUp();
build();
const args = process.argv.slice(2);
const parts = args.includes('--simulation') ? ['simulate'] : args.includes('--kill') ? ['kill'] : args.includes('--properties') ? [] : ['simulate', 'kill'];
for (const part of parts) {
  const main = fileURLToPath(new URL(`../test/torture/${part}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (parts.length !== 1) {
  const rounds = Number(args[args.indexOf('--rounds') + 1] ?? 0) || 5;
  for (let round = 1; round <= rounds; round++) {
    const seed = randomInt(2 ** 31);
    process.stdout.write(`properties, round ${round} of ${rounds}: FLOTILLA_SEED=${seed}\n`);
    const { status } = spawnSync(process.execPath, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'unit', ...files(join(root, 'test', 'unit'))], { stdio: 'inherit', cwd: root, env: { ...process.env, FLOTILLA_SEED: String(seed) } });
    if (status !== 0) process.exit(status ?? 1);
  }
}

/** The unit tests that state properties. */
function files(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.test.ts') && readFileSync(path, 'utf8').includes('fast-check'));
}
