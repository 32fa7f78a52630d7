import type * as Cfn from '../../models/types/cloudformation.js';
import { validationError } from '../../cfn/template/error.js';
import type { StackRecord } from '../../cfn/store/records.js';

/**
 * Whether an operation that fails leaves things where they are. In express mode that is the default (user guide: "Deploy stacks faster
 * with express mode"; what the CLIs send: `DeploymentConfig.DisableRollback: false` for a rollback).
 */
export function disablesRollback(input: { readonly DisableRollback?: boolean; readonly DeploymentConfig?: Cfn.DeploymentConfig }): boolean {
  return input.DeploymentConfig?.DisableRollback ?? input.DisableRollback ?? input.DeploymentConfig?.Mode === 'EXPRESS';
}

/** What an operation in express mode left failed only another one in express mode may go on with (as users report it). */
export function requireSameMode(stack: StackRecord, config: Cfn.DeploymentConfig | undefined): void {
  const failed = stack.status === 'CREATE_FAILED' || stack.status === 'UPDATE_FAILED';
  if (failed && stack.deploymentConfig?.Mode === 'EXPRESS' && config?.Mode !== 'EXPRESS') throw validationError('Follow-up operations must use the same DeploymentConfig (mode=EXPRESS)');
}
