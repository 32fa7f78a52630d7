import { spawn } from 'node:child_process';
import { dirname, basename } from 'node:path';
import type { HttpAnswer, HttpRequest } from '../kernel/service.js';
import { GIT_ENV, type RefChange, type Repository } from './repositories.js';

/**
 * Serves one repository over git's smart HTTP protocol by the system's `git http-backend` (git-http-backend(1)). `suffix` is the part of
 * the path behind the repository: `/info/refs`, `/git-upload-pack` … After a push, `pushed` is told what it changed.
 */
export async function serveRepository(repository: Repository, suffix: string, request: HttpRequest, user: string, pushed: (changes: RefChange[]) => void): Promise<HttpAnswer> {
  const receives = suffix === '/git-receive-pack' && request.method === 'POST';
  const before = receives ? await repository.refs() : undefined;
  const answer = await runBackend(repository, suffix, request, user);
  if (before) {
    const changes = difference(before, await repository.refs());
    if (changes.length > 0) pushed(changes);
  }
  return answer;
}

export function difference(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RefChange[] {
  const changes: RefChange[] = [];
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    const change: RefChange = { ref, before: before.get(ref), after: after.get(ref) };
    if (change.before !== change.after) changes.push(change);
  }
  return changes;
}

async function runBackend(repository: Repository, suffix: string, request: HttpRequest, user: string): Promise<HttpAnswer> {
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...GIT_ENV,
      GIT_PROJECT_ROOT: dirname(repository.path),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${basename(repository.path)}${suffix}`,
      REQUEST_METHOD: request.method,
      QUERY_STRING: request.search,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-length'] ? { CONTENT_LENGTH: request.headers['content-length'] } : {}),
      ...(request.headers['content-encoding'] ? { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] } : {}),
      ...(request.headers['git-protocol'] ? { GIT_PROTOCOL: request.headers['git-protocol'] } : {}),
      REMOTE_USER: user,
      REMOTE_ADDR: '127.0.0.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
    },
  });
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.resume();
  child.stdin.on('error', () => {
    // The program ended before it read everything; its answer says why.
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  for await (const chunk of request.body.stream()) if (!child.stdin.write(chunk)) await new Promise((resolve) => child.stdin.once('drain', resolve));
  child.stdin.end();
  await ended;
  return parseCgi(Buffer.concat(out));
}

function parseCgi(output: Buffer): HttpAnswer {
  const end = output.indexOf('\r\n\r\n');
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of output.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else if (colon > 0) headers[name] = value;
  }
  return { status: end < 0 ? 500 : status, headers, body: output.subarray(end + 4) };
}
