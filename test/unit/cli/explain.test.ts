import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAMILIES } from '../../../src/cli/explain.js';
import { CONSTRUCT_CODES } from '../../../src/shared/construct-codes.js';

const sources = join(import.meta.dirname, '../../../src');

it('explain knows the family of every code that the program raises', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const codes = files.flatMap((name) => [...readFileSync(join(sources, name), 'utf8').matchAll(/(?:FlotillaError\(|code: )'([A-Z]{3})\d{3}'/g)].map((match) => match[1]!));
  expect(codes.length).toBeGreaterThan(100);
  expect([...new Set(codes)].filter((family) => !(family in FAMILIES))).toEqual([]);
});

it('explain says more of every code of the constructs, and of no other', () => {
  const files = readdirSync(join(sources, 'cdk')).map((name) => readFileSync(join(sources, 'cdk', name), 'utf8'));
  expect([...new Set(files.flatMap((text) => text.match(/CDK\d{3}/g) ?? []))].toSorted()).toEqual(Object.keys(CONSTRUCT_CODES));
});
