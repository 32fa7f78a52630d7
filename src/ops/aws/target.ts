import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { FlotillaError } from '../../shared/errors.js';
import type { Credentials, Target } from '../target.js';
import { refuseLocalEndpoints } from './endpoints.js';
import { awsConfiguration, profilesInto, type AwsConfiguration } from './profiles.js';

export interface AwsOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly profile?: string | undefined;
  /** Profile by account: `acme-{environment}`, `{account}-admin`. */
  readonly profilePattern?: string | undefined;
  /** Role to assume in each account, by name or as an ARN with `{account}`; from the credentials of `profile` or of the environment. */
  readonly role?: string | undefined;
  /** Names of environments by account, for `{environment}`. */
  readonly environments?: ReadonlyMap<string, string>;
  /** Asks for the code of an MFA device. */
  readonly mfaCode: (serial: string) => Promise<string>;
  /** Where credentials come from and whose they are; the SDK's providers and STS unless a test says otherwise. */
  readonly sources?: Sources;
}

export interface Identity {
  readonly account: string;
  readonly arn: string;
}

export interface Sources {
  /** Credentials of a profile, or of the default chain. */
  chain(profile: string | undefined, options: AwsOptions): Promise<Credentials>;
  assume(role: string, base: Credentials, options: AwsOptions): Promise<Credentials>;
  identity(credentials: Credentials): Promise<Identity>;
}

export interface AwsTarget extends Target {
  readonly kind: 'AWS';
  /** Who acts by default: `--profile`, or the default chain; undefined where it has no credentials. */
  base(): Promise<Identity | undefined>;
}

/** AWS by the user's own credentials, each held against the account it is wanted for (STS GetCallerIdentity). */
export function awsTarget(options: AwsOptions): AwsTarget {
  const configuration = awsConfiguration(options.environment);
  const resolver = new Resolver(options, configuration);
  refuseLocalEndpoints(options.environment, configuration, [options.profile ?? options.environment['AWS_PROFILE'] ?? 'default']);
  return {
    kind: 'AWS',
    endpoint: undefined,
    credentials: (account, region) => resolver.credentials(account, region),
    base: async () => (await resolver.base())?.identity,
  };
}

interface Verified {
  readonly credentials: Credentials;
  readonly identity: Identity;
}

/** Credentials this close to their end are taken anew. */
const EXPIRY_MS = 5 * 60_000;

class Resolver {
  private readonly sources: Sources;
  private readonly accounts = new Map<string, Promise<Verified>>();
  private readonly chains = new Map<string, Promise<Verified>>();

  constructor(
    private readonly options: AwsOptions,
    private readonly configuration: AwsConfiguration,
  ) {
    this.sources = options.sources ?? sdkSources();
  }

  async credentials(account: string, region: string | undefined): Promise<Credentials> {
    const before = this.accounts.get(account);
    const known = await before?.catch(() => undefined);
    if (known && (known.credentials.expiration?.getTime() ?? Infinity) - Date.now() > EXPIRY_MS) return known.credentials;
    // Of those who waited the first takes new ones and the others take his: a code of an MFA device is asked for once.
    if (this.accounts.get(account) === before) {
      if (known) this.chains.clear();
      this.accounts.set(account, this.find(account, region));
    }
    return (await this.accounts.get(account)!).credentials;
  }

  async base(): Promise<Verified | undefined> {
    try {
      return await this.chain(this.options.profile);
    } catch (error) {
      // A profile that was named has to work; the default chain may be empty where profiles are given by account.
      if (this.options.profile !== undefined || error instanceof FlotillaError) throw error;
      return undefined;
    }
  }

