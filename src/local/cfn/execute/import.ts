import { isAwsError } from '../../kernel/error.js';
import type { JsonObject } from '../json.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { Scope } from '../evaluate/scope.js';
import { deletionPolicy, updateReplacePolicy } from '../plan/policies.js';
import { reasonOf } from '../resources/failure.js';
import { coerceProperties } from '../resources/schema.js';
import type { Deployment, ResourceRecord, ResourceToImport } from '../store/records.js';
import type { ResourceDeclaration } from '../template/model.js';
import { dependencies } from '../template/references.js';
import { providerContext } from './context.js';
import { ResourceFailed, type Toucher } from './attempt.js';

/** Takes a resource that exists into the stack (user guide: "Import AWS resources into a CloudFormation stack"): read, never made. */
export async function importResource(toucher: Toucher, deployment: Deployment, scope: Scope, declaration: ResourceDeclaration, imported: ResourceToImport): Promise<void> {
  const { session } = toucher;
  const { logicalId, type } = declaration;
  const touch = session.store.touch(session.uuid, logicalId);
  if (touch?.failed) throw new ResourceFailed(session.records.get(logicalId)?.reason ?? 'failed before');
  if (touch?.done) return;
  const physicalId = Object.values(imported.identifier).join('|');
  const token = session.operation.id;
  const properties = evaluate(declaration.properties, scope) as JsonObject;
  const shown = session.shownProperties(deployment, logicalId, properties);
  const provider = toucher.provider(type);
  const record = (status: ResourceRecord['status'], reason: string | undefined, attributes: JsonObject): ResourceRecord => ({
    logicalId, type, physicalId, status, reason, at: session.now(), properties, attributes, metadata: declaration.metadata,
    dependsOn: dependencies(declaration, session.template(deployment), scope.active, scope.condition), deletionPolicy: deletionPolicy(declaration, scope),
    updateReplacePolicy: updateReplacePolicy(declaration, scope), stackTags: deployment.tags, modelled: provider.modelled === true, drift: undefined,
  });
  session.commit(() => session.resourceEvent({ logicalId, type, physicalId }, 'IMPORT_IN_PROGRESS', 'Resource import started.', shown));
  const context = providerContext(session, toucher.mailbox, { logicalId, type, token, tags: deployment.tags, tagsBefore: [], onInitiated: () => undefined });
  try {
    const model = provider.read ? await provider.read(physicalId, context) : undefined;
    if (model === undefined) throw new ResourceFailed(`Resource of type '${type}' with identifier '${JSON.stringify(imported.identifier)}' was not found.`);
    const attributes = { ...model, ...(await provider.attributes?.(physicalId, coerceProperties(type, properties), context)) };
    session.commit(() => {
      session.putResource(record('IMPORT_COMPLETE', 'Resource import completed.', attributes));
      session.store.putTouch(session.uuid, { logicalId, kind: 'import', done: true, failed: false, undone: false, token, before: undefined, attempted: undefined });
      session.resourceEvent({ logicalId, type, physicalId }, 'IMPORT_COMPLETE', 'Resource import completed.', shown);
    });
  } catch (error) {
    if (!isAwsError(error)) throw error;
    const reason = reasonOf(error, token);
    session.commit(() => {
      session.putResource(record('IMPORT_FAILED', reason, {}));
      session.store.putTouch(session.uuid, { logicalId, kind: 'import', done: true, failed: true, undone: false, token, before: undefined, attempted: undefined });
      session.resourceEvent({ logicalId, type, physicalId }, 'IMPORT_FAILED', reason, shown);
    });
    throw new ResourceFailed(reason);
  }
}
