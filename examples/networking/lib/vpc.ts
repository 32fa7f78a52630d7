import { Tags } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

export interface VpcProps {
  readonly cidr: string;
  /** Head of the name tag. */
  readonly prefix: string;
  /** Told apart by it where an account has several. */
  readonly suffix?: string;
}

/** A VPC of two zones, public and isolated subnets, no NAT gateway: it costs nothing while nothing uses it. */
export class Vpc extends ec2.Vpc {
  constructor(scope: Construct, id: string, { cidr, prefix, suffix }: VpcProps) {
    super(scope, id, {
      ipAddresses: ec2.IpAddresses.cidr(cidr),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [
        { name: 'public', subnetType: ec2.SubnetType.PUBLIC },
        { name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      ],
    });
    Tags.of(this).add('Name', ['vpc', prefix, suffix].filter(Boolean).join('-'), { includeResourceTypes: ['AWS::EC2::VPC'] });
  }
}
