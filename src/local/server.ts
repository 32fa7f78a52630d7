import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { systemClock, type Clock } from '../shared/clock.js';
import { FlotillaError } from '../shared/errors.js';
import type { Authority } from './authorize.js';
import { controlInterface } from './control.js';
import { dispatcher } from './dispatch.js';
import { httpRequest, refusal, sendHttp, sendWire, wireRequest } from './http.js';
import { inbox } from './inbox.js';
import { journal } from './journal.js';
import { resumeAnnouncements } from './kernel/announce.js';
import type { Runtime, Service } from './kernel/service.js';
import { answer, type Gate } from './request.js';
import { credential, serviceCredential, policiesOf, principalNames } from './services/iam/identity.js';
import { services as allServices } from './services/index.js';
import { fileBlobs } from './state/blobs.js';
import { lmdbState } from './state/lmdb.js';
import { observedState } from './state/observed.js';
import type { Key } from './state/state.js';

export interface CloudOptions {
  /** Folder of the state; created where it isn't there. */
  readonly directory: string;
  /** Port on 127.0.0.1; 0 takes a free one. */
  readonly port?: number;
  readonly clock?: Clock;
  /** Secret of the control interface (`/_flotilla/…`). */
  readonly token: string;
  readonly log?: (message: string) => void;
  /** Called when the control interface is asked to stop. */
  readonly onStop?: () => void;
  /** Sees the keys of each transaction before it takes effect. */
  readonly beforeCommit?: (written: readonly Key[]) => void;
}

export interface Cloud {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly runtime: Runtime;
  stop(): Promise<void>;
}

/** Composition root: makes the parts, lets the services take up interrupted work, and listens. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const log = options.log ?? ((message: string) => process.stderr.write(`${message}\n`));
  const durable = lmdbState(join(options.directory, 'state'));
  const state = options.beforeCommit ? observedState(durable, options.beforeCommit) : durable;
  const blobs = fileBlobs(join(options.directory, 'blobs'));
  const clock = options.clock ?? systemClock;
  const ended = new AbortController();
  // Every running action and build waits for the end of the server; that is no leak.
  setMaxListeners(0, ended.signal);
  const services = new Map(allServices.map((service): [string, Service] => [service.name, service]));
  const authority: Authority = { policiesOf };
  const memory = journal(state);
  const messages = inbox(state, clock);

  const dispatch = dispatcher({ services, authority, journal: memory, runtime: () => runtime });
  const server = createServer({ keepAlive: true, noDelay: true, requestTimeout: 0, maxHeaderSize: 64 * 1024 });
  const port = await listen(server, options.port ?? 0);
  const runtime: Runtime = {
    clock,
    state,
    blobs,
    endpoint: `http://127.0.0.1:${port}`,
    directory: options.directory,
    client: dispatch.client,
    credential: (accessKeyId) => credential(state, accessKeyId),
    serviceCredential: (service, name, password) => serviceCredential(state, service, name, password),
    principals: principalNames(state),
    deliver: messages.deliver,
    log,
    signal: ended.signal,
  };
  const gate: Gate = { dispatcher: dispatch, credential: (id) => credential(state, id), now: () => clock.now(), log };
  let requests = 0;
  const control = controlInterface({ requests: () => requests, token: options.token, runtime, journal: memory, inbox: messages, services, stop: options.onStop });

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refused = refusal(request);
    if (refused) return sendHttp(response, { status: 403, headers: { 'content-type': 'text/plain' }, body: `${refused}\n` });
    const http = httpRequest(request);
    if (http.path.startsWith('/_flotilla/')) return sendHttp(response, await control(http));
    for (const service of services.values()) {
      const own = await service.http?.(http, runtime);
      if (own) return sendHttp(response, own);
    }
    requests++;
    return sendWire(response, await answer(gate, wireRequest(http)));
  };
  server.on('request', (request, response) => {
    serve(request, response)
      .catch((error: unknown) => {
        // The client left, or an answer broke off halfway: nobody is there to be told.
        if (!response.destroyed && !response.headersSent) response.writeHead(500).end();
        else response.destroy();
        if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') log(`request failed: ${error instanceof Error ? error.stack : String(error)}`);
      })
      .finally(() => request.resume());
  });

  for (const service of services.values()) await service.start?.(runtime);
  resumeAnnouncements(runtime);
  return {
    endpoint: runtime.endpoint,
    runtime,
    stop: async () => {
      ended.abort();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      for (const service of services.values()) await service.stop?.();
      await state.close();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new FlotillaError('CLD003', `port ${port} of 127.0.0.1 is in use`, { why: 'another program listens there', fix: 'choose another with --port, or --port 0 for any free one' })
          : error,
      ),
    );
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
