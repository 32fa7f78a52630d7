import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { age, remaining } from '../../../src/cli/age.js';
import { openJournal, unfinished } from '../../../src/ops/destroy/journal.js';
import type { StackItem } from '../../../src/ops/destroy/items.js';
import type { Teardown } from '../../../src/ops/destroy/plan.js';
import { parseFleet } from '../../../src/fleet/index.js';
import type { FleetPair, OperatedFleet } from '../../../src/ops/fleet/fleet.js';
import { withFleetFile } from '../../../src/ops/fleet/from-file.js';
import { fleetFromAssembly } from '../../../src/ops/fleet/from-assembly.js';
import { stacksOf } from '../../../src/ops/fleet/from-pipelines.js';
import { history } from '../../../src/ops/history.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'flotilla-fleet-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stack = (environment: string, qualifier = 'acme', dependencies: string[] = []) => ({ type: 'aws:cloudformation:stack', environment: `aws://${environment}`, dependencies, properties: { templateFile: 'empty.json', bootstrapStackVersionSsmParameter: `/cdk-bootstrap/${qualifier}/version` } });

describe('the fleet of an assembly', () => {
  it('has a pair for each account, region and qualifier that deploys there, which trusts the accounts of the pipelines', () => {
    const stage = join(folder, 'assembly-Prod');
    mkdirSync(stage, { recursive: true });
    const pipeline = { Resources: { P: { Type: 'AWS::CodePipeline::Pipeline', Properties: {} } } };
    writeFileSync(join(folder, 'pipeline.json'), JSON.stringify(pipeline));
    for (const place of [folder, stage]) writeFileSync(join(place, 'empty.json'), '{}');
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts: { Pipeline: { ...stack('999999999999/eu-west-1', 'acme', ['Pipeline-support-us-east-1']), properties: { ...stack('999999999999/eu-west-1').properties, templateFile: 'pipeline.json' } }, 'Pipeline-support-us-east-1': { ...stack('999999999999/us-east-1'), properties: { ...stack('999999999999/us-east-1').properties, assumeRoleArn: 'arn:aws:iam::999999999999:role/cdk-acme-deploy-role-999999999999-eu-west-1' } }, 'assembly-Prod': { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-Prod' } } } }));
    writeFileSync(join(stage, 'manifest.json'), JSON.stringify({ artifacts: { Net: { ...stack('333333333333/us-east-1'), displayName: 'Pipeline/Prod-us-east-1/Net' }, Api: { ...stack('333333333333/us-east-1', 'acme', ['Net', 'Api.assets']), displayName: 'Pipeline/Prod-us-east-1/Api' } } }));
    const fleet = fleetFromAssembly(folder, { fallback: { account: '999999999999', region: 'us-east-1' } });
    expect(fleet.pairs).toEqual([
      { account: '999999999999', region: 'eu-west-1', bootstrap: { qualifier: 'acme', toolkitStackName: 'CDKToolkit-acme', trust: [], trustForLookup: [] } },
      { account: '333333333333', region: 'us-east-1', environment: 'prod', bootstrap: { qualifier: 'acme', toolkitStackName: 'CDKToolkit-acme', trust: ['999999999999'], trustForLookup: [] } },
    ]);
    expect(fleet.stacks.map(({ path, kind, dependsOn }) => [path, kind, dependsOn])).toEqual([
      ['Pipeline', 'pipeline', ['Pipeline-support-us-east-1']],
      ['Pipeline-support-us-east-1', 'support', []],
      ['Pipeline/Prod-us-east-1/Net', 'application', []],
      ['Pipeline/Prod-us-east-1/Api', 'application', ['Pipeline/Prod-us-east-1/Net']],
    ]);
  });
});

describe('the fleet of an assembly with a fleet file', () => {
  const declared = parseFleet({ fleet: 'shop', pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'shop', branch: 'main' } }, environments: { dev: { account: '111111111111', regions: ['us-east-1'], bootstrap: { executionPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'] } } } });
  const pair = (account: string): FleetPair => ({ account, region: 'us-east-1', bootstrap: { qualifier: 'hnb659fds', trust: ['999999999999'], trustForLookup: [] } });
  const assembled = (...stackNames: string[]): OperatedFleet => ({ name: 'assembled', pipelines: stackNames.map((stackName) => ({ account: '999999999999', region: 'us-east-1', stackName })), pairs: [pair('111111111111'), pair('444444444444')], stacks: [] });

  it('has every pair and pipeline of either, and of the file how a pair is bootstrapped', () => {
    const fleet = withFleetFile(assembled('ShopPipeline', 'OtherPipeline'), declared);
    expect([fleet.name, fleet.pipelines.map(({ name, stackName }) => [name, stackName])]).toEqual(['shop', [['shop', 'ShopPipeline'], [undefined, 'OtherPipeline']]]);
    expect(fleet.pairs.map(({ account, bootstrap }) => [account, bootstrap.executionPolicies])).toEqual([['999999999999', undefined], ['111111111111', ['arn:aws:iam::aws:policy/PowerUserAccess']], ['444444444444', undefined]]);
  });

  it('is refused where the app made another pipeline than the file declares: what is operated on would be somebody else’s', () => {
    expect(() => withFleetFile(assembled('ShopEdgePipeline'), declared)).toThrowError(expect.objectContaining({ code: 'OPS010', exitCode: 2, why: expect.stringContaining('the file declares ShopPipeline, the app made ShopEdgePipeline'), fix: expect.stringContaining('--overlay') }));
  });
});

describe('the fleet of a pipeline', () => {
  it('is where its CloudFormation actions deploy to, by the role they act with', () => {
    const action = (StackName: string, roleArn: string | undefined, region: string | undefined) => ({ name: StackName, actionTypeId: { category: 'Deploy' as const, owner: 'AWS' as const, provider: 'CloudFormation', version: '1' }, configuration: { StackName }, roleArn, region });
    const found = stacksOf({ name: 'p', roleArn: 'r', stages: [{ name: 'Prod', actions: [action('Api', 'arn:aws:iam::333333333333:role/cdk-acme-deploy-role-333333333333-eu-west-1', 'eu-west-1'), action('Own', undefined, undefined)] }] }, { account: '999999999999', region: 'us-east-1', name: 'p' });
    expect(found.map(({ path, qualifier, stage }) => [path, qualifier, stage])).toEqual([['333333333333/eu-west-1/Api', 'acme', 'Prod'], ['999999999999/us-east-1/Own', 'hnb659fds', 'Prod']]);
  });
});

describe('history', () => {
  it('counts and contains by git, and knows nothing where there is none', async () => {
    const repository = join(folder, 'repository');
    mkdirSync(repository);
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=t@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: repository, encoding: 'utf8' }).trim();
    git('init', '--quiet');
    const commits = ['one', 'two', 'three'].map((message) => (git('commit', '--quiet', '--allow-empty', '-m', message), git('rev-parse', 'HEAD')));
    const known = history(repository);
    expect(await known.between(commits[0]!, commits[2]!)).toBe(2);
    expect([await known.contains(commits[2]!, commits[0]!), await known.contains(commits[0]!, commits[2]!), await known.contains(commits[0]!, 'f'.repeat(40))]).toEqual([true, false, undefined]);
    expect(await known.describe(commits[1]!)).toMatchObject({ id: commits[1], subject: 'two', author: 'Test' });
    expect(await known.resolve('--all')).toBeUndefined();
    const nothing = history(tmpdir());
    expect([await nothing.between(commits[0]!, commits[1]!), await nothing.describe(commits[0]!)]).toEqual([undefined, undefined]);
  });
});

describe('the journal of a teardown', () => {
  const item = (name: string, id: string): StackItem => ({ kind: 'stack', layer: 'application', key: `stack 1/2 ${name}`, account: '111111111111', region: 'eu-west-1', name, id, protected: false, after: [], buckets: [], repositories: [] });
  const plan = (...items: StackItem[]): Teardown => ({ name: 'fleet one', items, retained: [], obstacles: [], pipelines: [] });

  it('remembers what was done and what it no more finds, until it is complete', () => {
    const place = join(folder, 'journal');
    const first = openJournal(place, plan(item('A', 'a1'), item('B', 'b1')));
    first.note(item('A', 'a1'));
    expect(unfinished(place).map(({ name }) => name)).toEqual(['fleet one']);
    const second = openJournal(place, plan(item('C', 'c1')));
    expect([second.plan.items.map(({ name }) => name), [...second.done]]).toEqual([['A', 'B', 'C'], ['stack 1/2 A']]);
    second.close();
    expect(unfinished(place)).toEqual([]);
  });

  it('forgets that a stack was deleted when it was made anew', () => {
    const place = join(folder, 'anew');
    openJournal(place, plan(item('A', 'a1'))).note(item('A', 'a1'));
    expect([...openJournal(place, plan(item('A', 'a2'))).done]).toEqual([]);
  });
});

describe('times', () => {
  it('are said shortly', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(['2026-11-21T11:59:40Z', '2026-11-21T11:48:00Z', '2026-11-20T15:00:00Z', '2026-11-10T12:00:00Z'].map((at) => age(new Date(at), now))).toEqual(['now', '12m', '21h', '11d']);
    expect(['2026-11-28T10:00:00Z', '2026-11-21T15:30:00Z', '2026-11-21T12:05:00Z', '2026-11-21T11:00:00Z'].map((at) => remaining(new Date(at), now))).toEqual(['6d22h', '3h', '5m', 'now']);
  });
});
