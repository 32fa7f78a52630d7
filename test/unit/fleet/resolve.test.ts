import { describe, expect, test } from 'vitest';
import { FleetFileError, type FleetInput } from '../../../src/config/index.js';
import { parseFleet } from '../../../src/fleet/load.js';
import type { Fleet } from '../../../src/fleet/model.js';

const DEV = '111111111111';
const STAGING = '222222222222';
const PROD = '333333333333';
const TOOLS = '999999999999';

type Parts = Partial<FleetInput> & { readonly environments?: FleetInput['environments'] };

function input(parts: Parts = {}): FleetInput {
  return { fleet: 'payments', pipeline: { account: TOOLS, region: 'us-east-1', source: { codecommit: 'payments' } }, environments: {}, ...parts };
}

function fleet(parts: Parts): Fleet {
  return parseFleet(input(parts));
}

function environment(parts: FleetInput['environments'][string]): Fleet {
  return fleet({ environments: { prod: parts } });
}

/** Waves as `Id: stage stage`. */
function waves({ pipelines }: Fleet, pipeline = 0): string[] {
  return pipelines[pipeline]!.waves.map((wave) => `${wave.id}: ${wave.targets.map(({ stageId }) => stageId).join(' ')}`);
}

/** Codes and paths of what a fleet is refused for. */
function refusals(parts: Parts): string[] {
  try {
    fleet(parts);
  } catch (error) {
    expect(error).toBeInstanceOf(FleetFileError);
    return (error as FleetFileError).problems.map(({ code, path }) => `${code} ${path}`);
  }
  return [];
}

test('a pattern of paths that is said twice counts once: CodePipeline takes each of them once', () => {
  const { pipelines } = fleet({ pipeline: { account: TOOLS, region: 'us-east-1', source: { codecommit: 'shop', paths: ['lib/**', 'services/**', 'lib/**'] } } });
  expect(pipelines[0]!.source).toMatchObject({ paths: ['lib/**', 'services/**'] });
});

describe('stages and waves', () => {
  test('a stage for each region, a wave for each environment', () => {
    expect(waves(fleet({ environments: { dev: { account: DEV, region: 'us-east-1' }, 'pre-prod': { account: STAGING, regions: ['us-east-1', 'eu-west-1'] } } }))).toEqual(['Dev: Dev-us-east-1', 'PreProd: PreProd-us-east-1 PreProd-eu-west-1']);
  });

  test('several accounts put the account into the stage’s name', () => {
    expect(waves(environment({ accounts: [DEV, { account: PROD, regions: ['eu-west-1'] }], regions: ['us-east-1'] }))).toEqual([`Prod: Prod-${DEV}-us-east-1 Prod-${PROD}-eu-west-1`]);
  });

  test('stacks in regions: one stage an account, its regions in the order of the rollout', () => {
    const { pipelines } = environment({ account: PROD, regions: ['us-east-1', 'eu-west-1', 'eu-west-2'], regionsIn: 'stacks', rollout: { waves: [['eu-west-1'], ['us-east-1', 'eu-west-2']] } });
    expect(pipelines[0]!.waves.map(({ id }) => id)).toEqual(['Prod']);
    expect(pipelines[0]!.waves[0]!.targets).toMatchObject([{ stageId: 'Prod', regionOrder: [['eu-west-1'], ['us-east-1', 'eu-west-2']] }]);
  });

  test('stage names by template, literally, and for one region', () => {
    expect(waves(environment({ account: PROD, regions: ['us-east-1', { region: 'eu-west-1', stage: 'Ireland' }], stage: 'live-{environment}-{region}' }))).toEqual(['Prod: live-prod-us-east-1 Ireland']);
  });

  test('one by one: a wave for each region; waves: by number where they hold several', () => {
    expect(waves(environment({ account: PROD, regions: ['us-east-1', 'eu-west-1'], rollout: 'one-by-one' }))).toEqual(['Prod-us-east-1: Prod-us-east-1', 'Prod-eu-west-1: Prod-eu-west-1']);
    expect(waves(environment({ account: PROD, regions: ['us-east-1', 'eu-west-1', 'eu-west-2'], rollout: { waves: [['us-east-1'], ['eu-west-1', 'eu-west-2']] } }))).toEqual(['Prod-us-east-1: Prod-us-east-1', 'Prod-2: Prod-eu-west-1 Prod-eu-west-2']);
  });

  test('environments share a wave', () => {
    const environments: FleetInput['environments'] = { dev: { account: DEV, region: 'us-east-1', wave: 'try-out' }, test: { account: STAGING, region: 'us-east-1', wave: 'try-out', gates: { approval: true } } };
    expect(waves(fleet({ environments }))).toEqual(['TryOut: Dev-us-east-1 Test-us-east-1']);
    expect(fleet({ environments }).pipelines[0]!.waves[0]!.approvals).toMatchObject([{ environment: 'test', name: 'ApproveTest' }]);
  });

  test('what is disabled vanishes', () => {
    const off: FleetInput['environments'] = { dev: { enabled: false }, prod: { accounts: [{ account: DEV, enabled: false }, PROD], regions: ['us-east-1', { region: 'eu-west-1', enabled: false }] } };
    const all = fleet({ environments: off });
    expect(waves(all)).toEqual([`Prod: Prod-${PROD}-us-east-1`]);
    expect(JSON.stringify(all)).not.toMatch(/eu-west-1|111111111111/);
  });

  test('a disabled region may stay in the waves of a rollout', () => {
    expect(waves(environment({ account: PROD, regions: ['us-east-1', { region: 'eu-west-1', enabled: false }], rollout: { waves: [['eu-west-1'], ['us-east-1']] } }))).toEqual(['Prod-us-east-1: Prod-us-east-1']);
  });
});

