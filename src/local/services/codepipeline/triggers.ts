import { createHash } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as CodePipeline from '../../models/types/codepipeline.js';
import type { PipelineRecord } from '../../pipeline/execution.js';
import { globMatches } from '../../../shared/glob.js';
import { startedPipelines } from '../../pipeline/store.js';
import { table } from '../../state/state.js';
import { pipelineOf } from './definitions.js';
import { engineOf } from './engine.js';

interface StoredWebhook {
  readonly definition: CodePipeline.WebhookDefinition;
  readonly registered: boolean;
}

const webhooks = table<StoredWebhook>('codepipeline', 'webhooks');

interface Change {
  readonly provider: 'CodeCommit' | 'outside';
  readonly repository: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly commit: string;
  readonly paths?: readonly string[];
  /** CodeCommit repositories belong to an account. */
  readonly account?: string;
}

/**
 * A repository changed: pipelines that watch it themselves start. CodeCommit and S3 sources that poll, connections that detect changes
 * or have triggers, GitHub sources that poll or have a registered webhook; the others are started by their EventBridge rules.
 */
export function sourceChanged(input: Change, context: RequestContext): Record<string, never> {
  const engine = engineOf(context);
  for (const { account, region, name } of startedPipelines(context.state)) {
    if (input.account !== undefined && account !== input.account) continue;
    const pipeline = engine.store(account, region).pipeline(name);
    const trigger = pipeline && triggerOf(pipeline, input, context);
    if (trigger) engine.start(pipeline, { trigger, variables: Object.fromEntries((pipeline.declaration.variables ?? []).filter(({ defaultValue }) => defaultValue !== undefined).map((variable) => [variable.name, variable.defaultValue!])) });
  }
  return {};
}

function triggerOf(pipeline: PipelineRecord, change: Change, context: RequestContext): { triggerType: string; triggerDetail: string } | undefined {
  for (const action of pipeline.declaration.stages[0]!.actions) {
    const configuration = action.configuration ?? {};
    const { provider } = action.actionTypeId;
    if (provider === 'CodeCommit' && change.provider === 'CodeCommit' && configuration['RepositoryName'] === change.repository && configuration['BranchName'] === change.branch) {
      if (configuration['PollForSourceChanges'] !== 'false') return { triggerType: 'PollForSourceChanges', triggerDetail: action.name };
    }
    if (change.provider !== 'outside') continue;
    if (provider === 'CodeStarSourceConnection' && configuration['FullRepositoryId']?.toLowerCase() === change.repository.toLowerCase()) {
      const filters = (pipeline.declaration.triggers ?? []).filter(({ gitConfiguration }) => gitConfiguration.sourceActionName === action.name);
      const detail = { triggerType: 'WebhookV2', triggerDetail: JSON.stringify({ isCurrentVersion: true, FullRepositoryName: change.repository, CommitId: change.commit, BranchName: change.branch, TagName: change.tag, ConnectionArn: configuration['ConnectionArn'] }) };
      if (filters.length > 0) {
        if (filters.some(({ gitConfiguration }) => (gitConfiguration.push ?? []).some((filter) => pushMatches(filter, change)))) return detail;
      } else if (configuration['DetectChanges'] !== 'false' && configuration['BranchName'] === change.branch) return detail;
    }
    if (provider === 'GitHub' && `${configuration['Owner']}/${configuration['Repo']}`.toLowerCase() === change.repository.toLowerCase() && configuration['Branch'] === change.branch) {
      if (configuration['PollForSourceChanges'] !== 'false') return { triggerType: 'PollForSourceChanges', triggerDetail: action.name };
      const hook = webhooks(context.state, pipeline.account, pipeline.region).list().find(({ definition, registered }) => registered && definition.targetPipeline === pipeline.name && definition.targetAction === action.name);
      if (hook) return { triggerType: 'Webhook', triggerDetail: hook.definition.name };
    }
  }
  return undefined;
}

/** User guide, "Filter triggers on code push": excludes win, a filter's kinds must all hold. */
export function pushMatches(filter: CodePipeline.GitPushFilter, change: Change): boolean {
  const names = (criteria: { includes?: string[]; excludes?: string[] } | undefined, value: string | undefined): boolean => {
    if (!criteria) return true;
    if (value === undefined) return false;
    if ((criteria.excludes ?? []).some((pattern) => globMatches(pattern, value))) return false;
    return criteria.includes === undefined || criteria.includes.some((pattern) => globMatches(pattern, value));
  };
  if (filter.tags) return names(filter.tags, change.tag);
  if (change.branch === undefined || !names(filter.branches, change.branch)) return false;
  const { filePaths } = filter;
  return !filePaths || (change.paths ?? []).some((path) => names(filePaths, path));
}

export function putWebhook(input: CodePipeline.PutWebhookInput, context: RequestContext): CodePipeline.PutWebhookOutput {
  const { webhook } = input;
  const pipeline = pipelineOf(webhook.targetPipeline, context);
  if (!pipeline.declaration.stages.some(({ actions }) => actions.some(({ name }) => name === webhook.targetAction)))
    throw new AwsError('InvalidWebhookFilterPatternException', `Action '${webhook.targetAction}' is not in pipeline '${webhook.targetPipeline}'`, { status: 400 });
  const all = webhooks(context.state, context.account, context.region);
  const stored: StoredWebhook = { definition: webhook, registered: all.get(webhook.name)?.registered ?? false };
  all.put(webhook.name, stored);
  return { webhook: listed(stored, context) };
}

function listed({ definition }: StoredWebhook, context: RequestContext): CodePipeline.ListWebhookItem {
  const id = createHash('sha256').update(`${context.account}/${definition.name}`).digest('hex').slice(0, 32);
  return {
    definition: { ...definition, authenticationConfiguration: definition.authenticationConfiguration.SecretToken ? { ...definition.authenticationConfiguration, SecretToken: '****' } : definition.authenticationConfiguration },
    url: `https://${context.region}.webhooks.aws/trigger?t=${id}&v=1`,
    arn: `arn:aws:codepipeline:${context.region}:${context.account}:webhook:${definition.name}`,
  };
}

export function registerWebhook(input: { webhookName?: string }, context: RequestContext, registered: boolean): Record<string, never> {
  const all = webhooks(context.state, context.account, context.region);
  const stored = all.get(input.webhookName ?? '');
  if (!stored) throw new AwsError('WebhookNotFoundException', `No webhook named '${input.webhookName}' could be found`, { status: 400 });
  all.put(stored.definition.name, { ...stored, registered });
  return {};
}

export function listWebhooks(_input: unknown, context: RequestContext): CodePipeline.ListWebhooksOutput {
  return { webhooks: webhooks(context.state, context.account, context.region).list().map((stored) => listed(stored, context)) };
}

export function deleteWebhook(input: { name: string }, context: RequestContext): Record<string, never> {
  webhooks(context.state, context.account, context.region).delete(input.name);
  return {};
}
