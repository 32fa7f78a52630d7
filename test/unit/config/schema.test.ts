import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONFIG_CODES } from '../../../src/config/codes.js';
import { fleetSchema } from '../../../src/config/json-schema.js';

const root = resolve(import.meta.dirname, '../../..');

test('schema/fleet.json is what the schema says (node --import tsx scripts/fleet-schema.mjs)', () => {
  expect(JSON.parse(readFileSync(join(root, 'schema', 'fleet.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(fleetSchema())));
});

describe('codes', () => {
  const files = (folder: string): string[] => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]));
  const sources = ['config', 'fleet', 'cdk', 'cli', 'ops'].flatMap((room) => files(join(root, 'src', room))).filter((file) => !file.endsWith('codes.ts'));
  const used = new Set(sources.flatMap((file) => readFileSync(file, 'utf8').match(/CFG\d{3}/g) ?? []));

  test('every code of the fleet file is explained, and every explained one is used', () => {
    expect([...used].toSorted()).toEqual(Object.keys(CONFIG_CODES).toSorted());
  });
});
