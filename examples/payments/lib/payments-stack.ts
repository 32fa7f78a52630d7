import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { LambdaRestApi } from 'aws-cdk-lib/aws-apigateway';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { fileURLToPath } from 'node:url';

/** A REST API in front of a function. */
export class PaymentsStack extends Stack {
  readonly apiUrl: CfnOutput;

  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const handler = new Function(this, 'Handler', {
      runtime: Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: Code.fromAsset(fileURLToPath(new URL('../lambda', import.meta.url))),
      environment: { REGION_NAME: this.region },
    });
    const api = new LambdaRestApi(this, 'Api', { handler });
    this.apiUrl = new CfnOutput(this, 'ApiUrl', { value: api.url });
  }
}
