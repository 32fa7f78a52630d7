import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { costOf, DEFAULT_ASSUMPTIONS } from '../../../src/fleet/cost.js';
import { compareFleets } from '../../../src/fleet/delta.js';
import { parseFleet } from '../../../src/fleet/load.js';
import { planOf, printPlan } from '../../../src/fleet/plan.js';
import { printChanges } from '../../../src/fleet/print.js';
import type { FleetInput } from '../../../src/config/index.js';
import { fleets } from './fleets.js';

type EnvironmentInput = FleetInput['environments'][string];

const prod: EnvironmentInput = { account: '333333333333', regions: ['us-east-1', 'eu-west-1'], gates: { approval: 'PromoteToProd', permissions: 'broadened' } };
const payments: FleetInput = {
  fleet: 'payments',
  pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'payments', paths: ['services/**'] }, synth: ['npm ci', 'npm test', 'npx cdk synth'] },
  environments: { dev: { account: '111111111111', region: 'us-east-1', verify: { smoke: ['curl -fsS "$ApiUrl/health"'] } }, prod },
};
const withProd = (parts: EnvironmentInput): FleetInput => ({ ...payments, environments: { ...payments.environments, prod: { ...prod, ...parts } } });
const withPipeline = (parts: NonNullable<FleetInput['pipeline']>): FleetInput => ({ ...payments, pipeline: { ...payments.pipeline, ...parts } });

