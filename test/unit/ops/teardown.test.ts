import { BatchDeleteImageCommand, CreateRepositoryCommand, ECRClient, ListImagesCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import { CloudFormationClient, CreateStackCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalCloud, type LocalCloud } from '../../../src/local/index.js';
import { limiter } from '../../../src/ops/concurrency.js';
import { destroy } from '../../../src/ops/destroy/destroy.js';
import { openJournal } from '../../../src/ops/destroy/journal.js';
import { planTeardown } from '../../../src/ops/destroy/plan.js';
import type { FleetStack, OperatedFleet } from '../../../src/ops/fleet/fleet.js';
import { stackEnd } from '../../../src/ops/stacks.js';
import { clientOf, type Target } from '../../../src/ops/target.js';
import { startStub } from './stub.js';

const place = { account: '111111111111', region: 'us-east-1' };
let folder: string;
let cloud: LocalCloud;
let target: Target;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-teardown-'));
  cloud = await startLocalCloud({ directory: join(folder, 'cloud') });
  target = { kind: 'LOCAL', endpoint: cloud.endpoint, credentials: (account) => Promise.resolve(cloud.credentials(account)) };
});
afterAll(async () => {
  await cloud?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const fleet = (stacks: readonly FleetStack[]): OperatedFleet => ({ name: 'app', pipelines: [{ ...place, name: 'app', stackName: 'AppPipeline' }], pairs: [], stacks });
const stack = (stackName: string): FleetStack => ({ ...place, path: stackName, stackName, dependsOn: [], kind: 'application', qualifier: 'hnb659fds' });

describe('a teardown', () => {
  it('of a fleet whose pipeline is gone, or never was, takes what is left', async () => {
    const plan = await planTeardown(target, fleet([]), { bootstrap: false, unprotect: false }, limiter());
    expect([plan.items, plan.obstacles]).toEqual([[], []]);
  });

  it('empties a repository whose images are parts of one another', async () => {
    const cloudformation = await clientOf(target, CloudFormationClient, place.account, place.region);
    await cloudformation.send(new CreateStackCommand({ StackName: 'App', TemplateBody: JSON.stringify({ Resources: { Images: { Type: 'AWS::ECR::Repository', Properties: { RepositoryName: 'images' } } } }) }));
    expect(await stackEnd(target, { ...place, stackName: 'App' })).toBe('CREATE_COMPLETE');
    const ecr = await clientOf(target, ECRClient, place.account, place.region);
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName: 'images' }))).rejects.toThrow(/already exists/);
    await putList(ecr);
    const plan = await planTeardown(target, fleet([stack('App')]), { bootstrap: false, unprotect: false }, limiter());
    const result = await destroy({ target, journal: openJournal(join(folder, 'destroy'), plan), limit: limiter(), emit: () => {}, unprotect: false, keyDays: 7, skip: new Set() });
    expect(result.failures).toEqual([]);
    await expect(ecr.send(new ListImagesCommand({ repositoryName: 'images' }))).rejects.toThrow(/does not exist/);
  });
});

it('what still runs is abandoned before anything goes, however many executions ended since, also where it was told to stop gently', async () => {
  const all = Array.from({ length: 150 }, (_, index) => ({ pipelineExecutionId: String(index), status: index === 130 ? 'InProgress' : index === 140 ? 'Stopping' : 'Succeeded' }));
  const stopped: object[] = [];
  const stub = await startStub({
    GetPipeline: () => ({ pipeline: { name: 'app', stages: [{ name: 'Source' }, { name: 'Build' }] } }),
    DisableStageTransition: () => ({}),
    ListPipelineExecutions: ({ nextToken = '0' }: { nextToken?: string }) => ({ pipelineExecutionSummaries: all.slice(Number(nextToken), Number(nextToken) + 100), ...(nextToken === '0' ? { nextToken: '100' } : {}) }),
    StopPipelineExecution: ({ pipelineExecutionId, abandon }: { pipelineExecutionId: string; abandon: boolean }) => (stopped.push({ pipelineExecutionId, abandon }), { pipelineExecutionId }),
  });
  const plan = { name: 'app', items: [], retained: [], obstacles: [], pipelines: [{ ...place, name: 'app' }] };
  await destroy({ target: stub.target, journal: openJournal(join(folder, 'stopping'), plan), limit: limiter(), emit: () => {}, unprotect: false, keyDays: 7, skip: new Set() });
  await stub.stop();
  expect(stopped).toEqual([{ pipelineExecutionId: '130', abandon: true }, { pipelineExecutionId: '140', abandon: true }]);
});

it('a stack that is being updated is deleted when that has ended', async () => {
  const cloudformation = await clientOf(target, CloudFormationClient, place.account, place.region);
  const template = (value: string): string => JSON.stringify({ Resources: { Value: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: value } }, Held: { Type: 'AWS::CloudFormation::WaitCondition', ...(value === 'one' ? { Condition: 'Never' } : { DependsOn: 'Value' }), Properties: { Handle: { Ref: 'Handle' }, Timeout: '1', Count: 1 } }, Handle: { Type: 'AWS::CloudFormation::WaitConditionHandle' } }, Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } });
  await cloudformation.send(new CreateStackCommand({ StackName: 'Busy', TemplateBody: template('one') }));
  expect(await stackEnd(target, { ...place, stackName: 'Busy' })).toBe('CREATE_COMPLETE');
  const plan = await planTeardown(target, fleet([stack('Busy')]), { bootstrap: false, unprotect: false }, limiter());
  await cloudformation.send(new UpdateStackCommand({ StackName: 'Busy', TemplateBody: template('two') }));
  const result = await destroy({ target, journal: openJournal(join(folder, 'busy'), plan), limit: limiter(), emit: () => {}, unprotect: false, keyDays: 7, skip: new Set() });
  expect([result.failures, result.deleted.map(({ name }) => name)]).toEqual([[], ['Busy']]);
});

/** A list of images and a list that names it, which has to go first. */
async function putList(ecr: ECRClient): Promise<void> {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const inner = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] });
  const digest = `sha256:${createHash('sha256').update(inner).digest('hex')}`;
  const outer = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [{ mediaType, digest, size: inner.length }] });
  await ecr.send(new PutImageCommand({ repositoryName: 'images', imageManifest: inner, imageManifestMediaType: mediaType, imageTag: 'part' }));
  await ecr.send(new PutImageCommand({ repositoryName: 'images', imageManifest: outer, imageManifestMediaType: mediaType, imageTag: 'whole' }));
  const { failures = [] } = await ecr.send(new BatchDeleteImageCommand({ repositoryName: 'images', imageIds: [{ imageDigest: digest }] }));
  expect(failures.map(({ failureCode }) => failureCode)).toEqual(['ImageReferencedByManifestList']);
}
