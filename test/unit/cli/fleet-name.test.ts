import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { refuseName } from '../../../src/cli/confirm.js';
import { knownName } from '../../../src/cli/fleet.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'flotilla-name-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('the name of a fleet is known from its file without synthesizing the app', () => {
  writeFileSync(join(folder, 'cdk.json'), '{"app":"false"}');
  expect(knownName({ app: folder })).toBeUndefined();
  writeFileSync(join(folder, 'flotilla.yaml'), 'fleet: payments\npipeline: { account: "999999999999", region: us-east-1, source: { codecommit: payments, branch: main } }\nenvironments:\n  dev: { account: "111111111111", regions: [us-east-1] }\n');
  expect(knownName({ app: folder })).toBe('payments');
  expect(knownName({ app: folder, assembly: 'cdk.out' })).toBeUndefined();
  expect(knownName({ pair: ['111111111111/us-east-1', '222222222222/us-east-1'] })).toBe('2 pairs');
});

it('another name than the one that is meant is refused', () => {
  expect(() => refuseName('payments', 'payment')).toThrowError(expect.objectContaining({ code: 'CLI007', exitCode: 2, fix: "--confirm 'payments'" }));
  expect(() => refuseName('payments', undefined)).not.toThrow();
});
