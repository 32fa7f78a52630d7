import type { Tag } from '../store/records.js';
import { ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

interface ParameterProperties {
  readonly Name?: string;
  readonly Type: string;
  readonly Value: string;
  readonly Description?: string;
  readonly AllowedPattern?: string;
  readonly DataType?: string;
  readonly Policies?: string;
  readonly Tier?: string;
  readonly Tags?: Readonly<Record<string, string>>;
}

const nameOf = (properties: ParameterProperties, context: ProviderContext): string => properties.Name ?? context.name({ prefix: 'CFN' });

function input(name: string, properties: ParameterProperties): Record<string, unknown> {
  const { Tags: _, ...rest } = properties;
  return { ...rest, Name: name };
}

const parameter: ResourceProvider<ParameterProperties> = {
  type: 'AWS::SSM::Parameter',
  identify: nameOf,
  async create(properties, context) {
    const name = nameOf(properties, context);
    await context.client.call('ssm', 'PutParameter', { ...input(name, properties), Tags: ownTags(context.tags(properties.Tags)) });
    return { physicalId: name, attributes: attributes(name, properties, context) };
  },
  async update(name, before, after, context) {
    await context.client.call('ssm', 'PutParameter', { ...input(name, after), Overwrite: true });
    const was = ownTags(context.tagsBefore(before.Tags));
    const is = ownTags(context.tags(after.Tags));
    const gone = was.filter((tag) => !is.some((other) => other.Key === tag.Key)).map((tag) => tag.Key);
    if (gone.length > 0) await context.client.call('ssm', 'RemoveTagsFromResource', { ResourceType: 'Parameter', ResourceId: name, TagKeys: gone });
    if (is.length > 0) await context.client.call('ssm', 'AddTagsToResource', { ResourceType: 'Parameter', ResourceId: name, Tags: is });
    return { attributes: attributes(name, after, context) };
  },
  async delete(name, _properties, context) {
    await ignoring(['ParameterNotFound'], context.client.call('ssm', 'DeleteParameter', { Name: name }));
  },
  async read(name, context) {
    const answer = await ignoring(['ParameterNotFound'], context.client.call<{ Parameter: { Name: string; Type: string; Value: string; DataType?: string } }>('ssm', 'GetParameter', { Name: name }));
    if (!answer) return undefined;
    const { Name, Type, Value, DataType = 'text' } = answer.Parameter;
    return { Name, Type, Value, DataType };
  },
};

function attributes(name: string, { Type, Value }: ParameterProperties, { region, account }: ProviderContext): { Name: string; Type: string; Value: string; Arn: string } {
  return { Name: name, Type, Value, Arn: `arn:aws:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}` };
}

/** Parameters are among the types that don't carry CloudFormation's own tags. */
function ownTags(tags: readonly Tag[]): Tag[] {
  return tags.filter((tag) => !tag.Key.startsWith('aws:'));
}

export const ssm = [parameter];
