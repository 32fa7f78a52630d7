import type { AuthorizationRule, RequestContext, Service } from '../../kernel/service.js';
import { resumeEvents } from './asynchronous.js';
import { codeAnswer, lambdaFolder } from './code.js';
import {
  createFunction, deleteFunction, deleteFunctionConcurrency, getFunction, getFunctionConcurrency, getFunctionConfiguration, listFunctions, putFunctionConcurrency, updateFunctionCode, updateFunctionConfiguration,
} from './functions.js';
import { invoke } from './invoke.js';
import {
  addLayerVersionPermission, deleteLayerVersion, getLayerVersion, getLayerVersionByArn, getLayerVersionPolicy, layerArn, listLayers, listLayerVersions, publishLayerVersion, removeLayerVersionPermission,
} from './layers.js';
import { createEventSourceMapping, deleteEventSourceMapping, getEventSourceMapping, listEventSourceMappings, resumeMappings, updateEventSourceMapping } from './mappings.js';
import { addPermission, functionResource, getPolicy, removePermission, resourcePolicy, wholeFunction } from './permissions.js';
import * as settings from './settings.js';
import { urlAnswer } from './url-requests.js';
import { createFunctionUrlConfig, deleteFunctionUrlConfig, getFunctionUrlConfig, listFunctionUrlConfigs, updateFunctionUrlConfig } from './urls.js';
import { createAlias, deleteAlias, getAlias, listAliases, listVersionsByFunction, publishVersion, updateAlias } from './versions.js';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const onFunction: AuthorizationRule = { resource: wholeFunction };
const onQualified: AuthorizationRule = { resource: functionResource };
const onMapping: AuthorizationRule = { resource: 'arn:aws:lambda:{region}:{account}:event-source-mapping:{UUID}' };
const onSigning: AuthorizationRule = { resource: '{CodeSigningConfigArn}' };
const onTagged: AuthorizationRule = { resource: '{Resource}' };
const onLayer: AuthorizationRule = { resource: (input: { LayerName: string }, context: RequestContext) => (input.LayerName?.startsWith('arn:') ? input.LayerName : layerArn({ ...context, name: input.LayerName })) };
const onLayerVersion: AuthorizationRule = {
  resource: (input: { LayerName: string; VersionNumber: number }, context: RequestContext) => `${input.LayerName?.startsWith('arn:') ? input.LayerName : layerArn({ ...context, name: input.LayerName })}:${input.VersionNumber}`,
};

