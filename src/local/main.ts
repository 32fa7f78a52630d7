import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FlotillaError } from '../shared/errors.js';
import { own, writePrivate } from './owner.js';
import { startCloud } from './server.js';
import type { Key } from './state/state.js';

/**
 * The local cloud's own program: `node local.js --dir .flotilla/cloud [--port N]`. It runs until it is told to stop; whoever starts it finds
 * `cloud.json` in the folder once it listens.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { dir: { type: 'string', default: '.flotilla/cloud' }, port: { type: 'string' } } });
  const directory = resolve(values.dir);
  const release = await own(directory);
  const known = readKnown(directory);
  const token = known?.token ?? randomBytes(24).toString('hex');
  // Clients keep the endpoint in their configuration: a restart takes the port it had.
  const port = Number(values.port ?? known?.port ?? 0);
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= cloud.stop().then(release).then(() => process.exit(0));
  };
  const log = (message: string): void => void process.stderr.write(`${new Date().toISOString()} ${message}\n`);
  const start = (wanted: number) => startCloud({ directory, port: wanted, token, log, onStop: () => stop(), ...killer() });
  const cloud = await start(port).catch((error: unknown) => {
    if (error instanceof FlotillaError && error.code === 'CLD003' && values.port === undefined && port !== 0) return start(0);
    throw error;
  });
  writePrivate(join(directory, 'cloud.json'), JSON.stringify({ pid: process.pid, endpoint: cloud.endpoint, port: Number(new URL(cloud.endpoint).port), token }));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('unhandledRejection', (error) => log(`unhandled: ${error instanceof Error ? error.stack : String(error)}`));
}

/** `FLOTILLA_KILL_AT=N`: dies before the Nth commit that moves a pipeline's execution, as `kill -9` would have it (npm run torture). */
function killer(): { beforeCommit?: (written: readonly Key[]) => void } {
  const at = Number(process.env['FLOTILLA_KILL_AT'] ?? 0);
  if (!(at > 0)) return {};
  let commits = 0;
  return {
    beforeCommit: (written) => {
      if (written.some(([, , service, table]) => service === 'codepipeline' && table === 'executions') && ++commits === at) process.kill(process.pid, 'SIGKILL');
    },
  };
}

function readKnown(directory: string): { token: string; port: number } | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'cloud.json'), 'utf8')) as { token: string; port: number };
  } catch {
    return undefined;
  }
}

main().catch((error: unknown) => {
  if (error instanceof FlotillaError) process.stderr.write(`✖ ${error.code} ${error.message}\n${error.why ? `  why  ${error.why}\n` : ''}${error.fix ? `  fix  ${error.fix}\n` : ''}`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
