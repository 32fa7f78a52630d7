import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { control, type CloudConnection } from './connection.js';

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** `dev=111111111111` or `dev=111111111111/eu-west-1` or a bare account ID. */
export function parseAccount(text: string): { id: string; name: string; region?: string } {
  const [name, rest] = text.includes('=') ? (text.split('=', 2) as [string, string]) : [text.split('/')[0]!, text];
  const [id = '', region] = rest.split('/', 2);
  return { id, name, ...(region ? { region } : {}) };
}

/** Makes accounts known and writes the AWS configuration files whose profiles reach them. */
export async function declareAccounts(folder: string, connection: CloudConnection, wanted: readonly { id: string; name: string; region?: string }[]): Promise<Account[]> {
  for (const account of wanted) await control(connection, 'declare', account);
  const accounts = await control<Account[]>(connection, 'accounts');
  writeProfiles(folder, connection, accounts);
  return accounts;
}

export interface ProfileFiles {
  readonly config: string;
  readonly credentials: string;
}

export function profileFiles(folder: string): ProfileFiles {
  return { config: join(folder, 'aws', 'config'), credentials: join(folder, 'aws', 'credentials') };
}

function writeProfiles(folder: string, connection: CloudConnection, accounts: readonly Account[]): void {
  const files = profileFiles(folder);
  mkdirSync(join(folder, 'aws'), { recursive: true, mode: 0o700 });
  const config = accounts.map(({ name, region }) => `[profile ${name}]\nregion = ${region}\nendpoint_url = ${connection.endpoint}\noutput = json\n`);
  const credentials = accounts.map(({ name, accessKeyId, secretAccessKey }) => `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
  writeWhole(files.config, `# Profiles of Flotilla's local cloud; written by "flotilla cloud". No request made with them leaves this machine.\n${config.join('\n')}`);
  writeWhole(files.credentials, credentials.join('\n'));
}

function writeWhole(file: string, text: string): void {
  const incoming = `${file}.${process.pid}.tmp`;
  writeFileSync(incoming, text, { mode: 0o600 });
  renameSync(incoming, file);
}

/** Environment that points every AWS client at the local cloud and at nothing else. */
export function cloudVariables(folder: string, connection: CloudConnection, account: Account | undefined): Record<string, string> {
  const files = profileFiles(folder);
  return {
    AWS_CONFIG_FILE: files.config,
    AWS_SHARED_CREDENTIALS_FILE: files.credentials,
    AWS_ENDPOINT_URL: connection.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(account
      ? { AWS_PROFILE: account.name, AWS_REGION: account.region, AWS_DEFAULT_REGION: account.region }
      : {}),
  };
}
