import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { ClientSettings } from './target.js';

/** A wave's builds ask at the same time: throttled calls are repeated with growing pauses (SDK reference, Retry behavior: standard). */
const RETRIES = { maxAttempts: 10, retryMode: 'standard' } as const;

/** Sessions of roles, each assumed once; for programs that act with credentials of their surroundings (a build). */
export class Sessions {
  private readonly assumed = new Map<string, Promise<ClientSettings>>();
  private readonly sts: STSClient;

  constructor(
    region: string,
    private readonly name: string,
  ) {
    this.sts = new STSClient({ region, ...RETRIES });
  }

  /** Settings of a client that acts as the role, in a region. Raises what STS answers. */
  async of(roleArn: string, region: string): Promise<ClientSettings> {
    const key = `${roleArn} ${region}`;
    const known = this.assumed.get(key);
    if (known) return known;
    const made = this.assume(roleArn, region);
    this.assumed.set(key, made);
    return made;
  }

  /** Account of the surroundings' own credentials. */
  async account(): Promise<string> {
    return (await this.sts.send(new GetCallerIdentityCommand({}))).Account ?? '';
  }

  private async assume(RoleArn: string, region: string): Promise<ClientSettings> {
    const { Credentials } = await this.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: this.name }));
    return { region, ...RETRIES, credentials: { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! } };
  }
}
