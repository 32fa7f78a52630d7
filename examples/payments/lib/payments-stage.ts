import { Stage, type CfnOutput, type StageProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { PaymentsStack } from './payments-stack.js';

/** One copy of the service, in one account and region. */
export class PaymentsStage extends Stage {
  readonly apiUrl: CfnOutput;

  constructor(scope: Construct, id: string, props: StageProps) {
    super(scope, id, props);
    this.apiUrl = new PaymentsStack(this, 'Payments').apiUrl;
  }
}
