import type { DeletionPolicy, Fate, ResourceRecord, StackRecord } from '../store/records.js';

export function fateOf(policy: DeletionPolicy): Fate {
  if (policy === 'Snapshot') return 'snapshot';
  return policy === 'Delete' ? 'delete' : 'retain';
}

/** In the rollback of the operation that made it: `RetainExceptOnCreate`, and what came to nothing, goes (user guide: "DeletionPolicy attribute"). */
export function fateOfNew(resource: ResourceRecord, stack: Pick<StackRecord, 'retainExceptOnCreate'>): Fate {
  if (resource.physicalId === '' || resource.status.endsWith('_FAILED') || resource.deletionPolicy === 'RetainExceptOnCreate') return 'delete';
  return resource.deletionPolicy === 'Retain' && stack.retainExceptOnCreate ? 'delete' : fateOf(resource.deletionPolicy);
}