describe('gates and steps', () => {
  const gated = (every: 'environment' | 'wave'): Fleet => environment({ account: PROD, regions: ['us-east-1', 'eu-west-1'], rollout: 'one-by-one', gates: { approval: 'PromoteToProd', every }, before: { freeze: ['./frozen'] } });

  test('approvals and steps stand before the environment, or before each of its waves', () => {
    const names = (one: Fleet): string[] => one.pipelines[0]!.waves.map((wave) => [...wave.approvals, ...wave.before].map(({ name }) => name).join(' '));
    expect(names(gated('environment'))).toEqual(['PromoteToProd freeze', '']);
    expect(names(gated('wave'))).toEqual(['PromoteToProd freeze', 'PromoteToProd freeze']);
  });

  test('permissions: the topic of security changes hears of it', () => {
    const topic = `arn:aws:sns:us-east-1:${TOOLS}:security`;
    const { pipelines } = fleet({ notify: { security: topic }, environments: { prod: { account: PROD, region: 'us-east-1', gates: { permissions: 'broadened' } } } });
    expect(pipelines[0]!.waves[0]!.targets[0]!.permissions).toEqual({ notify: topic, approve: true });
  });

  test('steps carry the environment’s variables, their own over them', () => {
    const { pipelines } = environment({ account: PROD, region: 'us-east-1', environment: { A: '1', B: '1' }, verify: { smoke: ['curl x'], load: { commands: ['k6'], environment: { B: '2' }, compute: 'large', outputs: { URL: 'Api.Url' } } } });
    expect(pipelines[0]!.waves[0]!.targets[0]!.verify).toEqual([
      { name: 'smoke', environment: 'prod', install: [], commands: ['curl x'], outputs: {}, build: { environment: { A: '1', B: '1' } } },
      { name: 'load', environment: 'prod', install: [], commands: ['k6'], outputs: { URL: 'Api.Url' }, build: { compute: 'large', environment: { A: '1', B: '2' } } },
    ]);
  });
});

describe('parameters and settings are laid over each other', () => {
  test('fleet, environment, account, region; lists are replaced', () => {
    const { pipelines } = fleet({
      parameters: { naming: { prefix: 'acme', suffix: 'x' }, zones: [1, 2] },
      environments: { prod: { parameters: { zones: [3] }, accounts: [{ account: PROD, parameters: { naming: { suffix: 'p' } } }], regions: [{ region: 'eu-west-1', parameters: { cidr: '10.1.0.0/16' } }, 'eu-west-2'] } },
    });
    const [first, second] = pipelines[0]!.waves[0]!.targets;
    expect(first!.parameters).toEqual({ naming: { prefix: 'acme', suffix: 'p' }, zones: [3], cidr: '10.1.0.0/16' });
    expect(second!.parameters).toEqual({ naming: { prefix: 'acme', suffix: 'p' }, zones: [3] });
  });

  test('tags, boundary and termination protection of an environment go over the fleet’s', () => {
    const { pipelines } = fleet({ tags: { owner: 'a', team: 'b' }, permissionsBoundary: 'wide', terminationProtection: true, environments: { prod: { account: PROD, region: 'us-east-1', tags: { team: 'c' }, permissionsBoundary: 'narrow', terminationProtection: false } } });
    expect(pipelines[0]).toMatchObject({ permissionsBoundary: 'wide', terminationProtection: true, tags: { owner: 'a', team: 'b' } });
    expect(pipelines[0]!.waves[0]!.targets[0]).toMatchObject({ permissionsBoundary: 'narrow', terminationProtection: false, tags: { owner: 'a', team: 'c' } });
  });
});

