import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// Runs conformance vectors against the local cloud: npm run conformance -- DIR [--only TEXT]
const main = fileURLToPath(new URL('../test/conformance/main.ts', import.meta.url));
const { status } = spawnSync(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
