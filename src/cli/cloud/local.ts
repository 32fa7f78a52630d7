import { devNull } from 'node:os';
import type { LocalCloud, RefChange, ServedRepository } from '../../ops/run/run.js';
import type { Target } from '../../ops/target.js';
import { control, startCloudProcess, type CloudConnection } from './connection.js';
import { cloudVariables, declareAccounts, type Account } from './profiles.js';

/** The local cloud as commands see it: a target for their AWS calls, and what a run needs besides. */
export interface LocalWorld {
  readonly connection: CloudConnection;
  readonly target: Target;
  readonly cloud: LocalCloud;
}

/** Connects to the local cloud of a folder, starting it where it doesn't run. */
export async function localWorld(folder: string): Promise<LocalWorld> {
  forgetAws();
  const connection = await startCloudProcess(folder);
  let accounts = await declareAccounts(folder, connection, []);
  const accountOf = async (id: string, region?: string): Promise<Account> => {
    const known = accounts.find((account) => account.id === id);
    if (known) return known;
    accounts = await declareAccounts(folder, connection, [{ id, name: id, ...(region ? { region } : {}) }]);
    return accounts.find((account) => account.id === id)!;
  };
  return {
    connection,
    target: {
      kind: 'LOCAL',
      endpoint: connection.endpoint,
      credentials: async (id) => {
        const { accessKeyId, secretAccessKey } = await accountOf(id);
        return { accessKeyId, secretAccessKey };
      },
    },
    cloud: {
      variables: async (id, region) => {
        const account = await accountOf(id, region);
        return { ...cloudVariables(folder, connection, account), AWS_REGION: region, AWS_DEFAULT_REGION: region };
      },
      serve: async (repository: ServedRepository, changes: readonly RefChange[]) => {
        await accountOf(repository.account, repository.region);
        return (await control<{ path: string }>(connection, 'serve', { ...repository, changes })).path;
      },
    },
  };
}

/** From here on this process knows nothing of the user's AWS settings: no client of it can read them, no program it starts inherits them. */
function forgetAws(): void {
  for (const name of Object.keys(process.env)) if (/^AWS_/.test(name) && name !== 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED') delete process.env[name];
  Object.assign(process.env, { AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull, AWS_EC2_METADATA_DISABLED: 'true' });
}
