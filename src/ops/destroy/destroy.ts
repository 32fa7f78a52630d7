import { CloudFormationClient, DeleteStackCommand, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CodePipelineClient, DisableStageTransitionCommand, GetPipelineCommand, StopPipelineExecutionCommand } from '@aws-sdk/client-codepipeline';
import { BatchDeleteImageCommand, ECRClient, paginateListImages, type ImageFailure, type ImageIdentifier } from '@aws-sdk/client-ecr';
import { KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { FlotillaError } from '../../shared/errors.js';
import { unlessAbsent } from '../aws/absent.js';
import type { Limiter } from '../concurrency.js';
import type { Emit } from '../events.js';
import { executionsOf } from '../executions.js';
import { explained } from '../explain/explain.js';
import { placeOf, type Pair } from '../fleet/fleet.js';
import type { PipelineRef } from '../follow.js';
import { describeStack, failedResources, stackEnd } from '../stacks.js';
import { clientOf, type Target } from '../target.js';
import { deleteBucket, emptyBucket } from './buckets.js';
import { LAYERS, type Item, type StackItem } from './items.js';
import type { Journal } from './journal.js';

export interface TeardownFailure {
  readonly item: Item;
  readonly error: FlotillaError;
}

export interface TeardownResult {
  readonly deleted: readonly Item[];
  readonly failures: readonly TeardownFailure[];
  /** Not tried: something before them failed, or the teardown was interrupted. */
  readonly left: readonly Item[];
}

export interface DestroyOptions {
  readonly target: Target;
  readonly journal: Journal;
  readonly limit: Limiter;
  readonly emit: Emit;
  readonly unprotect: boolean;
  /** Days until a scheduled key is gone, 7 to 30. */
  readonly keyDays: number;
  /** Items that are left alone: obstacles somebody chose to leave. */
  readonly skip: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** Takes a fleet away, layer by layer; what was done is noted, so that an interrupted teardown goes on where it was. */
export async function destroy(options: DestroyOptions): Promise<TeardownResult> {
  const { journal, target, limit, emit } = options;
  await Promise.all(journal.plan.pipelines.map((pipeline) => limit(() => standStill(target, pipeline, emit))));
  const failures: TeardownFailure[] = [];
  const deleted: Item[] = [];
  const work = journal.plan.items.filter(({ key }) => !journal.done.has(key) && !options.skip.has(key));
  for (const layer of LAYERS) {
    if (failures.length > 0 || options.signal?.aborted) break;
    // A bootstrap's stack goes before its bucket, which the stack retains; artifact stores go when their stacks are gone.
    for (const kinds of [['stack'], ['bucket', 'repository', 'key', 'log group']]) {
      const items = work.filter((item) => item.layer === layer && kinds.includes(item.kind));
      await inOrder(items, options, async (item) => {
        await remove(options, item);
        journal.note(item);
        deleted.push(item);
      }, failures);
      if (failures.length > 0) break;
    }
  }
  const touched = new Set([...deleted.map(({ key }) => key), ...failures.map(({ item }) => item.key)]);
  const left = work.filter(({ key }) => !touched.has(key));
  if (failures.length === 0 && left.length === 0) journal.close();
  return { deleted, failures, left };
}

/** Runs items in parallel, each when those it has to come after are gone. What comes after a failure isn't tried. */
async function inOrder(items: readonly Item[], { target, limit, emit, signal }: DestroyOptions, work: (item: Item) => Promise<void>, failures: TeardownFailure[]): Promise<void> {
  const waiting = new Set(items);
  const gone = new Set<string>();
  const here = new Set(items.map(({ key }) => key));
  const ready = (item: Item): boolean => item.kind !== 'stack' || item.after.every((key) => gone.has(key) || !here.has(key) || key === item.key);
  const start = async (item: Item): Promise<void> => {
    await limit(async () => {
      if (signal?.aborted) return;
      const begin = performance.now();
      const name = `delete ${item.kind} ${placeOf(item)} ${item.name}`;
      emit({ type: 'step', name, status: 'started' });
      try {
        await work(item);
        gone.add(item.key);
        emit({ type: 'step', name, status: 'succeeded', seconds: (performance.now() - begin) / 1000 });
      } catch (error) {
        const failure = explained(error, `delete the ${item.kind} ${item.name}`, { local: target.kind === 'LOCAL', place: placeOf(item), region: item.region, stack: item.name });
        failures.push({ item, error: failure });
        emit({ type: 'step', name, status: 'failed', seconds: (performance.now() - begin) / 1000, detail: failure.message });
      }
    });
    await startReady();
  };
  const startReady = async (): Promise<void> => {
    const now = [...waiting].filter(ready);
    for (const item of now) waiting.delete(item);
    await Promise.all(now.map(start));
  };
  await startReady();
}

/** No execution runs and none gets past the source: a push in between would bring back what is being taken away. */
async function standStill(target: Target, { account, region, name }: PipelineRef, emit: Emit): Promise<void> {
  const client = await clientOf(target, CodePipelineClient, account, region);
  const { pipeline } = (await unlessAbsent(client.send(new GetPipelineCommand({ name })))) ?? {};
  const second = pipeline?.stages?.[1]?.name;
  if (!pipeline) return;
  if (second) await client.send(new DisableStageTransitionCommand({ pipelineName: name, stageName: second, transitionType: 'Inbound', reason: 'the fleet is being destroyed' }));
  // One that waits for a person may be older than many that ended since.
  for await (const { pipelineExecutionId, status } of executionsOf(client, name))
    if (status === 'InProgress' || status === 'Stopping') await client.send(new StopPipelineExecutionCommand({ pipelineName: name, pipelineExecutionId, abandon: true, reason: 'the fleet is being destroyed' }));
  emit({ type: 'step', name: `stop ${name}`, status: 'succeeded' });
}

function remove(options: DestroyOptions, item: Item): Promise<void> {
  switch (item.kind) {
    case 'stack':
      return removeStack(options, item);
    case 'bucket':
      return deleteBucket(options.target, item, item.name);
    case 'key':
      return scheduleKey(options, item, item.name);
    case 'log group':
      return removeLogGroup(options.target, item, item.name);
    case 'repository':
      return emptyRepository(options.target, item, item.name);
  }
}

async function removeStack({ target, unprotect, signal }: DestroyOptions, item: StackItem): Promise<void> {
  const ref = { account: item.account, region: item.region, stackName: item.id };
  // What a stopped pipeline has begun in a stack goes on without it, and CloudFormation deletes no stack that is being updated.
  if (/^(UPDATE|IMPORT)_.*IN_PROGRESS$/.test((await describeStack(target, ref))?.StackStatus ?? '')) await stackEnd(target, ref, signal);
  const standing = await describeStack(target, ref);
  if (!standing || standing.StackStatus === 'DELETE_COMPLETE') return;
  const client = await clientOf(target, CloudFormationClient, item.account, item.region);
  if (item.protected && unprotect) await client.send(new UpdateTerminationProtectionCommand({ StackName: item.id, EnableTerminationProtection: false }));
  for (const bucket of item.buckets) await emptyBucket(target, item, bucket);
  for (const repository of item.repositories) await emptyRepository(target, item, repository);
  if (!/^DELETE_IN_PROGRESS$/.test(standing.StackStatus ?? '')) await client.send(new DeleteStackCommand({ StackName: item.id }));
  const end = await stackEnd(target, ref, signal);
  if (end !== 'DELETE_COMPLETE') throw new FlotillaError('DST003', `the stack ${item.name} is in ${end}`, { where: placeOf(item), why: (await failedResources(target, ref)).join('\n') || undefined, fix: 'mend the cause and run destroy again: it goes on from here', exitCode: 4 });
}

async function scheduleKey({ target, keyDays }: DestroyOptions, { account, region }: Pair, KeyId: string): Promise<void> {
  const client = await clientOf(target, KMSClient, account, region);
  try {
    await unlessAbsent(client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: keyDays })));
  } catch (error) {
    // Its stack scheduled it already.
    if (!(error instanceof Error) || error.name !== 'KMSInvalidStateException') throw error;
  }
}

