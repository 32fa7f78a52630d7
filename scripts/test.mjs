// npm test: set-up, build, static checks, then every test project. `npm test -- --project unit` runs a part.
import { existsSync } from 'node:fs';
import { bin, build, root, run, setUp } from './setup.mjs';
import { join } from 'node:path';

setUp();
build();
const args = process.argv.slice(2);
if (args.length === 0) {
  bin('tsc', ['--noEmit', '-p', 'tsconfig.json']);
  bin('oxlint', ['--deny-warnings', 'src', 'test', 'scripts']);
  bin('knip', ['--no-progress']);
  bin('publint', ['--strict']);
  bin('attw', ['--pack', '.', '--profile', 'node16', '--exclude-entrypoints', 'package.json', '--ignore-rules', 'cjs-resolves-to-esm']);
}
// The projects one after another: end-to-end tests measure nothing, but they share two cores with whatever runs beside them.
const projects = args.length > 0 ? [args] : [['--project', 'unit'], ['--project', 'conformance'], ['--project', 'e2e']];
for (const project of projects) run(process.execPath, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...project], { env: { ...process.env, FLOTILLA_VECTORS: process.env.FLOTILLA_VECTORS ?? (existsSync(join(root, '..', 'shared', 'conformance')) ? join(root, '..', 'shared', 'conformance') : '') } });
