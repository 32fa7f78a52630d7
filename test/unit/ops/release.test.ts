import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hold, release, resume, stop } from '../../../src/ops/executions.js';
import { history } from '../../../src/ops/history.js';
import type { WantedRevisions } from '../../../src/ops/sources.js';
import { startStub, type Stub } from './stub.js';

const pipeline = { account: '999999999999', region: 'us-east-1', name: 'app' };
const COMMIT = 'abcdef0123456789abcdef0123456789abcdef01';
const source = (name: string, provider: string, configuration: Record<string, string>) => ({ name, actionTypeId: { category: 'Source', owner: 'AWS', provider, version: '1' }, outputArtifacts: [{ name: `${name}Out` }], configuration });
const CODE = source('Code', 'CodeCommit', { RepositoryName: 'app' });
const CONFIG = source('Config', 'CodeCommit', { RepositoryName: 'config' });
const HOSTED = source('Hosted', 'CodeStarSourceConnection', { FullRepositoryId: 'acme/web' });
const BUNDLE = source('Bundle', 'S3', { S3Bucket: 'b', S3ObjectKey: 'k' });
const IMAGE = source('Image', 'ECR', { RepositoryName: 'image' });

let stub: Stub;
let folder: string;
let started: object | undefined;
/** Commits that each repository of CodeCommit has. */
let repositories: Record<string, string[]>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-release-'));
  started = undefined;
  repositories = {};
});
afterEach(async () => {
  await stub.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function releases(actions: readonly object[], wanted: WantedRevisions, dryRun = false) {
  stub = await startStub({
    GetPipeline: () => ({ pipeline: { name: 'app', stages: [{ name: 'Source', actions }, { name: 'Build', actions: [] }] } }),
    GetCommit: ({ repositoryName, commitId }: { repositoryName: string; commitId: string }) => (repositories[repositoryName]?.includes(commitId) ? { commit: { commitId } } : { __type: 'CommitIdDoesNotExistException', message: commitId }),
    StartPipelineExecution: (input: object) => ((started = input), { pipelineExecutionId: 'e' }),
  });
  return release(stub.target, pipeline, wanted, history(folder), dryRun);
}
const revisions = () => (started as { sourceRevisions?: unknown }).sourceRevisions;
const git = (...args: string[]): string => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: folder, encoding: 'utf8' }).trim();

describe('a release', () => {
  it('takes the newest of every source where nothing is named', async () => {
    expect(await releases([CODE, IMAGE], {})).toEqual({ execution: 'e', revisions: [], newest: ['Code', 'Image'] });
    expect(started).toEqual({ name: 'app', clientRequestToken: expect.any(String) as unknown });
  });

  it('of a commit is of the one source that has commits, wherever it stands', async () => {
    await releases([IMAGE, BUNDLE, CODE], { commit: COMMIT });
    expect(revisions()).toEqual([{ actionName: 'Code', revisionType: 'COMMIT_ID', revisionValue: COMMIT }]);
  });

  it('of a commit is of the repository of CodeCommit that has it', async () => {
    repositories = { app: [], config: [COMMIT] };
    await releases([CODE, CONFIG], { commit: COMMIT });
    expect(revisions()).toEqual([{ actionName: 'Config', revisionType: 'COMMIT_ID', revisionValue: COMMIT }]);
  });

  it('of a commit is of the connection whose repository this folder was cloned from, whole even where it was abbreviated', async () => {
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'one');
    git('remote', 'add', 'origin', 'git@git.example.com:acme/web.git');
    const commit = git('rev-parse', 'HEAD');
    repositories = { app: [] };
    await releases([CODE, HOSTED], { commit: commit.slice(0, 8) });
    expect(revisions()).toEqual([{ actionName: 'Hosted', revisionType: 'COMMIT_ID', revisionValue: commit }]);
  });

  it('takes revisions by the name of their source, each as its provider names them', async () => {
    await releases([CODE, CONFIG, BUNDLE, IMAGE], { sources: ['Bundle=v.1', 'Image=sha256:0a', `Config=${COMMIT}`] });
    expect(revisions()).toEqual([
      { actionName: 'Bundle', revisionType: 'S3_OBJECT_VERSION_ID', revisionValue: 'v.1' },
      { actionName: 'Image', revisionType: 'IMAGE_DIGEST', revisionValue: 'sha256:0a' },
      { actionName: 'Config', revisionType: 'COMMIT_ID', revisionValue: COMMIT },
    ]);
  });

  it.each<[string, object[], WantedRevisions, object]>([
    ['a commit that two repositories have', [CODE, CONFIG], { commit: COMMIT }, { code: 'EXE006', why: 'Code (app), Config (config) have it', fix: `--source Code=${COMMIT}` }],
    ['a commit that none is known to have', [HOSTED, source('Other', 'CodeStarSourceConnection', { FullRepositoryId: 'acme/api' })], { commit: COMMIT }, { code: 'EXE006', exitCode: 2 }],
    ['a commit where no source has any', [BUNDLE], { commit: COMMIT }, { code: 'EXE006', message: 'no source of app takes a commit', fix: '--source Bundle=REVISION' }],
    ['a source that is not there', [CODE, IMAGE], { sources: ['Imgae=sha256:0a'] }, { code: 'EXE007', fix: 'did you mean --source Image=sha256:0a?', exitCode: 6 }],
    ['a commit whose other digits nobody knows', [CODE], { commit: 'abcdef0' }, { code: 'EXE008' }],
    ['what names no revision', [CODE], { sources: ['Code'] }, { code: 'CLI017', fix: '--source Code=REVISION' }],
  ])('refuses %s', async (_what, actions, wanted, error) => {
    repositories = { app: [COMMIT], config: [COMMIT] };
    await expect(releases(actions, wanted)).rejects.toMatchObject(error);
    expect(started).toBeUndefined();
  });

  it('only says in a dry run what it would take', async () => {
    expect(await releases([CODE, IMAGE], { commit: COMMIT }, true)).toEqual({ execution: undefined, revisions: [expect.objectContaining({ actionName: 'Code' })], newest: ['Image'] });
    expect(started).toBeUndefined();
  });
});

describe('in a dry run', () => {
  it('nothing is stopped, held or let in, and what is wrong is told all the same', async () => {
    stub = await startStub({ GetPipelineState: () => ({ stageStates: [{ stageName: 'Prod', inboundTransitionState: { enabled: false, disabledReason: 'freeze', lastChangedBy: 'me' } }] }) });
    expect(await hold(stub.target, pipeline, 'Prod', 'why', true)).toMatchObject({ reason: 'freeze' });
    expect(await resume(stub.target, pipeline, 'Prod', true)).toMatchObject({ reason: 'freeze', by: 'me' });
    await stop(stub.target, pipeline, { pipelineExecutionId: 'e', status: 'InProgress' }, { abandon: true, reason: '', dryRun: true });
    await expect(resume(stub.target, pipeline, 'Prd', true)).rejects.toMatchObject({ code: 'EXE003', fix: 'did you mean Prod?' });
    await expect(stop(stub.target, pipeline, { pipelineExecutionId: 'e', status: 'Failed' }, { abandon: true, reason: '', dryRun: true })).rejects.toMatchObject({ code: 'EXE004' });
    expect(new Set(stub.calls)).toEqual(new Set(['GetPipelineState']));
  });
});
