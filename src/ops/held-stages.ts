import type { StageState } from '@aws-sdk/client-codepipeline';

/** A stage that nothing enters: who keeps it so, since when and why. */
export interface HeldStage {
  readonly stage: string;
  readonly reason: string;
  readonly by: string;
  readonly at: Date | undefined;
}

/** Stages whose inbound transition is disabled. */
export function heldStages(states: readonly StageState[]): HeldStage[] {
  return states.filter(({ inboundTransitionState }) => inboundTransitionState?.enabled === false).map(({ stageName = '', inboundTransitionState: held }) => ({ stage: stageName, reason: held?.disabledReason ?? '', by: held?.lastChangedBy ?? '', at: held?.lastChangedAt }));
}