describe('a plan as text', () => {
  test('one pipeline, compared with the state before', () => {
    const before = { name: 'HEAD (3f9c1a2)', fleet: parseFleet(payments) };
    expect(printPlan(planOf(parseFleet(withProd({ regions: ['us-east-1', 'eu-west-1', 'ap-southeast-2'] })), DEFAULT_ASSUMPTIONS, before))).toMatchInlineSnapshot(`
      "fleet payments

      pipeline payments   999999999999/us-east-1   V2 superseded   stack PaymentsPipeline
        source  codecommit payments@main (services/**)
        synth   npm ci · npm test · npx cdk synth
        ▸ Dev
            Dev-us-east-1   111111111111/us-east-1
              ✓ smoke: curl -fsS "$ApiUrl/health"
        ▸ Prod
            ⏸ PromoteToProd
            Prod-us-east-1   333333333333/us-east-1
              ⏸ broadened permissions wait for a person
            Prod-eu-west-1   333333333333/eu-west-1
              ⏸ broadened permissions wait for a person
            Prod-ap-southeast-2   333333333333/ap-southeast-2
              ⏸ broadened permissions wait for a person

      bootstrap
        999999999999/us-east-1        hnb659fds   CDKToolkit                         pipeline
        111111111111/us-east-1        hnb659fds   CDKToolkit   trusts 999999999999   dev
        333333333333/us-east-1        hnb659fds   CDKToolkit   trusts 999999999999   prod
        333333333333/eu-west-1        hnb659fds   CDKToolkit   trusts 999999999999   prod
        333333333333/ap-southeast-2   hnb659fds   CDKToolkit   trusts 999999999999   prod

      quotas
        codepipeline.stages              6 of 50     12 %   payments         stages of a pipeline
        codepipeline.actions-per-stage   6 of 50     12 %   payments/Prod    actions of a stage
        codepipeline.actions             12 of 500   2 %    payments         actions of a pipeline
        codebuild.concurrent-builds      1 of 20     5 %    payments/Build   builds at the same time (new accounts: 1 to 5; see Service Quotas)

      cost of the pipelines   $8.28 a month
        actions of payments              960 minutes     $0.002 / action minute, approvals aside, each rounded up   $1.92
        builds of payments               640 minutes     $0.005 / build minute, Linux                               $3.20
        artifact key of payments         1 key           $1 / key and month                                         $1.00
        artifacts of payments            2.34 GB         $0.023 / GB and month                                      $0.05
        artifacts written by payments    0.16 thousand   $0.005 / 1,000 PUT requests                                $0.00
        artifacts read by payments       0.36 thousand   $0.0004 / 1,000 GET requests                               $0.00
        artifact keys in other regions   2 keys          $1 / key and month                                         $2.00
        artifacts in other regions       4.69 GB         $0.023 / GB and month                                      $0.11
        assumed: 40 runs a month, 3 min a build, 2 min a stack, 1 stack a target, 20 MB of artifacts a run
        prices of 2026-11-21, us-east-1; not counted: what is free each month (100 action minutes of V2 pipelines, 100 minutes of small builds, one V1 pipeline), what is deployed, taxes

      changes since HEAD (3f9c1a2)
        + permission gate of Prod-ap-southeast-2
        + stage Prod-ap-southeast-2 in 333333333333/ap-southeast-2
        + bootstrap of 333333333333/ap-southeast-2
            before the push: flotilla bootstrap
        ~ codepipeline.actions-per-stage of payments: 5 → 6
        ~ codepipeline.actions of payments: 11 → 12
        + $1.22 a month"
    `);
  });

  test('several pipelines, stacks in regions, templates, a bootstrap of its own', () => {
    const fleet = parseFleet({
      fleet: 'network',
      pipeline: { account: '999999999999', region: 'eu-west-1', source: { github: 'acme/network', token: 'github-token' }, type: 'V1' },
      pipelines: { dev: { branch: 'develop', environments: ['dev'] }, live: { environments: ['pro'], inputs: { lib: { s3: 'acme-releases', key: 'lib.zip' } } } },
      bootstrap: { qualifier: 'net', toolkitStackName: 'CDKToolkit-net', executionPolicies: ['arn:aws:iam::aws:policy/AdministratorAccess'], kms: true },
      tags: { owner: 'platform' },
      terminationProtection: true,
      environments: {
        dev: { account: '111111111111', region: 'eu-west-1' },
        pro: { account: '333333333333', regions: ['eu-west-1', 'eu-west-2'], regionsIn: 'stacks', rollout: 'one-by-one', before: { freeze: ['./frozen.sh'] }, gates: { approval: { timeout: 60 } }, templates: { Legacy: 'legacy.yaml' } },
      },
    });
    expect(printPlan(planOf(fleet, { ...DEFAULT_ASSUMPTIONS, stacks: 2 }))).toMatchInlineSnapshot(`
      "fleet network   owner=platform

      pipeline network-dev   999999999999/eu-west-1   V1 superseded   stack NetworkPipeline-dev
        source  github acme/network@develop
        synth   npm ci · npx cdk synth
        ▸ Dev
            Dev-eu-west-1   111111111111/eu-west-1   protected

      pipeline network-live   999999999999/eu-west-1   V1 superseded   stack NetworkPipeline-live
        source  github acme/network@main, lib: s3 acme-releases/lib.zip
        synth   npm ci · npx cdk synth
        ▸ Pro
            ⏸ ApprovePro (expires after 60 min)
            ◦ freeze: ./frozen.sh
            Pro   333333333333/{eu-west-1 → eu-west-2}   templates Legacy   protected

      bootstrap
        999999999999/eu-west-1   net   CDKToolkit-net                         AdministratorAccess   pipeline
        111111111111/eu-west-1   net   CDKToolkit-net   trusts 999999999999   AdministratorAccess   dev
        333333333333/eu-west-1   net   CDKToolkit-net   trusts 999999999999   AdministratorAccess   pro
        333333333333/eu-west-2   net   CDKToolkit-net   trusts 999999999999   AdministratorAccess   pro

      quotas
        codepipeline.stages              5 of 50     10 %   network-dev         stages of a pipeline
        codepipeline.actions-per-stage   3 of 50     6 %    network-dev/Dev     actions of a stage
        codepipeline.actions             7 of 500    1 %    network-dev         actions of a pipeline
        codebuild.concurrent-builds      1 of 20     5 %    network-dev/Build   builds at the same time (new accounts: 1 to 5; see Service Quotas)
        codepipeline.stages              5 of 50     10 %   network-live        stages of a pipeline
        codepipeline.actions-per-stage   9 of 50     18 %   network-live/Pro    actions of a stage
        codepipeline.actions             14 of 500   3 %    network-live        actions of a pipeline
        codebuild.concurrent-builds      2 of 20     10 %   network-live/Pro    builds at the same time (new accounts: 1 to 5; see Service Quotas)

      cost of the pipelines   $14.55 a month
        pipeline network-dev                1 pipeline      $1 / active pipeline and month   $1.00
        builds of network-dev               480 minutes     $0.005 / build minute, Linux     $2.40
        artifact key of network-dev         1 key           $1 / key and month               $1.00
        artifacts of network-dev            2.34 GB         $0.023 / GB and month            $0.05
        artifacts written by network-dev    0.08 thousand   $0.005 / 1,000 PUT requests      $0.00
        artifacts read by network-dev       0.24 thousand   $0.0004 / 1,000 GET requests     $0.00
        pipeline network-live               1 pipeline      $1 / active pipeline and month   $1.00
        builds of network-live              600 minutes     $0.005 / build minute, Linux     $3.00
        artifact key of network-live        1 key           $1 / key and month               $1.00
        artifacts of network-live           2.34 GB         $0.023 / GB and month            $0.05
        artifacts written by network-live   0.16 thousand   $0.005 / 1,000 PUT requests      $0.00
        artifacts read by network-live      0.44 thousand   $0.0004 / 1,000 GET requests     $0.00
        artifact keys in other regions      1 key           $1 / key and month               $1.00
        artifacts in other regions          2.34 GB         $0.023 / GB and month            $0.05
        keys of bootstraps                  4 keys          $1 / key and month               $4.00
        assumed: 40 runs a month, 3 min a build, 2 min a stack, 2 stacks a target, 20 MB of artifacts a run
        prices of 2026-11-21, us-east-1; not counted: what is free each month (100 action minutes of V2 pipelines, 100 minutes of small builds, one V1 pipeline), what is deployed, taxes"
    `);
  });
});

