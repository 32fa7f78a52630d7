import { CloudFormationClient, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { parse } from 'yaml';
import { describeStack, type StackRef } from '../stacks.js';
import { clientOf, type Target } from '../target.js';

/** The template of a stack that stands; undefined where it does not, or where nothing of it was ever made. */
export async function deployedTemplate(target: Target, stack: StackRef): Promise<Record<string, unknown> | undefined> {
  const found = await describeStack(target, stack);
  if (!found || /^(REVIEW_IN_PROGRESS|ROLLBACK_COMPLETE)$/.test(found.StackStatus ?? '')) return undefined;
  const client = await clientOf(target, CloudFormationClient, stack.account, stack.region);
  const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName: stack.stackName, TemplateStage: 'Original' }));
  return parseTemplate(TemplateBody);
}

/** A template as JSON or YAML; short forms (`!Ref`) become the long ones. */
export function parseTemplate(body: string): Record<string, unknown> {
  if (body.trimStart().startsWith('{')) return JSON.parse(body) as Record<string, unknown>;
  const names = ['Ref', 'Condition', 'And', 'Base64', 'Cidr', 'Equals', 'FindInMap', 'GetAtt', 'GetAZs', 'If', 'ImportValue', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub', 'Transform'];
  const long = (name: string): string => (name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`);
  const scalar = (name: string) => ({ tag: `!${name}`, resolve: (value: string) => ({ [long(name)]: name === 'GetAtt' ? value.split(/\.(.*)/s).slice(0, 2) : value }) });
  const nested = (name: string, collection: 'seq' | 'map') => ({ tag: `!${name}`, collection, resolve: (value: { toJSON(): unknown }) => ({ [long(name)]: value.toJSON() }) });
  return parse(body, { customTags: names.flatMap((name) => [scalar(name), nested(name, 'seq'), nested(name, 'map')]) as never }) as Record<string, unknown>;
}
