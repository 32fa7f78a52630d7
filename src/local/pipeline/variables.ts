import { AwsError } from '../kernel/error.js';
import type { Execution } from './execution.js';

/**
 * Replaces `#{namespace.key}` in a configuration value: output variables of earlier actions, `codepipeline.PipelineExecutionId` and the
 * pipeline's own variables (user guide, "Variables reference"). Raises where a namespace or key isn't there.
 */
export function resolveVariables(text: string, execution: Execution): string {
  return text.replace(/#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.:-]+)\}/g, (whole, namespace: string, key: string) => {
    if (namespace === 'codepipeline') {
      if (key === 'PipelineExecutionId') return execution.id;
      throw unresolved(whole);
    }
    const values = namespace === 'variables' ? execution.variables : execution.namespaces[namespace];
    const value = values?.[key];
    if (value === undefined) throw unresolved(whole);
    return value;
  });
}

export function resolveConfiguration(configuration: Readonly<Record<string, string>>, execution: Execution): Record<string, string> {
  return Object.fromEntries(Object.entries(configuration).map(([key, value]) => [key, resolveVariables(value, execution)]));
}

function unresolved(reference: string): AwsError {
  return new AwsError('InvalidVariableReference', `The variable reference ${reference} could not be resolved: no earlier action of this execution produced it`, { status: 400 });
}
