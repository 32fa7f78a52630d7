import { CloudFormationClient, CreateChangeSetCommand, DeleteChangeSetCommand, DeleteStackCommand, DescribeChangeSetCommand, ExecuteChangeSetCommand, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { FlotillaError } from '../../shared/errors.js';
import { each, type Limiter } from '../concurrency.js';
import { explained } from '../explain/explain.js';
import type { Emit } from '../events.js';
import { placeOf, type FleetPair } from '../fleet/fleet.js';
import { describeStack, failedResources, stackEnd, until } from '../stacks.js';
import { clientOf, type Target } from '../target.js';
import { planBootstrap, type BootstrapPlan, type PlanOptions } from './plan.js';
import { standingBootstrap } from './standing.js';
import type { BootstrapTemplate } from './template.js';

export interface PairFailure {
  readonly pair: FleetPair;
  readonly error: FlotillaError;
}

/** Plans every pair, in parallel and read-only. A pair that can't be read is refused with the reason. */
export function planBootstraps(target: Target, pairs: readonly FleetPair[], template: BootstrapTemplate, options: PlanOptions, limit: Limiter): Promise<BootstrapPlan[]> {
  return each(limit, pairs, async (pair) => {
    try {
      return planBootstrap(pair, await standingBootstrap(target, pair), template, options);
    } catch (error) {
      const refusal = explained(error, `read the bootstrap of ${placeOf(pair)}`, { local: target.kind === 'LOCAL', place: placeOf(pair), region: pair.region });
      return { pair, stackName: pair.bootstrap.toolkitStackName ?? 'CDKToolkit', action: 'refuse' as const, changes: [], kept: [], refusal, parameters: {}, tags: {}, terminationProtection: undefined };
    }
  });
}

/** Carries out every plan that changes something; a pair that fails keeps no other from its end. */
export async function applyBootstraps(target: Target, plans: readonly BootstrapPlan[], template: BootstrapTemplate, limit: Limiter, emit: Emit, signal?: AbortSignal): Promise<PairFailure[]> {
  const failures: PairFailure[] = [];
  const work = plans.filter(({ action }) => action !== 'none' && action !== 'refuse');
  await each(limit, work, async (plan) => {
    const name = `bootstrap ${placeOf(plan.pair)}`;
    const start = performance.now();
    emit({ type: 'step', name, status: 'started' });
    try {
      await apply(target, plan, template, signal);
      emit({ type: 'step', name, status: 'succeeded', seconds: (performance.now() - start) / 1000, detail: plan.changes[0]?.text ?? '' });
    } catch (error) {
      const failure = explained(error, `bootstrap ${placeOf(plan.pair)}`, { local: target.kind === 'LOCAL', place: placeOf(plan.pair), region: plan.pair.region });
      failures.push({ pair: plan.pair, error: failure });
      emit({ type: 'step', name, status: 'failed', seconds: (performance.now() - start) / 1000, detail: failure.message });
    }
  });
  return failures;
}

async function apply(target: Target, plan: BootstrapPlan, template: BootstrapTemplate, signal: AbortSignal | undefined): Promise<void> {
  const { pair, stackName } = plan;
  const client = await clientOf(target, CloudFormationClient, pair.account, pair.region);
  if (plan.action === 'recreate') await remove(target, plan, client, signal);
  await deploy(target, plan, template, client, signal);
  if (plan.terminationProtection !== undefined) await client.send(new UpdateTerminationProtectionCommand({ StackName: stackName, EnableTerminationProtection: plan.terminationProtection }));
}

async function remove(target: Target, { pair, stackName }: BootstrapPlan, client: CloudFormationClient, signal: AbortSignal | undefined): Promise<void> {
  const id = (await describeStack(target, { ...pair, stackName }))?.StackId;
  await client.send(new DeleteStackCommand({ StackName: stackName }));
  const status = await stackEnd(target, { ...pair, stackName: id ?? stackName }, signal);
  if (status !== 'DELETE_COMPLETE') throw new FlotillaError('BST010', `the failed stack ${stackName} can't be removed`, { why: (await failedResources(target, { ...pair, stackName: id ?? stackName })).join('\n') || status, exitCode: 4 });
}

/** As the CDK CLI does: a change set that takes over what a bootstrap before it left behind (the asset bucket is retained). */
async function deploy(target: Target, plan: BootstrapPlan, template: BootstrapTemplate, client: CloudFormationClient, signal: AbortSignal | undefined): Promise<void> {
  const { pair, stackName, parameters, tags } = plan;
  const ChangeSetName = `flotilla-bootstrap-${Date.now()}`;
  const created = await client.send(
    new CreateChangeSetCommand({
      StackName: stackName,
      ChangeSetName,
      ChangeSetType: plan.action === 'update' ? 'UPDATE' : 'CREATE',
      TemplateBody: template.body,
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      ImportExistingResources: true,
    }),
  );
  const StackName = created.StackId ?? stackName;
  const change = await until(target, async () => {
    const described = await client.send(new DescribeChangeSetCommand({ StackName, ChangeSetName }));
    return /^(CREATE_COMPLETE|FAILED)$/.test(described.Status ?? '') ? described : undefined;
  }, signal);
  if (change.Status === 'FAILED') {
    await client.send(new DeleteChangeSetCommand({ StackName, ChangeSetName }));
    // Only tags or termination protection differ in ways no resource shows.
    if (/didn't contain changes|No updates are to be performed/.test(change.StatusReason ?? '')) return;
    throw new FlotillaError('BST010', `the change set of ${stackName} can't be made`, { why: change.StatusReason, where: placeOf(pair), exitCode: 4 });
  }
  await client.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName }));
  const status = await stackEnd(target, { ...pair, stackName: StackName }, signal);
  if (/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return;
  const reasons = await failedResources(target, { ...pair, stackName: StackName });
  throw new FlotillaError('BST010', `the bootstrap of ${placeOf(pair)} failed: ${stackName} is in ${status}`, { why: reasons.join('\n') || undefined, fix: 'correct the cause and run bootstrap again: what stands is left, a stack in ROLLBACK_COMPLETE is replaced', exitCode: 4 });
}
