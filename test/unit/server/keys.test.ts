import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, startServer, type Server } from './raw.js';

/** Object keys are names, never paths: every byte of them is kept, and none of them reaches the file system. */

let server: Server;
beforeAll(async () => {
  server = await startServer();
  await server.signed('s3', { method: 'PUT', path: '/keys', body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>' });
});
afterAll(() => server?.stop());

const KEYS = ['../../x', '../../../../../../etc/passwd', '..', '.', 'a/../b', 'a//b', '/leading', 'trailing/', '%2e%2e/x', 'a%2Fb', 'back\\slash', 'C:\\x', 'nul\u0001byte', '~/x', '$(id)', 'ü/ß/日本', 'a+b c', '?query#hash', 'x'.repeat(1024)];
const encode = (key: string): string => key.split('/').map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)).join('/');

describe('a key', () => {
  it.each(KEYS)('%j is stored and read back as it is', async (key) => {
    const put = await server.signed('s3', { method: 'PUT', path: `/keys/${encode(key)}`, body: `content of ${key}` });
    expect([put.status, codeOf(put)]).toEqual([200, '']);
    const got = await server.signed('s3', { path: `/keys/${encode(key)}` });
    expect([got.status, got.body]).toEqual([200, `content of ${key}`]);
  });

  it('in every spelling of dots is the same key as its bytes say, no other', async () => {
    await server.signed('s3', { method: 'PUT', path: '/keys/%2e%2e/%2E%2E/y', body: 'encoded dots' });
    expect((await server.signed('s3', { path: '/keys/../../y' })).body).toBe('encoded dots');
    expect((await server.signed('s3', { path: '/y' })).status).toBe(404);
  });

  it('longer than 1,024 bytes is refused', async () => {
    expect(codeOf(await server.signed('s3', { method: 'PUT', path: `/keys/${'x'.repeat(1025)}`, body: '' }))).toBe('KeyTooLongError');
  });

  it('lists exactly as it was written', async () => {
    const listed = (await server.signed('s3', { path: '/keys?list-type=2&encoding-type=url' })).body;
    const keys = [...listed.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => decodeURIComponent(key!.replaceAll('+', ' ')));
    expect(keys.sort()).toEqual([...KEYS, '../../y'].sort());
  });
});

describe('the file system', () => {
  it('has only names of the server’s own under its folder', () => {
    for (const path of files(join(server.directory, 'blobs'))) expect(path).toMatch(/\/blobs\/(incoming\/[0-9a-f-]{36}|[0-9a-f]{2}\/[0-9a-f]{64})$/);
  });

  it('shows state to nobody but its owner', () => {
    for (const path of files(server.directory)) expect((statSync(path).mode & 0o777).toString(8), path).toBe('600');
    for (const path of folders(server.directory)) expect((statSync(path).mode & 0o777).toString(8), path).toBe('700');
  });
});

describe('a bucket name', () => {
  it.each(['..', '../x', 'A', 'a', 'a..b', '192.168.0.1', 'x'.repeat(64), 'under_score', '%2e%2e'])('%j is refused', async (name) => {
    const answer = await server.signed('s3', { method: 'PUT', path: `/${encode(name)}`, body: '' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });
});

const entries = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));
const files = (folder: string): string[] => entries(folder).flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]));
const folders = (folder: string): string[] => [folder, ...entries(folder).filter((path) => statSync(path).isDirectory()).flatMap(folders)];
