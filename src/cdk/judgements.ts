import * as cdk from 'aws-cdk-lib';
import type { CfnResource, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Pipeline } from '../fleet/index.js';
import { ownWildcards } from './grants.js';

/** What rule packs such as cdk-nag say of a generated stack, and why it is as it is. */
const JUDGEMENTS = [
  { id: 'AwsSolutions-S1', reason: 'The bucket holds artifacts that expire; who reads them stands in CloudTrail with the key that encrypts them' },
  { id: 'AwsSolutions-CB4', reason: 'The build that looks at the paths of a push makes no artifacts' },
];

/** Acknowledges those findings on a stack, where the library has a place for it (`Validations`, aws-cdk-lib 2.257 and later). */
export function acknowledge(stack: Stack): void {
  for (const finding of JUDGEMENTS) acknowledgeAt(stack, finding);
}

/** Acknowledges the wildcards of a policy that CDK or this library wrote, one by one: those of an app's own statements stay open. */
export function acknowledgeWildcards(pipeline: Pipeline, policy: CfnResource, document: object): void {
  const wildcards = ownWildcards(pipeline, policy.node.path, document);
  for (const [wildcard, reason] of wildcards) acknowledgeAt(policy, { id: `AwsSolutions-IAM5[${wildcard}]`, reason });
}

interface Finding {
  readonly id: string;
  readonly reason: string;
}

function acknowledgeAt(construct: IConstruct, finding: Finding): void {
  const { Validations } = cdk as { Validations?: { of(construct: IConstruct): { acknowledge(finding: Finding): void } } };
  if (Validations) withoutTraces(() => Validations.of(construct).acknowledge(finding));
}

/** CDK notes with each acknowledgement where it was made, which takes most of its time and would show this file. */
function withoutTraces(work: () => void): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