describe('pipelines', () => {
  test('one: names and defaults', () => {
    expect(fleet({}).pipelines[0]).toMatchObject({ key: undefined, stackId: 'PaymentsPipeline', name: 'payments', type: 'V2', executionMode: 'superseded', selfMutation: true, restartOnUpdate: true, preflight: true, changeSets: false, assets: { batch: true }, artifacts: { expireAfter: 90, templatesOnly: false }, synth: { commands: ['npm ci', 'npx cdk synth'], output: 'cdk.out' } });
  });

  test('several: each lays itself over `pipeline`, on its branch, with its environments in its order', () => {
    const many = fleet({
      pipeline: { account: TOOLS, region: 'us-east-1', source: { bitbucket: 'acme/api', connection: `arn:aws:codeconnections:us-east-1:${TOOLS}:connection/x` }, synth: { commands: ['a'], directory: 'app' }, artifacts: { expireAfter: 30 }, build: { environment: { A: '1' } } },
      pipelines: { dev: { branch: 'develop', environments: ['dev'], synth: ['b'], build: { environment: { B: '2' } } }, live: { environments: ['prod', 'uat'], artifacts: { templatesOnly: true } } },
      environments: { dev: { account: DEV, region: 'us-east-1' }, uat: { account: STAGING, region: 'us-east-1' }, prod: { account: PROD, region: 'us-east-1' } },
    });
    expect(many.pipelines.map(({ stackId, name, source }) => [stackId, name, 'branch' in source && source.branch])).toEqual([
      ['PaymentsPipeline-dev', 'payments-dev', 'develop'],
      ['PaymentsPipeline-live', 'payments-live', 'main'],
    ]);
    expect(many.pipelines[0]).toMatchObject({ synth: { commands: ['b'], directory: 'app' }, build: { environment: { A: '1', B: '2' } } });
    expect(many.pipelines[1]).toMatchObject({ artifacts: { expireAfter: 30, templatesOnly: true } });
    expect(waves(many, 1)).toEqual(['Prod: Prod-us-east-1', 'Uat: Uat-us-east-1']);
  });
});

describe('notifications', () => {
  test('a Slack channel is configured once an account: the first pipeline there owns it, the others name it', () => {
    const many = fleet({
      pipelines: { dev: { environments: ['dev'] }, live: { environments: ['prod'] }, away: { account: DEV, environments: ['test'] } },
      environments: { dev: { account: DEV, region: 'us-east-1' }, prod: { account: PROD, region: 'us-east-1' }, test: { account: STAGING, region: 'us-east-1' } },
      notify: { slack: { workspace: 'T01234567', channel: 'C01234567' } },
    });
    const own = { workspace: 'T01234567', channel: 'C01234567', name: 'payments-C01234567' };
    expect(many.pipelines.map(({ notify }) => notify!.slack)).toEqual([own, { configuration: `arn:aws:chatbot::${TOOLS}:chat-configuration/slack-channel/payments-C01234567` }, own]);
  });

  test('events have a default', () => {
    expect(fleet({ notify: { email: ['ops@example.com'] } }).pipelines[0]!.notify).toEqual({ email: ['ops@example.com'], events: ['failed', 'succeeded', 'approval-needed'] });
  });
});

