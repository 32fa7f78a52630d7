// The Node.js runtime of a function: it asks the runtime API for events and calls the handler, as AWS's own does
// (Lambda developer guide, "Building a custom runtime", "Define Lambda function handler in Node.js").
import http from 'node:http';
import https from 'node:https';
import { existsSync, writeSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { dirname, basename, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const root = process.env.LAMBDA_TASK_ROOT;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const request = http.request.bind(http);
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
/** Frames of this program and of Node below it say nothing to the function's author. */
const OWN_FRAME = /lambda-bootstrap\.mjs|node:internal\/process\/task_queues|at new Promise \(<anonymous>\)/;
let current;

reachTheLocalCloud();
logAsLambda();
globalThis.awslambda = { streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: true }), HttpResponseStream: { from: withMetadata } };
process.on('uncaughtException', (error) => void die(error, error?.name ?? 'Error'));
process.on('unhandledRejection', (reason) => void die(Object.assign(new Error(String(reason)), { stack: reason?.stack }), 'Runtime.UnhandledPromiseRejection', 'Unhandled Promise Rejection'));

try {
  await serve(await load(process.env._HANDLER ?? ''));
} catch (error) {
  const body = described(error, error.type);
  console.error(`Uncaught Exception \t${JSON.stringify({ ...body, stack: (error.stack ?? '').split('\n') })}`);
  await post('/init/error', JSON.stringify(body), body.errorType).catch(() => {});
  process.exit(1);
}

async function serve(handler) {
  for (;;) {
    const { headers, body } = await call('GET', '/invocation/next');
    const id = headers['lambda-runtime-aws-request-id'];
    current = { id };
    if (headers['lambda-runtime-trace-id']) process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
    try {
      const payload = handler[STREAMING] ? await stream(handler, JSON.parse(body), contextOf(headers, () => {})) : await invoke(handler, JSON.parse(body), headers);
      mark(id);
      await post(`/invocation/${id}/response`, payload);
    } catch (error) {
      const shown = described(error);
      console.error(`Invoke Error \t${JSON.stringify({ errorType: shown.errorType, errorMessage: shown.errorMessage, ...(error && typeof error === 'object' ? error : {}), stack: shown.trace })}`);
      mark(id);
      await post(`/invocation/${id}/error`, JSON.stringify(shown), shown.errorType);
    }
    current = undefined;
  }
}

function invoke(handler, event, headers) {
  return new Promise((resolvePayload, reject) => {
    let settled = false;
    let answer = null;
    let context;
    const settle = (error, value) => {
      if (settled) return;
      settled = true;
      process.removeListener('beforeExit', empty);
      if (error !== undefined && error !== null) return reject(error);
      try {
        resolvePayload(JSON.stringify(value === undefined ? null : value) ?? 'null');
      } catch (unserialisable) {
        reject(unserialisable);
      }
    };
    // Callback style answers once the event loop is empty; a function that never calls back answers null then.
    const empty = () => settle(answer?.[0], answer?.[1]);
    const callback = (error, value) => {
      answer ??= [error, value];
      if (error || !context.callbackWaitsForEmptyEventLoop) settle(error, value);
    };
    context = contextOf(headers, callback, settle);
    process.on('beforeExit', empty);
    try {
      const result = handler(event, context, callback);
      if (typeof result?.then === 'function') result.then((value) => settle(undefined, value), (error) => settle(error ?? new Error(String(error))));
    } catch (error) {
      settle(error ?? new Error(String(error)));
    }
  });
}

async function stream(handler, event, context) {
  const chunks = [];
  const sink = new Writable({
    write(chunk, _, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  sink.setContentType = () => {};
  const finished = new Promise((done) => sink.on('finish', done));
  await handler(event, sink, context);
  if (!sink.writableEnded) sink.end();
  await finished;
  const body = Buffer.concat(chunks);
  return sink.metadata ? JSON.stringify({ statusCode: 200, ...sink.metadata, body: body.toString('base64'), isBase64Encoded: true }) : body;
}

function withMetadata(sink, metadata) {
  sink.metadata = metadata;
  return sink;
}

function contextOf(headers, callback, settle = () => {}) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const client = headers['lambda-runtime-client-context'];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    identity: undefined,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, value) => settle(error, value),
    succeed: (value) => settle(undefined, value),
    fail: (error) => settle(error ?? new Error('fail')),
  };
}

