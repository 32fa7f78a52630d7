// `cdk bootstrap` of the real CLI: one pair against the CLI's own start-up, then twenty pairs.
import { clientEnvironment, scriptOf, startCloud, timed } from './cloud.mjs';
import { median } from './measure.mjs';

const ACCOUNTS = ['111111111111', '222222222222', '333333333333', '444444444444'];
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-2'];

export async function bootstrap(out) {
  const cloud = await startCloud();
  try {
    const cdk = scriptOf('aws-cdk', 'cdk');
    const environments = new Map();
    for (const id of ACCOUNTS) environments.set(id, clientEnvironment(cloud, await cloud.credentials(id), REGIONS[0]));
    const run = (id, ...args) => timed(process.execPath, [cdk, ...args, '--no-color', '--ci', '--no-notices'], { cwd: cloud.folder, env: environments.get(id) }).took;
    const start = median([1, 2, 3].map(() => run(ACCOUNTS[0], '--version')));
    const one = run(ACCOUNTS[0], 'bootstrap', `aws://${ACCOUNTS[0]}/${REGIONS[0]}`);
    out.add('cdk --version: the CLI’s own start-up', start, 'ms');
    out.add('cdk bootstrap of one pair', one, 'ms', { note: 'the CLI pauses between its polls of the change set and of the stack' });
    out.add('bootstrap ÷ start-up', one / start, '×');
    for (const id of ACCOUNTS) run(id, 'bootstrap', ...REGIONS.map((region) => `aws://${id}/${region}`));
    out.add('memory after 20 bootstrapped pairs', cloud.memory(), 'MB', { most: 250 });
  } finally {
    await cloud.stop();
  }
}
