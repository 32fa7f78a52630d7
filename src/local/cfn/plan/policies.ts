import { resourceSchema } from '../../models/resources.js';
import { evaluateJson } from '../evaluate/evaluate.js';
import type { Scope } from '../evaluate/scope.js';
import { formatError, validationError } from '../template/error.js';
import type { ResourceDeclaration } from '../template/model.js';
import type { DeletionPolicy } from '../store/records.js';
import type { PolicyAction } from './plan.js';

/** Types that can be kept as a snapshot (user guide: "DeletionPolicy attribute"). */
const SNAPSHOT_TYPES = new Set([
  'AWS::DocDB::DBCluster', 'AWS::EC2::Volume', 'AWS::ElastiCache::CacheCluster', 'AWS::ElastiCache::ReplicationGroup', 'AWS::Neptune::DBCluster', 'AWS::RDS::DBCluster',
  'AWS::RDS::DBInstance', 'AWS::Redshift::Cluster',
]);

export function deletionPolicy(declaration: ResourceDeclaration, scope: Scope): DeletionPolicy {
  const fallback = declaration.type === 'AWS::RDS::DBCluster' || (declaration.type === 'AWS::RDS::DBInstance' && declaration.properties['DBClusterIdentifier'] === undefined) ? 'Snapshot' : 'Delete';
  return policy('DeletionPolicy', declaration, declaration.deletionPolicy, scope, ['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot']) ?? fallback;
}

export function updateReplacePolicy(declaration: ResourceDeclaration, scope: Scope): DeletionPolicy {
  return policy('UpdateReplacePolicy', declaration, declaration.updateReplacePolicy, scope, ['Delete', 'Retain', 'Snapshot']) ?? 'Delete';
}

function policy(name: string, declaration: ResourceDeclaration, raw: ResourceDeclaration['deletionPolicy'], scope: Scope, allowed: readonly DeletionPolicy[]): DeletionPolicy | undefined {
  if (raw === undefined) return undefined;
  const value = evaluateJson(raw, scope);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw formatError(`Every ${name} member must be a string.`);
  if (!(allowed as readonly string[]).includes(value)) throw validationError(`Template error: resource ${declaration.logicalId}: ${name} ${value} is not one of [${allowed.join(', ')}]`);
  if (value === 'Snapshot' && !SNAPSHOT_TYPES.has(declaration.type)) throw validationError(`Template error: resource type ${declaration.type} does not support ${name === 'DeletionPolicy' ? 'deletion policy' : name} Snapshot`);
  return value as DeletionPolicy;
}

export function removalAction(policy: DeletionPolicy): PolicyAction {
  return policy === 'Retain' || policy === 'RetainExceptOnCreate' ? 'Retain' : policy;
}

export function replacementAction(policy: DeletionPolicy): PolicyAction {
  return `ReplaceAnd${policy === 'RetainExceptOnCreate' ? 'Retain' : policy}`;
}

/** The property that holds the tags, when the type is taggable. */
export function tagProperty(type: string): string | undefined {
  const schema = resourceSchema(type);
  if (!schema || schema.tagging?.taggable === false) return undefined;
  const name = (schema.tagging?.tagProperty ?? '/properties/Tags').split('/')[2];
  return name !== undefined && schema.properties[name] !== undefined ? name : undefined;
}
