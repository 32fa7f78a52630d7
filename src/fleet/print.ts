import type { Cost, CostAssumptions } from './cost.js';
import type { Change } from './delta.js';
import type { BootstrapPair, Fleet, Pipeline, Target, Wave } from './model.js';
import { FREE_TIER, PRICES, PRICES_OF } from './prices.js';
import { QUOTAS, type QuotaUse } from './quotas.js';

/** A fleet as text: pipelines with their waves, gates and targets, and the bootstrap matrix. */
export function printFleet(fleet: Fleet): string {
  return [`fleet ${fleet.name}${tagsText(fleet.tags)}`, ...fleet.pipelines.map(printPipeline), printBootstrap(fleet.bootstrap)].join('\n\n');
}

export function printQuotas(uses: readonly QuotaUse[]): string {
  const rows = uses.map(({ quota, pipeline, stage, used, limit }) => [quota, `${used} of ${limit}`, `${Math.round((used / limit) * 100)} %${used > limit ? '  BEYOND' : used >= limit * 0.8 ? '  near' : ''}`, `${pipeline}${stage === undefined ? '' : `/${stage}`}`, QUOTAS[quota].what]);
  return ['quotas', ...table(rows)].join('\n');
}

export function printCost(cost: Cost, assumptions: CostAssumptions): string {
  const rows = cost.items.map(({ what, quantity, unit, dollars, price }) => [what, `${quantity} ${unit}`, `$${PRICES[price].dollars} / ${PRICES[price].per}`, `$${dollars.toFixed(2)}`]);
  const { runs, buildMinutes, deployMinutes, stacks, artifactMegabytes } = assumptions;
  return [
    `cost of the pipelines   $${cost.dollars.toFixed(2)} a month`,
    ...table(rows),
    `  assumed: ${runs} runs a month, ${buildMinutes} min a build, ${deployMinutes} min a stack, ${stacks} stack${stacks === 1 ? '' : 's'} a target, ${artifactMegabytes} MB of artifacts a run`,
    `  prices of ${PRICES_OF}, us-east-1; not counted: what is free each month (${FREE_TIER}), what is deployed, taxes`,
  ].join('\n');
}

export function printChanges(changes: readonly Change[], since: string): string {
  if (changes.length === 0) return `no change since ${since}`;
  const mark = { add: '+', remove: '-', change: '~', danger: '!' } as const;
  return [`changes since ${since}`, ...changes.flatMap(({ kind, what, why }) => [`  ${mark[kind]} ${what}`, ...(why === undefined ? [] : [`      ${why}`])])].join('\n');
}

function printPipeline(pipeline: Pipeline): string {
  const { name, account, region, type, executionMode, stackId } = pipeline;
  const source = [sourceText(pipeline.source), ...Object.entries(pipeline.inputs).map(([folder, input]) => `${folder}: ${sourceText(input)}`)];
  return [`pipeline ${name}   ${account}/${region}   ${type} ${executionMode}   stack ${stackId}`, `  source  ${source.join(', ')}`, `  synth   ${[...(pipeline.synth.install ?? []), ...pipeline.synth.commands].join(' · ')}`, ...pipeline.waves.flatMap(waveLines)].join('\n');
}

function waveLines(wave: Wave): string[] {
  return [
    `  ▸ ${wave.id}`,
    ...wave.approvals.map(({ name, timeout }) => `      ⏸ ${name}${timeout === undefined ? '' : ` (expires after ${timeout} min)`}`),
    ...wave.before.map((step) => `      ◦ ${step.name}: ${step.commands.join(' · ')}`),
    ...wave.targets.flatMap(targetLines),
  ];
}

function targetLines(target: Target): string[] {
  const regions = target.regionsIn === 'stacks' ? `{${target.regionOrder.map((group) => group.join(', ')).join(' → ')}}` : target.regions[0]!.region;
  const templates = target.templates.length === 0 ? '' : `   templates ${target.templates.map(({ name }) => name).join(', ')}`;
  return [
    `      ${target.stageId}   ${target.account}/${regions}${templates}${target.terminationProtection ? '   protected' : ''}`,
    ...(target.permissions === undefined ? [] : [`        ⏸ broadened permissions ${target.permissions.approve ? 'wait for a person' : 'are notified'}`]),
    ...target.verify.map((step) => `        ✓ ${step.name}: ${step.commands.join(' · ')}`),
  ];
}

function printBootstrap(pairs: readonly BootstrapPair[]): string {
  const rows = pairs.map(({ account, region, qualifier, toolkitStackName, trust, usedBy, executionPolicies }) => [`${account}/${region}`, qualifier, toolkitStackName, trust.length === 0 ? '' : `trusts ${trust.join(', ')}`, executionPolicies === undefined ? '' : executionPolicies.map((arn) => arn.split('/').at(-1)).join(', '), usedBy.join(', ')]);
  return ['bootstrap', ...table(rows)].join('\n');
}

function sourceText(source: Pipeline['source']): string {
  const [provider, where] = Object.entries(source).find(([key]) => ['codecommit', 'github', 'bitbucket', 'gitlab', 's3', 'ecr'].includes(key))!;
  const at = 'branch' in source ? `@${source.branch}` : 'key' in source ? `/${source.key}` : `:${source.tag}`;
  return `${provider} ${String(where)}${at}${'paths' in source && source.paths !== undefined ? ` (${source.paths.join(', ')})` : ''}`;
}

function tagsText(tags: Fleet['tags']): string {
  const entries = Object.entries(tags);
  return entries.length === 0 ? '' : `   ${entries.map(([key, value]) => `${key}=${value}`).join(' ')}`;
}

/** Columns as wide as their widest cell; columns without any cell are left out. */
function table(rows: readonly (readonly string[])[]): string[] {
  const columns = (rows[0] ?? []).map((_, column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.flatMap((cell, column) => (columns[column] === 0 ? [] : [cell.padEnd(columns[column]!)])).join('   ')}`.trimEnd());
}
