import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud, type Cloud } from '../../../src/local/server.js';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';
import { Clients } from './clients.js';

export const ACCOUNT = '111111111111';
const USER = 'conformance';

/** A fresh local cloud and a user with all rights in it, as the recordings were made by one. */
export interface World {
  readonly cloud: Cloud;
  readonly clients: Clients;
  close(): Promise<void>;
}

export async function freshWorld(log: (message: string) => void): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-conformance-'));
  const cloud = await startCloud({ directory, token: 'conformance', log });
  const root = accountCredentials(cloud.runtime.state, ACCOUNT);
  const clients = new Clients(cloud, { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey });
  await becomeUser(clients);
  return {
    cloud,
    clients,
    close: async () => {
      clients.destroy();
      await cloud.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function becomeUser(clients: Clients): Promise<void> {
  await clients.call('iam', 'CreateUser', { UserName: USER });
  await clients.call('iam', 'AttachUserPolicy', { UserName: USER, PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' });
  const { AccessKey } = (await clients.call('iam', 'CreateAccessKey', { UserName: USER })) as { AccessKey: { AccessKeyId: string; SecretAccessKey: string } };
  clients.use({ accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey });
}
