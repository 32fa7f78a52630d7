import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archive } from '../../../src/local/process/zip.js';
import type { Client, Runtime } from '../../../src/local/kernel/service.js';
import { startCloud } from '../../../src/local/server.js';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';

export const A = '111111111111';
export const REGION = 'eu-west-1';

/** A whole cloud with functions that really run. */
export async function functionCloud() {
  const directory = mkdtempSync(join(tmpdir(), 'functions-'));
  const cloud = await startCloud({ directory, token: 'test', log: () => {} });
  const runtime: Runtime = cloud.runtime;
  const { accessKeyId } = accountCredentials(runtime.state, A);
  const admin: Client = runtime.client({ principal: runtime.credential(accessKeyId)!.principal, region: REGION });
  const trust = (service: string) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] });
  return {
    endpoint: cloud.endpoint,
    runtime,
    admin,
    stop: async () => {
      await cloud.stop();
      rmSync(directory, { recursive: true, force: true });
    },
    /** A role that the service may assume, with everything allowed that is listed. */
    async role(name: string, actions: readonly string[] = [], service = 'lambda.amazonaws.com'): Promise<string> {
      const { Role } = await admin.call<{ Role: { Arn: string } }>('iam', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: trust(service) });
      if (actions.length > 0) await admin.call('iam', 'PutRolePolicy', { RoleName: name, PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] }) });
      return Role.Arn;
    },
    async lambda(name: string, code: string, role: string, more: Record<string, unknown> = {}): Promise<string> {
      const file = String(more['Runtime'] ?? 'nodejs20.x').startsWith('python') ? 'index.py' : 'index.js';
      const { FunctionArn } = await admin.call<{ FunctionArn: string }>('lambda', 'CreateFunction', { FunctionName: name, Runtime: 'nodejs20.x', Handler: 'index.handler', Role: role, Code: { ZipFile: await archive([{ name: file, data: Buffer.from(code) }]) }, ...more });
      return FunctionArn;
    },
    async invoke(name: string, event: unknown = {}, more: Record<string, unknown> = {}) {
      const { Payload, FunctionError, LogResult } = await admin.call<{ Payload: Uint8Array; FunctionError?: string; LogResult?: string }>('lambda', 'Invoke', { FunctionName: name, Payload: Buffer.from(JSON.stringify(event)), LogType: 'Tail', ...more });
      const text = Buffer.from(Payload).toString('utf8');
      return { value: text === '' ? undefined : (JSON.parse(text) as unknown), error: FunctionError, log: Buffer.from(LogResult ?? '', 'base64').toString('utf8') };
    },
  };
}

export type FunctionCloud = Awaited<ReturnType<typeof functionCloud>>;

/** Asks again until there is an answer; real processes have no clock of ours. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new TypeError('it did not happen within 15 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
