import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { App, Aspects, CfnOutput, CfnResource, Stack, Tags, type Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { IConstruct } from 'constructs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Fleet, pinnedTools, type FleetInput, type StageTarget } from '../../../src/cdk/index.js';

const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = join(import.meta.dirname, '../../..');
let nth = 0;

const base: FleetInput = {
  fleet: 'shop',
  pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'shop' }, synth: ['npm ci', 'npx cdk synth'] },
  environments: {
    dev: { account: '111111111111', regions: ['us-east-1'], verify: { smoke: ['curl "$Url"'] } },
    prod: { account: '333333333333', regions: ['us-east-1', 'eu-west-1'], gates: { approval: 'Promote' } },
  },
};

const one = (stage: Stage, target: StageTarget): void => {
  for (const { env, region } of target.regions) {
    const stack = new Stack(stage, target.regions.length > 1 ? `App-${region}` : 'App', { env });
    const topic = new CfnResource(stack, 'Topic', { type: 'AWS::SNS::Topic', properties: { DisplayName: target.params['name'] } });
    new CfnOutput(stack, 'Url', { value: topic.ref });
  }
};

function fleet(input: FleetInput, build: (stage: Stage, target: StageTarget) => void = one, options: Parameters<typeof Fleet.load>[2] = {}, context: Record<string, unknown> = {}): { app: App; fleet: Fleet } {
  const app = new App({ outdir: join(folder, `out-${nth++}`), context });
  return { app, fleet: Fleet.load(app, input, options as object).deploy(build) as Fleet };
}

interface Action { Name: string; RunOrder: number; ActionTypeId: { Provider: string }; Configuration: Record<string, string>; Region?: string }
const stagesOf = (made: Fleet, stack = made.pipelineStacks[0]!): { Name: string; Actions: Action[] }[] => Object.values(Template.fromStack(stack).findResources('AWS::CodePipeline::Pipeline'))[0]!['Properties'].Stages;
const outline = (made: Fleet): string[] => stagesOf(made).map(({ Name, Actions }) => `${Name}: ${Actions.map((action) => `${action.RunOrder} ${action.Name}`).join(', ')}`);

it('refuses a bootstrap qualifier that the app’s context alone names', () => {
  const made = (input: FleetInput) => (): Fleet => Fleet.load(new App({ outdir: join(folder, `out-${nth++}`), context: { '@aws-cdk/core:bootstrapQualifier': 'acme' } }), input).deploy(one);
  expect(made(base)).toThrow(expect.objectContaining({ code: 'CDK022' }));
  expect(made({ ...base, bootstrap: { qualifier: 'acme', toolkitStackName: 'CDKToolkit-acme' } })).not.toThrow();
});

