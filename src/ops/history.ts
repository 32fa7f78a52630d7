import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { WhereReport } from './where.js';

const run = promisify(execFile);

/** A repository on this machine, as far as it has the commits that are asked for. */
export interface History {
  /** Commits that are in `newer` and not in `older`; undefined where one is not here. */
  between(older: string, newer: string): Promise<number | undefined>;
  /** Whether `commit` is `of` or one before it. */
  contains(of: string, commit: string): Promise<boolean | undefined>;
  resolve(name: string): Promise<string | undefined>;
  /** URLs that it fetches from. */
  remotes(): Promise<readonly string[]>;
  describe(commit: string): Promise<CommitDescription | undefined>;
}

export interface CommitDescription {
  readonly id: string;
  readonly author: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The history of the repository a folder lies in; where it lies in none, it knows nothing. */
export function history(folder: string): History {
  const git = async (...args: string[]): Promise<string | undefined> => {
    try {
      return (await run('git', args, { cwd: folder, maxBuffer: 16 * 1024 ** 2 })).stdout.trim();
    } catch {
      return undefined;
    }
  };
  const known = (commit: string): Promise<string | undefined> => git('rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`);
  return {
    between: async (older, newer) => {
      const count = await git('rev-list', '--count', '--end-of-options', `${older}..${newer}`);
      return count === undefined ? undefined : Number(count);
    },
    contains: async (of, commit) => {
      if (of === commit) return true;
      if ((await known(of)) === undefined || (await known(commit)) === undefined) return undefined;
      return (await git('merge-base', '--is-ancestor', commit, of)) !== undefined;
    },
    resolve: known,
    remotes: async () => (await git('config', '--get-regexp', String.raw`^remote\..*\.url$`))?.split('\n').map((line) => line.split(' ').slice(1).join(' ')) ?? [],
    describe: async (commit) => {
      const text = await git('show', '--no-patch', '--format=%H%n%an%n%aI%n%s', '--end-of-options', commit);
      const [id, author = '', at = '', subject = ''] = text?.split('\n') ?? [];
      return id ? { id, author, subject, at } : undefined;
    },
  };
}

/** How far each target is behind the newest commit of its pipeline. */
export async function withBehind(report: WhereReport, commits: History): Promise<WhereReport> {
  const { head } = report;
  const rows = await Promise.all(
    report.rows.map(async (row) => {
      const behind = head === undefined || row.live === undefined ? undefined : row.live === head ? 0 : await commits.between(row.live, head);
      return behind === undefined ? row : { ...row, behind };
    }),
  );
  return { ...report, rows };
}
