import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Parameters } from './parameters.js';
import { Vpc } from './vpc.js';

export type NetworkingStackProps = StackProps & Parameters;

/** The network of one region. */
export class NetworkingStack extends Stack {
  constructor(scope: Construct, id: string, { cidr, naming, ...props }: NetworkingStackProps) {
    super(scope, id, props);
    const vpc = new Vpc(this, 'Vpc', { cidr, ...naming });
    new CfnOutput(this, 'VpcId', { value: vpc.vpcId });
  }

  /** Named, not looked up: a lookup would need credentials of every account at synth. */
  override get availabilityZones(): string[] {
    return [`${this.region}a`, `${this.region}b`];
  }
}
