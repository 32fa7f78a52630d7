import { resourceSchema } from '../../models/resources.js';
import { isAwsError } from '../../kernel/error.js';
import { isObject, type Json } from '../json.js';
import { evaluateJson } from '../evaluate/evaluate.js';
import type { Scope } from '../evaluate/scope.js';
import { topological } from '../plan/compute.js';
import type { Deployment, ResourceRecord, StackOutput } from '../store/records.js';
import type { Template } from '../template/model.js';
import { attributePath, dependencies, intrinsic, references } from '../template/references.js';
import { importResource } from './import.js';
import { schedule } from './scheduler.js';
import { deniedBy } from './stack-policy.js';
import { ResourceFailed, type Toucher } from './attempt.js';
import { bringAbout } from './touch.js';
import { Triggers } from './triggers.js';

/** Resources at work at the same time. */
export const PARALLEL = 24;

/** How bringing a deployment about ended. `reason` is the stack's, in AWS's words. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Creates and updates resources along the graph of the template; nothing is removed yet. */
export async function goForward(toucher: Toucher): Promise<Outcome> {
  const { session } = toucher;
  const { operation } = session;
  const deployment = operation.target!;
  const template = session.template(deployment);
  const scope = session.scope(deployment);
  const refused = invalidAttributes(template, scope) ?? missingExports(template, scope);
  if (refused !== undefined) return { ok: false, reason: refused };
  const order = topological(template, scope);
  const kept = deniedRemoval(toucher, scope);
  if (kept !== undefined) return { ok: false, reason: kept };
  const wanted = operation.changes === undefined ? undefined : new Set(operation.changes);
  const triggers = new Triggers(session);
  await triggers.start();
  if (triggers.breach !== undefined) return { ok: false, reason: triggers.breach };
  let failed = false;
  const failures = await schedule({
    nodes: order,
    after: (logicalId) => dependencies(template.resources[logicalId]!, template, scope.active, scope.condition),
    parallel: PARALLEL,
    halted: () => failed || session.abort.signal.aborted || session.runtime.signal.aborted,
    run: async (logicalId) => {
      const declaration = template.resources[logicalId]!;
      const imported = operation.imports.find((candidate) => candidate.logicalId === logicalId);
      try {
        if (imported) await importResource(toucher, deployment, scope, declaration, imported);
        else await bringAbout(toucher, deployment, scope, declaration, wanted === undefined || wanted.has(logicalId));
      } catch (error) {
        failed = true;
        if (operation.kind !== 'DELETE_STACK') session.abort.abort();
        throw error;
      }
    },
  });
  triggers.stop();
  if (session.operation.cancelled !== undefined) return { ok: false, reason: session.operation.cancelled };
  if (triggers.breach !== undefined) return { ok: false, reason: triggers.breach };
  if (failures.length > 0) return { ok: false, reason: failureReason(toucher, failures) };
  await triggers.monitor();
  if (session.runtime.signal.aborted) return { ok: false, reason: '' };
  const stopped = session.operation.cancelled ?? triggers.breach;
  if (stopped !== undefined) return { ok: false, reason: stopped };
  return finishOutputs(toucher, deployment, scope);
}

/** A resource that the template no longer has but the stack policy protects. */
function deniedRemoval({ session }: Toucher, scope: Scope): string | undefined {
  const policy = session.operation.policyDuringUpdate ?? session.stack.policy;
  if (policy === undefined || session.operation.kind === 'CREATE_STACK') return undefined;
  for (const record of session.records.values()) {
    if (scope.active(record.logicalId)) continue;
    const denied = deniedBy(policy, record.logicalId, record.type, 'Update:Delete');
    if (denied !== undefined) return `Action denied by stack policy: Statement [#${denied}] does not allow [Update:Delete] for resource [LogicalResourceId/${record.logicalId}]. `;
  }
  return undefined;
}

/** `The following resource(s) failed to create: [A, B]. ` and the like for updates. */
function failureReason({ session }: Toucher, failures: readonly { node: string; error: unknown }[]): string {
  const unexpected = failures.find((failure) => !(failure.error instanceof ResourceFailed));
  if (unexpected) throw unexpected.error;
  const of = (status: ResourceRecord['status']): string[] => failures.map((failure) => failure.node).filter((node) => session.records.get(node)?.status === status);
  const parts: [string, string[]][] = [['create', of('CREATE_FAILED')], ['update', of('UPDATE_FAILED')], ['import', of('IMPORT_FAILED')]];
  return parts.filter(([, nodes]) => nodes.length > 0).map(([verb, nodes]) => `The following resource(s) failed to ${verb}: [${nodes.join(', ')}]. `).join('');
}

/** Recorded: cfn-attributes-invalid-getatt-fails. Refused before any resource is touched. */
function invalidAttributes(template: Template, scope: Scope): string | undefined {
  const found: string[] = [];
  const visit = (value: Json, path: string): void => {
    const call = intrinsic(value);
    if (call?.name === 'Fn::GetAtt') {
      const [resource, attribute] = attributePath(call.argument);
      const type = typeof resource === 'string' ? template.resources[resource]?.type : undefined;
      if (type !== undefined && typeof attribute === 'string' && !hasAttribute(type, attribute)) {
        found.push(`[Error] ${path}/Fn::GetAtt: Resource type ${type} does not support attribute {${attribute}}.`);
      }
    }
    if (Array.isArray(value)) value.forEach((item, i) => visit(item, `${path}/${i}`));
    else if (isObject(value)) for (const [key, member] of Object.entries(value)) visit(member, `${path}/${key}`);
  };
  for (const declaration of Object.values(template.resources)) if (scope.active(declaration.logicalId)) visit(declaration.properties, `/Resources/${declaration.logicalId}/Properties`);
  for (const [name, output] of Object.entries(template.outputs)) if (output.condition === undefined || scope.condition(output.condition)) visit(output.value, `/Outputs/${name}/Value`);
  return found.length === 0 ? undefined : `${found.join(' ')} `;
}

