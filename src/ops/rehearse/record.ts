import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { FlotillaError } from '../../shared/errors.js';
import type { PairFacts } from '../doctor/facts.js';

/** What accounts really were at a moment (`doctor --save`), for rehearsals (`run --accounts`). */
export interface AccountsRecord {
  readonly type: 'flotilla-accounts';
  readonly schema: '1.0';
  /** ISO 8601. */
  readonly at: string;
  readonly fleet: string;
  readonly target: 'LOCAL' | 'AWS';
  readonly pairs: readonly PairFacts[];
}

const known = <T extends z.ZodType>(value: T) => z.union([z.object({ known: z.literal(true), value }), z.object({ known: z.literal(false), why: z.string() })]);
const texts = z.record(z.string(), z.string());
const role = z.object({ name: z.string(), arn: z.string(), trust: z.string(), boundary: z.string().optional(), attached: z.array(z.string()), inline: texts.optional() });

const pair = z.object({
  account: z.string().regex(/^\d{12}$/),
  region: z.string(),
  environment: z.string().optional(),
  qualifier: z.string(),
  toolkitStackName: z.string(),
  identity: known(z.string()),
  optIn: known(z.string()),
  toolkit: known(z.object({ stackName: z.string().optional(), status: z.string(), version: z.number(), parameters: texts, terminationProtection: z.boolean(), template: z.string().optional() }).nullable()),
  version: known(z.number().nullable()),
  roles: known(z.record(z.string(), role.nullable())),
  policies: known(texts),
  inertBoundaries: known(z.array(z.string())),
  bucket: known(z.object({ name: z.string(), own: z.boolean(), policy: z.string().nullable(), key: z.object({ id: z.string(), state: z.string(), policy: z.string().nullable() }).optional() }).nullable()),
  repository: known(z.object({ name: z.string(), policy: z.string().nullable() }).nullable()),
  stacks: known(z.array(z.object({ name: z.string(), status: z.string(), template: z.string().optional(), parameters: texts.optional() }))),
  stackLimit: known(z.number()),
  pipelines: known(z.array(z.object({ name: z.string(), policies: texts }))),
  connections: known(z.array(z.object({ arn: z.string(), name: z.string(), status: z.string() }))),
  secrets: known(z.record(z.string(), z.boolean())),
  quotas: known(z.array(z.object({ service: z.string(), code: z.string(), name: z.string(), value: z.number() }))),
  controlPolicies: known(z.array(z.object({ name: z.string(), document: z.string(), target: z.string().optional() }))),
  exports: known(z.array(z.object({ name: z.string(), value: z.string(), stack: z.string() }))).optional(),
});

const record = z.object({ type: z.literal('flotilla-accounts'), schema: z.literal('1.0'), at: z.string(), fleet: z.string(), target: z.enum(['LOCAL', 'AWS']), pairs: z.array(pair) });

/** Writes a record; it is the owner's alone, for it says how accounts can be entered. */
export function writeRecord(file: string, content: Omit<AccountsRecord, 'type' | 'schema'>): void {
  writeFileSync(file, `${JSON.stringify({ type: 'flotilla-accounts', schema: '1.0', ...content }, null, 2)}\n`, { mode: 0o600 });
}

/** Reads a record. Raises REH001 where it isn't there, REH002 where it is none. */
export function readRecord(file: string): AccountsRecord {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FlotillaError('REH001', `there is no record ${file}`, { fix: `flotilla doctor --save ${file}`, exitCode: 2, cause: error });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new FlotillaError('REH002', `${file} is no record of accounts`, { why: 'it is no JSON', fix: `flotilla doctor --save ${file}`, exitCode: 2, cause: error });
  }
  const parsed = record.safeParse(content);
  if (parsed.success) return parsed.data as unknown as AccountsRecord;
  const problem = parsed.error.issues[0];
  throw new FlotillaError('REH002', `${file} is no record of accounts`, { where: problem?.path.join('.'), why: problem?.message, fix: `write it anew: flotilla doctor --save ${file}`, exitCode: 2 });
}
