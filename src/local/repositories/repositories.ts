import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AwsError } from '../kernel/error.js';

const run = promisify(execFile);

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch and offset, as git prints them: `1767225600 +0100`. */
  readonly date: string;
}

/** What a push changed. */
export interface RefChange {
  /** `refs/heads/main`. */
  readonly ref: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** A bare git repository, worked on by the system's git with none of the user's configuration. */
export class Repository {
  constructor(readonly path: string) {}

  get exists(): boolean {
    return existsSync(join(this.path, 'HEAD'));
  }

  async create(branch = 'main'): Promise<void> {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    await this.git('init', '--bare', '--quiet', `--initial-branch=${branch}`, '.');
    writeFileSync(join(this.path, 'config'), CONFIG, { mode: 0o600 });
  }

  delete(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Commit IDs by full ref name. */
  async refs(): Promise<Map<string, string>> {
    if (!this.exists) return new Map();
    const text = await this.git('for-each-ref', '--format=%(refname) %(objectname) %(*objectname)');
    return new Map(text.split('\n').filter(Boolean).map((line) => line.split(' ') as [string, string, string?]).map(([ref, id, peeled]) => [ref, peeled || id]));
  }

  /** Full commit ID a branch, tag or ID means; undefined where there is none. */
  async resolve(name: string): Promise<string | undefined> {
    for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, name]) {
      if (candidate.startsWith('-') || candidate.includes('..')) return undefined;
      const found = await this.git('rev-parse', '--verify', '--quiet', `${candidate}^{commit}`).catch(() => '');
      if (found.trim()) return found.trim();
    }
    return undefined;
  }

  async commit(id: string): Promise<Commit> {
    const text = await this.git('show', '--no-patch', '--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B', '--date=raw', id);
    const [commit = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] = text.split('\0');
    return { id: commit, tree, parents: parents.split(' ').filter(Boolean), author: { name: an, email: ae, date: ad }, committer: { name: cn, email: ce, date: cd }, message: message.replace(/\n+$/, '\n') };
  }

  /** The files of a commit as a zip archive, without history. */
  async archive(id: string): Promise<Uint8Array> {
    const { stdout } = await run('git', ['archive', '--format=zip', '-1', id], { cwd: this.path, env: GIT_ENV, encoding: 'buffer', maxBuffer: 5 * 1024 ** 3 });
    return stdout;
  }

  async changedPaths(before: string | undefined, after: string): Promise<string[]> {
    const text = before === undefined ? await this.git('ls-tree', '-r', '--name-only', '-z', after) : await this.git('diff', '--name-only', '-z', before, after);
    return text.split('\0').filter(Boolean);
  }

  async fileAt(id: string, path: string): Promise<Uint8Array | undefined> {
    try {
      const { stdout } = await run('git', ['cat-file', 'blob', `${id}:${path}`], { cwd: this.path, env: GIT_ENV, encoding: 'buffer', maxBuffer: 64 * 1024 ** 2 });
      return stdout;
    } catch {
      return undefined;
    }
  }

  async list(id: string, path: string): Promise<{ mode: string; type: string; id: string; path: string }[]> {
    const text = await this.git('ls-tree', '-z', id, ...(path === '' ? [] : [`${path.replace(/\/$/, '')}/`]));
    return text.split('\0').filter(Boolean).map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', type = '', object = ''] = line.slice(0, tab).split(' ');
      return { mode, type, id: object, path: line.slice(tab + 1) };
    });
  }

  /** Writes a ref; `after` undefined deletes it. */
  async setRef(ref: string, after: string | undefined): Promise<void> {
    await (after === undefined ? this.git('update-ref', '-d', ref) : this.git('update-ref', ref, after));
  }

  /** Stores a commit that adds, changes and removes files of its parent, and moves the branch to it. */
  async commitFiles(branch: string, parent: string | undefined, changes: { put: readonly { path: string; data: Uint8Array; mode?: string }[]; remove: readonly string[] }, author: { name: string; email: string }, message: string): Promise<string> {
    const index = join(this.path, `index.${process.pid}.${Math.random().toString(36).slice(2)}`);
    const env = { ...GIT_ENV, GIT_INDEX_FILE: index, GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email, GIT_COMMITTER_NAME: author.name, GIT_COMMITTER_EMAIL: author.email };
    const git = async (args: string[], input?: Uint8Array): Promise<string> => pipe('git', args, this.path, env, input);
    try {
      if (parent) await git(['read-tree', parent]);
      for (const { path, data, mode } of changes.put) {
        const blob = (await git(['hash-object', '-w', '--stdin'], data)).trim();
        await git(['update-index', '--add', '--cacheinfo', `${mode ?? '100644'},${blob},${path}`]);
      }
      for (const path of changes.remove) await git(['update-index', '--remove', '--force-remove', '--', path]);
      const tree = (await git(['write-tree'])).trim();
      const id = (await git(['commit-tree', tree, ...(parent ? ['-p', parent] : []), '-F', '-'], Buffer.from(message))).trim();
      await this.setRef(`refs/heads/${branch}`, id);
      return id;
    } finally {
      rmSync(index, { force: true });
    }
  }

  async git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', args, { cwd: this.path, env: GIT_ENV, maxBuffer: 256 * 1024 ** 2 });
    return stdout;
  }
}

function pipe(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv, input?: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new AwsError('InvalidRequest', errors.trim() || `git ended with ${code}`, { status: 400 }))));
    child.stdin.end(input);
  });
}

const CONFIG = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[http]
\treceivepack = true
\tuploadpack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tadvertisePushOptions = true
`;

/** Nothing of the user's git configuration, credentials or hooks takes part. */
export const GIT_ENV: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LANG: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'core.hooksPath',
  GIT_CONFIG_VALUE_1: '/dev/null',
};
