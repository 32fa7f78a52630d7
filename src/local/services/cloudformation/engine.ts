import type { Runtime } from '../../kernel/service.js';
import { Engine } from '../../cfn/execute/engine.js';
import { providerOf } from '../../cfn/resources/index.js';

const engines = new WeakMap<Runtime, Engine>();

/** The engine of a running cloud: one for all accounts and regions. */
export function engineOf(runtime: Runtime): Engine {
  let engine = engines.get(runtime);
  if (!engine) engines.set(runtime, (engine = new Engine(runtime, providerOf)));
  return engine;
}
