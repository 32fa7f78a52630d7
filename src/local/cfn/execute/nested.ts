import type { ChangeSetRecord } from '../store/records.js';
import type { StackStore } from '../store/store.js';

/** Removes a change set and those of its nested stacks, with the stacks that exist for them only (API reference: DeleteChangeSet). */
export function removeHierarchy(store: StackStore, changeSet: ChangeSetRecord): void {
  removeNested(store, changeSet);
  store.removeChangeSet(changeSet);
}

/** Removes the nested change sets that nothing will execute any more, and stacks in review that were made for them. */
export function removeNested(store: StackStore, changeSet: ChangeSetRecord): void {
  for (const id of changeSet.nested) {
    const child = store.changeSet(id.split('/')[2]!);
    if (!child || (child.executionStatus !== 'UNAVAILABLE' && child.executionStatus !== 'OBSOLETE')) continue;
    removeHierarchy(store, child);
    const stack = store.stack(child.stackUuid);
    if (stack?.status === 'REVIEW_IN_PROGRESS' && stack.parentId !== undefined) store.removeStack(stack);
  }
}
