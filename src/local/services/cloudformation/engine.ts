import type { RequestContext, Runtime } from '../../kernel/service.js';
import { Engine } from '../../cfn/execute/engine.js';
import { providerOf } from '../../cfn/resources/index.js';
import type { StackRecord } from '../../cfn/store/records.js';
import { noteStarted } from './started.js';

const engines = new WeakMap<Runtime, Engine>();

/** The engine of a running cloud: one for all accounts and regions. */
export function engineOf(runtime: Runtime): Engine {
  let engine = engines.get(runtime);
  if (!engine) engines.set(runtime, (engine = new Engine(runtime, providerOf)));
  return engine;
}

/** Sets the engine to work on the operation just written. */
export function launch(stack: StackRecord, context: RequestContext): void {
  noteStarted(stack.id, context);
  engineOf(context.runtime).launch(context.account, context.region, stack.uuid);
}
