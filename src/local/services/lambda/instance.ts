import { randomBytes, randomUUID } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assumeRole, type AssumedRole } from '../../kernel/assume.js';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Runtime } from '../../kernel/service.js';
import { prepareHome, pythonFolder, resolveIsolation, startProcess, type Isolation, type Mount, type RunningProcess } from '../../process/index.js';
import { lambdaFolder, runtimeFolders, unfolded, unfoldedLayers } from './code.js';
import { layerBlobs } from './layers.js';
import { LogStream } from './logs.js';
import { olderSdk } from './older-sdk.js';
import { program } from './runtimes.js';
import type { Resolved } from './store.js';

export interface Invocation {
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly clientContext?: string;
  /** As the caller named the function. */
  readonly arn: string;
}

export interface Outcome {
  readonly payload: Uint8Array;
  /** `Unhandled`, when the function failed. */
  readonly error?: 'Unhandled';
  /** The last 4 KB of the log. */
  readonly tail: string;
}

/** Payload of a synchronous answer (quotas: 6 MB). */
const MAX_RESPONSE = 6_291_556;
/** An init that takes longer is taken for hung; AWS gives it 10 s on machines that do nothing else. */
const INIT_TIMEOUT = 60_000;
const TAIL = 4096;

/**
 * An execution environment: one process of the function's code, with a runtime API of its own (Lambda developer guide, "Using the Lambda
 * runtime API"), the credentials of the function's role, and one invocation at a time.
 */
export class Instance {
  readonly id = randomUUID();
  /** When its credentials end, milliseconds since the epoch. */
  readonly expires: number;
  lastUsed = Date.now();
  dead = false;
  private readonly mark = randomBytes(8).toString('hex');
  private server: Server | undefined;
  private process: RunningProcess | undefined;
  private waiting: ServerResponse | undefined;
  private current: { invocation: Invocation; settle: (payload: Uint8Array, error?: 'Unhandled') => void; started: number; tail: string[]; marked: () => void; rss: number } | undefined;
  private initError: Uint8Array | undefined;
  private initStarted = Date.now();
  private initMs: number | undefined;
  private reported = false;
  private readonly home: string;

  private constructor(
    private readonly runtime: Runtime,
    private readonly target: Resolved,
    private readonly role: AssumedRole,
    private readonly log: LogStream,
  ) {
    this.expires = role.credentials.expiration;
    this.home = join(lambdaFolder(runtime), 'instances', this.id);
  }

  /** Raises AwsError when the role can't be assumed or this machine can't run the runtime. */
  static async start(runtime: Runtime, target: Resolved, initialization: 'on-demand' | 'provisioned-concurrency'): Promise<Instance> {
    const { version, function: owner } = target;
    const run = await program(version);
    const role = await assume(runtime, target);
    const stream = `${new Date(runtime.clock.now()).toISOString().slice(0, 10).replace(/-/g, '/')}/[${version.version}]${randomBytes(16).toString('hex')}`;
    const log = new LogStream(runtime, role.client, version.logGroup, stream);
    const instance = new Instance(runtime, target, role, log);
    const isolation = await resolveIsolation((process.env['FLOTILLA_ISOLATION'] as 'auto' | undefined) ?? 'auto');
    const code = await unfolded(runtime, version.code.blob!);
    const blobs = layerBlobs(runtime, version.layers.map(({ arn }) => arn));
    const layers = blobs.length > 0 ? await unfoldedLayers(runtime, blobs) : undefined;
    const sdk = await olderSdk(runtime, version.runtime, [code, layers]);
    const port = await instance.listen();
    instance.spawn({ code, layers, sdk, isolation, port, initialization, run, stream, account: owner.account });
    return instance;
  }

