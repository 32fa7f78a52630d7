// npm run bench:cfn [-- --json] [--sizes 10,100,500] [--no-many] [--no-moto]: stacks created, updated and deleted, against moto's server
// in the same run.
import { parseArgs } from 'node:util';
import { client, stacks } from './aws.mjs';
import { startCloud } from './cloud.mjs';
import { percentile, report } from './measure.mjs';
import { startMoto } from './moto.mjs';
import { template } from './templates.mjs';
import { build, setUp } from '../setup.mjs';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, sizes: { type: 'string', default: '10,100,500' }, 'no-many': { type: 'boolean' }, 'no-moto': { type: 'boolean' }, 'no-build': { type: 'boolean' } } });
if (!values['no-build']) {
  setUp();
  build();
}
const sizes = values.sizes.split(',').map(Number);
const out = report();
const REGION = 'us-east-1';
const ACCOUNTS = ['111111111111', '222222222222', '333333333333', '444444444444', '555555555555'];
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1'];

const cloud = await startCloud();
let ours;
try {
  ours = await sweep('flotilla', cloud, { most: 2000 });
  if (!values['no-many']) await many();
} finally {
  await cloud.stop();
}
const moto = values['no-moto'] ? undefined : await startMoto();
if (moto) {
  try {
    const theirs = await sweep('moto', moto, {});
    for (const size of sizes) out.add(`moto ÷ flotilla, create ${size}`, theirs.get(size) / ours.get(size), '×', size === 500 ? { least: 10 } : {});
  } finally {
    await moto.stop();
  }
} else if (!values['no-moto']) process.stderr.write('moto: not measured (Python 3 with venv and the package index are needed)\n');
out.print(values.json);

/** Create, update and delete of one stack of each size; milliseconds of the creations by size. */
async function sweep(name, server, aim) {
  const credentials = await server.credentials(ACCOUNTS[0]);
  const api = client(server.endpoint, credentials, { connections: 2 });
  const bucket = `bench-templates-${name}`;
  await api.s3('PUT', REGION, `/${bucket}`);
  const upload = async (text, key) => {
    await api.s3('PUT', REGION, `/${bucket}/${key}`, Buffer.from(text));
    return { url: `https://${bucket}.s3.amazonaws.com/${key}` };
  };
  // The first stack of a process pays for what is loaded once.
  const first = await stacks(api, REGION).create('warm-up', { body: template(10) });
  await stacks(api, REGION).delete(first);
  const created = new Map();
  for (const size of sizes) {
    const versions = [await upload(template(size, 0), `${size}-0.json`), await upload(template(size, 1), `${size}-1.json`)];
    const one = stacks(api, REGION);
    const stack = `bench-${size}`;
    let id;
    const meanwhile = prober(server.endpoint, credentials);
    const create = await time(async () => (id = await one.create(stack, versions[0])));
    const probes = await meanwhile.stop();
    const update = await time(() => one.update(stack, versions[1]));
    const remove = await time(() => one.delete(id));
    created.set(size, create);
    out.add(`${name}: create ${size}`, create, 'ms', { ...(size === 500 ? aim : {}), note: `${Math.round((1000 * size) / create)} resources/s` });
    out.add(`${name}: update ${size}`, update, 'ms');
    out.add(`${name}: delete ${size}`, remove, 'ms');
    if (probes.length > 0) out.add(`${name}: p99 of GetCallerIdentity while creating ${size}`, percentile(probes, 0.99), 'ms', { note: `${probes.length} calls` });
  }
  if (sizes.includes(500) && sizes.includes(100)) out.add(`${name}: time a resource, 500 ÷ 100`, created.get(500) / 500 / (created.get(100) / 100), '×', name === 'flotilla' ? { most: 1.3 } : {});
  out.add(`${name}: memory after`, server.memory(), 'MB');
  api.close();
  return created;
}

/** 200 stacks of 20 resources over 20 pairs of account and region, ten in each pair, 20 at a time. */
async function many() {
  const pairs = ACCOUNTS.flatMap((account) => REGIONS.map((region) => ({ account, region })));
  const apis = new Map();
  for (const account of ACCOUNTS) apis.set(account, client(cloud.endpoint, await cloud.credentials(account), { connections: 8 }));
  const meanwhile = prober(cloud.endpoint, await cloud.credentials(ACCOUNTS[0]));
  const body = template(20);
  const ids = [];
  const each = (work) => Promise.all(pairs.map(work));
  const create = await time(() =>
    each(async ({ account, region }, p) => {
      for (let i = 0; i < 10; i++) ids.push({ account, region, id: await stacks(apis.get(account), region).create(`many-${p}-${i}`, { body }, 50) });
    }),
  );
  const probes = await meanwhile.stop();
  out.add('flotilla: create 200 stacks of 20 in 20 pairs', create, 'ms', { note: `${Math.round(4_000_000 / create)} resources/s` });
  out.add('flotilla: p99 of GetCallerIdentity meanwhile', percentile(probes, 0.99), 'ms', { note: `${probes.length} calls` });
  out.add('flotilla: memory with 200 stacks', cloud.memory(), 'MB');
  const remove = await time(() =>
    each(async (pair) => {
      for (const { account, region, id } of ids.filter((one) => one.account === pair.account && one.region === pair.region)) await stacks(apis.get(account), region).delete(id, 50);
    }),
  );
  out.add('flotilla: delete the 200 stacks', remove, 'ms');
  for (const api of apis.values()) api.close();
}

/** Calls GetCallerIdentity again and again on a connection of its own until it is stopped. */
function prober(endpoint, credentials) {
  const api = client(endpoint, credentials);
  const times = [];
  let running = true;
  const done = (async () => {
    while (running) {
      const begin = performance.now();
      await api.query('sts', REGION, 'GetCallerIdentity');
      times.push(performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
      api.close();
      return times;
    },
  };
}

async function time(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
