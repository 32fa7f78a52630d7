import fc from 'fast-check';
import type { FleetInput } from '../../../src/config/index.js';

type EnvironmentInput = FleetInput['environments'][string];
type PipelineInput = NonNullable<FleetInput['pipeline']>;

const ACCOUNTS = ['111111111111', '222222222222', '333333333333', '444444444444', '999999999999'];
const REGIONS = ['us-east-1', 'eu-west-1', 'eu-west-2', 'ap-southeast-2', 'sa-east-1'];
const TOOLS = '999999999999';
const CONNECTION = `arn:aws:codeconnections:us-east-1:${TOOLS}:connection/11111111-2222-3333-4444-555555555555`;
const TOPIC = `arn:aws:sns:us-east-1:${TOOLS}:topic`;

const word = fc.stringMatching(/^[a-z]{2,8}$/);
const command = fc.constantFrom('npm ci', 'npm test', 'curl -fsS "$ApiUrl/health"', './check.sh --all');
const commands = fc.array(command, { minLength: 1, maxLength: 3 });
const parameters = fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<NonNullable<FleetInput['parameters']>>;
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const tags = fc.dictionary(word, word, { maxKeys: 3, noNullPrototype: true });

/** Fleets that are valid, of every shape the file knows. */
export const fleets: fc.Arbitrary<FleetInput> = fc
  .uniqueArray(word.filter((name) => !['source', 'build', 'assets'].includes(name)), { minLength: 1, maxLength: 5 })
  .chain((names) => fc.record({ names: fc.constant(names), environments: fc.tuple(...names.map(() => environment())), pipelines: optional(fc.array(fc.nat(1), { minLength: names.length, maxLength: names.length })), share: fc.boolean() }))
  .chain(({ names, environments, pipelines, share }) => {
    const all = Object.fromEntries(names.map((name, index) => [name, environments[index]!]));
    if (share && pipelines === undefined) shareWave(names, all);
    return fc.record({ fleet: word, pipeline: pipeline(), bootstrap: optional(bootstrap), parameters: optional(parameters), tags: optional(tags), notify: optional(notify), terminationProtection: optional(fc.boolean()), permissionsBoundary: optional(word) }).map(
      (top): FleetInput => pruned({ ...top, environments: all, ...(pipelines === undefined ? {} : { pipelines: partition(names, all, pipelines) }) }),
    );
  });

function environment(): fc.Arbitrary<EnvironmentInput> {
  const place = fc.record({ regions: fc.uniqueArray(fc.constantFrom(...REGIONS), { minLength: 1, maxLength: 4 }), accounts: fc.uniqueArray(fc.constantFrom(...ACCOUNTS), { minLength: 1, maxLength: 2 }), many: fc.boolean(), off: fc.boolean(), rollout: fc.constantFrom('parallel', 'one-by-one', 'waves'), regionsIn: fc.constantFrom('stages', 'stacks') });
  const rest = fc.record({
    enabled: fc.boolean(),
    parameters: optional(parameters),
    gates: optional(fc.record({ approval: optional(fc.oneof(fc.boolean(), fc.constant('Promote'), fc.record({ comment: fc.constant('look first'), timeout: fc.integer({ min: 5, max: 86_400 }) }))), permissions: optional(fc.oneof(fc.constantFrom('broadened', 'none'), fc.record({ when: fc.constant('broadened'), approve: fc.boolean(), notify: fc.constant(TOPIC) }))), every: fc.constantFrom('environment', 'wave') })),
    before: optional(fc.dictionary(word.map((name) => `before-${name}`), commands, { maxKeys: 2, noNullPrototype: true })),
    verify: optional(fc.dictionary(word, fc.oneof(commands, fc.record({ commands, compute: fc.constantFrom('small', 'large'), outputs: fc.constant({ URL: 'Api.Url' }) })), { maxKeys: 2, noNullPrototype: true })),
    templates: optional(fc.constant({ Network: 'network.yaml', App: { template: 'app.yaml', dependsOn: ['Network'] } })),
    tags: optional(tags),
    environment: optional(fc.constant({ LEVEL: 'debug' })),
  });
  return fc.tuple(place, rest).map(([{ regions, accounts, many, off, rollout, regionsIn }, others]): EnvironmentInput => {
    const entries = regions.map((region, index) => (off && index > 0 ? { region, enabled: index > 1, parameters: { index } } : region));
    const where = many ? { accounts: accounts.map((account, index) => (index === 0 ? account : { account, parameters: { account } })) } : { account: accounts[0]! };
    const steps = rollout === 'waves' ? { waves: regions.length > 1 ? [regions.slice(0, 1), regions.slice(1)] : [regions] } : rollout;
    return { ...others, ...where, regions: entries, regionsIn, rollout: steps } as EnvironmentInput;
  });
}

