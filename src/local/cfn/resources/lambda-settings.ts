import type { Tag } from '../store/records.js';
import { ignoring } from './failure.js';
import type { Properties, ProviderContext, ResourceProvider } from './provider.js';

const GONE = ['ResourceNotFoundException'];
const tagged = (tags: readonly Tag[]): Record<string, string> => Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
const kms = ({ KmsKeyArn, ...rest }: Properties): Record<string, unknown> => ({ ...rest, ...(KmsKeyArn === undefined ? {} : { KMSKeyArn: KmsKeyArn }) });

const eventSourceMapping: ResourceProvider<Properties & { readonly Tags?: readonly Tag[] }> = {
  type: 'AWS::Lambda::EventSourceMapping',
  async create({ Tags, ...properties }, context) {
    const { UUID } = await context.client.call<{ UUID: string }>('lambda', 'CreateEventSourceMapping', { ...kms(properties as Properties), Tags: tagged(context.tags(Tags)) });
    return { physicalId: UUID, attributes: mappingAttributes(UUID, context) };
  },
  async update(UUID, _before, after, context) {
    const { Tags: _, EventSourceArn: _source, StartingPosition: _start, StartingPositionTimestamp: _time, SelfManagedEventSource: _self, ...changed } = after;
    await context.client.call('lambda', 'UpdateEventSourceMapping', { UUID, ...kms(changed as unknown as Properties) });
    return { physicalId: UUID, attributes: mappingAttributes(UUID, context) };
  },
  async delete(UUID, _properties, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteEventSourceMapping', { UUID }));
  },
};

function mappingAttributes(UUID: string, { region, account }: ProviderContext): Record<string, string> {
  return { Id: UUID, EventSourceMappingArn: `arn:aws:lambda:${region}:${account}:event-source-mapping:${UUID}` };
}

interface UrlProperties {
  readonly TargetFunctionArn: string;
  readonly Qualifier?: string;
  readonly [name: string]: unknown;
}

const url: ResourceProvider<UrlProperties> = {
  type: 'AWS::Lambda::Url',
  async create({ TargetFunctionArn, ...properties }, context) {
    const { FunctionUrl, FunctionArn } = await context.client.call<{ FunctionUrl: string; FunctionArn: string }>('lambda', 'CreateFunctionUrlConfig', { FunctionName: TargetFunctionArn, ...properties });
    return { physicalId: FunctionArn, attributes: { FunctionUrl, FunctionArn } };
  },
  async update(_id, _before, { TargetFunctionArn, ...properties }, context) {
    const { FunctionUrl, FunctionArn } = await context.client.call<{ FunctionUrl: string; FunctionArn: string }>('lambda', 'UpdateFunctionUrlConfig', { FunctionName: TargetFunctionArn, ...properties });
    return { physicalId: FunctionArn, attributes: { FunctionUrl, FunctionArn } };
  },
  async delete(_id, { TargetFunctionArn, Qualifier }, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteFunctionUrlConfig', { FunctionName: TargetFunctionArn, ...(Qualifier ? { Qualifier } : {}) }));
  },
};

const eventInvokeConfig: ResourceProvider<Properties & { readonly FunctionName: string; readonly Qualifier: string }> = {
  type: 'AWS::Lambda::EventInvokeConfig',
  async create(properties, context) {
    await context.client.call('lambda', 'PutFunctionEventInvokeConfig', properties);
    return { physicalId: `${properties.FunctionName}|${properties.Qualifier}` };
  },
  async update(id, _before, after, context) {
    await context.client.call('lambda', 'PutFunctionEventInvokeConfig', after);
    return { physicalId: id };
  },
  async delete(_id, { FunctionName, Qualifier }, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteFunctionEventInvokeConfig', { FunctionName, Qualifier }));
  },
};

const codeSigningConfig: ResourceProvider<Properties & { readonly Tags?: readonly Tag[] }> = {
  type: 'AWS::Lambda::CodeSigningConfig',
  async create({ Tags, ...properties }, context) {
    const { CodeSigningConfig: made } = await context.client.call<{ CodeSigningConfig: { CodeSigningConfigArn: string; CodeSigningConfigId: string } }>('lambda', 'CreateCodeSigningConfig', { ...properties, Tags: tagged(context.tags(Tags)) });
    return { physicalId: made.CodeSigningConfigArn, attributes: { CodeSigningConfigArn: made.CodeSigningConfigArn, CodeSigningConfigId: made.CodeSigningConfigId } };
  },
  async update(CodeSigningConfigArn, _before, { Tags: _, ...after }, context) {
    await context.client.call('lambda', 'UpdateCodeSigningConfig', { CodeSigningConfigArn, ...after });
  },
  async delete(CodeSigningConfigArn, _properties, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteCodeSigningConfig', { CodeSigningConfigArn }));
  },
};

export const settingsProviders: readonly ResourceProvider[] = [eventSourceMapping, url, eventInvokeConfig, codeSigningConfig];
