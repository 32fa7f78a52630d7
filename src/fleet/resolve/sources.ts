import type { Path, Source } from '../../config/index.js';
import type { Report } from './names.js';

export function checkSource(source: Source, type: 'V1' | 'V2', path: Path, report: Report): void {
  if ('github' in source && source.connection !== undefined && source.token !== undefined) report({ code: 'CFG052', path: [...path, 'token'], what: 'stands beside connection', fix: 'keep one of the two; a connection needs no webhook', atKey: true });
  if ('github' in source && source.connection === undefined && source.token === undefined) report({ code: 'CFG052', path, what: 'names neither a connection nor a token for GitHub', fix: 'connection: arn:aws:codeconnections:REGION:ACCOUNT:connection/ID, or token: NAME OF A SECRET' });
  if (!('paths' in source) || source.paths === undefined || 'codecommit' in source) return;
  // CodePipeline: triggers filter files of CodeStarSourceConnection actions only, in type V2 only.
  if ('token' in source && source.token !== undefined && source.connection === undefined) report({ code: 'CFG065', path: [...path, 'paths'], what: 'filters pushes, and GitHub by token can’t', why: 'a webhook of CodePipeline’s filters branches alone', fix: 'use a connection', atKey: true });
  else if (type === 'V1') report({ code: 'CFG053', path: [...path, 'paths'], what: 'needs a pipeline of type V2', why: 'triggers with filters exist in type V2 alone', fix: 'take `type: V1` away', atKey: true });
}

/** The same source on another branch. */
export function sourceOnBranch(source: Source, branch: string, path: Path, report: Report): Source {
  if ('branch' in source) return { ...source, branch };
  report({ code: 'CFG065', path, what: 'names a branch, and the source of `pipeline` has none', fix: 'give this pipeline a `source:` of its own' });
  return source;
}