describe('the bootstrap matrix', () => {
  test('the pipeline’s own pair, and each target’s, trusting the pipeline’s account; nothing for artifacts in other regions', () => {
    const { bootstrap } = fleet({ environments: { dev: { account: TOOLS, region: 'us-east-1' }, prod: { account: PROD, regions: ['us-east-1', 'eu-west-1'] } } });
    expect(bootstrap.map(({ account, region, trust, usedBy, qualifier, toolkitStackName }) => [account, region, trust, usedBy, qualifier, toolkitStackName])).toEqual([
      [TOOLS, 'us-east-1', [], ['pipeline', 'dev'], 'hnb659fds', 'CDKToolkit'],
      [PROD, 'us-east-1', [TOOLS], ['prod'], 'hnb659fds', 'CDKToolkit'],
      [PROD, 'eu-west-1', [TOOLS], ['prod'], 'hnb659fds', 'CDKToolkit'],
    ]);
  });

  test('fleet, environment and account lay their settings over each other', () => {
    const { bootstrap, pipelines } = fleet({
      bootstrap: { qualifier: 'acme', toolkitStackName: 'AcmeToolkit', trust: [DEV] },
      environments: { prod: { region: 'us-east-1', bootstrap: { executionPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'] }, accounts: [{ account: PROD, bootstrap: { terminationProtection: true } }] } },
    });
    expect(bootstrap[1]).toEqual({ account: PROD, region: 'us-east-1', qualifier: 'acme', toolkitStackName: 'AcmeToolkit', trust: [TOOLS, DEV], executionPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'], terminationProtection: true, usedBy: ['prod'] });
    expect(pipelines[0]!.waves[0]!.targets[0]!.bootstrap).toMatchObject({ qualifier: 'acme', terminationProtection: true });
  });
});

describe('what contradicts itself is refused, with its path', () => {
  const region = 'us-east-1';
  const prod = { account: PROD, region };
  const github = { github: 'acme/api' };
  const one = (parts: FleetInput['environments'][string]): Parts => ({ environments: { prod: parts } });
  const pipeline = (parts: object): Parts => ({ pipeline: { account: TOOLS, region, source: { codecommit: 'x' }, ...parts } as FleetInput['pipeline'] });
  const connection = `arn:aws:codeconnections:us-east-1:${TOOLS}:connection/x`;

  test.each<[string, Parts, string[]]>([
    ['no account, no region', one({}), ['CFG040 environments.prod']],
    ['no region', one({ account: PROD }), ['CFG041 environments.prod']],
    ['both forms', one({ account: PROD, accounts: [DEV], region, regions: [region] }), ['CFG042 environments.prod.regions', 'CFG042 environments.prod.accounts']],
    ['one account twice', one({ accounts: [PROD, PROD], region }), ['CFG059 environments.prod.accounts[1]', 'CFG044 environments.prod.region']],
    ['one region twice', one({ account: PROD, regions: [region, region] }), ['CFG059 environments.prod.regions[1]']],
    ['no pipeline', { pipeline: undefined }, ['CFG043 ']],
    ['an empty pipeline', { pipeline: {} }, ['CFG043 pipeline', 'CFG043 pipeline', 'CFG043 pipeline']],
    ['one stage ID for two regions', one({ account: PROD, regions: [region, 'eu-west-1'], stage: 'Live' }), ['CFG044 environments.prod.regions[1]']],
    ['a stage ID like the pipeline’s stack', one({ ...prod, stage: 'PaymentsPipeline' }), ['CFG044 environments.prod.region']],
    ['a placeholder nothing fills', one({ ...prod, stage: '{env}' }), ['CFG058 environments.prod.stage']],
    ['a stage ID that is none', one({ ...prod, stage: '1 {region}' }), ['CFG058 environments.prod.stage']],
    ['a stage of one region where stacks lie in regions', one({ account: PROD, regionsIn: 'stacks', regions: [{ region, stage: 'X1' }] }), ['CFG058 environments.prod.regions[0].stage']],
    ['waves that leave out, repeat and invent regions', one({ account: PROD, regions: [region, 'eu-west-1'], rollout: { waves: [[region], [region, 'eu-west-2']] } }), ['CFG048 environments.prod.rollout.waves[1][0]', 'CFG048 environments.prod.rollout.waves[1][1]', 'CFG048 environments.prod.rollout.waves']],
    ['a wave of environments that aren’t neighbours', { environments: { a: { account: DEV, region, wave: 'w' }, b: { account: STAGING, region }, c: { account: PROD, region, wave: 'w' } } }, ['CFG047 environments.c.wave', 'CFG049 environments.c']],
    ['a wave shared by an environment that has several', { environments: { a: { account: DEV, region, wave: 'w' }, c: { account: PROD, regions: [region, 'eu-west-1'], rollout: 'one-by-one', wave: 'w' } } }, ['CFG062 environments.c.rollout']],
    ['a wave named as a stage of every pipeline', { environments: { build: prod } }, ['CFG049 environments.build']],
    ['two approvals of one name in a wave', { environments: { a: { account: DEV, region, wave: 'w', gates: { approval: 'Go' } }, b: { ...prod, wave: 'w', gates: { approval: 'Go' } } } }, ['CFG063 environments.b']],
    ['a step named like one of Flotilla’s', one({ ...prod, before: { CheckPermissions: ['true'] } }), ['CFG063 environments.prod']],
    ['a cycle of stacks', one({ ...prod, dependsOn: { A: ['B'], B: ['C'], C: ['A'] } }), ['CFG050 environments.prod.dependsOn.A']],
    ['a template that waits for none', one({ ...prod, templates: { Net: 'net.yaml', App: { template: 'app.yaml', dependsOn: ['Nett'] } } }), ['CFG051 environments.prod.templates.App.dependsOn[0]']],
    ['GitHub without connection and token', pipeline({ source: github }), ['CFG052 pipeline.source']],
    ['GitHub with both', pipeline({ source: { ...github, connection, token: 'x' } }), ['CFG052 pipeline.source.token']],
    ['paths by a token', pipeline({ source: { ...github, token: 'x', paths: ['a'] } }), ['CFG065 pipeline.source.paths']],
    ['paths in a V1 pipeline', pipeline({ type: 'V1', inputs: { lib: { gitlab: 'a/b', connection, paths: ['a'] } } }), ['CFG053 pipeline.inputs.lib.paths']],
    ['a queue in a V1 pipeline', pipeline({ type: 'V1', executionMode: 'queued' }), ['CFG053 pipeline.executionMode']],
    ['a branch of a source that has none', { ...pipeline({ source: { s3: 'bucket', key: 'k' } }), pipelines: { a: { branch: 'x', environments: ['prod'] } }, ...one(prod) }, ['CFG065 pipelines.a.branch']],
    ['an environment that isn’t there, one that is off, one twice', { ...one(prod), pipelines: { a: { environments: ['prodd', 'prod'] }, b: { environments: ['prod'] } } }, ['CFG045 pipelines.a.environments[0]', 'CFG057 pipelines.b.environments[0]']],
    ['an environment that is off in a pipeline', { environments: { prod, off: { enabled: false } }, pipelines: { a: { environments: ['prod', 'off'] } } }, ['CFG046 pipelines.a.environments[1]']],
    ['an environment no pipeline deploys', { environments: { prod, dev: { account: DEV, region } }, pipelines: { a: { environments: ['prod'] } } }, ['CFG057 environments.dev']],
    ['a wave across pipelines', { environments: { a: { account: DEV, region, wave: 'w' }, b: { ...prod, wave: 'w' } }, pipelines: { a: { environments: ['a'] }, b: { environments: ['b'] } } }, ['CFG047 environments.b.wave']],
    ['two pipelines of one name', { environments: { a: { account: DEV, region }, b: prod }, pipelines: { a: { name: 'x', environments: ['a'] }, b: { name: 'x', environments: ['b'] } } }, ['CFG061 pipelines.b']],
    ['a qualifier without a toolkit stack', { ...one(prod), bootstrap: { qualifier: 'acme' } }, ['CFG055 bootstrap.qualifier']],
    ['the same of an environment', one({ ...prod, bootstrap: { qualifier: 'acme', toolkitStackName: 'CDKToolkit' } }), ['CFG055 environments.prod.bootstrap.qualifier']],
    ['one bootstrap, two policies', { environments: { a: { ...prod, bootstrap: { executionPolicies: ['arn:aws:iam::aws:policy/A'] } }, b: prod } }, ['CFG060 environments.b.region']],
    ['two partitions', one({ account: PROD, region: 'cn-north-1' }), ['CFG067 environments.prod.region']],
    ['more stages than CodePipeline takes', { environments: Object.fromEntries(Array.from({ length: 47 }, (_, index) => [`e${index}`, prod])) }, ['CFG054 pipeline']],
  ])('%s', (_, parts, expected) => {
    expect(refusals(parts)).toEqual(expected);
  });

  test('a quota nobody counts', () => {
    expect(refusals({ quotas: { 'codepipeline.stage': 9 } })).toEqual(['CFG066 quotas["codepipeline.stage"]']);
  });

  test('raised quotas count', () => {
    const environments = Object.fromEntries(Array.from({ length: 47 }, (_, index) => [`e${index}`, prod]));
    expect(refusals({ environments, quotas: { 'codepipeline.stages': 100 } })).toEqual([]);
  });

  test('an environment in the pipeline’s own account is none of this', () => {
    expect(refusals(one({ account: TOOLS, region }))).toEqual([]);
  });
});
