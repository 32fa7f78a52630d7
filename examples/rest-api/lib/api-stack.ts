import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Architecture, Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { fileURLToPath } from 'node:url';

export interface ApiStackProps extends StackProps {
  /** Requests a second. */
  readonly throttle: number;
}

/** A REST API of books, backed by a function. */
export class ApiStack extends Stack {
  constructor(scope: Construct, id: string, { throttle, ...props }: ApiStackProps) {
    super(scope, id, props);
    const handler = new Function(this, 'Handler', {
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(fileURLToPath(new URL('../src', import.meta.url))),
    });
    const api = new RestApi(this, 'Api', { deployOptions: { throttlingRateLimit: throttle, throttlingBurstLimit: throttle * 2 } });
    const books = api.root.addResource('books');
    books.addMethod('GET', new LambdaIntegration(handler));
    books.addResource('{id}').addMethod('GET', new LambdaIntegration(handler));
    new CfnOutput(this, 'ApiUrl', { value: api.url });
  }
}
