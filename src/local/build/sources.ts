import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AwsError } from '../kernel/error.js';
import type { Body, Client } from '../kernel/service.js';
import { entries, extract } from '../process/zip.js';
import type { Build, Place, Source } from './record.js';

const run = promisify(execFile);

/** Name of the file that stands for a clone in an artifact of format CODEBUILD_CLONE_REF; CodePipeline writes it. */
const CLONE_REFERENCE_FILE = '.codepipeline-clone-reference.json';

/** Puts a build's sources into its workspace; answers their folders by identifier, the primary one under ''. */
export async function downloadSources(build: Build, workspace: string, client: Client): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  const place = (identifier: string): string => {
    const folder = join(workspace, identifier === '' ? 'src' : `src-${identifier}`);
    mkdirSync(folder, { recursive: true });
    folders.set(identifier, folder);
    return folder;
  };
  if (build.pipeline) {
    const { inputs, primarySource } = build.pipeline;
    const primary = inputs.find(({ name }) => name === primarySource) ?? inputs[0];
    place('');
    for (const input of inputs) await fromArtifact(input, input === primary ? folders.get('')! : place(input.name), client);
    return folders;
  }
  await fromSource(build.project.source, build.sourceVersion, place(''), client);
  for (const source of build.project.secondarySources) await fromSource(source, undefined, place(source.sourceIdentifier ?? ''), client);
  return folders;
}

async function fromArtifact(artifact: Place, folder: string, client: Client): Promise<void> {
  const content = await object(client, artifact.bucket, artifact.key, artifact.versionId);
  const files = await entries(content);
  const reference = files.length === 1 && files[0]!.name === CLONE_REFERENCE_FILE ? (JSON.parse(Buffer.from(files[0]!.data).toString('utf8')) as { provider: string; repository: string; commit: string; branch: string }) : undefined;
  if (!reference) return extract(content, folder);
  const path = await repositoryPath(reference.provider, reference.repository, client);
  await clone(path, folder, reference.branch, reference.commit);
}

async function fromSource(source: Source, version: string | undefined, folder: string, client: Client): Promise<void> {
  switch (source.type) {
    case 'NO_SOURCE':
      return;
    case 'S3': {
      const slash = source.location!.indexOf('/');
      const key = source.location!.slice(slash + 1);
      if (key.endsWith('/')) throw new AwsError('CLIENT_ERROR', 'The local cloud takes an S3 source as one zip file, not as a folder', { status: 400 });
      return extract(await object(client, source.location!.slice(0, slash), key, version), folder);
    }
    case 'CODECOMMIT':
      return clone(await repositoryPath('CodeCommit', source.location!.replace(/^.*\/repos\//, ''), client), folder, version, undefined);
    case 'GITHUB':
    case 'BITBUCKET':
    case 'GITLAB':
      return clone(await repositoryPath('outside', source.location!.replace(/^https?:\/\/(?:[^/@]*@)?[^/]+\//, '').replace(/\.git$/, ''), client), folder, version, undefined);
    default:
      throw new AwsError('CLIENT_ERROR', `The local cloud has no sources of type ${source.type}`, { status: 400 });
  }
}

async function object(client: Client, bucket: string, key: string, versionId: string | undefined): Promise<Uint8Array> {
  const { Body: body } = await client.call<{ Body: Body }>('s3', 'GetObject', { Bucket: bucket, Key: key, ...(versionId ? { VersionId: versionId } : {}) });
  return body.bytes();
}

async function repositoryPath(provider: string, repository: string, client: Client): Promise<string> {
  if (provider !== 'CodeCommit') return (await client.call<{ path: string }>('codeconnections', 'Serve', { FullRepositoryId: repository, changes: [] })).path;
  await client.call('codecommit', 'GitPull', { repositoryName: repository });
  return (await client.call<{ path: string }>('codecommit', 'Pushed', { repositoryName: repository, changes: [] })).path;
}

async function clone(path: string, folder: string, branch: string | undefined, commit: string | undefined): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
  try {
    await run('git', ['clone', '--quiet', '--no-hardlinks', path, '.'], { cwd: folder, env });
    if (commit ?? branch) await run('git', ['checkout', '--quiet', commit ?? branch!], { cwd: folder, env });
  } catch (error) {
    throw new AwsError('GIT_CLONE_FAILED', `Git clone failed: ${(error as { stderr?: string }).stderr?.trim() ?? String(error)}`, { status: 400 });
  }
}