async function load(name) {
  const match = /^(.*?)\.([^/]*)$/.exec(basename(name));
  if (!match || name.includes('..')) throw failure('Runtime.MalformedHandlerName', `Bad handler '${name}'`);
  const [, file, path] = match;
  const stem = resolve(root, dirname(name), file);
  const module = await loadModule(stem, join(dirname(name), file));
  const handler = path.split('.').reduce((from, part) => from?.[part], module) ?? path.split('.').reduce((from, part) => from?.[part], module.default);
  if (handler === undefined) throw failure('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw failure('Runtime.HandlerNotFound', `${name} is not a function`);
  return handler;
}

async function loadModule(stem, shown) {
  const path = [stem, `${stem}.js`, `${stem}.mjs`, `${stem}.cjs`].find((candidate) => existsSync(candidate) && /\.[cm]?js$/.test(candidate)) ?? (existsSync(stem) ? stem : undefined);
  try {
    if (path === undefined) throw Object.assign(new Error(`Cannot find module '${shown}'\nRequire stack:\n- /var/runtime/index.mjs`), { code: 'MODULE_NOT_FOUND' });
    if (/\.(js|cjs)$/.test(path) || path === stem) {
      try {
        return createRequire(join(root, 'index.js'))(path);
      } catch (error) {
        if (error?.code !== 'ERR_REQUIRE_ESM' && error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
      }
    }
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw failure('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error.stack);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') throw failure('Runtime.ImportModuleError', `Error: ${explained(error.message)}`, error.stack);
    throw error;
  }
}

/** What AWS's runtimes bring along and this machine doesn't. */
function explained(message) {
  if (/Cannot find (module|package) 'aws-sdk['/]/.test(message)) return `${message}\nThe local cloud's Node.js runtime has the AWS SDK v3 only; bundle aws-sdk v2 with the function (nodejs16.x and older had it)`;
  const client = /Cannot find (?:module|package) '(@aws-sdk\/[^']+)'/.exec(message)?.[1];
  return client ? `${message}\nThe local cloud's Node.js runtime does not have ${client}; bundle it with the function, or install it beside Flotilla` : message;
}

function failure(type, message, stack) {
  return Object.assign(new Error(message), { type }, stack ? { stack } : {});
}

function described(error, type) {
  if (!(error instanceof Error) && !(error && typeof error === 'object' && 'message' in error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: type ?? error.name ?? 'Error', errorMessage: error.message, trace: (error.stack ?? '').split('\n').filter((line) => !OWN_FRAME.test(line)) };
}

async function die(error, type, label = 'Uncaught Exception') {
  const shown = described(error, type);
  console.error(`${label} \t${JSON.stringify({ errorType: shown.errorType, errorMessage: shown.errorMessage, stack: shown.trace })}`);
  const id = current?.id;
  if (id) mark(id);
  await post(id ? `/invocation/${id}/error` : '/init/error', JSON.stringify(shown), shown.errorType).catch(() => {});
  process.exit(129);
}

/** Tells the local cloud that everything the invocation wrote is written. */
function mark(id) {
  if (process.env.FLOTILLA_MARK) writeSync(1, `\0${process.env.FLOTILLA_MARK} ${id} ${Math.ceil(process.memoryUsage.rss() / 1048576)}\n`);
}

function post(path, body, type) {
  return call('POST', path, body, type ? { 'Lambda-Runtime-Function-Error-Type': type } : {});
}

function call(method, path, body, headers = {}) {
  return new Promise((done, fail) => {
    const outgoing = request(api + path, { method, agent, headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => done({ headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', fail);
    });
    outgoing.on('error', (error) => (method === 'GET' ? process.exit(0) : fail(error)));
    outgoing.end(body);
  });
}

function logAsLambda() {
  const write = (level) => (...parts) => writeAll(`${new Date().toISOString()}\t${current?.id ?? 'undefined'}\t${level}\t${format(...parts).replace(/\n/g, '\r')}\n`);
  for (const [name, level] of [['log', 'INFO'], ['info', 'INFO'], ['debug', 'DEBUG'], ['trace', 'TRACE'], ['warn', 'WARN'], ['error', 'ERROR']]) console[name] = write(level);
}

/** A full pipe answers EAGAIN to synchronous writes. */
function writeAll(text) {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
  }
}

/** HTTPS requests to AWS, and answers to custom resources whose code drops scheme and port, go to the local cloud. */
function reachTheLocalCloud() {
  if (!process.env.AWS_ENDPOINT_URL) return;
  const cloud = new URL(process.env.AWS_ENDPOINT_URL);
  const ours = (host) => host === cloud.hostname || /(^|\.)amazonaws\.com$/.test(host);
  const original = https.request.bind(https);
  const redirect = (...args) => {
    const first = typeof args[0] === 'string' ? new URL(args[0]) : args[0];
    const options = { ...(first instanceof URL ? { hostname: first.hostname, port: first.port, path: first.pathname + first.search } : first), ...(typeof args[1] === 'object' ? args[1] : {}) };
    const host = String(options.hostname ?? options.host ?? '').replace(/:\d+$/, '');
    const callback = args.find((arg) => typeof arg === 'function');
    if (!ours(host)) return original(...args);
    const { agent: _, ...rest } = options;
    return request({ ...rest, protocol: 'http:', host: undefined, hostname: cloud.hostname, port: cloud.port, headers: { ...options.headers, host: host === cloud.hostname ? cloud.host : host } }, callback);
  };
  https.request = redirect;
  https.get = (...args) => {
    const outgoing = redirect(...args);
    outgoing.end();
    return outgoing;
  };
  syncBuiltinESMExports();
}
