// Signed, authorised requests against the built cloud, and a bare node:http echo as the floor of any server.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { client } from './aws.mjs';
import { startCloud } from './cloud.mjs';
import { median, series, spread } from './measure.mjs';

const REGION = 'eu-west-1';

export async function requests(out) {
  const floor = await echo();
  const cloud = await startCloud();
  try {
    out.add('cloud: start until it answers', cloud.started, 'ms');
    out.add('memory idle', cloud.memory(), 'MB', { most: 250 });
    const api = client(cloud.endpoint, await cloud.credentials('111111111111'));
    await measure(out, api, floor);
    api.close();
  } finally {
    await cloud.stop();
  }
  await shareOfAuthorisation(out);
}

async function measure(out, api, floor) {
  const identity = await series(3000, () => api.query('sts', REGION, 'GetCallerIdentity'), 1000);
  tell(out, 'GetCallerIdentity', identity, { most: 2 });
  out.add('GetCallerIdentity ÷ bare node:http echo', median(identity) / floor, '×', { note: `echo p50 ${floor.toFixed(3)} ms` });
  await api.s3('PUT', REGION, '/bench-bucket', Buffer.from(`<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`));
  for (const [label, size, count] of [['1 kB', 1000, 2000], ['10 MB', 10_000_000, 20]]) {
    // Each object is another: the store keeps equal bytes once.
    const bodies = Array.from({ length: Math.min(count, 64) }, () => randomBytes(size));
    const hashes = bodies.map((body) => createHash('sha256').update(body).digest('hex'));
    const put = await series(count, (i) => api.s3('PUT', REGION, `/bench-bucket/${size}/${i}`, bodies[i % bodies.length], hashes[i % bodies.length]));
    const get = await series(count, (i) => api.s3('GET', REGION, `/bench-bucket/${size}/${i}`));
    tell(out, `S3 put ${label}`, put, size === 1000 ? { most: 2 } : {});
    tell(out, `S3 get ${label}`, get, size === 1000 ? { most: 2 } : {});
  }
}

function tell(out, what, times, aim) {
  const { p50, p99 } = spread(times);
  out.add(`${what} p50`, p50, 'ms', aim);
  out.add(`${what} p99`, p99, 'ms');
}

/** p50 of a POST to a server that reads the body and answers, in a process of its own. */
async function echo() {
  const source = `require('node:http').createServer((q, r) => { q.resume(); q.on('end', () => r.end('ok')); }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
    const api = client(`http://127.0.0.1:${port}`, { accessKeyId: 'x', secretAccessKey: 'x' });
    const body = Buffer.alloc(60);
    return median(await series(3000, () => api.send('POST', '/', {}, body), 1000));
  } finally {
    child.kill();
  }
}

/** What part of the server's working time is authorisation: a CPU profile of the same requests, the time under `authorize`. */
async function shareOfAuthorisation(out) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-profile-'));
  const cloud = await startCloud({ node: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'] });
  try {
    const api = client(cloud.endpoint, await cloud.credentials('111111111111'));
    for (let i = 0; i < 3000; i++) await api.json('ssm', REGION, 'AmazonSSM.PutParameter', { Name: '/bench/a', Value: String(i), Type: 'String', Overwrite: true });
    api.close();
    await cloud.stop();
    const profile = JSON.parse(readFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith('.cpuprofile'))), 'utf8'));
    const { within, whole } = shareOf(profile, 'authorize', 'serve');
    out.add('share of authorisation in ssm:PutParameter', (100 * within) / whole, '%', { note: 'of the time spent in JavaScript under the request handler' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Samples below functions named `inner`, and below `outer` or continued from it (after an await the stack starts anew). */
function shareOf({ nodes, samples }) {
  const hits = new Map();
  for (const id of samples) hits.set(id, (hits.get(id) ?? 0) + 1);
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const path = (id) => {
    const names = [];
    for (let at = id; at !== undefined; at = parents.get(at)) names.push(byId.get(at).callFrame.functionName);
    return names;
  };
  let within = 0;
  let whole = 0;
  for (const [id, count] of hits) {
    const names = path(id);
    if (names.some((name) => ['(idle)', '(program)', '(garbage collector)'].includes(name))) continue;
    // Start-up reads modules; requests come by the parser's callbacks, timers or microtasks.
    if (!names.some((name) => ['serve', 'answer', 'dispatch', 'authenticate', 'sendWire', 'parserOnHeadersComplete', 'parserOnIncoming', 'onParserExecute', 'parserOnMessageComplete', 'processTicksAndRejections', 'serializeOutput', 'parseInput'].includes(name))) continue;
    whole += count;
    if (names.includes('authorize')) within += count;
  }
  return { within, whole };
}
