import { AwsError } from '../../kernel/error.js';
import { pageOf } from '../../kernel/page.js';
import { QUOTAS, quotaValue, type Quota } from '../../kernel/quotas.js';
import type { RequestContext, Service } from '../../kernel/service.js';
import type * as ServiceQuotas from '../../models/types/service-quotas.js';

/** Services whose quotas are obeyed here, by the codes Service Quotas has for them. */
const SERVICES: Readonly<Record<string, string>> = { cloudformation: 'AWS CloudFormation', codebuild: 'AWS CodeBuild', codepipeline: 'AWS CodePipeline' };
/** Most items of a page (Service Quotas API reference, `MaxResults`). */
const MOST = 100;

/**
 * Service Quotas, to read: those that something here obeys, with the values that hold for the account and region (`POST /_flotilla/quotas` sets
 * them). Requests for more are refused by name: nobody here would decide them.
 */
export const serviceQuotas: Service = {
  name: 'service-quotas',
  actionPrefix: 'servicequotas',
  operations: {
    ListServices: (input: ServiceQuotas.ListServicesRequest): ServiceQuotas.ListServicesResponse => {
      const { items, ...rest } = pageOf(Object.entries(SERVICES), input, MOST, 'InvalidPaginationTokenException');
      return { Services: items.map(([ServiceCode, ServiceName]) => ({ ServiceCode, ServiceName })), ...rest };
    },
    ListServiceQuotas: ({ ServiceCode, QuotaCode, ...input }: ServiceQuotas.ListServiceQuotasRequest, context: RequestContext): ServiceQuotas.ListServiceQuotasResponse => {
      const { items, ...rest } = pageOf(quotasOf(ServiceCode).filter(({ code }) => QuotaCode === undefined || code === QuotaCode), input, MOST, 'InvalidPaginationTokenException');
      return { Quotas: items.map((quota) => shown(quota, applied(quota, context), context)), ...rest };
    },
    GetServiceQuota: ({ ServiceCode, QuotaCode }: ServiceQuotas.GetServiceQuotaRequest, context: RequestContext): ServiceQuotas.GetServiceQuotaResponse => {
      const quota = quotaOf(ServiceCode, QuotaCode);
      return { Quota: shown(quota, applied(quota, context), context) };
    },
    ListAWSDefaultServiceQuotas: ({ ServiceCode, ...input }: ServiceQuotas.ListAWSDefaultServiceQuotasRequest, context: RequestContext): ServiceQuotas.ListAWSDefaultServiceQuotasResponse => {
      const { items, ...rest } = pageOf(quotasOf(ServiceCode), input, MOST, 'InvalidPaginationTokenException');
      return { Quotas: items.map((quota) => shown(quota, quota.awsDefault, context)), ...rest };
    },
    GetAWSDefaultServiceQuota: ({ ServiceCode, QuotaCode }: ServiceQuotas.GetAWSDefaultServiceQuotaRequest, context: RequestContext): ServiceQuotas.GetAWSDefaultServiceQuotaResponse => {
      const quota = quotaOf(ServiceCode, QuotaCode);
      return { Quota: shown(quota, quota.awsDefault, context) };
    },
  },
  authorization: { ListServices: {}, ListServiceQuotas: {}, GetServiceQuota: {}, ListAWSDefaultServiceQuotas: {}, GetAWSDefaultServiceQuota: {} },
};

function quotasOf(service: string): readonly Quota[] {
  if (SERVICES[service] === undefined) throw new AwsError('NoSuchResourceException', `The service ${service} has no quotas that the local cloud obeys.`, { status: 400 });
  return QUOTAS.filter((quota) => quota.service === service);
}

function quotaOf(service: string, code: string): Quota {
  const found = quotasOf(service).find((quota) => quota.code === code);
  if (!found) throw new AwsError('NoSuchResourceException', `The request failed because the specified quota ${code} of ${service} does not exist.`, { status: 400 });
  return found;
}

const applied = (quota: Quota, { state, account, region }: RequestContext): number => quotaValue(state, account, region, quota);

function shown({ service, code, name }: Quota, Value: number, { account, region }: RequestContext): ServiceQuotas.ServiceQuota {
  return { ServiceCode: service, ServiceName: SERVICES[service]!, QuotaArn: `arn:aws:servicequotas:${region}:${account}:${service}/${code}`, QuotaCode: code, QuotaName: name, Value, Unit: 'None', Adjustable: true, GlobalQuota: false, QuotaAppliedAtLevel: 'ACCOUNT' };
}
