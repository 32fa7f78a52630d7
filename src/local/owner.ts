import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlotillaError } from '../shared/errors.js';

const FILE = 'owner.json';

/**
 * Takes the folder for this process; exactly one process holds it at a time. The lock is a listening socket named after the folder: the
 * kernel gives it to one process and takes it back when that dies, however it dies. Raises CLD004 naming the owner that lives. The
 * returned function gives the folder back.
 */
export async function own(directory: string): Promise<() => Promise<void>> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  // Linux has sockets without a file; elsewhere the file of a dead owner is recognised by nobody answering on it.
  const path = process.platform === 'linux' ? `\0flotilla-${name}` : join(tmpdir(), `flotilla-${name}.sock`);
  const server = (await take(path)) ?? (process.platform !== 'linux' && !(await answers(path)) ? (rmSync(path, { force: true }), await take(path)) : undefined);
  const file = join(directory, FILE);
  if (!server) {
    const other = readOwner(file);
    throw new FlotillaError('CLD004', `the state in ${directory} belongs to the running process ${other ?? '(just starting)'}`, {
      why: 'one state folder has one owner: two processes would overwrite each other',
      fix: 'use the running one (flotilla cloud env), stop it (flotilla cloud stop), or choose another folder with --dir',
    });
  }
  writePrivate(file, JSON.stringify({ pid: process.pid }));
  return async () => {
    rmSync(file, { force: true });
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
}

function take(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function readOwner(file: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Writes a file that only this user may read, whole or not at all. */
export function writePrivate(file: string, text: string): void {
  const incoming = `${file}.${process.pid}.tmp`;
  writeFileSync(incoming, text, { mode: 0o600 });
  renameSync(incoming, file);
}
