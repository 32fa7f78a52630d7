export type { Approval, BootstrapPair, Fleet, PermissionsGate, Pipeline, Step, Target, TargetRegion, TemplateStack, Wave } from './model.js';
export { loadFleet, parseFleet } from './load.js';
export { partitionOf } from './resolve/partition.js';
export { QUOTAS, quotaOf, type QuotaName } from './quotas.js';
