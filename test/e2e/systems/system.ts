import { execFileSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CodePipeline, type ActionExecutionDetail, type PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import { vi } from 'vitest';
import { CLI, execute, expectSuccess, recordOf, startTestCloud, writeFiles, type Ran, type TestCloud } from '../cloud.js';

/** Whole lives take their time, and the machine may be busy. */
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

/** One of the systems that people build with CDK Pipelines, as a user has it: an app in a repository, beside a local cloud of its own. */
export interface System {
  readonly cloud: TestCloud;
  /** Folder of the app; its commands run there. */
  readonly app: string;
  flotilla(...args: string[]): Promise<Ran>;
  /** What a command answers as data, when it ends well. */
  answer<T>(...args: string[]): Promise<T>;
  /** A program in the app's folder, as the developer's workstation runs it: `npx cdk deploy --profile dev`. */
  program(name: string, ...args: string[]): Promise<Ran>;
  git(...args: string[]): string;
  /** Writes files and commits; answers the commit's ID. */
  commit(message: string, files?: Readonly<Record<string, string>>): string;
  /** Pushes HEAD over git's HTTP: `path` is `/v1/repos/NAME` of CodeCommit, `/git/OWNER/NAME.git` of any other provider. */
  push(path: string, branch: string): void;
}

export const AUTHOR = 'Ada Lovelace';

/** npm takes what the user's cache has; everything else of the user is left out. */
const NPM = { npm_config_cache: join(homedir(), '.npm'), npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false', NO_COLOR: '1' };

/** An app in a folder and repository of its own beside a local cloud; `make` writes its files. */
export async function systemIn(cloud: TestCloud, name: string, make: (system: System) => Promise<void>): Promise<System> {
  const app = join(cloud.folder, name);
  const env = { ...cloud.environment, ...NPM };
  const flotilla = (...args: string[]): Promise<Ran> => execute(process.execPath, [CLI, ...args, ...(args[0] === 'run' ? ['--dir', cloud.state] : [])], { cwd: app, env });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', `user.name=${AUTHOR}`, '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args], { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const system: System = {
    cloud,
    app,
    flotilla,
    answer: async <T>(...args: string[]) => recordOf(expectSuccess(await flotilla(...args, '--output', 'json'))) as T,
    program: (program, ...args) => cloud.program(program, args, { cwd: app, env: NPM }),
    git,
    commit: (message, files = {}) => {
      writeFiles(app, files);
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', message);
      return git('rev-parse', 'HEAD');
    },
    push: (path, branch) => {
      const { accessKeyId, secretAccessKey } = cloud.client(Object.keys(cloud.accounts)[0]!).credentials;
      const url = new URL(path, cloud.endpoint);
      Object.assign(url, { username: accessKeyId, password: encodeURIComponent(secretAccessKey) });
      git('push', '--quiet', url.href, `HEAD:refs/heads/${branch}`);
    },
  };
  await make(system);
  git('init', '--quiet', '--initial-branch=main');
  return system;
}

/** An example as `flotilla init` writes it, its dependencies installed, beside a cloud of its own. `accounts` by profile name, the pipeline's first. */
export async function startExample(template: string, accounts: Readonly<Record<string, string>>, ...options: string[]): Promise<System> {
  const cloud = await startTestCloud(accounts);
  try {
    return await systemIn(cloud, template, async ({ program }) => {
      expectSuccess(await execute(process.execPath, [CLI, 'init', template, template, '--yes', ...options], { cwd: cloud.folder, env: cloud.environment }));
      expectSuccess(await program('npm', 'ci'));
    });
  } catch (error) {
    await cloud.stop();
    throw error;
  }
}

/** What becomes true without being asked for: a push starts a pipeline, a message arrives. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 180_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what}: not within three minutes`);
}

/** A pipeline as its API shows it. */
export function pipelineOf(system: System, pipelineName: string) {
  const client = new CodePipeline(system.cloud.client(Object.keys(system.cloud.accounts)[0]!));
  const executions = async (commit: string): Promise<PipelineExecutionSummary[]> =>
    (await client.listPipelineExecutions({ pipelineName })).pipelineExecutionSummaries!.filter(({ sourceRevisions = [] }) => sourceRevisions.some(({ revisionId }) => revisionId === commit));
  return {
    client,
    declaration: async () => (await client.getPipeline({ name: pipelineName })).pipeline!,
    /** Newest first. */
    executions,
    actions: async ({ pipelineExecutionId }: PipelineExecutionSummary): Promise<ActionExecutionDetail[]> =>
      (await client.listActionExecutions({ pipelineName, maxResults: 100, filter: { pipelineExecutionId: pipelineExecutionId! } })).actionExecutionDetails!,
    /** The newest execution of a commit, once it ended in a way that lasts: a cancelled one is followed by another. */
    ended: (commit: string): Promise<PipelineExecutionSummary> =>
      until(`the end of ${commit.slice(0, 7)} in ${pipelineName}`, async () => {
        const [newest] = await executions(commit);
        return newest && !['InProgress', 'Stopping', 'Cancelled'].includes(newest.status!) ? newest : undefined;
      }),
  };
}

export interface Where {
  readonly pipelines: readonly {
    readonly pipeline: { readonly name: string };
    readonly rows: readonly { readonly stage: string; readonly account: string; readonly region: string; readonly live: string | null; readonly state: string; readonly held?: { readonly state: string } }[];
    readonly commits?: readonly { readonly id: string; readonly author: string; readonly subject: string }[];
  }[];
}

/** `flotilla --local where`: commit and state by stage and region. */
export async function where(system: System): Promise<Record<string, string>> {
  const { pipelines } = await system.answer<Where>('--local', 'where');
  return Object.fromEntries(pipelines.flatMap(({ rows }) => rows).map(({ stage, region, live, state }) => [`${stage} ${region}`, `${live ?? 'nothing'} ${state}`]));
}

/** How far a commit has come once nothing moves any more, by `where COMMIT --wait`. Raises what failed on its way. */
export async function arrival(system: System, commit: string, ...options: string[]): Promise<'everywhere' | 'at a gate'> {
  const { code, text } = await system.flotilla('--local', 'where', commit, '--wait', ...options);
  if (code !== 0 && code !== 10) throw new Error(`${text}\n${(await system.flotilla('--local', 'logs', ...options)).text}`);
  return code === 0 ? 'everywhere' : 'at a gate';
}

/** `flotilla run` of the app, to the end or to a gate. Raises what failed on its way. */
export async function run(system: System, ...options: string[]): Promise<{ readonly end: 'everywhere' | 'at a gate'; readonly stderr: string }> {
  const { code, text, stderr } = await system.flotilla('run', '.', ...options);
  if (code !== 0 && code !== 10) throw new Error(text);
  return { end: code === 0 ? 'everywhere' : 'at a gate', stderr };
}
