import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { own } from './owner.js';
import { startCloud } from './server.js';
import { accountCredentials } from './services/iam/identity.js';

export interface LocalCloudOptions {
  /** Folder of the state. Only one process at a time can have it. */
  readonly directory: string;
  /** Port on 127.0.0.1; default: a free one. */
  readonly port?: number;
}

/** A local cloud inside this process, for tests of programs that use AWS. */
export interface LocalCloud {
  /** `http://127.0.0.1:PORT`: the endpoint for every SDK client. */
  readonly endpoint: string;
  /** Credentials of an account's administrator; the account exists from then on. */
  credentials(accountId: string): { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

/**
 * Starts a local cloud and resolves when it listens. Raises FlotillaError CLD004 when another process has the folder, CLD003 when the
 * port is taken.
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const directory = resolve(options.directory);
  const release = await own(directory);
  const cloud = await startCloud({ directory, port: options.port ?? 0, token: randomBytes(24).toString('hex') });
  return {
    endpoint: cloud.endpoint,
    credentials: (accountId) => accountCredentials(cloud.runtime.state, accountId),
    stop: async () => {
      await cloud.stop();
      await release();
    },
  };
}
