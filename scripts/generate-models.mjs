#!/usr/bin/env node
// Generates src/local/models/data and src/local/models/types from pinned versions of botocore and cfn-lint.
//
//   node scripts/generate-models.mjs [--from FOLDER] [--only schemas|apis]
//
// The result is committed; neither Python nor the network is needed to build or run Flotilla.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { IMPLEMENTED, apiModels } from './generate-models/apis.mjs';
import { pack } from './generate-models/pack.mjs';
import { resourceSchemas } from './generate-models/schemas.mjs';
import { declarations } from './generate-models/types.mjs';
import { unpackWheels } from './generate-models/wheels.mjs';

const { values: options } = parseArgs({ options: { from: { type: 'string' }, only: { type: 'string' } } });
const target = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'local', 'models');
const wheels = unpackWheels(options.from);

/** Entry of apis.pack with what is needed to tell which model a request belongs to. */
const INDEX = '';

mkdirSync(join(target, 'data'), { recursive: true });
if (options.only !== 'apis') {
  const schemas = resourceSchemas(join(wheels, 'cfnlint'));
  writeFileSync(join(target, 'data', 'resources.pack'), pack(schemas.map((schema) => [schema.typeName, schema])));
  process.stderr.write(`${schemas.length} resource types\n`);
}

if (options.only !== 'schemas') {
  const models = apiModels(join(wheels, 'botocore'));
  const headOf = ({ operations: _operations, shapes: _shapes, ...head }) => head;
  writeFileSync(join(target, 'data', 'apis.pack'), pack([...models.map((model) => [model.name, model]), [INDEX, models.map(headOf)]]));
  mkdirSync(join(target, 'types'), { recursive: true });
  for (const model of models.filter(({ name }) => IMPLEMENTED.includes(name))) writeFileSync(join(target, 'types', `${model.name}.d.ts`), declarations(model));
  process.stderr.write(`${models.length} services, ${models.reduce((sum, { operations }) => sum + Object.keys(operations).length, 0)} operations\n`);
}
