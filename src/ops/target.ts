/** Where a command acts: the local cloud or AWS, and with whose rights in each account. Never both. */
export interface Target {
  readonly kind: 'LOCAL' | 'AWS';
  readonly endpoint: string | undefined;
  /** Credentials for an account. Raises FlotillaError CRD001 naming the account when there are none. */
  credentials(account: string): Promise<Credentials>;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: Credentials;
}

/** Settings of an SDK client for an account and region. */
export async function clientSettings(target: Target, account: string, region: string): Promise<ClientSettings> {
  return { region, credentials: await target.credentials(account), ...(target.endpoint ? { endpoint: target.endpoint } : {}) };
}
