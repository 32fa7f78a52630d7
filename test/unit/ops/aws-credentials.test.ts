import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { awsTarget, sdkSources, type AwsOptions } from '../../../src/ops/aws/target.js';

/** The SDK's own providers, from configuration files to signed requests; what would go to AWS is answered here, by the host it was meant for. */

interface Sent {
  readonly host: string;
  readonly path: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Whose key signed it; the token of SSO where there is no signature. */
  readonly by: string | undefined;
}

/** As the SDK hands a request to its handler (@smithy/types, HttpRequest). */
interface Request {
  readonly hostname: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

let folder: string;
let sent: Sent[];
/** Codes of the MFA device that STS takes. */
let codes: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-credentials-'));
  sent = [];
  codes = [];
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({ HOME: folder, AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_EC2_METADATA_DISABLED: 'true' })) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const CONFIG = `
[sso-session acme]
sso_start_url = https://acme.awsapps.com/start
sso_region = eu-central-1
sso_registration_scopes = sso:account:access
[profile acme-dev]
sso_session = acme
sso_account_id = 111111111111
sso_role_name = Admin
[profile acme-prod]
sso_session = acme
sso_account_id = 333333333333
sso_role_name = Admin
[profile acme-tools]
sso_session = acme
sso_account_id = 999999999999
sso_role_name = Deployer
[profile jump]
role_arn = arn:aws:iam::444444444444:role/Jump
source_profile = acme-tools
[profile behind]
role_arn = arn:aws:iam::555555555555:role/Behind
source_profile = jump
[profile guarded]
role_arn = arn:aws:iam::666666666666:role/Guarded
source_profile = keys
mfa_serial = arn:aws:iam::999999999999:mfa/me
[profile refused]
role_arn = arn:aws:iam::777777777777:role/Refused
source_profile = keys
[profile program]
credential_process = "${process.execPath}" -p "JSON.stringify({Version:1,AccessKeyId:'AK888888888888',SecretAccessKey:'none'})"
`;
const CREDENTIALS = `
[keys]
aws_access_key_id = AK999999999999
aws_secret_access_key = none
`;

/** A session of `aws sso login`, as it leaves it behind (SDKs and Tools Reference Guide, "IAM Identity Center credential provider"). */
function signedIn(expiresAt: Date, refreshToken?: string): void {
  const cache = join(folder, '.aws', 'sso', 'cache');
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, `${createHash('sha1').update('acme').digest('hex')}.json`), JSON.stringify({ accessToken: 'sso-token', expiresAt: expiresAt.toISOString(), region: 'eu-central-1', startUrl: 'https://acme.awsapps.com/start', ...(refreshToken ? { refreshToken, clientId: 'client', clientSecret: 'secret', registrationExpiresAt: hour().toISOString() } : {}) }));
}
const hour = (): Date => new Date(Date.now() + 3_600_000);

