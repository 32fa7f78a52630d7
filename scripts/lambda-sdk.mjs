// Bundles the AWS SDK clients that functions of the local cloud find beside them, as AWS's own Node.js runtimes offer them.
import { build } from 'esbuild';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CREATE_REQUIRE = "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/** Writes `lambda-sdk/@aws-sdk/client-…` below `data`: a package a client, their common parts once. */
export async function bundleLambdaSdk(root, data) {
  // Not named node_modules: npm never packs a folder of that name.
  const out = join(data, 'lambda-sdk');
  const clients = readdirSync(join(root, 'node_modules', '@aws-sdk')).filter((name) => name.startsWith('client-'));
  await build({
    absWorkingDir: root,
    bundle: true,
    minify: true,
    legalComments: 'none',
    platform: 'node',
    target: 'node20.19',
    // Their ES modules: the CommonJS ones would lose the names of their exports.
    mainFields: ['module', 'main'],
    conditions: ['module', 'import'],
    format: 'esm',
    splitting: true,
    outdir: out,
    entryPoints: Object.fromEntries(clients.map((name) => [name, `@aws-sdk/${name}`])),
    entryNames: '@aws-sdk/[name]/index',
    chunkNames: 'chunks/[hash]',
    banner: { js: CREATE_REQUIRE },
    logLevel: 'warning',
  });
  writeFileSync(join(out, 'package.json'), JSON.stringify({ type: 'module' }));
  for (const name of clients) writeFileSync(join(out, '@aws-sdk', name, 'package.json'), JSON.stringify({ name: `@aws-sdk/${name}`, type: 'module', main: 'index.js' }));
}
