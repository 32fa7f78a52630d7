// moto's server from PyPI, in a virtual environment under .flotilla/bench: installed once, where Python and the index are there.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../setup.mjs';
import { memoryOf } from './cloud.mjs';

export async function startMoto() {
  const program = install();
  if (!program) return undefined;
  const port = await freePort();
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (await fetch(`${endpoint}/moto-api/`).then(({ ok }) => ok, () => false)) break;
    if (child.exitCode !== null || tries > 600) return undefined;
    await delay(100);
  }
  return {
    endpoint,
    // moto checks no signatures unless it is told to.
    credentials: async () => ({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }),
    memory: () => memoryOf(child.pid),
    stop: async () => void child.kill(),
  };
}

function install() {
  const folder = process.env.FLOTILLA_MOTO_VENV ?? join(root, '.flotilla', 'bench', 'moto');
  const program = join(folder, 'bin', 'moto_server');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  if (spawnSync('python3', ['-m', 'venv', folder]).status !== 0) return undefined;
  spawnSync(join(folder, 'bin', 'pip'), ['install', '--quiet', 'moto[server]'], { timeout: 300_000 });
  return existsSync(program) ? program : undefined;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
