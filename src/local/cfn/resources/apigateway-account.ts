import type { Json } from '../json.js';
import { sameJson } from '../json.js';
import type { Tag } from '../store/records.js';
import { patchesOf, restMembers, tagMap, type Patch } from './apigateway-members.js';
import { ignoring } from './failure.js';
import type { ResourceProvider } from './provider.js';

const GONE = ['NotFoundException'];

const account: ResourceProvider<{ readonly CloudWatchRoleArn?: string }> = {
  type: 'AWS::ApiGateway::Account',
  async create({ CloudWatchRoleArn }, context) {
    await context.client.call('apigateway', 'UpdateAccount', { patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value: CloudWatchRoleArn ?? '' }] });
    const physicalId = context.name({ limit: 64 });
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(id, _before, { CloudWatchRoleArn }, context) {
    await context.client.call('apigateway', 'UpdateAccount', { patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value: CloudWatchRoleArn ?? '' }] });
    return { physicalId: id, attributes: { Id: id } };
  },
  // The account's setting stays when the resource goes (template reference, AWS::ApiGateway::Account).
  async delete() {},
};

interface KeyProperties {
  readonly Name?: string;
  readonly StageKeys?: readonly { readonly RestApiId?: string; readonly StageName?: string }[];
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

const apiKey: ResourceProvider<KeyProperties> = {
  type: 'AWS::ApiGateway::ApiKey',
  async create(properties, context) {
    const { id } = await context.client.call<{ id: string }>('apigateway', 'CreateApiKey', {
      ...restMembers(properties, ['CustomerId', 'Description', 'Enabled', 'GenerateDistinctId', 'Value']), name: properties.Name ?? context.name({ limit: 128 }), tags: tagMap(context.tags(properties.Tags)),
      ...(properties.StageKeys ? { stageKeys: properties.StageKeys.map(({ RestApiId, StageName }) => ({ restApiId: RestApiId, stageName: StageName })) } : {}),
    });
    return { physicalId: id, attributes: { APIKeyId: id } };
  },
  async update(id, before, after, context) {
    const patchOperations = patchesOf(before, after, ['CustomerId', 'Description', 'Enabled']);
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateApiKey', { apiKey: id, patchOperations });
    return { physicalId: id, attributes: { APIKeyId: id } };
  },
  async delete(id, _properties, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteApiKey', { apiKey: id }));
  },
};

interface PlanProperties {
  readonly UsagePlanName?: string;
  readonly ApiStages?: readonly { readonly ApiId?: string; readonly Stage?: string }[];
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

const stagesOf = ({ ApiStages = [] }: PlanProperties): string[] => ApiStages.map(({ ApiId, Stage }) => `${ApiId}:${Stage}`);

const usagePlan: ResourceProvider<PlanProperties> = {
  type: 'AWS::ApiGateway::UsagePlan',
  async create(properties, context) {
    const { id } = await context.client.call<{ id: string }>('apigateway', 'CreateUsagePlan', {
      ...restMembers(properties, ['Description', 'Quota', 'Throttle']), name: properties.UsagePlanName ?? context.name({ limit: 128 }), tags: tagMap(context.tags(properties.Tags)),
      apiStages: (properties.ApiStages ?? []).map(({ ApiId, Stage }) => ({ apiId: ApiId, stage: Stage })),
    });
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(id, before, after, context) {
    const patchOperations: Patch[] = patchesOf(before, after, ['UsagePlanName', 'Description'], { UsagePlanName: 'name' });
    for (const group of ['Quota', 'Throttle'] as const)
      if (!sameJson((before[group] ?? null) as Json, (after[group] ?? null) as Json))
        for (const [name, value] of Object.entries((after[group] ?? {}) as object)) patchOperations.push({ op: 'replace', path: `/${group.toLowerCase()}/${name.charAt(0).toLowerCase()}${name.slice(1)}`, value: String(value) });
    for (const value of stagesOf(before)) if (!stagesOf(after).includes(value)) patchOperations.push({ op: 'remove', path: '/apiStages', value });
    for (const value of stagesOf(after)) if (!stagesOf(before).includes(value)) patchOperations.push({ op: 'add', path: '/apiStages', value });
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateUsagePlan', { usagePlanId: id, patchOperations });
    return { physicalId: id, attributes: { Id: id } };
  },
  async delete(id, _properties, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteUsagePlan', { usagePlanId: id }));
  },
};

const usagePlanKey: ResourceProvider<{ readonly UsagePlanId: string; readonly KeyId: string; readonly KeyType: string }> = {
  type: 'AWS::ApiGateway::UsagePlanKey',
  async create({ UsagePlanId, KeyId, KeyType }, context) {
    await context.client.call('apigateway', 'CreateUsagePlanKey', { usagePlanId: UsagePlanId, keyId: KeyId, keyType: KeyType });
    return { physicalId: `${KeyId}:${UsagePlanId}`, attributes: { Id: `${KeyId}:${UsagePlanId}` } };
  },
  async delete(_id, { UsagePlanId, KeyId }, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteUsagePlanKey', { usagePlanId: UsagePlanId, keyId: KeyId }));
  },
};

interface DomainProperties {
  readonly DomainName: string;
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

const DOMAIN_ATTRIBUTES = ['RegionalDomainName', 'RegionalHostedZoneId', 'DistributionDomainName', 'DistributionHostedZoneId', 'DomainNameArn'];

function domainAttributes(domain: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(DOMAIN_ATTRIBUTES.map((name) => [name, domain[name.charAt(0).toLowerCase() + name.slice(1)] ?? '']));
}

const domainName: ResourceProvider<DomainProperties> = {
  type: 'AWS::ApiGateway::DomainName',
  async create(properties, context) {
    const domain = await context.client.call<Record<string, string>>('apigateway', 'CreateDomainName', {
      ...restMembers(properties, ['DomainName', 'CertificateArn', 'RegionalCertificateArn', 'EndpointConfiguration', 'SecurityPolicy', 'MutualTlsAuthentication', 'OwnershipVerificationCertificateArn', 'RoutingMode']), tags: tagMap(context.tags(properties.Tags)),
    });
    return { physicalId: properties.DomainName, attributes: domainAttributes(domain) };
  },
  async update(name, before, after, context) {
    const patchOperations = patchesOf(before, after, ['CertificateArn', 'RegionalCertificateArn', 'SecurityPolicy']);
    const domain = await context.client.call<Record<string, string>>('apigateway', 'UpdateDomainName', { domainName: name, patchOperations });
    return { physicalId: name, attributes: domainAttributes(domain) };
  },
  async delete(name, _properties, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteDomainName', { domainName: name }));
  },
  identify: ({ DomainName }) => DomainName,
};

interface MappingProperties {
  readonly DomainName: string;
  readonly BasePath?: string;
  readonly RestApiId?: string;
  readonly Stage?: string;
  readonly [name: string]: unknown;
}

const basePathMapping: ResourceProvider<MappingProperties> = {
  type: 'AWS::ApiGateway::BasePathMapping',
  async create(properties, context) {
    await context.client.call('apigateway', 'CreateBasePathMapping', restMembers(properties, ['DomainName', 'BasePath', 'RestApiId', 'Stage']));
    return { physicalId: `${properties.DomainName}|${properties.BasePath ?? '(none)'}` };
  },
  async update(id, before, after, context) {
    const patchOperations = patchesOf(before, after, ['RestApiId', 'Stage'], { RestApiId: 'restapiId' });
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateBasePathMapping', { domainName: after.DomainName, basePath: after.BasePath ?? '(none)', patchOperations });
    return { physicalId: id };
  },
  async delete(_id, { DomainName, BasePath }, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteBasePathMapping', { domainName: DomainName, basePath: BasePath ?? '(none)' }));
  },
};

export const accountProviders: readonly ResourceProvider[] = [account, apiKey, usagePlan, usagePlanKey, domainName, basePathMapping];
