import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FlotillaError } from '../../shared/errors.js';

const run = promisify(execFile);

export interface CommitInfo {
  readonly id: string;
  readonly subject: string;
  readonly author: string;
}

async function git(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await run('git', [...args], { cwd, env, maxBuffer: 64 * 1024 ** 2 });
  return stdout.trim();
}

/** Top folder of the repository an app lies in. Raises RUN001 when it lies in none. */
export async function repositoryRoot(directory: string): Promise<string> {
  try {
    return await git(directory, ['rev-parse', '--show-toplevel']);
  } catch (error) {
    throw new FlotillaError('RUN001', `${directory} is not in a git repository`, { why: 'a pipeline takes commits, and there is none', fix: `git init ${directory} && git add -A && git commit -m "First commit"`, exitCode: 2, cause: error });
  }
}

/** The commit a run takes: of a ref, or of the working tree as it is (`dirty`), whose parent is then HEAD. */
export async function commitToRun(root: string, options: { ref: string; dirty: boolean }): Promise<CommitInfo> {
  let id: string;
  try {
    id = await git(root, ['rev-parse', '--verify', `${options.ref}^{commit}`]);
  } catch (error) {
    throw new FlotillaError('RUN002', `'${options.ref}' is no commit of ${root}`, { fix: 'commit first, or name a branch, tag or commit with --ref', exitCode: 6, cause: error });
  }
  if (options.dirty) id = await commitWorkingTree(root, id);
  const [subject = '', author = ''] = (await git(root, ['show', '--no-patch', '--format=%s%n%an', id])).split('\n');
  return { id, subject, author };
}

/** A commit of all that is in the working tree and not ignored; no branch, index or file of the user's changes. */
async function commitWorkingTree(root: string, parent: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-index-'));
  const identity = { GIT_AUTHOR_NAME: 'flotilla', GIT_AUTHOR_EMAIL: 'flotilla@localhost', GIT_COMMITTER_NAME: 'flotilla', GIT_COMMITTER_EMAIL: 'flotilla@localhost' };
  const env = { ...process.env, ...identity, GIT_INDEX_FILE: join(folder, 'index') };
  try {
    await git(root, ['read-tree', parent], env);
    await git(root, ['add', '--all'], env);
    const tree = await git(root, ['write-tree'], env);
    if (tree === (await git(root, ['rev-parse', `${parent}^{tree}`]))) return parent;
    return await git(root, ['commit-tree', tree, '-p', parent, '-m', 'Working tree'], env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Object ID of the tree of HEAD. */
export function headTree(root: string): Promise<string> {
  return git(root, ['rev-parse', 'HEAD^{tree}']);
}

export async function isDirty(root: string): Promise<boolean> {
  return (await git(root, ['status', '--porcelain'])) !== '';
}

/** Whether the working tree is just what a commit holds. */
export async function isAsCommitted(root: string, commit: string): Promise<boolean> {
  return !(await isDirty(root)) && (await git(root, ['rev-parse', `${commit}^{tree}`])) === (await headTree(root));
}

/** Pushes one commit to a branch of a repository on this machine; answers what the branch was before. */
export async function pushCommit(root: string, repository: string, branch: string, commit: string): Promise<string | undefined> {
  const env = { ...process.env, GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
  const before = await git(repository, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], env).catch(() => '');
  if (before === commit) return before;
  await git(root, ['push', '--quiet', '--force', repository, `${commit}:refs/heads/${branch}`], env);
  return before || undefined;
}

/** The files of a commit as a zip archive. */
export async function archiveCommit(root: string, commit: string): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-archive-'));
  try {
    await git(root, ['archive', '--format=zip', `--output=${join(folder, 'commit.zip')}`, commit]);
    return readFileSync(join(folder, 'commit.zip'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
