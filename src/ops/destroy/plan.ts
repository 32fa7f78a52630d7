import { CloudFormationClient, ListExportsCommand, ListImportsCommand, paginateDescribeStacks } from '@aws-sdk/client-cloudformation';
import { CodePipelineClient, GetPipelineCommand, type ArtifactStore } from '@aws-sdk/client-codepipeline';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { unlessAbsent } from '../aws/absent.js';
import { stackSetOf, standingBootstrap } from '../bootstrap/standing.js';
import { each, type Limiter } from '../concurrency.js';
import { placeOf, type FleetStack, type OperatedFleet, type Pair } from '../fleet/fleet.js';
import type { PipelineRef } from '../follow.js';
import { orphans } from '../orphans.js';
import { stackPipelines } from '../pipelines.js';
import { clientOf, type Target } from '../target.js';
import { keyOf, type Item, type Obstacle, type Retained, type StackItem } from './items.js';
import { dissect, type StackAnatomy } from './stack.js';

export interface Teardown {
  readonly name: string;
  readonly items: readonly Item[];
  readonly retained: readonly Retained[];
  readonly obstacles: readonly Obstacle[];
  /** Pipelines that are held and stopped before anything goes: a push in between would bring stacks back. */
  readonly pipelines: readonly PipelineRef[];
}

export interface TeardownOptions {
  /** Bootstraps of the fleet's qualifier too, last, where nothing else uses them. */
  readonly bootstrap: boolean;
  /** Protected stacks are unprotected; otherwise they are obstacles. */
  readonly unprotect: boolean;
}

/** Finds all that belongs to a fleet and stands, and what will be left; reads only. */
export async function planTeardown(target: Target, fleet: OperatedFleet, options: TeardownOptions, limit: Limiter): Promise<Teardown> {
  const pipelines = await pipelinesOf(target, fleet, limit);
  const forgotten = (await each(limit, pipelines, (pipeline) => orphans(target, pipeline))).flat();
  const own = pipelines.length > 0 && !fleet.stacks.some(({ kind }) => kind === 'pipeline') ? await makersOf(target, pipelines, limit) : [];
  const stacks: { stack: FleetStack; anatomy: StackAnatomy }[] = [];
  const wanted = new Map([...forgotten, ...fleet.stacks, ...own].map((stack) => [`${placeOf(stack)}/${stack.stackName}`, stack]));
  await each(limit, [...wanted.values()], async (stack) => {
    const anatomy = await dissect(target, stack, stack.kind);
    if (anatomy) stacks.push({ stack, anatomy });
  });
  const stores = (await each(limit, pipelines, (pipeline) => artifacts(target, pipeline))).flat();
  const bootstraps = options.bootstrap ? await bootstrapItems(target, fleet, stacks.map(({ anatomy }) => anatomy.item), limit) : { anatomies: [], items: [], obstacles: [] };
  const items = stacks.map(({ anatomy }) => anatomy.item);
  const { after, used } = await usage(target, items, limit);
  const ordered = items.map((item) => ({ ...item, after: [...new Set([...(after.get(item.key) ?? []), ...dependents(item, stacks)])] }));
  const artifactNames = new Set(stores.map(({ name }) => name));
  const all: Item[] = [...ordered, ...bootstraps.anatomies.map(({ item }) => item), ...stores, ...bootstraps.items, ...stacks.flatMap(({ anatomy }) => anatomy.leftovers)];
  return {
    name: fleet.name,
    pipelines,
    items: [...new Map(all.map((item) => [item.key, item])).values()],
    // An artifact bucket is kept by its stack and taken away by the teardown: it is no data.
    retained: stacks.flatMap(({ anatomy }) => anatomy.retained).filter(({ name }) => !artifactNames.has(name)),
    obstacles: [...used, ...bootstraps.obstacles, ...protectedOnes([...ordered, ...bootstraps.anatomies.map(({ item }) => item)], options.unprotect)],
  };
}

