import { beforeEach, expect, it } from 'vitest';
import { A, allow, B, failure, memoryCloud, REGION, type MemoryCloud } from './cloud.js';

let cloud: MemoryCloud;
const get = (more: object = {}) => cloud.call('secretsmanager', 'GetSecretValue', { SecretId: 's', ...more });

beforeEach(() => {
  cloud = memoryCloud();
});

it('keeps the value before as AWSPREVIOUS and stores nothing readable', async () => {
  await cloud.call('secretsmanager', 'CreateSecret', { Name: 's', SecretString: 'first-value' });
  await cloud.call('secretsmanager', 'PutSecretValue', { SecretId: 's', SecretString: 'second-value' });
  expect((await get()).SecretString).toBe('second-value');
  expect((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('first-value');
  expect(JSON.stringify([...cloud.state.snapshot()])).not.toMatch(/(first|second)-value/);
});

it('answers the same token with the same value once more, and refuses another value', async () => {
  const ClientRequestToken = 'c13ec132-e736-4e10-a02c-40a1cb901a0c';
  await cloud.call('secretsmanager', 'CreateSecret', { Name: 's', SecretString: 'x', ClientRequestToken });
  await expect(cloud.call('secretsmanager', 'PutSecretValue', { SecretId: 's', SecretString: 'x', ClientRequestToken })).resolves.toMatchObject({ VersionId: ClientRequestToken });
  expect(await failure(cloud.call('secretsmanager', 'PutSecretValue', { SecretId: 's', SecretString: 'y', ClientRequestToken }))).toMatch(/^ResourceExistsException/);
});

it('waits out the recovery window, can be restored in it, and is gone after it', async () => {
  await cloud.call('secretsmanager', 'CreateSecret', { Name: 's', SecretString: 'x' });
  await cloud.call('secretsmanager', 'DeleteSecret', { SecretId: 's', RecoveryWindowInDays: 7 });
  expect(await failure(get())).toBe("InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.");
  expect(await failure(cloud.call('secretsmanager', 'CreateSecret', { Name: 's' }))).toMatch(/already scheduled for deletion/);
  await cloud.call('secretsmanager', 'RestoreSecret', { SecretId: 's' });
  expect((await get()).SecretString).toBe('x');
  await cloud.call('secretsmanager', 'DeleteSecret', { SecretId: 's', RecoveryWindowInDays: 7 });
  cloud.clock.advance(7 * 86_400_000);
  expect(await failure(get())).toBe("ResourceNotFoundException: Secrets Manager can't find the specified secret.");
  await expect(cloud.call('secretsmanager', 'CreateSecret', { Name: 's' })).resolves.toBeDefined();
});

it('needs the key in the name of the caller', async () => {
  const { KeyMetadata } = await cloud.call('kms', 'CreateKey');
  await cloud.call('secretsmanager', 'CreateSecret', { Name: 's', SecretString: 'x', KmsKeyId: KeyMetadata.KeyId });
  const reader = await cloud.user('reader', allow('secretsmanager:*'));
  expect(await failure(reader.call('secretsmanager', 'GetSecretValue', { SecretId: 's' }))).toBe('AccessDeniedException: Access to KMS is not allowed');
});

it('is read across accounts only with a policy on the secret and a key of its own', async () => {
  const { ARN } = await cloud.call('secretsmanager', 'CreateSecret', { Name: 's', SecretString: 'x' });
  const other = cloud.admin(B);
  expect(await failure(other.call('secretsmanager', 'GetSecretValue', { SecretId: ARN }))).toMatch(/^AccessDeniedException: .*secretsmanager:GetSecretValue/);
  await cloud.call('secretsmanager', 'PutResourcePolicy', { SecretId: 's', ResourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${B}:root` }, Action: 'secretsmanager:GetSecretValue', Resource: '*' }] }) });
  expect(await failure(other.call('secretsmanager', 'GetSecretValue', { SecretId: ARN }))).toMatch(/^InvalidRequestException: .*default KMS service key/);
});

it('finds a policy by the ARN with its six characters', async () => {
  await cloud.call('secretsmanager', 'CreateSecret', { Name: 'app/db', SecretString: 'x' });
  const named = await cloud.user('named', allow('secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${A}:secret:app/db-??????`), allow('kms:*'));
  await expect(named.call('secretsmanager', 'GetSecretValue', { SecretId: 'app/db' })).resolves.toMatchObject({ SecretString: 'x' });
});

it.each([
  [{ PasswordLength: 8, ExcludePunctuation: true, ExcludeUppercase: true, ExcludeLowercase: true }, /^\d{8}$/],
  [{ PasswordLength: 40, ExcludeCharacters: 'abc', ExcludePunctuation: true }, /^(?=.*[A-Z])(?=.*[d-z])(?=.*\d)[A-Zd-z\d]{40}$/],
])('makes passwords by the rules %j', async (input, form) => {
  for (let i = 0; i < 20; i++) expect((await cloud.call('secretsmanager', 'GetRandomPassword', input)).RandomPassword).toMatch(form);
});

it('refuses by name what it does not have', async () => {
  expect(await failure(cloud.call('secretsmanager', 'CreateSecret', { Name: 's', AddReplicaRegions: [{ Region: 'us-east-1' }] }))).toMatch(/^NotImplemented: .*AddReplicaRegions/);
});
