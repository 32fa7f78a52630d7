import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fleetSchema } from '../../../src/config/json-schema.js';
import { inspectFleet } from '../../../src/fleet/load.js';
import { TEMPLATES } from '../../../src/cli/init/templates.js';

const root = resolve(import.meta.dirname, '../../..');
const examples = readdirSync(join(root, 'examples'));
const schema = new Ajv({ strict: false, validateFormats: false }).compile(fleetSchema());
const json = (path: string): any => JSON.parse(readFileSync(path, 'utf8'));

test('every example is a template of flotilla init, and the other way round', () => {
  expect(examples.toSorted()).toEqual(Object.keys(TEMPLATES).toSorted());
});

describe.each(examples)('examples/%s', (name) => {
  const folder = join(root, 'examples', name);

  test('its lockfile has what Flotilla depends on (node scripts/example-locks.mjs)', () => {
    const { packages } = json(join(folder, 'package-lock.json'));
    expect(packages['node_modules/flotilla'].dependencies).toEqual(json(join(root, 'package.json')).dependencies);
    expect(packages['']).toMatchObject({ name, devDependencies: json(join(folder, 'package.json')).devDependencies });
    expect(packages['node_modules/flotilla'].integrity).toBeUndefined();
  });

  test('its YAML files are what the JSON schema says, and its fleet is valid', () => {
    const deployments = readdirSync(folder).includes('deployments') ? readdirSync(join(folder, 'deployments')).map((file) => join(folder, 'deployments', file)) : [];
    const file = join(folder, readdirSync(folder).find((one) => /^flotilla\.(yaml|config\.ts)$/.test(one))!);
    if (file.endsWith('.yaml')) {
      expect([schema(parse(readFileSync(file, 'utf8'))), schema.errors]).toEqual([true, null]);
      for (const overlays of [[], ...deployments.map((one) => [one])]) expect(inspectFleet(file, { overlays }).warnings).toEqual([]);
    }
  });
});
