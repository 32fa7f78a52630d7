// Bundles the entry points into dist/, copies the generated data beside them and emits their types.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleLambdaSdk } from './lambda-sdk.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
// Made beside dist/ and laid over it at the end: a local cloud that runs from dist/ never finds it half there.
const out = join(root, `dist.${process.pid}`);
process.on('exit', () => rmSync(out, { recursive: true, force: true }));
const { version, dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

mkdirSync(join(out, 'data'), { recursive: true });

const external = Object.keys({ ...dependencies, ...peerDependencies });
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  sourcemap: false,
  logLevel: 'warning',
  external,
  define: { FLOTILLA_VERSION: JSON.stringify(version) },
};

await build({
  ...common,
  format: 'esm',
  outdir: out,
  entryPoints: { cli: 'src/cli/main.ts', index: 'src/index.ts', local: 'src/local/main.ts', 'local-api': 'src/local/index.ts' },
  splitting: true,
  chunkNames: 'chunk-[hash]',
});
await build({ ...common, format: 'cjs', outfile: join(out, 'cdk.cjs'), entryPoints: ['src/cdk/index.ts'] });

for (const folder of dataFolders(join(root, 'src', 'local'))) cpSync(folder, join(out, 'data'), { recursive: true });
await bundleLambdaSdk(root, join(out, 'data'));

execFileSync(process.execPath, [join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc'), '-p', 'tsconfig.types.json', '--outDir', join(out, 'types')], { cwd: root, stdio: 'inherit' });
writeFileSync(join(out, 'cdk.d.cts'), "export * from './types/cdk/index.js';\n");

cpSync(out, dist, { recursive: true, force: true });
removeStale(dist, out);

/** Removes from `folder` what `made` doesn't have. */
function removeStale(folder, made) {
  for (const name of readdirSync(folder)) {
    if (!existsSync(join(made, name))) rmSync(join(folder, name), { recursive: true, force: true });
    else if (statSync(join(folder, name)).isDirectory()) removeStale(join(folder, name), join(made, name));
  }
}

/** Every folder `data` in the sources: files that are read at run time, relative to the bundle. */
function dataFolders(folder) {
  const found = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!statSync(path).isDirectory()) continue;
    if (name === 'data') found.push(path);
    else found.push(...dataFolders(path));
  }
  return found;
}
