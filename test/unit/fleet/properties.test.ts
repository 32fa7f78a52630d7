import { Ajv } from 'ajv';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { FleetFileError, readConfig } from '../../../src/config/index.js';
import { fleetSchema } from '../../../src/config/json-schema.js';
import { fleetFile } from '../../../src/config/schema/fleet.js';
import { parseFleet } from '../../../src/fleet/load.js';
import { examineFleet, resolveFleet } from '../../../src/fleet/resolve.js';
import { fleets } from './fleets.js';

const schema = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(fleetSchema());
const CODE = /^[A-Z]{3}\d{3}$/;

/** Fleets with one part replaced, removed or renamed. */
const mutated = fc.tuple(fleets, fc.infiniteStream(fc.nat(1000)), fc.oneof(fc.constantFrom<unknown>('', 'x', 0, 12, true, null, [], {}, '333', [null], 'us-east1', { x: 1 }), fc.jsonValue()), fc.constantFrom('replace', 'remove', 'rename')).map(([fleet, stream, value, how]) => {
  const copy = structuredClone(fleet) as unknown as Record<string, unknown>;
  let part = copy;
  for (;;) {
    const keys = Object.keys(part);
    const key = keys[stream.next().value! % keys.length]!;
    const below = part[key];
    if (typeof below === 'object' && below !== null && Object.keys(below).length > 0 && stream.next().value! % 4 !== 0) {
      part = below as Record<string, unknown>;
      continue;
    }
    if (how === 'rename' && !Array.isArray(part)) part[`${key}x`] = below;
    if (how === 'replace') part[key] = value;
    else if (Array.isArray(part)) part.splice(Number(key), 1);
    else delete part[key];
    return copy;
  }
});

test('valid fleets resolve: every enabled account and region is a target once, every stage ID stands once, every pair is in the matrix', () => {
  fc.assert(
    fc.property(fleets, (input) => {
      const fleet = parseFleet(input);
      const targets = fleet.pipelines.flatMap((pipeline) => pipeline.waves.flatMap((wave) => wave.targets));
      expect(new Set(targets.map(({ stageId }) => stageId)).size).toBe(targets.length);
      const pairs = new Set(fleet.bootstrap.map(({ account, region }) => `${account}/${region}`));
      expect(pairs.size).toBe(fleet.bootstrap.length);
      for (const target of targets) {
        for (const { region } of target.regions) expect(pairs).toContain(`${target.account}/${region}`);
        expect(target.regionOrder.flat().toSorted()).toEqual(target.regions.map(({ region }) => region).toSorted());
      }
      const wanted = Object.entries(input.environments).flatMap(([name, { enabled, account, accounts = [], regions = [] }]) => {
        const on = regions.filter((region) => typeof region === 'string' || region.enabled !== false).map((region) => (typeof region === 'string' ? region : region.region));
        return enabled ? [...(account === undefined ? [] : [account]), ...accounts.map((one) => (typeof one === 'string' ? one : one.account))].flatMap((one) => on.map((region) => `${name} ${one} ${region}`)) : [];
      });
      expect(targets.flatMap((target) => target.regions.map(({ region }) => `${target.environment} ${target.account} ${region}`)).toSorted()).toEqual(wanted.toSorted());
    }),
  );
});

test('a fleet means the same as YAML, as JSON and in code', () => {
  fc.assert(
    fc.property(fleets, (input) => {
      const fromText = (text: string): unknown => resolveFleet(readConfig([{ file: 'f', text }], () => []));
      const inCode = parseFleet(input);
      expect(fromText(stringify(input))).toEqual(inCode);
      expect(fromText(JSON.stringify(input, null, 2))).toEqual(inCode);
    }),
  );
});

test('what is wrong is told with a code, a place and its line, why and a fix, and never anything else is raised', () => {
  let refused = 0;
  fc.assert(
    fc.property(mutated, (input) => {
      try {
        readConfig([{ file: 'f', text: stringify(input) }], (config) => examineFleet(config).mistakes);
      } catch (error) {
        refused++;
        if (!(error instanceof FleetFileError)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
        for (const { code, where, message, frame, why, fix } of error.problems) {
          expect(code).toMatch(CODE);
          expect(where).toMatch(/^f:\d+:\d+$/);
          expect([frame, why, fix]).toEqual([expect.stringMatching(/\^/), expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
          expect(message).not.toMatch(/undefined|\[object|Invalid input/);
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(30);
});

test('any text, and any value, is read or refused with a code', () => {
  const yamlish = fc.array(fc.oneof(fc.constantFrom('fleet: ', 'pipeline:\n', '  ', '- ', '{', '}', '[', ']', '&a ', '*a', '<<: ', '"', "'", '\n', '\t', ': ', '|\n', '>', '#', '!!set ', '? ', 'environments:\n', '\u0000', '\uFEFF', '---\n', '%YAML'), fc.string({ maxLength: 4 })), { maxLength: 30 }).map((parts) => parts.join(''));
  const refusedWithCode = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof FleetFileError)) throw error;
    }
  };
  fc.assert(fc.property(yamlish, (text) => refusedWithCode(() => readConfig([{ file: 'f', text }], (config) => examineFleet(config).mistakes))), { numRuns: 500 });
  fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withTypedArray: true, withSparseArray: true, withObjectString: true }), (value) => refusedWithCode(() => parseFleet(value as never))), { numRuns: 300 });
});

test('the JSON schema accepts what zod accepts and refuses what it refuses', () => {
  fc.assert(fc.property(fleets, (input) => void expect([schema(input), schema.errors]).toEqual([true, null])));
  fc.assert(
    // A rule that JSON schema can't say: addresses have a format there, which this validator is told not to check.
    fc.property(mutated, (input) => void expect(schema(input)).toBe(fleetFile.safeParse(input).success)),
    { numRuns: 300 },
  );
});