/** Of stacks alone: what goes with them and what they leave. */
export async function planStacks(target: Target, name: string, wanted: readonly FleetStack[], unprotect: boolean, limit: Limiter): Promise<Teardown> {
  const stacks: { stack: FleetStack; anatomy: StackAnatomy }[] = [];
  await each(limit, wanted, async (stack) => {
    const anatomy = await dissect(target, stack, 'application');
    if (anatomy) stacks.push({ stack, anatomy });
  });
  const items = stacks.map(({ anatomy }) => anatomy.item);
  const { after, used } = await usage(target, items, limit);
  return {
    name,
    pipelines: [],
    items: [...items.map((item) => ({ ...item, after: after.get(item.key) ?? [] })), ...stacks.flatMap(({ anatomy }) => anatomy.leftovers)],
    retained: stacks.flatMap(({ anatomy }) => anatomy.retained),
    obstacles: [...used, ...protectedOnes(items, unprotect)],
  };
}

function protectedOnes(items: readonly StackItem[], unprotect: boolean): Obstacle[] {
  return items.filter((item) => item.protected && !unprotect).map((item) => ({ key: item.key, what: `${item.name} of ${placeOf(item)} is protected from deletion`, fix: '--unprotect takes the protection away' }));
}

async function pipelinesOf(target: Target, fleet: OperatedFleet, limit: Limiter): Promise<PipelineRef[]> {
  const found = await each(limit, fleet.pipelines, async (pipeline) => (pipeline.name !== undefined ? [{ ...pipeline, name: pipeline.name }] : pipeline.stackName === undefined ? [] : stackPipelines(target, { ...pipeline, stackName: pipeline.stackName })));
  return found.flat();
}

/** The stacks that made pipelines which are known by name alone, and the support stacks CDK made beside them. */
async function makersOf(target: Target, pipelines: readonly PipelineRef[], limit: Limiter): Promise<FleetStack[]> {
  const found = await each(limit, pipelines, async ({ account, region, name }) => {
    const client = await clientOf(target, CloudFormationClient, account, region);
    for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {}))
      for (const { StackName = '' } of Stacks) {
        if (!(await stackPipelines(target, { account, region, stackName: StackName })).some((pipeline) => pipeline.name === name)) continue;
        const { pipeline } = await (await clientOf(target, CodePipelineClient, account, region)).send(new GetPipelineCommand({ name }));
        const regions = Object.keys(pipeline?.artifactStores ?? {}).filter((other) => other !== region);
        const stack = (kind: FleetStack['kind'], stackName: string, place: string): FleetStack => ({ path: stackName, stackName, account, region: place, dependsOn: [], kind, qualifier: '' });
        return [stack('pipeline', StackName, region), ...regions.map((other) => stack('support', `${StackName}-support-${other}`, other))];
      }
    return [];
  });
  return found.flat();
}

async function artifacts(target: Target, { account, region, name }: PipelineRef): Promise<Item[]> {
  const client = await clientOf(target, CodePipelineClient, account, region);
  const { pipeline } = (await unlessAbsent(client.send(new GetPipelineCommand({ name })))) ?? {};
  const stores: [string, ArtifactStore][] = pipeline?.artifactStores ? Object.entries(pipeline.artifactStores) : pipeline?.artifactStore ? [[region, pipeline.artifactStore]] : [];
  const found: Item[] = [];
  for (const [place, { location = '', encryptionKey }] of stores) {
    found.push({ kind: 'bucket', layer: 'artifacts', key: keyOf('bucket', { account, region: place }, location), account, region: place, name: location });
    const id = encryptionKey?.id === undefined ? undefined : await customerKey(target, { account, region: place }, encryptionKey.id);
    if (id !== undefined) found.push({ kind: 'key', layer: 'artifacts', key: keyOf('key', { account, region: place }, id), account, region: place, name: id });
  }
  return found;
}

/** The ID of a key of the account that isn't on its way out already. */
async function customerKey(target: Target, { account, region }: Pair, KeyId: string): Promise<string | undefined> {
  const client = await clientOf(target, KMSClient, account, region);
  const { KeyMetadata } = (await unlessAbsent(client.send(new DescribeKeyCommand({ KeyId })))) ?? {};
  return KeyMetadata?.KeyManager === 'CUSTOMER' && KeyMetadata.AWSAccountId === account && KeyMetadata.KeyState !== 'PendingDeletion' ? KeyMetadata.KeyId : undefined;
}