const xml = (name: string, content: string): [number, string] => [200, `<${name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${name}Result>${content}</${name}Result></${name}Response>`];
const denied = (message: string): [number, string] => [403, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`];
/** Keys of the tests say whose account they are of. */
const accountOf = (key: string | undefined): string => /\d{12}/.exec(key ?? '')?.[0] ?? '';

function answer({ host, path, action, fields, by }: Sent): [number, string] {
  if (host.startsWith('portal.sso.')) return [200, JSON.stringify({ roleCredentials: { accessKeyId: `AS${fields['account_id']}`, secretAccessKey: 'none', sessionToken: 'session', expiration: hour().getTime() } })];
  if (host.startsWith('oidc.')) return fields['refreshToken'] === 'good' ? [200, JSON.stringify({ accessToken: 'fresh-token', tokenType: 'Bearer', expiresIn: 3600 })] : [400, JSON.stringify({ error: 'invalid_grant', error_description: 'Invalid refresh token provided' })];
  if (action === 'GetCallerIdentity') return xml(action, `<Arn>arn:aws:iam::${accountOf(by)}:user/me</Arn><UserId>U</UserId><Account>${accountOf(by)}</Account>`);
  const account = fields['RoleArn']?.split(':')[4] ?? '';
  if (account === '777777777777') return denied(`User: arn:aws:iam::999999999999:user/me is not authorized to perform: sts:AssumeRole on resource: ${fields['RoleArn']}`);
  if (fields['SerialNumber'] !== undefined && !codes.includes(fields['TokenCode'] ?? '')) return denied('MultiFactorAuthentication failed with invalid MFA one time pass code.');
  if (/^AssumeRole/.test(action)) return xml(action, `<Credentials><AccessKeyId>AS${account}</AccessKeyId><SecretAccessKey>none</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${hour().toISOString()}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>R:flotilla</AssumedRoleId><Arn>${fields['RoleArn']}</Arn></AssumedRoleUser>`);
  throw new TypeError(`nothing answers ${host}${path}`);
}

const requestHandler = {
  metadata: { handlerProtocol: 'http/1.1' },
  handle: ({ hostname, path, query = {}, headers, body }: Request) => {
    const content = typeof body === 'string' ? body : Buffer.from(body ?? '').toString();
    const form = content.startsWith('{') ? (JSON.parse(content) as Record<string, string>) : Object.fromEntries(new URLSearchParams(content));
    const signed = /Credential=([^/]+)\//.exec(headers['authorization'] ?? '')?.[1];
    const one: Sent = { host: hostname, path, action: form['Action'] ?? '', fields: { ...query, ...form }, by: signed ?? headers['x-amz-sso_bearer_token'] };
    sent.push(one);
    const [statusCode, text] = answer(one);
    return Promise.resolve({ response: { statusCode, headers: { 'content-type': text.startsWith('{') ? 'application/json' : 'text/xml' }, body: Readable.from([Buffer.from(text)]) } });
  },
};

function target(options: Partial<AwsOptions> = {}) {
  writeFileSync(join(folder, 'config'), CONFIG);
  writeFileSync(join(folder, 'credentials'), CREDENTIALS);
  return awsTarget({ environment: process.env, mfaCode: () => Promise.reject(new Error('nobody to ask')), sources: sdkSources({ requestHandler: requestHandler as never }), ...options });
}
const hosts = (): string[] => [...new Set(sent.map(({ host }) => host))].sort();
const assumed = (): [string | undefined, string | undefined][] => sent.filter(({ action }) => action === 'AssumeRole').map(({ by, fields }) => [by, fields['RoleArn']]);

describe('credentials of AWS, by the SDK itself', () => {
  it('of each account are those of its SSO profile, by a pattern, from one sign-in', async () => {
    signedIn(hour());
    const aws = target({ profilePattern: 'acme-{environment}', environments: new Map([['111111111111', 'dev'], ['333333333333', 'prod']]) });
    const found = await Promise.all([aws.credentials('111111111111', 'eu-west-1'), aws.credentials('333333333333', 'eu-west-1'), aws.credentials('333333333333', 'us-east-1')]);
    expect(found.map(({ accessKeyId, sessionToken }) => [accessKeyId, sessionToken])).toEqual([['AS111111111111', 'session'], ['AS333333333333', 'session'], ['AS333333333333', 'session']]);
    expect(hosts()).toEqual(['portal.sso.eu-central-1.amazonaws.com', 'sts.us-east-1.amazonaws.com']);
    // Both are asked for at once: which arrives first is nobody's.
    expect(sent.filter(({ by }) => by === 'sso-token').map(({ fields }) => fields).sort((a, b) => (String(a['account_id']) < String(b['account_id']) ? -1 : 1))).toEqual([{ account_id: '111111111111', role_name: 'Admin' }, { account_id: '333333333333', role_name: 'Admin' }]);
  });

  it('come from the one profile that leads into an account, without a pattern', async () => {
    signedIn(hour());
    expect((await target({ profile: 'acme-tools' }).credentials('111111111111')).accessKeyId).toBe('AS111111111111');
  });

  it('of a session whose token is over come with a new one, as long as the session goes on', async () => {
    signedIn(new Date(Date.now() - 1000), 'good');
    const aws = target({ profilePattern: 'acme-{environment}', environments: new Map([['111111111111', 'dev']]) });
    expect((await aws.credentials('111111111111', 'eu-west-1')).accessKeyId).toBe('AS111111111111');
    expect(sent.map(({ host, by }) => [host.split('.')[0], by])).toEqual([['oidc', undefined], ['portal', 'fresh-token'], ['sts', 'AS111111111111']]);
  });

  it.each([['that is over', 'bad'], ['of an old sign-in', undefined]])('of a session %s are missing, with the pair and how to sign in', async (_what, refreshToken) => {
    signedIn(new Date(Date.now() - 1000), refreshToken);
    const aws = target({ profilePattern: 'acme-{environment}', environments: new Map([['111111111111', 'dev']]) });
    await expect(aws.credentials('111111111111', 'eu-west-1')).rejects.toMatchObject({ code: 'CRD001', exitCode: 3, message: 'no credentials for 111111111111/eu-west-1', why: expect.stringContaining("the profile 'acme-dev' gives no credentials") as string, fix: 'sign in again: aws sso login --profile acme-dev' });
    expect(sent.filter(({ host }) => !host.startsWith('oidc.'))).toEqual([]);
  });

  it('of somebody who never signed in say so too', async () => {
    const aws = target({ profilePattern: 'acme-{environment}', environments: new Map([['111111111111', 'dev']]) });
    await expect(aws.credentials('111111111111', 'eu-west-1')).rejects.toMatchObject({ code: 'CRD001', fix: 'sign in again: aws sso login --profile acme-dev' });
  });

  it('go from role to role, each assumed with the one before', async () => {
    signedIn(hour());
    expect((await target({ profilePattern: 'behind' }).credentials('555555555555')).accessKeyId).toBe('AS555555555555');
    expect(assumed()).toEqual([
      ['AS999999999999', 'arn:aws:iam::444444444444:role/Jump'],
      ['AS444444444444', 'arn:aws:iam::555555555555:role/Behind'],
    ]);
  });

  it('behind an MFA device ask for its code once, by its serial number, however many pairs wait', async () => {
    codes = ['123456'];
    const asked: string[] = [];
    const aws = target({ profilePattern: 'guarded', mfaCode: (serial) => (asked.push(serial), Promise.resolve('123456')) });
    await Promise.all(['us-east-1', 'eu-west-1', 'eu-central-1'].map((region) => aws.credentials('666666666666', region)));
    expect(asked).toEqual(['arn:aws:iam::999999999999:mfa/me']);
    expect(sent.find(({ action }) => action === 'AssumeRole')!.fields).toMatchObject({ SerialNumber: 'arn:aws:iam::999999999999:mfa/me', TokenCode: '123456' });
  });

  it('behind an MFA device are missing, with what STS says, where the code is wrong', async () => {
    const aws = target({ profilePattern: 'guarded', mfaCode: () => Promise.resolve('000000') });
    await expect(aws.credentials('666666666666', 'us-east-1')).rejects.toMatchObject({ code: 'CRD001', message: 'no credentials for 666666666666/us-east-1', why: expect.stringContaining('invalid MFA one time pass code') as string });
  });

  it('of a role are assumed in each account from those of the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AK999999999999');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none');
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    const aws = target({ role: 'Deployer' });
    expect(await aws.base()).toEqual({ account: '999999999999', arn: 'arn:aws:iam::999999999999:user/me' });
    expect((await aws.credentials('222222222222')).accessKeyId).toBe('AS222222222222');
    expect(assumed()).toEqual([['AK999999999999', 'arn:aws:iam::222222222222:role/Deployer']]);
    expect(hosts()).toEqual(['sts.eu-west-1.amazonaws.com']);
  });

  it('of a CI job come from its web identity token', async () => {
    writeFileSync(join(folder, 'token'), 'jwt');
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::999999999999:role/Job');
    expect((await target().base())?.account).toBe('999999999999');
    expect(sent[0]).toMatchObject({ action: 'AssumeRoleWithWebIdentity', by: undefined, fields: { WebIdentityToken: 'jwt', RoleArn: 'arn:aws:iam::999999999999:role/Job' } });
  });

  it('of a program are those it prints', async () => {
    expect((await target({ profile: 'program' }).credentials('888888888888')).accessKeyId).toBe('AK888888888888');
  });

  it('that STS says are of another account are not used', async () => {
    await expect(target({ profilePattern: 'program' }).credentials('111111111111', 'us-east-1')).rejects.toMatchObject({ code: 'CRD002', exitCode: 3, message: 'the credentials for 111111111111/us-east-1 are those of account 888888888888' });
  });

  it('that a role refuses are missing, with the pair, the profile and what STS says', async () => {
    await expect(target({ profilePattern: 'refused' }).credentials('777777777777', 'us-east-1')).rejects.toMatchObject({ code: 'CRD001', exitCode: 3, message: 'no credentials for 777777777777/us-east-1', why: expect.stringMatching(/the profile 'refused' gives no credentials: .*not authorized to perform: sts:AssumeRole/) as string });
  });

  it('of nobody are no identity, and name the pair that needs them', async () => {
    const aws = target();
    expect(await aws.base()).toBeUndefined();
    await expect(aws.credentials('222222222222', 'us-east-1')).rejects.toMatchObject({ code: 'CRD001', message: 'no credentials for 222222222222/us-east-1', why: 'there are no default credentials, and no profile leads into 222222222222' });
    expect(sent).toEqual([]);
  });

  it('are never asked for through an endpoint of this machine', () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:4566');
    expect(() => target({ profile: 'keys' })).toThrowError(expect.objectContaining({ code: 'WLD001' }));
    expect(sent).toEqual([]);
  });
});
