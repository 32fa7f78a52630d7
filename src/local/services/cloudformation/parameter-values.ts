import { isAwsError, type AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { validationError } from '../../cfn/template/error.js';
import type { Template } from '../../cfn/template/model.js';
import { elementType } from '../../cfn/template/parameter-types.js';
import { isForeseen, type ParameterValue } from '../../cfn/template/parameters.js';

/** How the values of AWS-specific parameter types are looked up: the operation, its filter member, and where its answer lists what it found. */
const LOOKUPS: Readonly<Record<string, { operation: string; member: string; found: string }>> = {
  'AWS::EC2::AvailabilityZone::Name': { operation: 'DescribeAvailabilityZones', member: 'ZoneNames', found: 'AvailabilityZones' },
  'AWS::EC2::Instance::Id': { operation: 'DescribeInstances', member: 'InstanceIds', found: 'Reservations' },
  'AWS::EC2::KeyPair::KeyName': { operation: 'DescribeKeyPairs', member: 'KeyNames', found: 'KeyPairs' },
  'AWS::EC2::SecurityGroup::GroupName': { operation: 'DescribeSecurityGroups', member: 'GroupNames', found: 'SecurityGroups' },
  'AWS::EC2::SecurityGroup::Id': { operation: 'DescribeSecurityGroups', member: 'GroupIds', found: 'SecurityGroups' },
  'AWS::EC2::Subnet::Id': { operation: 'DescribeSubnets', member: 'SubnetIds', found: 'Subnets' },
  'AWS::EC2::Volume::Id': { operation: 'DescribeVolumes', member: 'VolumeIds', found: 'Volumes' },
  'AWS::EC2::VPC::Id': { operation: 'DescribeVpcs', member: 'VpcIds', found: 'Vpcs' },
};

/** The world's images aren't known here: an ID must look like one. Hosted zones have no service here and aren't checked. */
const IMAGE = /^ami-([0-9a-f]{8}|[0-9a-f]{17})$/;

/** Values of AWS-specific types must exist in the account, as far as a service here can say (user guide: "CloudFormation-supplied parameter types"). */
export async function checkParameterValues(template: Template, parameters: readonly ParameterValue[], context: RequestContext): Promise<void> {
  for (const parameter of parameters) {
    if (isForeseen(parameter.value)) continue;
    const { type: declared } = template.parameters[parameter.key]!;
    const type = elementType(declared);
    const values = (parameter.resolved ?? parameter.value).split(',').map((value) => value.trim()).filter((value) => value !== '');
    for (const value of values) if (!(await exists(type, value, context))) throw missing(parameter.key, value);
    if (declared === 'AWS::SSM::Parameter::Name') await checkStored(parameter.value, context);
  }
}

function missing(key: string, value: string): AwsError {
  return validationError(`Parameter validation failed: parameter value ${value} for parameter name ${key} does not exist`);
}

async function exists(type: string, value: string, context: RequestContext): Promise<boolean> {
  if (type === 'AWS::EC2::Image::Id') return IMAGE.test(value);
  const lookup = LOOKUPS[type];
  if (!lookup) return true;
  try {
    const answer = await context.onBehalf.call<Record<string, readonly unknown[] | undefined>>('ec2', lookup.operation, { [lookup.member]: [value] });
    return (answer[lookup.found] ?? []).length > 0;
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return !/NotFound|Malformed|InvalidParameterValue/.test(error.code);
  }
}

/** `AWS::SSM::Parameter::Name` only sees to it that the parameter is there; its value isn't used. */
async function checkStored(name: string, context: RequestContext): Promise<void> {
  const { Parameters = [] } = await context.onBehalf.call<{ Parameters?: object[] }>('ssm', 'GetParameters', { Names: [name] });
  if (Parameters.length === 0) throw validationError(`Unable to fetch parameters [${name}] from parameter store for this account.`);
}
