// npm run torture: random pipelines against a model of the rules with a death before every commit, then kill -9 of the real process at
// every transition. `--simulation` or `--kill` runs one of them; `--seeds N --from SEED` and `--from N --to N` replay.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build, setUp } from './setup.mjs';

setUp();
build();
const args = process.argv.slice(2);
const parts = args.includes('--simulation') ? ['simulate'] : args.includes('--kill') ? ['kill'] : ['simulate', 'kill'];
for (const part of parts) {
  const main = fileURLToPath(new URL(`../test/torture/${part}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
