import { z } from 'zod';

/** The form of what commands print with `--output json`, behind the first record. A minor version only adds: other properties may be there. */

const text = z.string();
const account = z.string().regex(/^\d{12}$/);
const time = z.iso.datetime();
const stamp = { target: z.enum(['LOCAL', 'AWS']), identity: z.looseObject({ account, arn: text }).optional() };
const place = { account, region: text };
const pipeline = z.looseObject({ ...place, name: text });
const problem = z.looseObject({ code: text, message: text, why: text.optional(), fix: text.optional() });
const resource = z.looseObject({ logicalId: text, type: text, certain: z.boolean() });
/** What a template would change; with `changed: false` the rest is absent. */
const change = { changed: z.boolean(), adds: z.array(resource).optional(), updates: z.array(z.looseObject({ logicalId: text, type: text, properties: z.array(z.looseObject({ name: text, from: text.optional(), to: text.optional() })) })).optional(), isNew: z.boolean().optional(), replaced: z.array(resource).optional(), deleted: z.array(resource).optional(), orphaned: z.array(resource).optional(), broadened: z.array(text).optional(), added: z.number().optional(), updated: z.number().optional() };
const item = z.looseObject({ kind: z.enum(['stack', 'bucket', 'key', 'log group', 'repository']), ...place, name: text });
const retained = z.looseObject({ ...place, stack: text, type: text, name: text, data: text.optional() });
const obstacle = z.looseObject({ key: text, what: text, fix: text });
const failure = z.looseObject({ key: text, code: text, message: text });
const finding = z.looseObject({ code: text, severity: z.enum(['error', 'warning', 'note']), place: text, what: text, why: text, fix: text });

const row = z.looseObject({
  stage: text,
  ...place,
  stacks: z.array(text),
  live: text.optional(),
  since: time.optional(),
  state: z.enum(['deployed', 'deploying', 'failed', 'waiting', 'never']),
  detail: text.optional(),
  behind: z.number().optional(),
  unreadBefore: time.optional(),
  gate: z.looseObject({ action: text, execution: text, commit: text.optional(), since: time.optional(), expires: time.optional() }).optional(),
  held: z.looseObject({ state: z.enum(['as deployed', 'changed', 'missing', 'failed', 'unknown', 'nothing']), detail: text.optional() }).optional(),
});

/** Whose a commit is; `at` is ISO 8601, empty where it isn't known. */
const commit = z.looseObject({ id: text, author: text, subject: text, at: text });

const decision = z.looseObject({
  ...stamp,
  pipeline,
  gate: z.looseObject({ stage: text, action: text, since: time.optional(), expires: time.optional() }),
  commit: z.union([text, commit]).optional(),
  live: text.optional(),
  behind: text.optional(),
  changes: z.array(z.looseObject({ ...place, stackName: text, stage: text, ...change })),
  unknown: text.optional(),
  decision: z.enum(['approve', 'reject']).nullable(),
});

const hold = z.looseObject({ stage: text, reason: text, by: text, at: time.optional() });
/** With `dryRun` nothing was done: the rest is what would be. */
const steered = { ...stamp, pipeline, dryRun: z.boolean() };
const transition = z.looseObject({ ...steered, stage: text, held: z.boolean(), reason: text.optional(), before: hold.optional() });

const whereReport = z.looseObject({ pipeline, head: text.optional(), headSummary: text.optional(), headStatus: text.optional(), rows: z.array(row), commits: z.array(commit).optional(), latest: z.looseObject({ execution: text, status: text, commit: text.optional(), stage: text.optional() }).optional(), heldStages: z.array(hold) });

/** A mistake of a fleet file, or what looks like one. */
const mistake = z.looseObject({ code: text, path: text, message: text, where: text.optional(), frame: text.optional(), why: text.optional(), fix: text.optional() });
const explained = z.looseObject({ code: text, title: text, text, wrong: text.optional(), right: text.optional() });

