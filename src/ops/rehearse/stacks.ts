import { CloudFormationClient, CreateChangeSetCommand, CreateStackCommand, DeleteStackCommand, ListExportsCommand } from '@aws-sdk/client-cloudformation';
import type { PairFacts, StackFacts } from '../doctor/facts.js';
import type { OperatedFleet } from '../fleet/fleet.js';
import { failedResources, stackEnd } from '../stacks.js';
import { clientOf, type Target } from '../target.js';

/** Stands for what was exported; a handle costs nothing and does nothing. */
const NOTHING = { Nothing: { Type: 'AWS::CloudFormation::WaitConditionHandle' } };

/** Stacks of the fleet with the templates they had, the states they were stuck in, and the values that stacks of others export. */
export async function restoreStacks(target: Target, facts: PairFacts, fleet: OperatedFleet, known: string[], assumed: string[]): Promise<void> {
  const { account, region, stacks, exports } = facts;
  if (!stacks.known) {
    assumed.push(`none of the fleet’s stacks stands (${stacks.why})`);
    return;
  }
  const own = new Map(fleet.stacks.filter((stack) => stack.account === account && stack.region === region).map((stack) => [stack.stackName, stack]));
  const mine = stacks.value.filter(({ name }) => own.has(name));
  const client = await clientOf(target, CloudFormationClient, account, region);
  const restored = new Set<string>();
  if (exports?.known) await restoreExports(client, exports.value.filter(({ stack }) => !own.has(stack)), target, facts, known);
  else assumed.push(`no stack exports a value${exports ? ` (${exports.why})` : ''}`);
  for (const stack of mine) {
    const problem = own.get(stack.name)!.kind === 'application' ? await restoreStack(target, client, facts, stack) : 'the pipeline’s own stacks are deployed anew by the run';
    if (problem === undefined) restored.add(stack.name);
    else assumed.push(`${stack.name} does not stand yet (${problem})`);
  }
  const exported = exports?.known ? exports.value.filter(({ stack }) => own.has(stack) && !restored.has(stack)) : [];
  if (exported.length > 0) assumed.push(`values exported by ${[...new Set(exported.map(({ stack }) => stack))].join(', ')} are not there yet`);
  known.push(restored.size === mine.length ? `${restored.size} of the fleet’s stacks` : `${restored.size} of ${mine.length} of the fleet’s stacks`);
}

/** Why it could not be restored, or undefined when it stands as it stood. */
async function restoreStack(target: Target, client: CloudFormationClient, { account, region }: PairFacts, { name, status, template, parameters = {} }: StackFacts): Promise<string | undefined> {
  if (status === 'REVIEW_IN_PROGRESS') {
    await client.send(new CreateChangeSetCommand({ StackName: name, ChangeSetName: 'never-executed', ChangeSetType: 'CREATE', TemplateBody: JSON.stringify({ Resources: NOTHING }) }));
    return undefined;
  }
  if (status === 'ROLLBACK_COMPLETE') {
    // A parameter of no type fails when it is created, and the creation is rolled back.
    await client.send(new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify({ Resources: { ...NOTHING, Fails: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/aws/reserved/name', Value: 'fails' } } } }) }));
    const end = await stackEnd(target, { account, region, stackName: name });
    return end === 'ROLLBACK_COMPLETE' ? undefined : `its state ${status} can't be made here`;
  }
  if (/(?<!UPDATE_ROLLBACK)_FAILED$|UPDATE_ROLLBACK_FAILED/.test(status)) return `its state ${status} can't be made here`;
  if (!template) return 'the record has no template of it';
  try {
    await client.send(new CreateStackCommand({ StackName: name, TemplateBody: template, Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })), Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'] }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const end = await stackEnd(target, { account, region, stackName: name });
  if (end === 'CREATE_COMPLETE') return undefined;
  const why = (await failedResources(target, { account, region, stackName: name }))[0] ?? end;
  await client.send(new DeleteStackCommand({ StackName: name }));
  await stackEnd(target, { account, region, stackName: name });
  return `it can't be made from its template alone: ${why}`;
}

/** Stacks of others, as far as this fleet can see them: by what they export. */
async function restoreExports(client: CloudFormationClient, wanted: readonly { name: string; value: string; stack: string }[], target: Target, { account, region, toolkitStackName }: PairFacts, known: string[]): Promise<void> {
  const there = new Set(((await client.send(new ListExportsCommand({}))).Exports ?? []).map(({ Name }) => Name));
  const missing = wanted.filter(({ name, stack }) => !there.has(name) && stack !== toolkitStackName);
  const byStack = new Map<string, typeof missing>();
  for (const value of missing) byStack.set(value.stack, [...(byStack.get(value.stack) ?? []), value]);
  for (const [StackName, values] of byStack) {
    const Outputs = Object.fromEntries(values.map(({ name, value }, index) => [`Value${index}`, { Value: value, Export: { Name: name } }]));
    await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify({ Description: 'Stands for a stack of the real account, by what it exports', Resources: NOTHING, Outputs }) }));
    await stackEnd(target, { account, region, stackName: StackName });
  }
  if (missing.length > 0) known.push(`${missing.length} exported values of ${byStack.size} stacks`);
}