/** Who imports what the stacks export: those that go too have to go before; those of others are obstacles. */
async function usage(target: Target, items: readonly StackItem[], limit: Limiter): Promise<{ after: Map<string, string[]>; used: Obstacle[] }> {
  const after = new Map<string, string[]>();
  const used: Obstacle[] = [];
  const places = [...new Map(items.map(({ account, region }) => [`${account}/${region}`, { account, region }])).values()];
  await each(limit, places, async (place) => {
    const client = await clientOf(target, CloudFormationClient, place.account, place.region);
    for (let NextToken: string | undefined, first = true; first || NextToken; first = false) {
      const page = await client.send(new ListExportsCommand({ NextToken }));
      NextToken = page.NextToken;
      for (const { Name = '', ExportingStackId } of page.Exports ?? []) {
        const item = items.find(({ id }) => id === ExportingStackId);
        if (!item) continue;
        const importers = await importersOf(client, Name);
        const own = importers.filter((name) => items.some((other) => other.name === name && placeOf(other) === placeOf(item)));
        after.set(item.key, [...(after.get(item.key) ?? []), ...own.map((name) => keyOf('stack', place, name))]);
        for (const name of importers.filter((one) => !own.includes(one))) used.push({ key: item.key, what: `${item.name} exports ${Name}, which ${name} imports`, fix: `${name} is not of this fleet: take its import away first` });
      }
    }
  });
  return { after, used };
}

async function importersOf(client: CloudFormationClient, ExportName: string): Promise<string[]> {
  try {
    return (await client.send(new ListImportsCommand({ ExportName }))).Imports ?? [];
  } catch (error) {
    // "Export 'x' is not imported by any stack." is an error to CloudFormation.
    if (error instanceof Error && /is not imported by any stack/.test(error.message)) return [];
    throw error;
  }
}

/** Stacks that the app declares to depend on this one. */
function dependents(item: StackItem, stacks: readonly { stack: FleetStack; anatomy: StackAnatomy }[]): string[] {
  const own = stacks.find(({ anatomy }) => anatomy.item.key === item.key)?.stack.path;
  return own === undefined ? [] : stacks.filter(({ stack, anatomy }) => stack.dependsOn.includes(own) && anatomy.item.layer === item.layer).map(({ anatomy }) => anatomy.item.key);
}

/** Bootstraps that this fleet alone uses: a toolkit whose execution role other stacks have stays. */
async function bootstrapItems(target: Target, fleet: OperatedFleet, going: readonly StackItem[], limit: Limiter): Promise<{ anatomies: StackAnatomy[]; items: Item[]; obstacles: Obstacle[] }> {
  const anatomies: StackAnatomy[] = [];
  const items: Item[] = [];
  const obstacles: Obstacle[] = [];
  await each(limit, fleet.pairs, async (pair) => {
    const { stack, holder } = await standingBootstrap(target, pair);
    const { account, region, bootstrap } = pair;
    const stackName = stack?.parameters['Qualifier'] === bootstrap.qualifier ? stack.stackName : holder;
    if (stackName === undefined || stackName === '?') return;
    const anatomy = await dissect(target, { account, region, stackName }, 'bootstrap');
    if (!anatomy) return;
    const set = stackSetOf(stackName);
    if (set !== undefined) {
      obstacles.push({ key: anatomy.item.key, what: `${stackName} of ${placeOf(pair)} is an instance of the stack set ${set}`, fix: 'it stays; whoever has the stack set deletes its instances there' });
      return;
    }
    const users = await usersOf(target, pair, bootstrap.qualifier, new Set(going.map(({ id }) => id)));
    if (users.length > 0) {
      obstacles.push({ key: anatomy.item.key, what: `${stackName} of ${placeOf(pair)} is used by ${users.join(', ')}, which are not of this fleet`, fix: 'it stays; leave out --bootstrap, or delete those first' });
      return;
    }
    anatomies.push(anatomy);
    for (const { type, name } of anatomy.retained) if (type === 'AWS::S3::Bucket') items.push({ kind: 'bucket', layer: 'bootstrap', key: keyOf('bucket', pair, name), account, region, name });
  });
  return { anatomies, items, obstacles };
}

/** Stacks of others that CloudFormation deploys with the bootstrap's execution role; a nested stack goes with its root. */
async function usersOf(target: Target, { account, region }: Pair, qualifier: string, going: ReadonlySet<string>): Promise<string[]> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const users: string[] = [];
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {}))
    for (const { StackName = '', StackId = '', RootId, RoleARN = '' } of Stacks) if (RoleARN.includes(`:role/cdk-${qualifier}-cfn-exec-role-`) && !going.has(RootId ?? StackId)) users.push(StackName);
  return users;
}
