import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pythonFolder } from '../../../src/local/process/index.js';

const folder = mkdtempSync(join(tmpdir(), 'botocore-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What stands in for botocore answers with the endpoint that its caller was given. */
function clientsOf(version: string, env: Record<string, string> = { AWS_ENDPOINT_URL: 'http://local' }): unknown {
  const packages = join(folder, version, 'botocore');
  mkdirSync(packages, { recursive: true });
  writeFileSync(join(packages, '__init__.py'), `__version__ = "${version}"\n`);
  writeFileSync(join(packages, 'session.py'), 'class Session:\n    def create_client(self, service, region=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None):\n        return endpoint_url\n');
  const program = "import json; from botocore.session import Session; c = Session().create_client; print(json.dumps([c('s3'), c('s3', endpoint_url='own'), c('s3', None, None, True, None, 'placed')]))";
  return JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8', env: { PATH: process.env['PATH']!, PYTHONPATH: [pythonFolder(), join(folder, version)].join(delimiter), ...env } }));
}

describe('clients of botocore', () => {
  it('reach the local cloud also in versions that do not read AWS_ENDPOINT_URL, unless they were given an endpoint', () => {
    expect(clientsOf('1.29.137')).toEqual(['http://local', 'own', 'placed']);
    expect(clientsOf('1.29.137', {})).toEqual([null, 'own', 'placed']);
  });

  it('are left alone in versions that read it', () => {
    expect(clientsOf('1.31.0')).toEqual([null, 'own', 'placed']);
  });

  it('leave the machine’s own sitecustomize its turn', () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    writeFileSync(join(own, 'sitecustomize.py'), 'print("its own")\n');
    expect(execFileSync('python3', ['-c', ''], { encoding: 'utf8', env: { PATH: process.env['PATH']!, PYTHONPATH: [pythonFolder(), own].join(delimiter) } })).toBe('its own\n');
  });
});
