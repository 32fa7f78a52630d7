import { describe, expect, it } from 'vitest';
import { cloudformation } from '../../../src/local/services/cloudformation/index.js';
import { ec2 } from '../../../src/local/services/ec2/index.js';
import { ssm } from '../../../src/local/services/ssm/index.js';
import { TestCloud } from './world.js';

const template = (Type: string): object => ({ Parameters: { V: { Type } }, Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Name: 'p', Type: 'String', Value: Type.startsWith('List') ? { 'Fn::Join': [',', { Ref: 'V' }] } : { Ref: 'V' } } } } });

async function outcome(cloud: TestCloud, type: string, value: string): Promise<string> {
  try {
    const { id, status } = await cloud.create('s', template(type), { Parameters: [{ ParameterKey: 'V', ParameterValue: value }] });
    await cloud.delete(id);
    return status;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a value of an AWS-specific parameter type', () => {
  it('must exist in the account, in lists too', async () => {
    const cloud = new TestCloud([cloudformation, ec2, ssm]);
    const { Vpc } = await cloud.call<{ Vpc: { VpcId: string } }>('ec2', 'CreateVpc', { CidrBlock: '10.0.0.0/16' });
    const { Subnet } = await cloud.call<{ Subnet: { SubnetId: string } }>('ec2', 'CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock: '10.0.0.0/24' });
    const { GroupId } = await cloud.call<{ GroupId: string }>('ec2', 'CreateSecurityGroup', { GroupName: 'mine', Description: 'd', VpcId: Vpc.VpcId });
    const { VolumeId } = await cloud.call<{ VolumeId: string }>('ec2', 'CreateVolume', { AvailabilityZone: 'eu-west-1a', Size: 1 });
    await cloud.call('ec2', 'CreateKeyPair', { KeyName: 'key' });
    const good: Record<string, string> = {
      'AWS::EC2::VPC::Id': Vpc.VpcId, 'List<AWS::EC2::VPC::Id>': Vpc.VpcId, 'AWS::EC2::Subnet::Id': Subnet.SubnetId, 'AWS::EC2::SecurityGroup::Id': GroupId, 'AWS::EC2::SecurityGroup::GroupName': 'mine',
      'AWS::EC2::Volume::Id': VolumeId, 'AWS::EC2::KeyPair::KeyName': 'key', 'AWS::EC2::AvailabilityZone::Name': 'eu-west-1a', 'List<AWS::EC2::AvailabilityZone::Name>': 'eu-west-1a,eu-west-1b',
      'AWS::EC2::Image::Id': 'ami-0123456789abcdef0',
    };
    const bad: Record<string, [string, string?]> = {
      'AWS::EC2::VPC::Id': ['vpc-0123456789abcdef0'], 'List<AWS::EC2::VPC::Id>': [`${Vpc.VpcId},vpc-0123456789abcdef0`, 'vpc-0123456789abcdef0'], 'AWS::EC2::Subnet::Id': ['subnet-0123456789abcdef0'],
      'AWS::EC2::SecurityGroup::Id': ['sg-0123456789abcdef0'], 'AWS::EC2::SecurityGroup::GroupName': ['other'], 'AWS::EC2::Volume::Id': ['vol-0123456789abcdef0'], 'AWS::EC2::Instance::Id': ['i-0123456789abcdef0'],
      'AWS::EC2::KeyPair::KeyName': ['other'], 'AWS::EC2::AvailabilityZone::Name': ['us-east-1a'], 'AWS::EC2::Image::Id': ['image'],
    };
    for (const [type, value] of Object.entries(good)) expect([type, await outcome(cloud, type, value)]).toEqual([type, 'CREATE_COMPLETE']);
    for (const [type, [value, missing = value]] of Object.entries(bad)) {
      expect([type, await outcome(cloud, type, value)]).toEqual([type, `Parameter validation failed: parameter value ${missing} for parameter name V does not exist`]);
    }
  });

  it('that names a stored parameter is the name, and the parameter must be there', async () => {
    const cloud = new TestCloud([cloudformation, ec2, ssm]);
    expect(await outcome(cloud, 'AWS::SSM::Parameter::Name', '/there')).toBe('Unable to fetch parameters [/there] from parameter store for this account.');
    await cloud.call('ssm', 'PutParameter', { Name: '/there', Type: 'String', Value: 'secret' });
    expect(await outcome(cloud, 'AWS::SSM::Parameter::Name', '/there')).toBe('CREATE_COMPLETE');
  });
});
