import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';

/** An approval of one execution that waits, as its action tells it. */
export interface WaitingApproval {
  readonly stage: string;
  readonly action: string;
  readonly token: string;
  readonly since: Date | undefined;
  readonly message: string | undefined;
  /** Something runs beside it in its stage that may answer it. */
  readonly checked: boolean;
}

export function isApproval({ input }: ActionExecutionDetail): boolean {
  return input?.actionTypeId?.category === 'Approval';
}

/**
 * Approvals among the actions of an execution in PARALLEL mode, where each execution stands at its own and the state of the pipeline doesn't
 * tell them: the token is the external ID of the action (API reference, PutApprovalResult).
 */
export function approvalsOf(details: readonly ActionExecutionDetail[]): WaitingApproval[] {
  const running = details.filter(({ status }) => status === 'InProgress');
  return running.filter(isApproval).flatMap(({ stageName: stage = '', actionName: action = '', output, startTime: since }) => {
    const { externalExecutionId: token, externalExecutionSummary: message } = output?.executionResult ?? {};
    return token === undefined ? [] : [{ stage, action, token, since, message, checked: running.some((other) => other.stageName === stage && !isApproval(other)) }];
  });
}
