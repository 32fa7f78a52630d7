import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { fileURLToPath } from 'node:url';

export interface GreeterStackProps extends StackProps {
  readonly greeting: string;
}

/** A function that greets. */
export class GreeterStack extends Stack {
  constructor(scope: Construct, id: string, { greeting, ...props }: GreeterStackProps) {
    super(scope, id, props);
    const greeter = new Function(this, 'Greeter', {
      runtime: Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: Code.fromAsset(fileURLToPath(new URL('../src', import.meta.url))),
      environment: { GREETING: greeting },
    });
    new CfnOutput(this, 'FunctionName', { value: greeter.functionName });
  }
}
