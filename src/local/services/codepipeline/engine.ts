import type { RequestContext, Runtime } from '../../kernel/service.js';
import { unreachable } from '../../../shared/errors.js';
import { PipelineEngine } from '../../pipeline/engine.js';
import { runners } from '../../pipeline/runners/index.js';

/** The engine of a running cloud: one a runtime. */
const engines = new WeakMap<Runtime, PipelineEngine>();

export function startEngine(runtime: Runtime): void {
  const engine = new PipelineEngine(runtime, runners);
  engines.set(runtime, engine);
  engine.resume();
}

export function engineOf(context: RequestContext): PipelineEngine {
  return engines.get(context.runtime) ?? unreachable('CodePipeline was asked before it was started');
}