describe('a fleet becomes a CDK pipeline', () => {
  it('with its waves, gates and tests in order, one action a stack, one for all assets', () => {
    expect(outline(fleet(base).fleet)).toEqual([
      'Source: 1 shop',
      'Build: 1 Synth',
      'UpdatePipeline: 1 SelfMutate',
      'Dev-us-east-1: 1 App.Deploy, 2 smoke',
      'Prod: 1 Promote, 2 Prod-us-east-1.App.Deploy, 2 Prod-eu-west-1.App.Deploy',
    ]);
  });

  it('that deploys to nothing yet, and then has nothing to look at before', () => {
    expect(outline(fleet({ ...base, environments: {} }).fleet)).toEqual(['Source: 1 shop', 'Build: 1 Synth', 'UpdatePipeline: 1 SelfMutate']);
  });

  it('with change sets where they are asked for', () => {
    expect(outline(fleet({ ...base, pipeline: { ...base.pipeline, changeSets: true } }).fleet)[3]).toBe('Dev-us-east-1: 1 App.Prepare, 2 App.Deploy, 3 smoke');
  });

  it('whose tests see the outputs the app declares, and nothing that constructs add', () => {
    const { fleet: made } = fleet(base, (stage, target) => {
      const stack = new Stack(stage, 'App', { env: target.env });
      new CfnOutput(stack, 'Url', { value: 'here' });
      const inner = new CfnResource(stack, 'Inner', { type: 'AWS::SNS::Topic' });
      new CfnOutput(inner, 'Deeper', { value: 'there' });
    });
    const { Configuration } = stagesOf(made)[3]!.Actions[1]!;
    expect((JSON.parse(Configuration['EnvironmentVariables']!) as { name: string }[]).map(({ name }) => name)).toEqual(['Url']);
    expect(Configuration['EnvironmentVariables']).not.toContain('Deeper');
  });

  it('of one stage, its stacks in several regions, one region after another', () => {
    const { app, fleet: made } = fleet({ ...base, environments: { pro: { account: '333333333333', regions: ['eu-west-1', 'eu-west-2'], regionsIn: 'stacks', rollout: 'one-by-one' } } });
    expect(outline(made).at(-1)).toBe('Pro: 1 App-eu-west-1.Deploy, 2 App-eu-west-2.Deploy');
    expect(app.synth().getNestedAssembly('assembly-Pro').stacks.map(({ stackName, environment }) => `${stackName} ${environment.region}`)).toEqual(['Pro-App-eu-west-1 eu-west-1', 'Pro-App-eu-west-2 eu-west-2']);
  });

  it('that deploys hand-written CloudFormation as it stands', () => {
    const file = join(folder, 'queue.yaml');
    writeFileSync(file, 'Parameters: { Name: { Type: String } }\nResources:\n  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref Name } }\n');
    const { app } = fleet({ ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'], templates: { Queue: { template: 'queue.yaml', parameters: { Name: 'jobs' } } }, dependsOn: { App: ['Queue'] } } } }, one, { folder });
    const stacks = app.synth().getNestedAssembly('assembly-Dev-us-east-1').stacks;
    expect(stacks.find(({ stackName }) => stackName.endsWith('Queue'))!.template.Resources).toEqual({ Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } } });
    expect(stacks.find(({ stackName }) => stackName.endsWith('App'))!.dependencies.map(({ id }) => id)).toContain(stacks.find(({ stackName }) => stackName.endsWith('Queue'))!.id);
  });

  it('with several pipelines, each with its branch and environments', () => {
    const { fleet: made } = fleet({ ...base, pipelines: { dev: { branch: 'develop', environments: ['dev'] }, live: { environments: ['prod'] } } });
    expect(made.pipelineStacks.map(({ stackName }) => stackName)).toEqual(['ShopPipeline-dev', 'ShopPipeline-live']);
    expect(made.model.pipelines.map(({ key }) => stagesOf(made, made.pipelineStack(key!))[0]!.Actions[0]!.Configuration['BranchName'])).toEqual(['develop', 'main']);
    expect(() => made.pipeline).toThrow('the fleet has 2 pipelines');
  });

  it('that others can add to until it is built', () => {
    const { app, fleet: made } = fleet(base);
    made.pipeline.addWave('Audit').addPre();
    expect(() => app.synth()).not.toThrow();
    expect(() => made.pipeline.addWave('Late')).toThrow(/can't add Waves anymore/);
  });
});

describe('the idioms of CDK', () => {
  it('parameters have the type that the app’s schema gives them', () => {
    const parameters = z.object({ cidr: z.string(), zones: z.coerce.number() });
    const seen: (readonly [cidr: string, zones: number])[] = [];
    Fleet.load(new App({ outdir: join(folder, `out-${nth++}`) }), { ...base, parameters: { cidr: '10.0.0.0/16', zones: '3' } }, { parameters }).deploy((stage, target) => {
      seen.push([target.params.cidr, target.params.zones]);
      // @ts-expect-error: the schema knows no such parameter
      void target.params.cdir;
      one(stage, target);
    });
    expect(seen).toEqual(Array.from({ length: 3 }, () => ['10.0.0.0/16', 3]));
  });

  it('aspects and tags of the app and of the pipeline’s stack reach it until the app is synthesized, those of a stage its stacks', () => {
    const visited = { app: new Set<string>(), stage: new Set<string>() };
    const seeing = (into: Set<string>) => ({ visit: (node: IConstruct) => void (Stack.isStack(node) && into.add(node.node.path)) });
    const { app, fleet: made } = fleet(base, (stage, target) => {
      one(stage, target);
      Tags.of(stage).add('team', 'shop');
      Aspects.of(stage).add(seeing(visited.stage));
    });
    Aspects.of(app).add(seeing(visited.app));
    Tags.of(made.stack).add('cost', 'delivery');
    expect(app.synth().getNestedAssembly('assembly-Dev-us-east-1').stacks[0]!.tags).toEqual({ team: 'shop', 'flotilla:fleet': 'shop' });
    expect(Object.values(Template.fromStack(made.stack).findResources('AWS::S3::Bucket'))[0]!['Properties'].Tags).toContainEqual({ Key: 'cost', Value: 'delivery' });
    expect([...visited.app]).toEqual(expect.arrayContaining(['ShopPipeline', 'ShopSupport-eu-west-1']));
    expect([...visited.stage].toSorted()).toEqual(['Dev-us-east-1/App', 'Prod-eu-west-1/App', 'Prod-us-east-1/App']);
  });

  it('what CDK generated is changed below its public properties in one file', () => {
    const sources = readdirSync(join(root, 'src/cdk')).filter((name) => /\.add\w*Override\(|findChild\('Resource'\)|defaultChild|as never/.test(readFileSync(join(root, 'src/cdk', name), 'utf8')));
    expect(sources).toEqual(['patches.ts']);
  });
});

describe('builds', () => {
  const projects = (input: FleetInput, name: RegExp): Record<string, any>[] => Object.entries(Template.fromStack(fleet(input).fleet.stack).findResources('AWS::CodeBuild::Project')).filter(([id]) => name.test(id)).map(([, { Properties }]) => Properties);
  const withStep = (build: object, step: object): FleetInput => ({ ...base, pipeline: { ...base.pipeline, build }, environments: { dev: { account: '111111111111', regions: ['us-east-1'], verify: { smoke: { commands: ['true'], ...step } } } } });

  it.each([
    ['the image of the pipeline on its processor', { image: 'node:22', architecture: 'arm' }, {}, 'ARM_CONTAINER', 'node:22'],
    ['an image of its own on the pipeline’s processor', { architecture: 'arm' }, { image: 'node:22' }, 'ARM_CONTAINER', 'node:22'],
    ['the pipeline’s image where it names the same processor', { image: 'node:22' }, { architecture: 'x86' }, 'LINUX_CONTAINER', 'node:22'],
    ['the default of another processor', { image: 'aws/codebuild/standard:7.0' }, { architecture: 'arm' }, 'ARM_CONTAINER', 'aws/codebuild/amazonlinux-aarch64-standard:3.0'],
  ])('of a step take %s', (_name, build, step, Type, Image) => {
    expect(projects(withStep(build, step), /smoke/)[0]!['Environment']).toMatchObject({ Type, Image });
  });

  it('of a step do without the pipeline’s cache where it says none', () => {
    expect(projects(withStep({ cache: 'local' }, { cache: 'none' }), /smoke/)[0]!['Cache']).toEqual({ Type: 'NO_CACHE' });
  });

  it('of a step lie in the VPC it names, and the others in the pipeline’s', () => {
    const vpcs = projects(withStep({ vpc: { id: 'vpc-1', subnets: ['subnet-1'] } }, { vpc: { id: 'vpc-2', subnets: ['subnet-2'] } }), /./).map(({ VpcConfig }) => `${VpcConfig.VpcId} ${VpcConfig.Subnets}`);
    expect(vpcs.toSorted()).toEqual(['vpc-1 subnet-1', 'vpc-1 subnet-1', 'vpc-2 subnet-2']);
  });

  it('read a secret that is named by its ARN by that ARN', () => {
    const secret = 'arn:aws:secretsmanager:us-east-1:444444444444:secret:shared-AbCdEf';
    expect(JSON.stringify(projects(withStep({}, { secrets: { KEY: secret } }), /smoke/)[0]!['Environment'])).toContain(`"Value":"${secret}"`);
  });

  it('log in to every registry of the file, also where they publish assets', () => {
    const input: FleetInput = { ...base, pipeline: { ...base.pipeline, build: { docker: [{ dockerHub: 'hub' }, { ecr: [{ repository: 'tools' }, { repository: 'more', account: '444444444444' }] }] } } };
    const { app } = fleet(input, (stage, target) => {
      new Asset(new Stack(stage, 'App', { env: target.env }), 'Asset', { path: import.meta.filename });
    });
    const { directory } = app.synth();
    const [buildspec] = readdirSync(directory).filter((name) => /^buildspec-/.test(name)).map((name) => readFileSync(join(directory, name), 'utf8'));
    for (const registry of ['index.docker.io', '999999999999.dkr.ecr.us-east-1.amazonaws.com', '444444444444.dkr.ecr.us-east-1.amazonaws.com', 'arn:aws:secretsmanager:us-east-1:999999999999:secret:hub']) expect(buildspec).toContain(registry);
  });

  it('that ask what a push changed run as all others, and start the pipeline once for each event', () => {
    const input: FleetInput = { ...base, pipeline: { ...base.pipeline, source: { codecommit: 'shop', paths: ['lib/**'] }, build: { image: 'node:22', architecture: 'arm', buildspec: { phases: { install: { 'runtime-versions': { nodejs: 22 } } } } } } };
    const [trigger] = projects(input, /^Trigger/);
    expect(trigger!['Environment']).toMatchObject({ Type: 'ARM_CONTAINER', Image: 'node:22' });
    expect(JSON.parse(trigger!['Source'].BuildSpec).phases).toEqual({ install: { 'runtime-versions': { nodejs: 22 } }, build: { commands: ['node steps.cjs trigger'] } });
    const rules = Object.values(Template.fromStack(fleet(input).fleet.stack).findResources('AWS::Events::Rule')).flatMap(({ Properties }) => Properties.Targets as { InputTransformer?: { InputPathsMap: object; InputTemplate: string } }[]).flatMap(({ InputTransformer }) => InputTransformer ?? []);
    expect(rules).toHaveLength(2);
    for (const { InputPathsMap, InputTemplate } of rules) expect([Object.values(InputPathsMap), InputTemplate]).toEqual([expect.arrayContaining(['$.id', '$.detail.commitId']), expect.stringContaining('"name":"EVENT"')]);
  });
});

describe('the order of stacks', () => {
  const ordered = (dependsOn: Record<string, string[]>, ids: readonly string[]): (() => Record<string, string[]>) => () => {
    const { app } = fleet({ ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'], dependsOn } } }, (stage, target) => ids.forEach((id) => new CfnResource(new Stack(stage, id, { env: target.env }), 'Topic', { type: 'AWS::SNS::Topic' })));
    return Object.fromEntries(app.synth().getNestedAssembly('assembly-Dev-us-east-1').stacks.map(({ stackName, dependencies }) => [stackName, dependencies.map(({ id }) => id).filter((id) => !id.endsWith('.assets'))]));
  };

  it('names stacks by their whole ID, or by their name', () => {
    const order = ordered({ Web: ['Api'], 'Dev-us-east-1-Worker': ['Web'] }, ['Api', 'Api-Canary', 'Web', 'Worker'])();
    expect(Object.values(order).map((before) => before.length)).toEqual([0, 0, 1, 1]);
    expect(order['Dev-us-east-1-Web']![0]).toMatch(/Api[^-]*$/);
  });

  it('says which stack was meant', () => {
    expect(ordered({ Web: ['Apii'] }, ['Api', 'Web'])).toThrow(expect.objectContaining({ code: 'CDK019', fix: 'did you mean Api?' }));
    expect(ordered({ Web: ['Api'] }, ['Api-Canary', 'Web'])).toThrow(expect.objectContaining({ code: 'CDK019' }));
  });

  it('means the stacks of each region where a stage has several', () => {
    const { app } = fleet({ ...base, environments: { pro: { account: '333333333333', regions: ['eu-west-1', 'eu-west-2'], regionsIn: 'stacks', dependsOn: { App: ['Base'] } } } }, (stage, target) => {
      for (const { env, region } of target.regions) for (const id of ['App', 'Base']) new CfnResource(new Stack(stage, `${id}-${region}`, { env }), 'Topic', { type: 'AWS::SNS::Topic' });
    });
    const stacks = app.synth().getNestedAssembly('assembly-Pro').stacks;
    const before = (id: string): string => stacks.find((stack) => stack.id === id)?.stackName ?? id;
    expect(stacks.filter(({ stackName }) => stackName.includes('-App-')).map(({ stackName, dependencies }) => [stackName, ...dependencies.map(({ id }) => before(id)).filter((name) => !name.endsWith('.assets'))])).toEqual([['Pro-App-eu-west-1', 'Pro-Base-eu-west-1'], ['Pro-App-eu-west-2', 'Pro-Base-eu-west-2']]);
  });
});

describe('what stays as it is', () => {
  const ids = (made: Fleet): unknown => Object.fromEntries(Object.entries(Template.fromStack(made.stack).toJSON()['Resources'] as Record<string, { Type: string }>).map(([id, { Type }]) => [id, Type]));

  it('logical IDs, stack names and application templates, when the pipeline is renamed', () => {
    const [a, b] = [fleet(base), fleet({ ...base, pipeline: { ...base.pipeline, name: 'renamed' } })];
    expect(ids(b.fleet)).toEqual(ids(a.fleet));
    for (const name of ['Dev-us-east-1', 'Prod-us-east-1', 'Prod-eu-west-1']) {
      const [left, right] = [a, b].map(({ app }) => app.synth().getNestedAssembly(`assembly-${name}`).stacks.map(({ stackName, template }) => [stackName, template]));
      expect(right).toEqual(left);
    }
  }, 120_000);

  it('stage and stack names of the fleet’s earlier targets, when a region is added', () => {
    const { app } = fleet({ ...base, environments: { ...base.environments, dev: { account: '111111111111', regions: ['us-east-1', 'eu-central-1'] } } });
    expect(app.synth().getNestedAssembly('assembly-Dev-us-east-1').stacks[0]!.stackName).toBe('Dev-us-east-1-App');
  });

  it('every logical ID of the pipeline’s stack', () => {
    expect(ids(fleet(base).fleet)).toMatchSnapshot();
  });

  it('the templates, byte for byte, when one commit is synthesized twice', () => {
    const [a, b] = [fleet(base), fleet(base)].map(({ app }) => app.synth().directory);
    expect(readFileSync(join(b!, 'ShopPipeline.template.json'), 'utf8')).toBe(readFileSync(join(a!, 'ShopPipeline.template.json'), 'utf8'));
  });
});

describe('connections', () => {
  const allowed = (connection: string, clone = false): string[] => {
    const { fleet: made } = fleet({ ...base, pipeline: { ...base.pipeline, source: { bitbucket: 'acme/shop', connection, clone } } });
    const policies = Object.values(Template.fromStack(made.stack).findResources('AWS::IAM::Policy')) as { Properties: { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } } }[];
    return policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement).filter(({ Resource }) => Resource === connection).flatMap(({ Action }) => Action).filter((action) => action.endsWith(':UseConnection')).toSorted();
  };

  it('of the new prefix may be used by every role that CDK lets use those of the old one', () => {
    const connection = 'arn:aws:codeconnections:us-east-1:999999999999:connection/11111111-2222-3333-4444-555555555555';
    expect(allowed(connection)).toEqual(['codeconnections:UseConnection', 'codestar-connections:UseConnection']);
    expect(allowed(connection, true).filter((action) => action.startsWith('codeconnections')).length).toBe(allowed(connection, true).length / 2);
    expect(allowed(connection.replace('codeconnections', 'codestar-connections'))).toEqual(['codestar-connections:UseConnection']);
  });
});

describe('says what is wrong', () => {
  it('before deploy()', () => {
    expect(() => Fleet.load(new App({ outdir: join(folder, `out-${nth++}`) }), base).pipeline).toThrow('the pipelines are not there yet');
  });

  it.each<[string, FleetInput, (stage: Stage, target: StageTarget) => void, RegExp]>([
    ['a stage without stacks', base, () => undefined, /stage Dev-us-east-1 has no stacks/],
    ['an output that is not there', { ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'], verify: { smoke: { commands: ['true'], outputs: { X: 'App.Nope' } } } } } }, one, /asks for the output 'App.Nope'/],
    ['a dependency on a stack that is not there', { ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'], dependsOn: { App: ['Database'] } } } }, one, /Database/],
    ['a template that is not there', { ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'], templates: { Queue: 'nowhere.yaml' } } } }, one, /template of stack 'Queue'/],
  ])('%s', (_name, input, build, message) => {
    expect(() => fleet(input, build)).toThrow(message);
  });

  it('parameters that the app’s schema refuses', () => {
    const parameters = { parse: (value: unknown): { cidr: string } => { if (!(value as { cidr?: string }).cidr) throw new TypeError('cidr is missing'); return value as { cidr: string }; } };
    const dev = { ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'] } } };
    expect(() => fleet(dev, one, { parameters } as never)).toThrow(expect.objectContaining({ message: "the parameters of Dev-us-east-1 (us-east-1) don't match the app's schema", why: 'cidr is missing' }));
    const schema = z.object({ cidr: z.string(), zones: z.array(z.number()) });
    expect(() => fleet({ ...dev, parameters: { zones: ['a'] } }, one, { parameters: schema })).toThrow(expect.objectContaining({ why: 'cidr: Invalid input: expected string, received undefined\nzones.0: Invalid input: expected number, received string' }));
  });

  it('parameters of every target at once, before any stack is made', () => {
    const made: string[] = [];
    const environments = { ...base.environments, dev: { account: '111111111111', regions: ['us-east-1'], parameters: { cidr: '10.0.0.0/16' } } };
    expect(() => fleet({ ...base, environments }, ({ node }) => void made.push(node.id), { parameters: z.object({ cidr: z.string() }) })).toThrow(
      expect.objectContaining({ code: 'CDK018', message: "the parameters of Prod-us-east-1 (us-east-1) and 1 more don't match the app's schema", why: expect.stringMatching(/^Prod-us-east-1 \(us-east-1\): cidr: .*\nProd-eu-west-1 \(eu-west-1\): cidr: .*$/) }),
    );
    expect(made).toEqual([]);
  });

  it('with the reason and the fix where only the stack of an error is shown, each once', () => {
    const shown = (input: FleetInput, build = one): string => {
      try {
        fleet(input, build);
      } catch (error) {
        return inspect(error);
      }
      return '';
    };
    expect(shown(base, () => undefined)).toMatch(/^FlotillaError: stage Dev-us-east-1 has no stacks\n {2}why {3}the callback of deploy\(\) made none for environment dev\n {2}fix {3}make at least one: .*\n( +at .*\n)+ {2}code: 'CDK017'\n\}$/);
    expect(shown({ ...base, fleet: 'a b', tags: 3 } as never).match(/CFG014/g)).toHaveLength(2);
  });

  it('a limit that the pipeline’s stack goes beyond, and warns before', () => {
    const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1'];
    const wide = (limit: number) => fleet({ ...base, environments: { prod: { account: '333333333333', regions } }, quotas: { 'codepipeline.actions': limit } });
    const messages = ({ app }: { app: App }) => app.synth({ force: true }).stacks.flatMap(({ messages: all }) => all.map(({ level, entry }) => `${level} ${String(entry.data)}`)).join('\n');
    expect(messages(wide(9))).toMatch(/warning .*actions of a pipeline: about 8 of 9 actions/);
    expect(messages(wide(7))).toMatch(/error CDK021 .*actions of a pipeline: about 8 of 7 actions/);
    expect(messages(wide(100))).not.toMatch(/actions of a pipeline/);
  });

  it('a template that becomes too large, measured as it is written', () => {
    const sized = (limit: number, context: Record<string, unknown> = {}) => {
      const { app, fleet: made } = fleet({ ...base, quotas: { 'cloudformation.template-bytes': limit } }, undefined, {}, context);
      const { stacks } = app.synth();
      const { messages, templateFullPath } = stacks.find(({ id }) => id === made.stack.stackName)!;
      return { bytes: statSync(templateFullPath).size, told: messages.map(({ level, entry }) => `${level} ${String(entry.data)}`).join('\n') };
    };
    const { bytes, told } = sized(1_000_000);
    expect(told).not.toMatch(/template of a stack/);
    expect(sized(Math.round(bytes * 1.1)).told).toMatch(/warning .*template of a stack, from S3: about \d+ of \d+ bytes; split the environments/);
    const [, about] = /error CDK021 .*template of a stack, from S3: about (\d+) of/.exec(sized(Math.round(bytes * 0.9)).told)!;
    expect(Number(about) / bytes).toBeGreaterThan(0.95);
    expect(sized(bytes, { '@aws-cdk/core:suppressTemplateIndentation': true }).told).not.toMatch(/template of a stack/);
  });
});

describe('gates and protection', () => {
  it('check permissions beside an approval that the check may give, and nothing more', () => {
    const { fleet: made } = fleet({ ...base, environments: { prod: { account: '333333333333', regions: ['us-east-1'], gates: { permissions: 'broadened' } } } });
    expect(outline(made).at(-1)).toBe('Prod-us-east-1: 1 CheckPermissions, 1 ConfirmPermissions, 2 App.Deploy');
    const policies = JSON.stringify(Template.fromStack(made.stack).findResources('AWS::IAM::Policy'));
    expect(policies).toContain(':codepipeline:us-east-1:999999999999:shop/Prod-us-east-1/ConfirmPermissions');
    expect(policies).toContain(':iam::333333333333:role/cdk-hnb659fds-lookup-role-333333333333-us-east-1');
  });

  it('protect stacks after they are deployed, through their own deploy role', () => {
    const { app, fleet: made } = fleet({ ...base, environments: { prod: { account: '333333333333', regions: ['us-east-1'], terminationProtection: true } } });
    expect(outline(made).at(-1)).toBe('Prod-us-east-1: 1 App.Deploy, 2 ProtectStacks');
    expect(app.synth().getNestedAssembly('assembly-Prod-us-east-1').stacks[0]!.terminationProtection).toBe(true);
  });

  it('bound every role of the pipeline’s stack, and give every build the policies that the file names', () => {
    const policies = ['arn:aws:iam::999999999999:policy/read-packages'];
    const { fleet: made } = fleet({ ...base, permissionsBoundary: 'edge', pipeline: { ...base.pipeline, build: { policies } } });
    const roles = Object.values(Template.fromStack(made.stack).findResources('AWS::IAM::Role')) as { Properties: { PermissionsBoundary?: unknown; ManagedPolicyArns?: string[] } }[];
    expect(roles.filter(({ Properties }) => !JSON.stringify(Properties.PermissionsBoundary ?? '').includes(':policy/edge'))).toEqual([]);
    // Synth, SelfMutate and the test; this app has no assets.
    expect(roles.filter(({ Properties }) => Properties.ManagedPolicyArns?.includes(policies[0]!))).toHaveLength(3);
  });

  it('give a step the policies it names itself, and no others', () => {
    const [all, own] = ['arn:aws:iam::999999999999:policy/all', 'arn:aws:iam::999999999999:policy/own'];
    const verify = { smoke: { commands: ['true'], policies: [own] }, plain: { commands: ['true'], policies: [] } };
    const { fleet: made } = fleet({ ...base, pipeline: { ...base.pipeline, build: { policies: [all] } }, environments: { dev: { account: '111111111111', regions: ['us-east-1'], verify } } });
    const roles = Object.values(Template.fromStack(made.stack).findResources('AWS::IAM::Role')) as { Properties: { ManagedPolicyArns?: string[] } }[];
    expect(roles.flatMap(({ Properties }) => Properties.ManagedPolicyArns ?? []).toSorted()).toEqual([all, all, own]);
  });

  it('give an approval its expiry', () => {
    const { fleet: made } = fleet({ ...base, environments: { prod: { account: '333333333333', regions: ['us-east-1'], gates: { approval: { name: 'Promote', timeout: 60 } } } } });
    expect(stagesOf(made).at(-1)!.Actions[0]).toMatchObject({ Name: 'Promote', TimeoutInMinutes: 60 });
  });
});

it('says which statement the policy of a topic that exists needs', () => {
  const topic = 'arn:aws:sns:us-east-1:999999999999:ops';
  const messages = (notify: FleetInput['notify']): string => fleet({ ...base, notify }).app.synth().stacks.flatMap((stack) => stack.messages.map(({ entry }) => String(entry.data))).join('\n');
  expect(messages({ topic })).toContain(`{"Effect":"Allow","Principal":{"Service":"codestar-notifications.amazonaws.com"},"Action":"sns:Publish","Resource":"${topic}","Condition":{"StringEquals":{"aws:SourceAccount":"999999999999"}}}`);
  expect(messages({ email: ['ops@example.com'] })).not.toContain('codestar-notifications');
});

describe('artifacts', () => {
  it('of pipelines that share buckets in other regions expire when the most patient of them says', () => {
    const { app } = fleet({ ...base, pipelines: { dev: { environments: ['dev'], artifacts: { expireAfter: 5 } }, live: { environments: ['prod'], artifacts: { expireAfter: 40 }, terminationProtection: true } }, environments: { dev: { account: '111111111111', regions: ['eu-west-1'] }, prod: base.environments['prod']! } });
    const support = app.synth().stacks.find(({ stackName }) => stackName === 'ShopSupport-eu-west-1')!;
    expect(JSON.stringify(support.template)).toContain('"ExpirationInDays":40');
    expect(support.terminationProtection).toBe(true);
  });

  it('lie in buckets and keys that expire what they hold and go with their stack, also in other regions', () => {
    const { app } = fleet(base);
    const support = app.synth().stacks.find(({ stackName }) => stackName === 'ShopSupport-eu-west-1')!;
    for (const template of [support.template, app.synth().stacks.find(({ stackName }) => stackName === 'ShopPipeline')!.template]) {
      const [bucket] = Object.values(template.Resources as Record<string, { Type: string; DeletionPolicy?: string; Properties: { LifecycleConfiguration?: unknown } }>).filter(({ Type }) => Type === 'AWS::S3::Bucket');
      expect(bucket).toMatchObject({ DeletionPolicy: 'Delete', Properties: { LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90 }] } } });
    }
    expect(support.assumeRoleArn).toContain('deploy-role-999999999999-us-east-1');
  });

  it('can be shared, by a bucket and key that exist', () => {
    const { fleet: made } = fleet({ ...base, pipeline: { ...base.pipeline, artifacts: { bucket: 'shared-artifacts', key: 'arn:aws:kms:us-east-1:999999999999:key/1' } }, environments: { dev: { account: '111111111111', regions: ['us-east-1'] } } });
    Template.fromStack(made.stack).resourceCountIs('AWS::S3::Bucket', 0);
    Template.fromStack(made.stack).hasResourceProperties('AWS::CodePipeline::Pipeline', { ArtifactStore: { Location: 'shared-artifacts' } });
  });

  it('of templates alone feed the deployments of large assemblies', () => {
    const { fleet: made } = fleet({ ...base, pipeline: { ...base.pipeline, artifacts: { templatesOnly: true } } });
    const [build, deploy] = [stagesOf(made)[1]!.Actions[0]!, stagesOf(made)[3]!.Actions[0]!] as unknown as { OutputArtifacts: { Name: string }[]; InputArtifacts: { Name: string }[]; Configuration: { TemplatePath: string } }[];
    const templates = build!.OutputArtifacts.map(({ Name }) => Name).find((name) => name.includes('templates'))!;
    expect(deploy).toMatchObject({ InputArtifacts: [{ Name: templates }] });
    expect(deploy!.Configuration.TemplatePath).toMatch(new RegExp(`^${templates}::assembly-Dev`));
    const synth = Object.values(Template.fromStack(made.stack).findResources('AWS::CodeBuild::Project')).map(({ Properties }) => String(Properties.Source.BuildSpec)).find((spec) => spec.includes(' preflight '));
    expect(synth).toContain('preflight cdk.out ShopPipeline templates-only"');
  });
});

describe('a wave of more actions than a stage holds', () => {
  it('becomes several, each with whole targets, the gate before the first', () => {
    const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-north-1', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2', 'ap-northeast-1'];
    const many = (stage: Stage, target: StageTarget) => [1, 2].forEach((n) => new CfnResource(new Stack(stage, `App${n}`, { env: target.env }), 'Topic', { type: 'AWS::SNS::Topic' }));
    const { fleet: made } = fleet({ ...base, pipeline: { ...base.pipeline, changeSets: true }, environments: { prod: { account: '333333333333', regions, gates: { approval: true } } } }, many);
    const stages = stagesOf(made).slice(3);
    expect(stages.map(({ Name, Actions }) => `${Name} ${Actions.length}`)).toEqual(['Prod-1 49', 'Prod-ap-northeast-1 4']);
    expect(stages[1]!.Actions.some(({ ActionTypeId }) => ActionTypeId.Provider === 'Manual')).toBe(false);
  });
});

describe('cdk-nag', () => {
  it('finds nothing in what is generated, and the wildcards that an app’s own step has', () => {
    const printed = execFileSync(process.execPath, ['--import', 'tsx', join(root, 'test/fixtures/nag.ts')], { cwd: root, encoding: 'utf8', env: { ...process.env, CDK_OUTDIR: join(folder, 'nag'), CDK_VALIDATION: 'true' }, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });
    const found = JSON.parse(printed.trim().split('\n').at(-1)!) as string[];
    expect(found.filter((one) => /^Shop/.test(one))).toEqual(['ShopPipeline AwsSolutions-IAM5[Action::dynamodb:*]', 'ShopPipeline AwsSolutions-IAM5[Resource::arn:aws:dynamodb:us-east-1:999999999999:table/*]']);
    // The judge judges: the app's own queues have no dead-letter queue.
    expect(found).toContain('Dev-us-east-1 AwsSolutions-SQS3');
  }, 120_000);
});

describe('payments as a fleet and as plain CDK', () => {
  let plain: string;
  let fleetly: string;

  beforeAll(() => {
    const synth = (app: string, out: string): string => {
      const directory = join(folder, out);
      mkdirSync(directory, { recursive: true });
      execFileSync(process.execPath, ['--import', 'tsx', app], { cwd: join(app, '../..'), env: { ...process.env, CDK_VALIDATION: 'false', CDK_OUTDIR: directory, CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:enable-path-metadata': true, '@aws-cdk/aws-apigateway:disableCloudWatchRole': true }) }, stdio: ['ignore', 'ignore', 'inherit'] });
      return directory;
    };
    plain = synth(join(root, 'test/fixtures/payments/bin/payments.ts'), 'plain');
    fleetly = synth(join(root, 'test/fixtures/payments-fleet.ts'), 'fleetly');
  }, 120_000);

  it('have the same application templates to the byte', () => {
    for (const stage of ['Dev', 'Staging', 'Prod-us-east-1', 'Prod-eu-west-1']) {
      const [left, right] = [plain, fleetly].map((directory) => readdirSync(join(directory, `assembly-${stage}`)).filter((name) => name.endsWith('.template.json')).map((name) => readFileSync(join(directory, `assembly-${stage}`, name), 'utf8')));
      expect(left).toHaveLength(1);
      expect(right).toEqual(left);
    }
  });

  it('differ in the pipeline’s template as docs/pipelines.md lists', () => {
    const shape = (directory: string) => {
      const { Resources } = JSON.parse(readFileSync(join(directory, 'PaymentsPipeline.template.json'), 'utf8')) as { Resources: Record<string, { Type: string; Properties: any }> };
      const { Stages, PipelineType } = Object.values(Resources).find(({ Type }) => Type === 'AWS::CodePipeline::Pipeline')!.Properties as { Stages: { Actions: Action[] }[]; PipelineType: string };
      const actions = Stages.flatMap(({ Actions }) => Actions);
      return { type: PipelineType, actions: actions.length, builds: actions.filter(({ ActionTypeId }) => ActionTypeId.Provider === 'CodeBuild').length, path: Stages.reduce((sum, { Actions }) => sum + Math.max(...Actions.map(({ RunOrder }) => RunOrder)), 0), resources: Object.values(Resources).map(({ Type }) => Type) };
    };
    const [{ resources: before, ...left }, { resources: after, ...right }] = [shape(plain), shape(fleetly)];
    expect(left).toEqual({ type: 'V1', actions: 15, builds: 5, path: 13 });
    expect(right).toEqual({ type: 'V2', actions: 13, builds: 6, path: 10 });
    const count = (types: readonly string[], type: string): number => types.filter((one) => one === type).length;
    const changed = [...new Set([...before, ...after])].map((type) => [type, count(after, type) - count(before, type)] as const).filter(([, more]) => more !== 0);
    expect(Object.fromEntries(changed)).toEqual({ 'AWS::KMS::Alias': -1, 'AWS::IAM::Role': 2, 'AWS::IAM::Policy': 1, 'AWS::CodeBuild::Project': 1, 'AWS::SNS::Topic': 1, 'AWS::SNS::TopicPolicy': 1 });
  });
});

describe('the pinned tools', () => {
  it('read what the library writes, with a publisher of the assembly’s own where cdk-assets can’t', () => {
    expect(pinnedTools(54)).toMatchObject({ ownPublisher: false });
    expect(pinnedTools(55)).toMatchObject({ ownPublisher: true });
    expect(() => pinnedTools(56)).toThrow(expect.objectContaining({ code: 'CDK001' }));
  });

  it.each([
    ['54.0.0', 0, ''],
    ['55.0.0', 0, ''],
    ['56.0.0', 1, 'Maximum schema version supported is 55'],
  ])('the publisher that an assembly takes along reads a manifest of schema %s: exit %i', (version, status, says) => {
    const manifest = join(folder, `${version}.assets.json`);
    writeFileSync(manifest, JSON.stringify({ version, files: {}, dockerImages: {} }));
    const ran = spawnSync(process.execPath, [join(root, 'dist/publisher/cdk-assets'), '--path', manifest, '--verbose', 'publish'], { encoding: 'utf8' });
    expect(ran).toMatchObject({ status, stderr: expect.stringContaining(says) });
  });
});
