import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLocal } from '../../../src/ops/aws/endpoints.js';
import { awsTarget, type AwsOptions, type Sources } from '../../../src/ops/aws/target.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'flotilla-aws-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = `
[default]
region = eu-west-1
[profile acme-dev]
sso_account_id = 111111111111
sso_session = acme
[profile acme-prod]
role_arn = arn:aws:iam::333333333333:role/Admin
source_profile = acme-tools
[profile acme-prod-read]
role_arn = arn:aws:iam::333333333333:role/Read
source_profile = acme-tools
[profile acme-tools]
sso_account_id = 999999999999
[profile localstack]
services = mine
[profile chained]
role_arn = arn:aws:iam::222222222222:role/Admin
source_profile = localstack
[services mine]
s3 =
  endpoint_url = http://127.0.0.1:4566
`;

/** Credentials whose key says whose they are. */
const credentials = (account: string, expiration?: Date) => ({ accessKeyId: account, secretAccessKey: 'none', ...(expiration ? { expiration } : {}) });
const ACCOUNTS: Record<string, string> = { 'acme-dev': '111111111111', 'acme-prod': '333333333333', 'acme-prod-read': '333333333333', 'acme-tools': '999999999999', 'acme-wrong': '444444444444' };

function target(options: Partial<AwsOptions> = {}, sources: Partial<Sources> = {}, environment: Record<string, string> = {}) {
  writeFileSync(join(folder, 'config'), CONFIG);
  return awsTarget({
    environment: { AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), ...environment },
    mfaCode: () => Promise.reject(new Error('nobody to ask')),
    sources: {
      chain: (profile) => (profile === undefined ? Promise.resolve(credentials('999999999999')) : ACCOUNTS[profile] ? Promise.resolve(credentials(ACCOUNTS[profile])) : Promise.reject(new Error(`Could not resolve credentials using profile: [${profile}]`))),
      assume: (role) => Promise.resolve(credentials(role.split(':')[4]!)),
      identity: ({ accessKeyId }) => Promise.resolve({ account: accessKeyId, arn: `arn:aws:iam::${accessKeyId}:user/me` }),
      ...sources,
    },
    ...options,
  });
}

