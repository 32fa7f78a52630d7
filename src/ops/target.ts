/** Where a command acts: the local cloud or AWS, and with whose rights in each account. Never both. */
export interface Target {
  readonly kind: 'LOCAL' | 'AWS';
  readonly endpoint: string | undefined;
  /** Credentials for an account. Raises FlotillaError CRD001 naming the account, and the region where one is given, when there are none. */
  credentials(account: string, region?: string): Promise<Credentials>;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: Credentials | (() => Promise<Credentials>);
  readonly maxAttempts: number;
  readonly retryMode: string;
}

/**
 * Attempts of a call that AWS throttles; the SDK's standard mode waits between them with jitter, from half a second on (SDKs and Tools
 * Reference Guide, "Retry behavior").
 */
const ATTEMPTS = 10;

/** Settings of an SDK client for an account and region. */
export async function clientSettings(target: Target, account: string, region: string): Promise<ClientSettings> {
  // Asked once here, so that a missing credential is named before the first call; later by the client, when they are about to expire.
  const credentials = await target.credentials(account, region);
  return { region, credentials: credentials.expiration ? () => target.credentials(account, region) : credentials, maxAttempts: ATTEMPTS, retryMode: 'standard', ...(target.endpoint ? { endpoint: target.endpoint } : {}) };
}

const clients = new WeakMap<Target, Map<string, Promise<unknown>>>();

/** The client of a service for an account and region: one for the whole command, so that connections are used again. Its errors know where they were met. */
export function clientOf<C>(target: Target, Client: new (settings: ClientSettings) => C, account: string, region: string): Promise<C> {
  const known = clients.get(target) ?? new Map<string, Promise<unknown>>();
  clients.set(target, known);
  const key = `${Client.name}/${account}/${region}`;
  const made = known.get(key) ?? clientSettings(target, account, region).then((settings) => noting(new Client(settings), { account, region }));
  known.set(key, made);
  return made as Promise<C>;
}

interface Place {
  readonly account: string;
  readonly region: string;
}

const places = new WeakMap<object, Place>();

/** The account and region that an answer of AWS came from, where a client of `clientOf` asked. */
export function placeOfError(error: unknown): Place | undefined {
  return typeof error === 'object' && error !== null ? places.get(error) : undefined;
}

type Call = (given: unknown) => Promise<unknown>;

/** Every client of the SDK has a stack of middleware; its kind differs by service, which nothing here depends on. */
interface Stacked {
  readonly middlewareStack: { add(middleware: (next: Call) => Call, options: { readonly step: 'initialize' }): void };
}

function noting<C>(client: C, place: Place): C {
  const noted = (next: Call): Call => (given) =>
    next(given).catch((error: unknown) => {
      if (typeof error === 'object' && error !== null) places.set(error, place);
      throw error;
    });
  (client as unknown as Stacked).middlewareStack.add(noted, { step: 'initialize' });
  return client;
}
