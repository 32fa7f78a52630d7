// npm run bench [-- --json] [--only requests,decisions,bootstrap,growth,payments]: every figure of one run on one machine.
import { parseArgs } from 'node:util';
import { build, setUp } from '../setup.mjs';
import { bootstrap } from './bootstrap.mjs';
import { decisions } from './decisions.mjs';
import { growth } from './growth.mjs';
import { report } from './measure.mjs';
import { payments } from './payments.mjs';
import { requests } from './requests.mjs';

// The SDK's notice about coming versions of Node is nothing the benchmark measures.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const PARTS = { requests, decisions, bootstrap, growth, payments };
const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' }, 'no-build': { type: 'boolean' } } });
const chosen = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = chosen.find((name) => !Object.hasOwn(PARTS, name));
if (unknown) {
  process.stderr.write(`'${unknown}' is no part of the benchmark: ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}
if (!values['no-build']) {
  setUp();
  build();
}
const out = report();
for (const name of chosen) await PARTS[name](out);
out.print(values.json);