describe('credentials for an account on AWS', () => {
  it('are taken once, however many ask at the same time', async () => {
    let taken = 0;
    const assume = (role: string): Promise<ReturnType<typeof credentials>> => Promise.resolve(credentials(role.split(':')[4]!, new Date(Date.now() + (taken++ === 0 ? 0 : 3_600_000))));
    const aws = target({ role: 'Deployer' }, { assume });
    const ask = (): Promise<unknown> => Promise.all(Array.from({ length: 5 }, () => aws.credentials('555555555555', 'us-east-1')));
    await ask();
    expect(taken).toBe(1);
    // The first were about to expire.
    await ask();
    expect(taken).toBe(2);
  });

  it('are the default ones where they are of that account', async () => {
    expect((await target().credentials('999999999999')).accessKeyId).toBe('999999999999');
  });

  it('come from the one profile that leads there', async () => {
    expect((await target().credentials('111111111111')).accessKeyId).toBe('111111111111');
  });

  it('are not guessed where several profiles lead there', async () => {
    await expect(target().credentials('333333333333', 'eu-west-1')).rejects.toMatchObject({ code: 'CRD001', exitCode: 3, message: 'no credentials for 333333333333/eu-west-1', why: '2 profiles lead there: acme-prod, acme-prod-read' });
  });

  it('come from the profile that the pattern names by environment or account', async () => {
    const environments = new Map([['333333333333', 'prod']]);
    expect((await target({ profilePattern: 'acme-{environment}', environments }).credentials('333333333333')).accessKeyId).toBe('333333333333');
    await expect(target({ profilePattern: 'acme-{environment}' }).credentials('333333333333')).rejects.toMatchObject({ code: 'CRD001', why: expect.stringContaining('needs the name of the environment') as string });
    await expect(target({ profilePattern: '{account}-admin' }).credentials('333333333333')).rejects.toMatchObject({ code: 'CRD001', why: "the profile '333333333333-admin' is not in the AWS configuration" });
  });

  it('are refused when STS says they are of another account', async () => {
    const environments = new Map([['333333333333', 'dev']]);
    await expect(target({ profilePattern: 'acme-{environment}', environments }).credentials('333333333333', 'eu-west-1')).rejects.toMatchObject({ code: 'CRD002', exitCode: 3, message: 'the credentials for 333333333333/eu-west-1 are those of account 111111111111' });
  });

  it('come from a role that is assumed in the account', async () => {
    const assumed: string[] = [];
    const made = target({ role: 'Deployer' }, { assume: (role) => (assumed.push(role), Promise.resolve(credentials(role.split(':')[4]!))) });
    await Promise.all([made.credentials('222222222222'), made.credentials('222222222222')]);
    expect((await made.credentials('222222222222')).accessKeyId).toBe('222222222222');
    expect(assumed).toContain('arn:aws:iam::222222222222:role/Deployer');
  });

  it('name the pair, the identity and the reason when the role refuses', async () => {
    const made = target({ role: 'Deployer' }, { assume: () => Promise.reject(new Error('AccessDenied')) });
    await expect(made.credentials('222222222222', 'us-east-1')).rejects.toMatchObject({ code: 'CRD001', message: 'no credentials for 222222222222/us-east-1', why: "arn:aws:iam::999999999999:user/me can't assume arn:aws:iam::222222222222:role/Deployer: AccessDenied" });
  });

  it('are taken anew before they expire', async () => {
    let taken = 0;
    const made = target({}, { chain: () => Promise.resolve(credentials('999999999999', new Date(Date.now() + (taken++ === 0 ? 60_000 : 3_600_000)))) });
    await made.credentials('999999999999');
    await made.credentials('999999999999');
    await made.credentials('999999999999');
    expect(taken).toBe(2);
  });

  it('say to sign in again where a session of SSO is over', async () => {
    const made = target({ profilePattern: 'acme-{environment}', environments: new Map([['111111111111', 'dev']]) }, { chain: () => Promise.reject(new Error('The SSO session associated with this profile has expired.')) });
    await expect(made.credentials('111111111111')).rejects.toMatchObject({ code: 'CRD001', fix: 'sign in again: aws sso login --profile acme-dev' });
  });
});

describe('an endpoint of this machine', () => {
  it.each(['http://localhost:4566', 'http://127.0.0.1:1', 'http://[::1]:80', 'http://api.localhost', 'http://s3.localhost.localstack.cloud:4566', 'http://0.0.0.0:1'])('%s is known as one', (url) => expect(isLocal(url)).toBe(true));
  it.each(['https://sts.eu-west-1.amazonaws.com', 'https://vpce-1.sts.eu-west-1.vpce.amazonaws.com', 'http://10.0.0.1', 'nonsense'])('%s is none', (url) => expect(isLocal(url)).toBe(false));

  it('in the environment is refused', () => {
    expect(() => target({}, {}, { AWS_ENDPOINT_URL: 'http://127.0.0.1:5000' })).toThrowError(expect.objectContaining({ code: 'WLD001', exitCode: 2, where: 'AWS_ENDPOINT_URL=http://127.0.0.1:5000' }));
    expect(() => target({}, {}, { AWS_ENDPOINT_URL_S3: 'http://localhost:5000' })).toThrowError(expect.objectContaining({ code: 'WLD001' }));
  });

  it('in a profile, or in one it takes its credentials from, is refused', () => {
    expect(() => target({ profile: 'localstack' })).toThrowError(expect.objectContaining({ code: 'WLD001', where: "s3.endpoint_url = http://127.0.0.1:4566 in the profile 'localstack'" }));
    expect(() => target({}, {}, { AWS_PROFILE: 'chained' })).toThrowError(expect.objectContaining({ code: 'WLD001' }));
  });
});
