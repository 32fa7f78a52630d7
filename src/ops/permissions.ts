import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { broadenings, resolveTemplate, type Broadening, type Template, type TemplateResource } from '../permissions/index.js';
import { FlotillaError } from '../shared/errors.js';
import { each, limiter } from './concurrency.js';
import type { AssemblyModel, AssemblyStack } from './run/assembly.js';
import type { ClientSettings } from './target.js';

export interface StackBroadenings {
  readonly stack: string;
  readonly account: string;
  readonly region: string;
  readonly broadened: readonly Broadening[];
}

/** Settings of a client that may read a stack's account. */
export type Reader = (stack: AssemblyStack) => Promise<ClientSettings>;

/**
 * What a deployment of these stacks would allow that is not allowed today: their templates against those that are deployed, parameters
 * and nested stacks included. Raises PRM001 where a deployed stack can't be read: what can't be decided is not approved.
 */
export async function permissionChanges(assembly: AssemblyModel, stacks: readonly AssemblyStack[], read: Reader): Promise<StackBroadenings[]> {
  const accounts = [...new Set(assembly.stacks.map(({ account }) => account))];
  return each(limiter(), stacks, async (stack) => {
    const { stackName, account, region } = stack;
    const client = new CloudFormationClient(await read(stack).catch((cause: unknown) => unreadable(stack, cause)));
    try {
      const before = await deployed(client, stackName, stack, '').catch((cause: unknown) => unreadable(stack, cause));
      return { stack: stackName, account, region, broadened: broadenings({ before, after: synthesized(stack, stack.templateFile, {}, ''), accounts }) };
    } finally {
      client.destroy();
    }
  });
}

/** SHA-256 over the templates that were judged: what an approval is about. */
export function digestOf(stacks: readonly AssemblyStack[]): string {
  const hash = createHash('sha256');
  for (const { templateFile } of stacks.toSorted((a, b) => (a.path < b.path ? -1 : 1))) hash.update(readFileSync(templateFile));
  return hash.digest('hex');
}

type Resources = Readonly<Record<string, TemplateResource>>;

/** Resources of a deployed stack and of the stacks nested in it; none where it doesn't exist. */
async function deployed(client: CloudFormationClient, StackName: string, stack: AssemblyStack, prefix: string): Promise<Resources> {
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName })).catch((error: unknown) => {
    if (error instanceof Error && /does not exist/.test(error.message)) return { Stacks: [] };
    throw error;
  });
  const [found] = Stacks;
  if (!found || found.StackStatus === 'REVIEW_IN_PROGRESS') return {};
  const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName, TemplateStage: 'Processed' }));
  const parameters = Object.fromEntries((found.Parameters ?? []).map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]));
  const resources = resolveTemplate(parse(TemplateBody, { logLevel: 'silent' }) as Template, { account: stack.account, region: stack.region, stackName: stack.stackName, parameters });
  const nested = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::CloudFormation::Stack');
  if (nested.length === 0) return prefixed(resources, prefix);
  const ids = new Map<string, string | undefined>();
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName })) for (const { LogicalResourceId = '', PhysicalResourceId } of StackResourceSummaries) ids.set(LogicalResourceId, PhysicalResourceId);
  const children = await Promise.all(
    nested.map(async ([id]) => {
      const child = ids.get(id);
      return child ? deployed(client, child, stack, `${prefix}${id}`) : {};
    }),
  );
  return Object.assign({}, prefixed(resources, prefix), ...children) as Resources;
}

/** Resources of a template in the assembly and of the templates of its nested stacks, which lie beside it as assets. */
function synthesized(stack: AssemblyStack, file: string, parameters: Readonly<Record<string, string>>, prefix: string): Resources {
  const template = JSON.parse(readFileSync(file, 'utf8')) as Template;
  const resources = resolveTemplate(template, { account: stack.account, region: stack.region, stackName: stack.stackName, parameters });
  const children = Object.entries(resources).flatMap(([id, { Type, Metadata, Properties }]) => {
    const asset = Metadata?.['aws:asset:path'];
    if (Type !== 'AWS::CloudFormation::Stack' || typeof asset !== 'string' || !existsSync(join(dirname(file), asset))) return [];
    const given = Object.fromEntries(Object.entries((Properties?.['Parameters'] ?? {}) as Record<string, unknown>).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && !entry[1].includes('${')));
    return [synthesized(stack, join(dirname(file), asset), given, `${prefix}${id}`)];
  });
  return Object.assign({}, prefixed(resources, prefix), ...children) as Resources;
}

function prefixed(resources: Resources, prefix: string): Resources {
  return prefix === '' ? resources : Object.fromEntries(Object.entries(resources).map(([id, resource]) => [`${prefix}${id}`, resource]));
}

function unreadable({ stackName, account, region }: AssemblyStack, cause: unknown): never {
  throw new FlotillaError('PRM001', `what stack ${stackName} has in ${account}/${region} can't be read`, {
    why: cause instanceof Error ? cause.message : String(cause),
    fix: `npx cdk bootstrap aws://${account}/${region}, or let the lookup role read CloudFormation there`,
    cause,
  });
}