async function removeLogGroup(target: Target, { account, region }: Pair, logGroupName: string): Promise<void> {
  const client = await clientOf(target, CloudWatchLogsClient, account, region);
  await unlessAbsent(client.send(new DeleteLogGroupCommand({ logGroupName })));
}

/**
 * Takes every image out of a repository. One that a manifest list names goes after the list (ECR API reference, ImageFailure:
 * ImageReferencedByManifestList), so it is looked again as long as something goes.
 */
async function emptyRepository(target: Target, { account, region }: Pair, repositoryName: string): Promise<void> {
  const client = await clientOf(target, ECRClient, account, region);
  for (;;) {
    const images = await unlessAbsent(imagesOf(client, repositoryName));
    if (!images?.length) return;
    const failures: ImageFailure[] = [];
    for (let at = 0; at < images.length; at += IMAGES_A_CALL) failures.push(...((await client.send(new BatchDeleteImageCommand({ repositoryName, imageIds: images.slice(at, at + IMAGES_A_CALL) }))).failures ?? []));
    if (failures.length < images.length) continue;
    throw new FlotillaError('DST005', `${failures.length} images of ${repositoryName} can't be deleted`, { where: `${account}/${region}`, why: `${failures[0]!.imageId?.imageTag ?? failures[0]!.imageId?.imageDigest}: ${failures[0]!.failureCode} ${failures[0]!.failureReason}`, exitCode: 4 });
  }
}

/** Most images BatchDeleteImage takes (ECR API reference). */
const IMAGES_A_CALL = 100;

async function imagesOf(client: ECRClient, repositoryName: string): Promise<ImageIdentifier[]> {
  const found: ImageIdentifier[] = [];
  for await (const { imageIds = [] } of paginateListImages({ client }, { repositoryName })) found.push(...imageIds);
  return found;
}
