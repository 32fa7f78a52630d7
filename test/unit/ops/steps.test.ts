import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_CONCURRENCY } from '../../../src/ops/concurrency.js';
import { permissionChanges } from '../../../src/ops/permissions.js';
import { preflight } from '../../../src/ops/preflight.js';
import { protect } from '../../../src/ops/protect.js';
import type { AssemblyModel, AssemblyStack } from '../../../src/ops/run/assembly.js';
import type { Sessions } from '../../../src/ops/sessions.js';

/** What the steps of a pipeline ask of its targets, seen from the roles they take. */

const folder = mkdtempSync(join(tmpdir(), 'steps-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stackOf = (index: number): AssemblyStack => ({
  path: `Stage${index}/App`, stackName: `Stage${index}-App`, account: '333333333333', region: `region-${index}`, templateFile: '', qualifier: 'hnb659fds', top: false, dependsOn: [], tags: {}, stage: `Stage${index}`,
  deployRoleArn: `arn:aws:iam::333333333333:role/deploy-${index}`, lookupRoleArn: `arn:aws:iam::333333333333:role/lookup-${index}`, ownRoles: true, requiredVersion: 6, terminationProtection: true,
});
const stacks = Array.from({ length: 60 }, (_, index) => stackOf(index));
const assembly = { directory: '', stacks, pipelines: [], environments: [], qualifiers: [] } as AssemblyModel;

/** Sessions that refuse every role, and count how many are asked for at the same time. */
function refusing(): { readonly sessions: Sessions; readonly most: () => number } {
  let [open, most] = [0, 0];
  const of = async (): Promise<never> => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    throw new TypeError('refused');
  };
  return { sessions: { of, account: () => Promise.resolve('999999999999') } as unknown as Sessions, most: () => most };
}

describe('sixty targets are looked at', () => {
  it('so many at a time by the permissions gate', async () => {
    const { sessions, most } = refusing();
    await expect(permissionChanges(assembly, stacks, ({ lookupRoleArn, region }) => sessions.of(lookupRoleArn, region))).rejects.toMatchObject({ code: 'PRM001' });
    expect(most()).toBe(DEFAULT_CONCURRENCY);
  });

  it('so many at a time by the protection of stacks', async () => {
    const { sessions, most } = refusing();
    await expect(protect(assembly, stacks.map(({ stage }) => stage!), sessions)).rejects.toThrow('refused');
    expect(most()).toBe(DEFAULT_CONCURRENCY);
  });

  it('so many at a time by the preflight, which tells what is wrong with each', async () => {
    const { sessions, most } = refusing();
    const templateFile = join(folder, 'pipeline.template.json');
    writeFileSync(templateFile, JSON.stringify(stacks.map(({ stage }) => `Synth_Output::assembly-${stage}/App.template.json`)));
    const pipelines = [{ ...stackOf(0), stackName: 'ShopPipeline', templateFile, sources: [], secrets: [], ownRepositories: [] }];
    const { findings } = await preflight({ ...assembly, pipelines }, 'ShopPipeline', sessions);
    expect(findings).toHaveLength(60);
    expect(most()).toBe(DEFAULT_CONCURRENCY);
  });
});