/** The model of a fleet, with every default filled in. */
const fleet = z.looseObject({
  name: text,
  tags: z.record(text, text),
  pipelines: z.array(z.looseObject({ stackId: text, name: text, ...place, waves: z.array(z.looseObject({ id: text, targets: z.array(z.looseObject({ stageId: text, environment: text, account, regions: z.array(z.looseObject({ region: text })) })) })) })),
  bootstrap: z.array(z.looseObject({ ...place, qualifier: text, toolkitStackName: text, trust: z.array(text), usedBy: z.array(text) })),
  quotas: z.record(text, z.number()),
});

const known = z.looseObject({ id: account, name: text, region: text });
const cloud = { target: z.literal('LOCAL'), endpoint: z.url(), pid: z.int(), directory: text };

/** By command. */
const OUTPUTS = {
  init: z.looseObject({ type: z.literal('init'), template: text, folder: text, name: text, account, files: z.array(text), next: z.array(text) }),
  validate: z.looseObject({
    type: z.literal('validation'),
    file: text,
    valid: z.literal(true),
    warnings: z.array(mistake),
    ...Object.fromEntries(['pipelines', 'waves', 'targets', 'accounts', 'regions'].map((name) => [name, z.int()])),
    synth: z.looseObject({ stacks: z.int(), pipelines: z.array(text), differences: z.array(z.looseObject({ stack: text, pipeline: z.boolean(), path: text, first: z.unknown(), second: z.unknown(), why: text })) }).optional(),
  }),
  plan: z.looseObject({
    type: z.literal('plan'),
    file: text,
    fleet,
    quotas: z.array(z.looseObject({ quota: text, pipeline: text, stage: text.optional(), used: z.number(), limit: z.number() })),
    cost: z.looseObject({ dollars: z.number(), items: z.array(z.looseObject({ what: text, quantity: z.number(), unit: text, dollars: z.number(), price: text })) }),
    assumptions: z.looseObject({ runs: z.number(), buildMinutes: z.number(), deployMinutes: z.number(), stacks: z.number(), artifactMegabytes: z.number() }),
    since: z.looseObject({ name: text, changes: z.array(z.looseObject({ kind: z.enum(['add', 'remove', 'change', 'danger']), what: text, why: text.optional() })), quotas: z.array(z.looseObject({ quota: text, pipeline: text, before: z.number(), after: z.number() })), dollars: z.number() }).optional(),
    warnings: z.array(mistake),
  }),
  explain: z.union([z.looseObject({ type: z.literal('codes'), codes: z.array(explained) }), explained.extend({ type: z.literal('explanation') })]),
  'cloud start': z.looseObject({ ...cloud, started: z.boolean(), accounts: z.array(known) }),
  'cloud stop': z.looseObject({ stopped: z.boolean() }),
  'cloud status': z.looseObject({ ...cloud, uptime: z.number(), memory: z.number(), requests: z.number(), services: z.array(z.looseObject({ name: text, operations: z.int() })), accounts: z.array(known) }),
  'cloud env': z.looseObject({ target: z.literal('LOCAL'), AWS_ENDPOINT_URL: z.url(), AWS_CONFIG_FILE: text, AWS_SHARED_CREDENTIALS_FILE: text, AWS_PROFILE: text.optional(), AWS_REGION: text.optional() }),
  'cloud reset': z.looseObject({ reset: z.literal(true), stopped: z.boolean() }),
  'cloud inbox': z.array(z.looseObject({ at: time, channel: text, to: text, from: text, subject: text.optional(), body: text })),
  'cloud dump': z.array(z.looseObject({ key: z.array(z.union([text, z.number()])), value: z.unknown() })),
  'cloud why': z.looseObject({ requestId: text, at: time, text }),
  'cloud scp': z.looseObject({ account: text, policies: z.array(text) }),
  'cloud organization': z.looseObject({ id: text, management: account }),
  bootstrap: z.looseObject({
    ...stamp,
    template: z.number(),
    applied: z.boolean(),
    pairs: z.array(z.looseObject({ ...place, qualifier: text, stackName: text, action: z.enum(['create', 'recreate', 'update', 'none', 'refuse']), changes: z.array(z.looseObject({ kind: z.enum(['new', 'upgrade', 'widens', 'drops', 'changes']), text })), kept: z.array(text), refusal: problem.optional(), failure: problem.optional() })),
  }),
  doctor: z.looseObject({ ...stamp, fleet: text, pairs: z.array(z.looseObject({ ...place, qualifier: text, version: z.number().nullable(), findings: z.array(finding), unknown: z.array(z.looseObject({ fact: text, why: text })) })), general: z.array(finding), fixed: z.array(z.looseObject({ code: text, place: text, error: problem.optional() })), saved: text.optional() }),
  where: z.looseObject({ ...stamp, pipelines: z.array(whereReport), commit: z.looseObject({ commit: text, stages: z.array(z.looseObject({ pipeline: text, stage: text, there: z.number(), of: z.number() })) }).optional() }),
  diff: z.looseObject({ ...stamp, stacks: z.array(z.looseObject({ ...place, stackName: text, stage: text.optional(), kind: z.enum(['application', 'pipeline', 'support']), unknown: text.optional(), byHand: z.array(text), ...change, changed: z.boolean().optional() })), regionsDiffer: z.array(z.array(text)) }),
  deploy: z.looseObject({ ...stamp, fleet: text, stacks: z.array(z.looseObject({ ...place, stackName: text, ...change })), deployed: z.boolean(), pipelines: z.array(pipeline) }),
  approve: decision,
  reject: decision,
  logs: z.looseObject({ ...stamp, pipeline, execution: text, lines: z.array(z.looseObject({ source: text, line: text })), failures: z.array(z.looseObject({ stage: text, action: text, message: text })) }),
  retry: z.looseObject({ ...steered, stage: text, execution: text, mode: z.enum(['ALL_ACTIONS', 'FAILED_ACTIONS']), why: text, status: text.optional() }),
  stop: z.looseObject({ ...steered, execution: text, abandoned: z.boolean() }),
  hold: transition,
  resume: transition,
  release: z.looseObject({ ...steered, execution: text.optional(), sources: z.array(z.looseObject({ action: text, type: z.enum(['COMMIT_ID', 'S3_OBJECT_VERSION_ID', 'S3_OBJECT_KEY', 'IMAGE_DIGEST']).optional(), revision: text.optional() })), status: text.optional() }),
  prune: z.looseObject({ ...stamp, items: z.array(item), retained: z.array(retained), obstacles: z.array(obstacle), deleted: z.array(text), failures: z.array(failure).optional() }),
  destroy: z.looseObject({ ...stamp, fleet: text, items: z.array(item), retained: z.array(retained), obstacles: z.array(obstacle), deleted: z.array(text).optional(), failures: z.array(failure).optional(), left: z.array(text).optional() }),
  run: z.looseObject({
    target: z.literal('LOCAL'),
    commit: z.looseObject({ id: text }),
    pipelines: z.array(z.looseObject({ ...place, name: text, execution: text, status: text, waiting: z.array(z.looseObject({ stage: text, action: text })), failures: z.array(z.looseObject({ stage: text, action: text, message: text })) })),
    where: z.array(whereReport),
    accounts: z.array(z.looseObject({ ...place, known: z.array(text), assumed: z.array(text) })).optional(),
  }),
} as const;

/** What commands about a fleet file print instead when it has mistakes: each of them. */
const problems = z.looseObject({ type: z.literal('problems'), problems: z.array(mistake) });

/** What a command prints instead when it fails. */
const error = z.looseObject({ type: z.literal('error'), code: text, message: text, where: text.optional(), why: text.optional(), fix: text.optional() });

/** JSON schema of the outputs: `$defs` by command, `problems` and `error`. */
export function outputSchema(): Readonly<Record<string, unknown>> {
  const definitions = Object.entries({ ...OUTPUTS, problems, error }).map(([name, schema]) => {
    const { $schema: _, ...body } = z.toJSONSchema(schema, { target: 'draft-7' }) as Record<string, unknown>;
    return [name, body];
  });
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Output of flotilla --output json, schema 1.0', $defs: Object.fromEntries(definitions) };
}
