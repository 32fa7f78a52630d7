import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuseName } from '../../../src/cli/confirm.js';
import { knownName, readFleet, type FleetOptions } from '../../../src/cli/fleet.js';
import type { World } from '../../../src/cli/world.js';
import { placeOf } from '../../../src/ops/fleet/fleet.js';
import type { FlotillaError } from '../../../src/shared/errors.js';

const FLEET = 'fleet: payments\npipeline: { account: "999999999999", region: us-east-1, source: { codecommit: payments, branch: main } }\nenvironments:\n  dev: { account: "111111111111", regions: [us-east-1] }\n';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'flotilla-name-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('the name of a fleet is known from its file without synthesizing the app', () => {
  writeFileSync(join(folder, 'cdk.json'), '{"app":"false"}');
  expect(knownName({ app: folder })).toBeUndefined();
  writeFileSync(join(folder, 'flotilla.yaml'), FLEET);
  expect(knownName({ app: folder })).toBe('payments');
  expect(knownName({ app: folder, assembly: 'cdk.out' })).toBeUndefined();
  expect(knownName({ pair: ['111111111111/us-east-1', '222222222222/us-east-1'] })).toBe('2 pairs');
});

describe('an app that lays files over its fleet file', () => {
  const world = { render: { emit: () => {} } } as unknown as World;
  const refused = (options: FleetOptions) => readFleet(world, options, 'pairs').catch(({ code, exitCode }: FlotillaError) => `${code} ${exitCode}`);
  const edge = (): string => join(folder, 'edge.yaml');
  beforeEach(() => {
    writeFileSync(join(folder, 'cdk.json'), '{"app":"false"}');
    writeFileSync(edge(), 'fleet: payments-edge\nenvironments:\n  edge: { account: "444444444444", regions: [eu-central-1] }\n');
  });

  it('has the name and the pairs that the files have together, those that only an overlay names included', async () => {
    writeFileSync(join(folder, 'flotilla.yaml'), FLEET);
    expect(knownName({ app: folder, overlay: [edge()] })).toBe('payments-edge');
    expect(knownName({ app: folder, context: ['deployment=edge'] })).toBeUndefined();
    const { name, pairs } = await readFleet({ ...world, environments: new Map<string, string>() }, { app: folder, overlay: [edge()] }, 'pairs');
    expect([name, pairs.map(placeOf)]).toEqual(['payments-edge', ['999999999999/us-east-1', '111111111111/us-east-1', '444444444444/eu-central-1']]);
  });

  it('is told where there is nothing to lay them over, or nothing that would be synthesized', async () => {
    expect(await refused({ app: folder, overlay: [edge()] })).toBe('CLI019 2');
    for (const fleet of [{ pair: ['111111111111/us-east-1'] }, { assembly: 'cdk.out' }, { app: folder, pipeline: ['payments'] }]) {
      expect(await refused({ ...fleet, overlay: [edge()] })).toBe('CLI019 2');
      expect(await refused({ ...fleet, context: ['stage=edge'] })).toBe('CLI019 2');
    }
    expect(await refused({ app: folder, context: ['stage'] })).toBe('CLI018 2');
  });
});

it('another name than the one that is meant is refused', () => {
  expect(() => refuseName('payments', 'payment')).toThrowError(expect.objectContaining({ code: 'CLI007', exitCode: 2, fix: "--confirm 'payments'" }));
  expect(() => refuseName('payments', undefined)).not.toThrow();
});