/** AWS Lambda: functions that run as processes of this machine under the real runtime API, with their role. */
export const lambda: Service = {
  name: 'lambda',
  operations: {
    CreateFunction: createFunction,
    GetFunction: getFunction,
    GetFunctionConfiguration: getFunctionConfiguration,
    ListFunctions: listFunctions,
    UpdateFunctionCode: updateFunctionCode,
    UpdateFunctionConfiguration: updateFunctionConfiguration,
    DeleteFunction: deleteFunction,
    PutFunctionConcurrency: putFunctionConcurrency,
    GetFunctionConcurrency: getFunctionConcurrency,
    DeleteFunctionConcurrency: deleteFunctionConcurrency,
    Invoke: invoke,
    PublishVersion: publishVersion,
    ListVersionsByFunction: listVersionsByFunction,
    CreateAlias: createAlias,
    UpdateAlias: updateAlias,
    GetAlias: getAlias,
    DeleteAlias: deleteAlias,
    ListAliases: listAliases,
    AddPermission: addPermission,
    RemovePermission: removePermission,
    GetPolicy: getPolicy,
    PublishLayerVersion: publishLayerVersion,
    GetLayerVersion: getLayerVersion,
    GetLayerVersionByArn: getLayerVersionByArn,
    DeleteLayerVersion: deleteLayerVersion,
    ListLayerVersions: listLayerVersions,
    ListLayers: listLayers,
    AddLayerVersionPermission: addLayerVersionPermission,
    RemoveLayerVersionPermission: removeLayerVersionPermission,
    GetLayerVersionPolicy: getLayerVersionPolicy,
    CreateEventSourceMapping: createEventSourceMapping,
    GetEventSourceMapping: getEventSourceMapping,
    UpdateEventSourceMapping: updateEventSourceMapping,
    DeleteEventSourceMapping: deleteEventSourceMapping,
    ListEventSourceMappings: listEventSourceMappings,
    CreateFunctionUrlConfig: createFunctionUrlConfig,
    GetFunctionUrlConfig: getFunctionUrlConfig,
    UpdateFunctionUrlConfig: updateFunctionUrlConfig,
    DeleteFunctionUrlConfig: deleteFunctionUrlConfig,
    ListFunctionUrlConfigs: listFunctionUrlConfigs,
    PutFunctionEventInvokeConfig: settings.putFunctionEventInvokeConfig,
    UpdateFunctionEventInvokeConfig: settings.putFunctionEventInvokeConfig,
    GetFunctionEventInvokeConfig: settings.getFunctionEventInvokeConfig,
    DeleteFunctionEventInvokeConfig: settings.deleteFunctionEventInvokeConfig,
    ListFunctionEventInvokeConfigs: settings.listFunctionEventInvokeConfigs,
    PutProvisionedConcurrencyConfig: settings.putProvisionedConcurrencyConfig,
    GetProvisionedConcurrencyConfig: settings.getProvisionedConcurrencyConfig,
    DeleteProvisionedConcurrencyConfig: settings.deleteProvisionedConcurrencyConfig,
    ListProvisionedConcurrencyConfigs: settings.listProvisionedConcurrencyConfigs,
    CreateCodeSigningConfig: settings.createCodeSigningConfig,
    GetCodeSigningConfig: settings.getCodeSigningConfig,
    UpdateCodeSigningConfig: settings.updateCodeSigningConfig,
    DeleteCodeSigningConfig: settings.deleteCodeSigningConfig,
    ListCodeSigningConfigs: settings.listCodeSigningConfigs,
    PutFunctionCodeSigningConfig: settings.putFunctionCodeSigningConfig,
    GetFunctionCodeSigningConfig: settings.getFunctionCodeSigningConfig,
    DeleteFunctionCodeSigningConfig: settings.deleteFunctionCodeSigningConfig,
    PutRuntimeManagementConfig: settings.putRuntimeManagementConfig,
    GetRuntimeManagementConfig: settings.getRuntimeManagementConfig,
    PutFunctionRecursionConfig: settings.putFunctionRecursionConfig,
    GetFunctionRecursionConfig: settings.getFunctionRecursionConfig,
    GetAccountSettings: settings.getAccountSettings,
    TagResource: settings.tagResource,
    UntagResource: settings.untagResource,
    ListTags: settings.listTags,
  },
  internal: { AuthorizeUrl: () => ({}) },
  authorization: {
    CreateFunction: onFunction,
    GetFunction: onQualified,
    GetFunctionConfiguration: onQualified,
    ListFunctions: {},
    UpdateFunctionCode: onFunction,
    UpdateFunctionConfiguration: onFunction,
    DeleteFunction: onQualified,
    PutFunctionConcurrency: onFunction,
    GetFunctionConcurrency: onFunction,
    DeleteFunctionConcurrency: onFunction,
    Invoke: { action: 'lambda:InvokeFunction', resource: functionResource },
    // A function URL's callers need both, since October 2025 (developer guide, "Control access to Lambda function URLs"); open ones of before only the first.
    AuthorizeUrl: { action: 'lambda:InvokeFunctionUrl', resource: functionResource },
    PublishVersion: onFunction,
    ListVersionsByFunction: onFunction,
    CreateAlias: onFunction,
    UpdateAlias: onFunction,
    GetAlias: onFunction,
    DeleteAlias: onFunction,
    ListAliases: onFunction,
    AddPermission: { resource: functionResource, context: ({ Principal, FunctionUrlAuthType }: { Principal: string; FunctionUrlAuthType?: string }) => ({ 'lambda:Principal': Principal, 'lambda:FunctionUrlAuthType': FunctionUrlAuthType }) },
    RemovePermission: onQualified,
    GetPolicy: onQualified,
    PublishLayerVersion: onLayer,
    GetLayerVersion: onLayerVersion,
    GetLayerVersionByArn: { action: 'lambda:GetLayerVersion', resource: '{Arn}' },
    DeleteLayerVersion: onLayerVersion,
    ListLayerVersions: {},
    ListLayers: {},
    AddLayerVersionPermission: onLayerVersion,
    RemoveLayerVersionPermission: onLayerVersion,
    GetLayerVersionPolicy: onLayerVersion,
    CreateEventSourceMapping: { context: (input: { FunctionName: string }, context: RequestContext) => ({ 'lambda:FunctionArn': wholeFunction(input, context) }) },
    GetEventSourceMapping: onMapping,
    UpdateEventSourceMapping: onMapping,
    DeleteEventSourceMapping: onMapping,
    ListEventSourceMappings: {},
    CreateFunctionUrlConfig: onFunction,
    GetFunctionUrlConfig: onFunction,
    UpdateFunctionUrlConfig: onFunction,
    DeleteFunctionUrlConfig: onFunction,
    ListFunctionUrlConfigs: onFunction,
    PutFunctionEventInvokeConfig: onFunction,
    UpdateFunctionEventInvokeConfig: onFunction,
    GetFunctionEventInvokeConfig: onFunction,
    DeleteFunctionEventInvokeConfig: onFunction,
    ListFunctionEventInvokeConfigs: onFunction,
    PutProvisionedConcurrencyConfig: onQualified,
    GetProvisionedConcurrencyConfig: onQualified,
    DeleteProvisionedConcurrencyConfig: onQualified,
    ListProvisionedConcurrencyConfigs: onFunction,
    CreateCodeSigningConfig: {},
    GetCodeSigningConfig: onSigning,
    UpdateCodeSigningConfig: onSigning,
    DeleteCodeSigningConfig: onSigning,
    ListCodeSigningConfigs: {},
    PutFunctionCodeSigningConfig: onFunction,
    GetFunctionCodeSigningConfig: onFunction,
    DeleteFunctionCodeSigningConfig: onFunction,
    PutRuntimeManagementConfig: onFunction,
    GetRuntimeManagementConfig: onFunction,
    PutFunctionRecursionConfig: onFunction,
    GetFunctionRecursionConfig: onFunction,
    GetAccountSettings: {},
    TagResource: onTagged,
    UntagResource: onTagged,
    ListTags: onTagged,
  },
  resourcePolicy,
  resourceTags: settings.tagsOf,
  http: (request, runtime) => codeAnswer(request, runtime) ?? urlAnswer(request, runtime),
  start(runtime) {
    // Whatever processes of an earlier life left is no use to anybody.
    rmSync(join(lambdaFolder(runtime), 'instances'), { recursive: true, force: true });
    resumeEvents(runtime);
    resumeMappings(runtime);
  },
};