describe('what changed, dangers first and loud', () => {
  test.each<[string, FleetInput, FleetInput]>([
    ['nothing', payments, payments],
    ['a stage is renamed', payments, withProd({ stage: 'Live-{region}', regions: ['us-east-1'] })],
    ['an environment is renamed', payments, { ...payments, environments: { dev: payments.environments['dev']!, production: prod } }],
    ['fewer approvals', withProd({ rollout: 'one-by-one', gates: { approval: true, every: 'wave' } }), withProd({ rollout: 'one-by-one', gates: { approval: true } })],
    ['a stage moves', payments, withProd({ account: '444444444444' })],
    ['an environment is turned off', payments, withProd({ enabled: false })],
    ['gates and tests are taken away, protection too', withProd({ terminationProtection: true }), { ...withProd({ gates: undefined }), environments: { dev: { ...payments.environments['dev'], verify: undefined }, prod: { ...prod, gates: { permissions: 'none' } } } }],
    ['the pipeline is renamed and moved', payments, withPipeline({ name: 'pay', region: 'eu-west-1', synth: ['make'] })],
    ['the fleet is renamed', payments, { ...payments, fleet: 'billing' }],
    ['a qualifier', payments, { ...payments, bootstrap: { qualifier: 'pay', toolkitStackName: 'CDKToolkit-pay' } }],
    ['parameters and policies', { ...payments, parameters: { cidr: '10.0.0.0/16' } }, { ...payments, parameters: { cidr: '10.1.0.0/16', zones: 2 }, bootstrap: { executionPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'] } }],
    ['the rollout', payments, withProd({ rollout: 'one-by-one' })],
  ])('%s', (name, before, after) => {
    expect(printChanges(compareFleets(parseFleet(before), parseFleet(after)), 'HEAD')).toMatchSnapshot(name);
  });
});

describe('what pipelines cost', () => {
  const costs = (input: FleetInput): Record<string, unknown> => Object.fromEntries(costOf(parseFleet(input), DEFAULT_ASSUMPTIONS).items.map(({ what, quantity, price }) => [what, [quantity, price]]));

  test('builds by what each runs on, a look at each push among them', () => {
    const found = costs({ ...withPipeline({ build: { architecture: 'arm' }, synth: { commands: ['make'], compute: 'x2-large' } }), environments: { dev: { account: '111111111111', region: 'us-east-1', verify: { smoke: { commands: ['true'], architecture: 'x86', compute: 'large' } } } } });
    expect(found).toMatchObject({
      'builds of payments (arm x2-large)': [120, 'codebuild.arm.x2-large'],
      'builds of payments (arm small)': [280, 'codebuild.arm.small'],
      'builds of payments (x86 large)': [120, 'codebuild.large'],
    });
  });

  test('buckets and keys in other regions once, however many pipelines share them', () => {
    const regions = ['us-east-1', 'eu-west-1'];
    const two: FleetInput = { ...payments, environments: { dev: { account: '111111111111', regions }, prod: { account: '333333333333', regions } }, pipelines: { dev: { environments: ['dev'] }, live: { environments: ['prod'], artifacts: { key: 'arn:aws:kms:us-east-1:999999999999:key/1' } } } };
    expect(costs(two)).toMatchObject({ 'artifact keys in other regions': [1, 'kms.key'], 'artifact key of payments-dev': [1, 'kms.key'] });
    expect(costs(two)).not.toHaveProperty('artifact key of payments-live');
  });
});

test('every fleet can be planned; nothing has changed from itself; costs and quotas are finite', () => {
  fc.assert(
    fc.property(fleets, fleets, (one, other) => {
      const [fleet, before] = [parseFleet(one), parseFleet(other)];
      const plan = planOf(fleet, DEFAULT_ASSUMPTIONS, { name: 'before', fleet: before });
      expect(printPlan(plan)).not.toMatch(/undefined|NaN|\[object/);
      expect(Number.isFinite(plan.cost.dollars)).toBe(true);
      expect(compareFleets(fleet, fleet)).toEqual([]);
    }),
  );
});
