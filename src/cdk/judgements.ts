import * as cdk from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';

/**
 * What rule packs such as cdk-nag say of a generated stack, and why it is as it is. AwsSolutions-IAM5 (wildcards) stays open: its findings are
 * acknowledged one by one, and they are CDK's grants to a pipeline's own artifacts, logs and reports.
 */
const JUDGEMENTS = [
  { id: 'AwsSolutions-S1', reason: 'The bucket holds artifacts that expire; who reads them stands in CloudTrail with the key that encrypts them' },
  { id: 'AwsSolutions-CB4', reason: 'The build that looks at the paths of a push makes no artifacts' },
];

/** Acknowledges those findings on a stack, where the library has a place for it (`Validations`, aws-cdk-lib 2.257 and later). */
export function acknowledge(stack: Stack): void {
  const { Validations } = cdk as { Validations?: { of(stack: Stack): { acknowledge(finding: { id: string; reason: string }): void } } };
  if (Validations) for (const finding of JUDGEMENTS) Validations.of(stack).acknowledge(finding);
}