  private async find(account: string, region: string | undefined): Promise<Verified> {
    const { profilePattern, role, environments } = this.options;
    const place = region === undefined ? account : `${account}/${region}`;
    if (profilePattern !== undefined) {
      const environment = environments?.get(account);
      if (/\{environment\}/.test(profilePattern) && environment === undefined)
        throw missing(place, `the pattern '${profilePattern}' needs the name of the environment, and the account has none`, "use {account} in the pattern, or name the account's environment: --environment NAME=ACCOUNT");
      return this.held(await this.profile(profilePattern.replaceAll('{environment}', environment ?? '').replaceAll('{account}', account), place), account, place);
    }
    const base = await this.base();
    if (base?.identity.account === account) return base;
    if (role !== undefined) {
      if (!base) throw missing(place, `there are no credentials to assume '${role}' with`, 'name a profile: --profile NAME');
      const arn = role.startsWith('arn:') ? role.replaceAll('{account}', account) : `arn:aws:iam::${account}:role/${role.replaceAll('{account}', account)}`;
      return this.held(await this.verified(() => this.identified(this.sources.assume(arn, base.credentials, this.options)), place, `${base.identity.arn} can't assume ${arn}`), account, place);
    }
    const profiles = profilesInto(this.configuration, account);
    if (profiles.length === 1) return this.held(await this.profile(profiles[0]!, place), account, place);
    if (profiles.length > 1) throw missing(place, `${profiles.length} profiles lead there: ${profiles.join(', ')}`, `say which by a pattern that fits all accounts, such as --profile-pattern 'acme-{environment}'`);
    throw missing(
      place,
      base ? `the credentials are those of ${base.identity.arn}, and no profile leads into ${account}` : `there are no default credentials, and no profile leads into ${account}`,
      `add a profile whose sso_account_id or role_arn is of ${account}; or --role NAME, which is assumed there; or --profile-pattern 'acme-{environment}'`,
    );
  }

  private profile(name: string, place: string): Promise<Verified> {
    if (!this.configuration.profiles.has(name)) throw missing(place, `the profile '${name}' is not in the AWS configuration`, `aws configure sso --profile ${name}`);
    refuseLocalEndpoints(this.options.environment, this.configuration, [name]);
    return this.verified(() => this.chain(name), place, `the profile '${name}' gives no credentials`, ` --profile ${name}`);
  }

  private chain(profile: string | undefined): Promise<Verified> {
    const key = profile ?? '';
    const made = this.chains.get(key) ?? this.identified(this.sources.chain(profile, this.options));
    this.chains.set(key, made);
    return made;
  }

  private async identified(taken: Promise<Credentials>): Promise<Verified> {
    const credentials = await taken;
    return { credentials, identity: await this.sources.identity(credentials) };
  }

  private async verified(take: () => Promise<Verified>, place: string, what: string, profile = ''): Promise<Verified> {
    try {
      return await take();
    } catch (error) {
      if (error instanceof FlotillaError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const expired = /SSO|sso login|token.*(expired|invalid)/i.test(reason);
      throw missing(place, `${what}: ${reason}`, expired ? `sign in again: aws sso login${profile}` : `check it with: aws sts get-caller-identity${profile}`, error);
    }
  }

  private held(found: Verified, account: string, place: string): Verified {
    if (found.identity.account === account) return found;
    throw new FlotillaError('CRD002', `the credentials for ${place} are those of account ${found.identity.account}`, { why: `STS says they are ${found.identity.arn}`, fix: 'correct the profile or the pattern that was chosen for it', exitCode: 3 });
  }
}

function missing(place: string, why: string, fix: string, cause?: unknown): FlotillaError {
  return new FlotillaError('CRD001', `no credentials for ${place}`, { why, fix, exitCode: 3, cause });
}

/** The SDK's own providers and STS; `client` goes into every client they make. */
export function sdkSources(client: { readonly requestHandler?: STSClientConfig['requestHandler'] } = {}): Sources {
  return {
    chain: (profile, { mfaCode }) => fromNodeProviderChain({ ...(profile === undefined ? {} : { profile }), mfaCodeProvider: mfaCode, clientConfig: client })(),
    assume: (role, base, { mfaCode }) => fromTemporaryCredentials({ masterCredentials: base, mfaCodeProvider: mfaCode, clientConfig: { ...client, region: regionOf(process.env) }, params: { RoleArn: role, RoleSessionName: 'flotilla' } })(),
    identity: async (credentials) => {
      const sts = new STSClient({ ...client, credentials, region: regionOf(process.env) });
      try {
        const { Account = '', Arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
        return { account: Account, arn: Arn };
      } finally {
        sts.destroy();
      }
    },
  };
}

/** STS answers for all regions in each. */
const regionOf = (environment: NodeJS.ProcessEnv): string => environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1';