function pipeline(): fc.Arbitrary<PipelineInput> {
  const paths = optional(fc.array(fc.constantFrom('services/**', 'lib/*.ts'), { minLength: 1, maxLength: 8 }));
  const source = fc.oneof(
    fc.record({ codecommit: word, branch: word, paths, clone: fc.boolean() }),
    fc.record({ github: fc.constant('acme/api'), connection: fc.constant(CONNECTION), paths }),
    fc.record({ github: fc.constant('acme/api'), token: fc.constant('github-token') }),
    fc.record({ bitbucket: fc.constant('acme/api'), connection: fc.constant(CONNECTION) }),
    fc.record({ gitlab: fc.constant('acme/group/api'), connection: fc.constant(CONNECTION) }),
    fc.record({ s3: fc.constant('releases-bucket'), key: fc.constant('app.zip') }),
  ) as fc.Arbitrary<PipelineInput['source']>;
  return fc.record({
    account: fc.constant(TOOLS),
    region: fc.constantFrom(...REGIONS),
    source,
    synth: optional(fc.oneof(commands, fc.record({ commands, install: commands, directory: fc.constant('app') }))),
    build: optional(fc.record({ architecture: optional(fc.constantFrom('x86', 'arm')), timeout: fc.integer({ min: 5, max: 2160 }), cache: fc.constantFrom('local', 'none') })),
    executionMode: optional(fc.constantFrom('superseded', 'queued', 'parallel')),
    selfMutation: optional(fc.boolean()),
    changeSets: optional(fc.boolean()),
    artifacts: optional(fc.record({ expireAfter: fc.integer({ min: 1, max: 3650 }) })),
  }) as fc.Arbitrary<PipelineInput>;
}

const bootstrap = fc.record({ qualifier: fc.constant('fleet'), toolkitStackName: fc.constant('CDKToolkit-fleet'), executionPolicies: fc.constant<string[]>(['arn:aws:iam::aws:policy/PowerUserAccess']) });
const notify = fc.record({ email: optional(fc.constant<string[]>(['ops@example.com'])), security: optional(fc.constant(TOPIC)), slack: optional(fc.constant({ workspace: 'T01234567', channel: 'C01234567' })) });

/** The first two environments that are on, where nothing is off between them. */
function shareWave(names: readonly string[], environments: Record<string, EnvironmentInput>): void {
  const [first, second] = names.filter((name) => environments[name]!.enabled);
  if (first === undefined || second === undefined) return;
  for (const name of [first, second]) {
    const { gates: _, before: _before, ...rest } = environments[name]!;
    environments[name] = { ...rest, rollout: 'parallel', wave: 'shared' };
  }
}

/** Environments that are on, divided between two pipelines; one of them may remain. */
function partition(names: readonly string[], environments: Readonly<Record<string, EnvironmentInput>>, of: readonly number[]): NonNullable<FleetInput['pipelines']> {
  const groups = [0, 1].map((group) => names.filter((name, index) => environments[name]!.enabled && of[index] === group));
  return Object.fromEntries(groups.flatMap((group, index) => (group.length === 0 ? [] : [[`p${index}`, { environments: group }]])));
}

/** Without the keys that hold undefined, as a file has it. */
function pruned<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