export function hasAttribute(type: string, attribute: string): boolean {
  if (type.startsWith('Custom::')) return true;
  const attributes = resourceSchema(type)?.attributes;
  if (!attributes) return false;
  return attributes.some((known) => known === attribute || known === '*' || (known.endsWith('.*') && attribute.startsWith(known.slice(0, -1))));
}

function missingExports(template: Template, scope: Scope): string | undefined {
  try {
    importNames(template, scope);
    return undefined;
  } catch (error) {
    if (isAwsError(error)) return `${error.message} `;
    throw error;
  }
}

/** Names of the exports a template imports, in the resources and outputs that exist. Raises for one that isn't there. */
export function importNames(template: Template, scope: Scope): string[] {
  const names = new Set<string>();
  const visit = (value: Json): void => {
    const call = intrinsic(value);
    if (call?.name === 'Fn::ImportValue') {
      const usable = references(call.argument).every((reference) => !Object.hasOwn(template.resources, reference.name));
      const name = usable ? evaluateJson(call.argument, scope) : undefined;
      if (typeof name === 'string') {
        scope.exported(name);
        names.add(name);
      }
      return;
    }
    if (call?.name === 'Fn::If' && Array.isArray(call.argument) && typeof call.argument[0] === 'string') {
      visit(call.argument[scope.condition(call.argument[0]) ? 1 : 2] ?? '');
      return;
    }
    if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) Object.values(value).forEach(visit);
  };
  for (const declaration of Object.values(template.resources)) if (scope.active(declaration.logicalId)) visit(declaration.properties);
  for (const output of Object.values(template.outputs)) if (output.condition === undefined || scope.condition(output.condition)) visit(output.value);
  return [...names];
}

/** Evaluates outputs, checks exports against those who use them, and writes them together with the imports. */
function finishOutputs({ session }: Toucher, deployment: Deployment, scope: Scope): Outcome {
  const { store, uuid, stack } = session;
  const template = session.template(deployment);
  let outputs: StackOutput[];
  try {
    outputs = evaluateOutputs(template, scope);
  } catch (error) {
    if (isAwsError(error)) return { ok: false, reason: `${error.message} ` };
    throw error;
  }
  const before = new Map(stack.outputs.filter((output) => output.exportName !== undefined).map((output) => [output.exportName!, output.value]));
  const after = new Map<string, string>();
  for (const { exportName, value } of outputs) {
    if (exportName === undefined) continue;
    const standing = store.export(exportName);
    if (after.has(exportName) || (standing && standing.stackUuid !== uuid)) {
      const owner = standing && standing.stackUuid !== uuid ? store.stack(standing.stackUuid)?.name : stack.name;
      return { ok: false, reason: `Export with name ${exportName} is already exported by stack ${owner ?? ''}. ` };
    }
    after.set(exportName, value);
  }
  const blocked = blockedExports(session.store, uuid, [...before].filter(([name]) => !after.has(name)).map(([name]) => name));
  if (blocked !== undefined) return { ok: false, reason: blocked };
  const changed = [...before].filter(([name, value]) => after.has(name) && after.get(name) !== value).map(([name]) => name);
  const users = changed.map((name) => [name, importerNames(session.store, uuid, name)] as const).find(([, names]) => names.length > 0);
  if (users) return { ok: false, reason: `Export ${users[0]} cannot be updated as it is in use by ${users[1].join(' and ')}. ` };
  const imported = importNames(template, scope);
  session.commit(() => {
    for (const name of before.keys()) if (!after.has(name)) store.removeExport(name);
    for (const [name, value] of after) store.putExport({ name, value, stackUuid: uuid, stackId: stack.id });
    store.setImports(uuid, previousImports(session), imported);
    store.patchStack(uuid, { outputs });
  });
  return { ok: true };
}

function previousImports(session: Toucher['session']): string[] {
  const { previous } = session.operation;
  if (!previous) return [];
  try {
    return importNames(session.template(previous), session.scope(previous));
  } catch {
    return [];
  }
}

export function evaluateOutputs(template: Template, scope: Scope): StackOutput[] {
  return Object.entries(template.outputs)
    .filter(([, output]) => output.condition === undefined || scope.condition(output.condition))
    .map(([key, output]) => {
      const value = evaluateJson(output.value, scope);
      const exportName = output.exportName === undefined ? undefined : evaluateJson(output.exportName, scope);
      if (Array.isArray(value) || isObject(value ?? null)) throw notText(key);
      return { key, value: value === undefined ? '' : String(value), description: output.description, exportName: exportName === undefined ? undefined : String(exportName) };
    });
}

function notText(key: string): Error {
  return new ResourceFailed(`Template format error: Output ${key} is malformed. The Value field of every Outputs member must evaluate to a String.`);
}

/** Sentence for exports that others still import; undefined when they may go. */
export function blockedExports(store: Toucher['session']['store'], uuid: string, names: readonly string[]): string | undefined {
  for (const name of names) {
    const users = importerNames(store, uuid, name);
    if (users.length > 0) return `Delete canceled. Cannot delete export ${name} as it is in use by ${users.join(' and ')}.`;
  }
  return undefined;
}

function importerNames(store: Toucher['session']['store'], uuid: string, name: string): string[] {
  return store.importers(name).filter((other) => other !== uuid).flatMap((other) => store.stack(other)?.name ?? []);
}