  invoke(invocation: Invocation): Promise<Outcome> {
    const seconds = this.target.version.timeout;
    return new Promise((resolve) => {
      let over = false;
      let timer: NodeJS.Timeout | undefined;
      const tail: string[] = [];
      const finish = (payload: Uint8Array, error?: 'Unhandled'): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        const ended = Date.now();
        // What the code wrote before it answered comes by another way than the answer.
        const close = (): void => {
          this.report(invocation, ended - (this.current?.started || ended), this.current?.rss ?? 0);
          this.current = undefined;
          this.lastUsed = Date.now();
          resolve({ payload, ...(error ? { error } : {}), tail: tailOf(tail) });
        };
        if (this.dead || this.sawMark) return close();
        const waited = setTimeout(close, this.marks ? 150 : 20);
        if (this.current) this.current.marked = () => (clearTimeout(waited), close());
      };
      this.sawMark = false;
      this.current = { invocation, settle: finish, started: 0, tail, marked: () => {}, rss: 0 };
      this.begin = () => {
        clearTimeout(timer);
        this.initMs ??= Date.now() - this.initStarted;
        this.current!.started = Date.now();
        this.line(`START RequestId: ${invocation.requestId} Version: ${this.target.version.version}`);
        timer = setTimeout(() => this.timeOut(invocation, seconds, finish), seconds * 1000);
      };
      if (this.initError) return this.failInit(finish);
      if (this.dead) return finish(failure('Runtime.ExitError', `RequestId: ${invocation.requestId} Error: Runtime exited without providing a reason`), 'Unhandled');
      if (this.waiting) this.deliver();
      else timer = setTimeout(() => this.timeOut(invocation, INIT_TIMEOUT / 1000, finish), INIT_TIMEOUT);
    });
  }

  /** Kills the process and gives back what it held. */
  close(): void {
    this.dead = true;
    this.process?.signal('SIGKILL');
    this.server?.close();
    this.server?.closeAllConnections();
    void this.log.flush();
    rmSync(this.home, { recursive: true, force: true });
  }

  private sawMark = false;
  private marks = false;
  private begin: () => void = () => {};

  private async listen(): Promise<number> {
    const server = createServer({ keepAlive: true, noDelay: true, requestTimeout: 0 }, (request, response) => void this.serve(request, response));
    server.keepAliveTimeout = 0;
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    return (server.address() as { port: number }).port;
  }

  private spawn(options: { code: string; layers: string | undefined; sdk: string | undefined; isolation: Isolation; port: number; initialization: string; run: { command: string; args: string[]; marks: boolean; launcher?: boolean }; stream: string; account: string }): void {
    const { code, layers, sdk, isolation, port, run } = options;
    mkdirSync(join(lambdaFolder(this.runtime), 'instances'), { recursive: true, mode: 0o700 });
    prepareHome(this.home);
    const inside = isolation === 'bwrap';
    const task = inside ? '/var/task' : code;
    const opt = layers === undefined || inside ? '/opt' : layers;
    const mounts: Mount[] = inside
      ? [
          ...[...runtimeFolders(), pythonFolder()].map((source) => ({ source })),
          { source: join(lambdaFolder(this.runtime), 'code', 'node_modules'), target: '/var/node_modules' },
          { source: code, target: '/var/task' },
          ...(layers ? [{ source: layers, target: '/opt' }] : []),
          ...(sdk ? [{ source: sdk }] : []),
        ]
      : [];
    this.marks = run.marks;
    if (run.launcher) makeExecutable(join(code, 'bootstrap'));
    this.process = startProcess({
      command: run.launcher ? (existsSync(join(code, 'bootstrap')) || !layers ? join(task, 'bootstrap') : join(opt, 'bootstrap')) : run.command,
      args: run.args,
      cwd: task,
      workspace: this.home,
      home: this.home,
      isolation,
      mounts,
      env: this.environment({ task, opt, sdk, port, initialization: options.initialization, stream: options.stream, layers: layers !== undefined }),
      onOutput: (line) => this.output(line),
      limits: { graceMs: 100 },
    });
    void this.process.exit.then(({ code: status, signal, error }) => this.exited(error ?? (signal ? `signal: ${signal}` : `exit status ${status}`), status === 0));
  }

  private environment({ task, opt, sdk, port, initialization, stream, layers }: { task: string; opt: string; sdk: string | undefined; port: number; initialization: string; stream: string; layers: boolean }): Record<string, string> {
    const { version, at } = this.target;
    const { accessKeyId, secretAccessKey, sessionToken } = this.role.credentials;
    const python = /^python3\.\d+$/.test(version.runtime ?? '') ? `${opt}/python:${opt}/python/lib/${version.runtime}/site-packages` : `${opt}/python`;
    return {
      TZ: ':UTC',
      LANG: 'en_US.UTF-8',
      PATH: `${opt}/bin:${process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
      LD_LIBRARY_PATH: `${task}:${task}/lib:${opt}/lib`,
      NODE_PATH: `${opt}/nodejs/node_modules:${opt}/nodejs/node${process.versions.node.split('.')[0]}/node_modules${sdk === undefined ? '' : `:${sdk}`}`,
      ...version.environment,
      PYTHONPATH: `${version.environment?.['PYTHONPATH'] ?? python}:${pythonFolder()}`,
      // AWS sets these last: they can't be chosen.
      AWS_REGION: at.region,
      AWS_DEFAULT_REGION: version.environment?.['AWS_DEFAULT_REGION'] ?? at.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_ENDPOINT_URL: version.environment?.['AWS_ENDPOINT_URL'] ?? this.runtime.endpoint,
      AWS_EXECUTION_ENV: `AWS_Lambda_${version.runtime ?? 'Image'}`,
      AWS_LAMBDA_FUNCTION_NAME: version.name,
      AWS_LAMBDA_FUNCTION_VERSION: version.version,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memory),
      AWS_LAMBDA_INITIALIZATION_TYPE: initialization,
      AWS_LAMBDA_LOG_GROUP_NAME: version.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: stream,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      LAMBDA_TASK_ROOT: task,
      LAMBDA_RUNTIME_DIR: fileURLToPath(new URL('./data', import.meta.url)),
      _HANDLER: version.handler ?? '',
      PYTHONDONTWRITEBYTECODE: '1',
      ...(this.marks ? { FLOTILLA_MARK: this.mark } : {}),
      ...(layers ? { FLOTILLA_LAYERS: opt } : {}),
    };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (request.method === 'GET' && path === '/2018-06-01/runtime/invocation/next') {
      this.waiting = response;
      if (this.current && this.current.started === 0) this.deliver();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const accept = (): void => void response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    if (request.method === 'POST' && path === '/2018-06-01/runtime/init/error') {
      this.initError = body;
      accept();
      if (this.current) this.failInit(this.current.settle);
      return;
    }
    const [, id, kind] = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (request.method !== 'POST' || !kind) return refuse(response, 404, 'InvalidPath', `The local cloud's runtime API has no ${request.method} ${path}; extensions are not run`);
    if (id !== this.current?.invocation.requestId) return refuse(response, 400, 'InvalidRequestID', 'Invalid request ID');
    accept();
    const { settle } = this.current!;
    if (kind === 'error') settle(body, 'Unhandled');
    else if (body.byteLength > MAX_RESPONSE) settle(failure('Function.ResponseSizeTooLarge', `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE} bytes).`), 'Unhandled');
    else settle(body);
  }

  private deliver(): void {
    const { waiting, current } = this;
    if (!waiting || !current) return;
    this.waiting = undefined;
    this.begin();
    const { invocation } = current;
    waiting.writeHead(200, {
      'content-type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + this.target.version.timeout * 1000),
      'Lambda-Runtime-Invoked-Function-Arn': invocation.arn,
      'Lambda-Runtime-Trace-Id': `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`,
      ...(invocation.clientContext ? { 'Lambda-Runtime-Client-Context': invocation.clientContext } : {}),
    });
    waiting.end(invocation.payload);
  }

  private output(line: string): void {
    const at = line.indexOf(`\0${this.mark} `);
    if (at < 0) return this.line(line);
    if (at > 0) this.line(line.slice(0, at));
    const [, id, rss] = line.slice(at).split(' ');
    if (!this.current || id !== this.current.invocation.requestId) return;
    this.sawMark = true;
    this.current.rss = Number(rss);
    this.current.marked();
  }

  private line(text: string): void {
    // The runtimes write a message of several lines as one, as AWS's do.
    const message = text.replace(/\r/g, '\n');
    this.current?.tail.push(message);
    this.log.add(this.runtime.clock.now(), message);
  }

  private report({ requestId }: Invocation, ms: number, rss: number): void {
    this.line(`END RequestId: ${requestId}`);
    const init = this.reported || this.initMs === undefined ? '' : `\tInit Duration: ${this.initMs.toFixed(2)} ms`;
    this.reported = true;
    this.line(`REPORT RequestId: ${requestId}\tDuration: ${ms.toFixed(2)} ms\tBilled Duration: ${Math.max(1, Math.ceil(ms))} ms\tMemory Size: ${this.target.version.memory} MB\tMax Memory Used: ${rss} MB${init}\t`);
    this.log.soon();
  }

  private timeOut(invocation: Invocation, seconds: number, finish: (payload: Uint8Array, error: 'Unhandled') => void): void {
    const message = `Task timed out after ${seconds.toFixed(2)} seconds`;
    this.line(`${new Date(this.runtime.clock.now()).toISOString()} ${invocation.requestId} ${message}`);
    this.dead = true;
    finish(failure('Sandbox.Timedout', `RequestId: ${invocation.requestId} Error: ${message}`), 'Unhandled');
    this.close();
  }

  private failInit(finish: (payload: Uint8Array, error: 'Unhandled') => void): void {
    if (this.current && this.current.started === 0) this.begin();
    this.dead = true;
    finish(this.initError!, 'Unhandled');
    this.close();
  }

  private exited(how: string, clean: boolean): void {
    if (this.current && this.current.started === 0) this.begin();
    this.dead = true;
    const id = this.current?.invocation.requestId;
    this.current?.settle(failure('Runtime.ExitError', `RequestId: ${id} Error: ${clean ? 'Runtime exited without providing a reason' : `Runtime exited with error: ${how}`}`), 'Unhandled');
    this.close();
  }
}

async function assume(runtime: Runtime, { version, function: owner, at }: Resolved): Promise<AssumedRole> {
  try {
    return await assumeRole(runtime, { roleArn: version.role, sessionName: version.name.padEnd(2, '_'), region: at.region, as: { service: 'lambda.amazonaws.com', account: owner.account }, context: { 'lambda:SourceFunctionArn': `arn:aws:lambda:${at.region}:${owner.account}:function:${version.name}` } });
  } catch (error) {
    if (isAwsError(error)) throw new AwsError('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.', { status: 403, fields: { Type: 'User' } });
    throw error;
  }
}

function makeExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    if (existsSync(path)) chmodSync(path, 0o755);
  }
}

function failure(errorType: string, errorMessage: string): Uint8Array {
  return Buffer.from(JSON.stringify({ errorType, errorMessage }));
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ errorType, errorMessage }));
}

function tailOf(lines: readonly string[]): string {
  return Buffer.from(lines.map((line) => `${line}\n`).join('')).subarray(-TAIL).toString('utf8');
}
