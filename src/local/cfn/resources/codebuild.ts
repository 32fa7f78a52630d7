import type { Json, JsonObject } from '../json.js';
import { camelCase } from './casing.js';
import { HandlerError, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

type ProjectProperties = JsonObject & {
  readonly Name?: string;
  readonly Source: JsonObject;
  readonly SecondarySources?: readonly JsonObject[];
  readonly Triggers?: { readonly Webhook?: boolean };
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
};

const projectName = (properties: ProjectProperties, context: ProviderContext): string => properties.Name ?? context.name({ limit: 255 });
const projectArn = (name: string, context: ProviderContext): string => `arn:aws:codebuild:${context.region}:${context.account}:project/${name}`;

const project: ResourceProvider<ProjectProperties> = {
  type: 'AWS::CodeBuild::Project',
  identify: projectName,
  async create(properties, context) {
    const name = projectName(properties, context);
    await context.client.call('codebuild', 'CreateProject', input(name, properties, context));
    return { physicalId: name, attributes: { Arn: projectArn(name, context), Id: name } };
  },
  async update(name, before, after, context) {
    await context.client.call('codebuild', 'UpdateProject', { ...cleared(before, after), ...input(name, after, context) });
    return { attributes: { Arn: projectArn(name, context), Id: name } };
  },
  async delete(name, _properties, context) {
    await context.client.call('codebuild', 'DeleteProject', { name });
  },
  async read(name, context) {
    const { projects } = await context.client.call<{ projects: JsonObject[] }>('codebuild', 'BatchGetProjects', { names: [name] });
    return projects[0] && { Name: name, Arn: projectArn(name, context), Id: name, ServiceRole: projects[0]['serviceRole'] as Json };
  },
  attributes: (name, _properties, context) => Promise.resolve({ Arn: projectArn(name, context), Id: name }),
};

/** What left the template goes back to what CreateProject gives. */
function cleared(before: ProjectProperties, after: ProjectProperties): Record<string, unknown> {
  const standard: Record<string, unknown> = { Description: '', SecondarySources: [], SecondaryArtifacts: [], Cache: { type: 'NO_CACHE' }, TimeoutInMinutes: 60, QueuedTimeoutInMinutes: 480, SourceVersion: '' };
  return Object.fromEntries(Object.keys(standard).filter((key) => before[key] !== undefined && after[key] === undefined).map((key) => [key.charAt(0).toLowerCase() + key.slice(1), standard[key]]));
}

function input(name: string, properties: ProjectProperties, context: ProviderContext): Record<string, unknown> {
  if (properties.Triggers?.Webhook) throw new HandlerError('InvalidRequest', 'The local cloud starts no projects by webhooks of a repository (Triggers.Webhook of AWS::CodeBuild::Project)');
  const { Name: _, Source, SecondarySources, Tags, Triggers: _triggers, ResourceAccessRole: _access, Visibility: _visibility, BadgeEnabled: _badge, ...rest } = properties;
  return {
    ...(camelCase(rest as JsonObject) as object),
    name,
    source: source(Source),
    ...(SecondarySources ? { secondarySources: SecondarySources.map(source) } : {}),
    tags: context.tags(Tags).map(({ Key, Value }) => ({ key: Key, value: Value })),
  };
}

function source(properties: JsonObject): Record<string, unknown> {
  const { BuildSpec, ...rest } = properties;
  return { ...(camelCase(rest) as object), ...(BuildSpec === undefined ? {} : { buildspec: typeof BuildSpec === 'string' ? BuildSpec : JSON.stringify(BuildSpec) }) };
}

type GroupProperties = JsonObject & { readonly Name?: string; readonly Type: string; readonly ExportConfig: JsonObject; readonly DeleteReports?: boolean; readonly Tags?: readonly { readonly Key: string; readonly Value: string }[] };

const groupName = (properties: GroupProperties, context: ProviderContext): string => properties.Name ?? context.name({ limit: 128 });

const reportGroup: ResourceProvider<GroupProperties> = {
  type: 'AWS::CodeBuild::ReportGroup',
  identify: (properties, context) => `arn:aws:codebuild:${context.region}:${context.account}:report-group/${groupName(properties, context)}`,
  async create(properties, context) {
    const { reportGroup: made } = await context.client.call<{ reportGroup: { arn: string } }>('codebuild', 'CreateReportGroup', {
      name: groupName(properties, context), type: properties.Type, exportConfig: camelCase(properties.ExportConfig), tags: context.tags(properties.Tags).map(({ Key, Value }) => ({ key: Key, value: Value })),
    });
    return { physicalId: made.arn, attributes: { Arn: made.arn } };
  },
  async update(arn, _before, after, context) {
    await context.client.call('codebuild', 'UpdateReportGroup', { arn, exportConfig: camelCase(after.ExportConfig), tags: context.tags(after.Tags).map(({ Key, Value }) => ({ key: Key, value: Value })) });
    return { attributes: { Arn: arn } };
  },
  async delete(arn, properties, context) {
    await ignoring(['ResourceNotFoundException'], context.client.call('codebuild', 'DeleteReportGroup', { arn, deleteReports: properties.DeleteReports ?? false }));
  },
};

export const codebuild = [project, reportGroup];
