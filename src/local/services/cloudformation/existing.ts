import { isAwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { resourceSchema } from '../../models/resources.js';
import { providerOf } from '../../cfn/resources/index.js';
import { coerceProperties } from '../../cfn/resources/schema.js';
import { deletionPolicy } from '../../cfn/plan/policies.js';
import { evaluateEach, symbolicScope, type Side } from '../../cfn/plan/side.js';
import type { ResourceToImport, StackRecord } from '../../cfn/store/records.js';
import { observer } from './observer.js';

/**
 * `ImportExistingResources` (API reference: CreateChangeSet): resources that the stack doesn't have, that carry a name of their own, are
 * kept by their DeletionPolicy and exist already are imported instead of created.
 */
export async function existingResources(side: Side, stack: StackRecord, known: ReadonlySet<string>, context: RequestContext): Promise<ResourceToImport[]> {
  const scope = symbolicScope(side);
  const found: ResourceToImport[] = [];
  const look = await observer(stack, context);
  for (const declaration of Object.values(side.template.resources)) {
    const { logicalId, type } = declaration;
    if (known.has(logicalId) || !scope.active(logicalId)) continue;
    const policy = deletionPolicy(declaration, scope);
    const provider = providerOf(type);
    const names = (resourceSchema(type)?.primaryIdentifier ?? []).map((pointer) => pointer.split('/').slice(2).join('/'));
    if ((policy !== 'Retain' && policy !== 'RetainExceptOnCreate') || !provider.identify || !provider.read || names.length === 0) continue;
    const properties = coerceProperties(type, evaluateEach(declaration.properties, scope, () => ''));
    const physicalId = provider.identify(properties, look({ logicalId, type }));
    // A generated name depends on the attempt: nothing of that name can be there yet.
    if (physicalId === undefined || physicalId.includes('{{') || physicalId !== provider.identify(properties, look({ logicalId, type }, 'another'))) continue;
    try {
      if ((await provider.read(physicalId, look({ logicalId, type }))) === undefined) continue;
    } catch (error) {
      if (isAwsError(error)) continue;
      throw error;
    }
    const values = physicalId.split('|');
    found.push({ logicalId, type, identifier: Object.fromEntries(names.map((name, i) => [name, values[i] ?? physicalId])) });
  }
  return found;
}
