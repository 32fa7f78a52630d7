import { localEnvironment } from '../ops/run/programs.js';
import type { World } from './world.js';

/** Environment of a program that acts in one account: with the credentials of that account and no other way to any. */
export async function programEnvironment(world: World, account: string, region: string): Promise<Record<string, string>> {
  if (world.local) return localEnvironment(await world.local.cloud.variables(account, region));
  const { accessKeyId, secretAccessKey, sessionToken } = await world.target.credentials(account, region);
  const kept = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !/^AWS_/.test(entry[0]));
  return { ...Object.fromEntries(kept), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, ...(sessionToken ? { AWS_SESSION_TOKEN: sessionToken } : {}), AWS_REGION: region, AWS_DEFAULT_REGION: region, CDK_DISABLE_CLI_TELEMETRY: 'true' };
}
