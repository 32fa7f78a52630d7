// Bundles the entry points into dist/, copies the generated data beside them and emits their types.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleLambdaSdk } from './lambda-sdk.mjs';
import { copyTemplates } from './templates.mjs';

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
  // Packages that come in both forms are taken as modules, so that what isn't used stays out.
  mainFields: ['module', 'main'],
  sourcemap: false,
  logLevel: 'warning',
  external,
  metafile: true,
  define: { FLOTILLA_VERSION: JSON.stringify(version) },
};

const bundles = [];
bundles.push(await build({
  ...common,
  format: 'esm',
  outdir: out,
  entryPoints: { cli: 'src/cli/main.ts', index: 'src/index.ts', local: 'src/local/main.ts', 'local-api': 'src/local/index.ts' },
  splitting: true,
  chunkNames: 'chunk-[hash]',
  // Bundled packages written as CommonJS ask for Node's own modules.
  banner: { js: "import { createRequire as flotillaRequire } from 'node:module'; const require = flotillaRequire(import.meta.url);" },
}));
// Its part of zod is in it, because loading all of zod takes longer than the rest of it.
bundles.push(await build({ ...common, external: external.filter((name) => name !== 'zod'), format: 'cjs', outfile: join(out, 'cdk.cjs'), entryPoints: ['src/cdk/index.ts'] }));
writeFileSync(join(out, 'cdk.cjs'), lazily(readFileSync(join(out, 'cdk.cjs'), 'utf8')));
// Runs in builds, from the cloud assembly: whole in itself, for every Node that CodeBuild's images have.
bundles.push(await build({ ...common, external: [], target: 'node18', format: 'cjs', minify: true, legalComments: 'none', outfile: join(out, 'steps', 'steps.cjs'), entryPoints: ['src/steps/main.ts'] }));
// The same for the publisher of assets, which some assemblies take along: with the schema it is there for, not the one that the tests' aws-cdk-lib has.
bundles.push(await build({ ...common, external: [], target: 'node18', format: 'cjs', minify: true, legalComments: 'none', banner: { js: '#!/usr/bin/env node' }, alias: { '@aws-cdk/cloud-assembly-schema': 'cloud-assembly-schema-55' }, outfile: join(out, 'publisher', 'cdk-assets'), entryPoints: ['src/steps/cdk-assets.ts'] }));
// A command has no ending that would say what it is, wherever the assembly lies.
writeFileSync(join(out, 'publisher', 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
writeFileSync(join(out, 'THIRD-PARTY.md'), licences(bundles));

/** CDK's modules are loaded when something of them is first used: a fleet uses a part of them, and each costs a millisecond. */
function lazily(text) {
  const head = 'const fromCdk = (module) => new Proxy({}, { get: (_, name) => module()[name] });\n';
  const rest = text.replaceAll(/^var (\w+) = require\("(aws-cdk-lib\/[\w-]+)"\);$/gm, 'var $1 = fromCdk(() => require("$2"));');
  return rest.replace('"use strict";\n', `"use strict";\n${head}`);
}

for (const folder of dataFolders(join(root, 'src', 'local'))) cpSync(folder, join(out, 'data'), { recursive: true, filter: (path) => !path.includes('__pycache__') });
await bundleLambdaSdk(root, join(out, 'data'));
copyTemplates(join(root, 'examples'), join(out, 'templates'));

execFileSync(process.execPath, [join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc'), '-p', 'tsconfig.types.json', '--outDir', join(out, 'types')], { cwd: root, stdio: 'inherit' });
writeFileSync(join(out, 'cdk.d.cts'), "export * from './types/cdk/index.js';\n");

cpSync(out, dist, { recursive: true, force: true });
removeStale(dist, out);

/** Name, version and licence text of every package whose code is in the bundles. */
function licences(results) {
  const folders = new Set(results.flatMap(({ metafile }) => Object.keys(metafile.inputs)).map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
  const entries = [...folders].map((folder) => {
    const { name, version: own, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    return { name, own, license, text: file ? readFileSync(join(root, folder, file), 'utf8').trim() : '' };
  });
  const byText = new Map();
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) byText.set(entry.text, [...(byText.get(entry.text) ?? []), entry]);
  return `# Packages bundled into Flotilla\n\n${[...byText].map(([text, users]) => `${users.map(({ name, own, license }) => `- ${name} ${own} (${license})`).join('\n')}\n\n\`\`\`\n${text || 'The package carries no licence file.'}\n\`\`\`\n`).join('\n')}`;
}

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
