import { isAwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { validationError } from '../../cfn/template/error.js';
import type { Template } from '../../cfn/template/model.js';
import { AWS_SPECIFIC_TYPES, elementType } from '../../cfn/template/parameter-types.js';
import { isForeseen, type ParameterValue } from '../../cfn/template/parameters.js';

/** How the values of AWS-specific parameter types are looked up: operation, its filter member, and the error that says "isn't there". */
const LOOKUPS: Readonly<Record<string, { operation: string; member: string; service?: string }>> = {
  'AWS::EC2::VPC::Id': { operation: 'DescribeVpcs', member: 'VpcIds' },
  'AWS::EC2::Subnet::Id': { operation: 'DescribeSubnets', member: 'SubnetIds' },
  'AWS::EC2::SecurityGroup::Id': { operation: 'DescribeSecurityGroups', member: 'GroupIds' },
  'AWS::EC2::KeyPair::KeyName': { operation: 'DescribeKeyPairs', member: 'KeyNames' },
  'AWS::EC2::AvailabilityZone::Name': { operation: 'DescribeAvailabilityZones', member: 'ZoneNames' },
};

/** Values of AWS-specific types must exist in the account, where a service here can say so (user guide: "Parameters"). */
export async function checkParameterValues(template: Template, parameters: readonly ParameterValue[], context: RequestContext): Promise<void> {
  for (const parameter of parameters) {
    const declaration = template.parameters[parameter.key]!;
    const type = elementType(declaration.type);
    const lookup = AWS_SPECIFIC_TYPES.has(type) ? LOOKUPS[type] : undefined;
    if (!lookup || isForeseen(parameter.value)) continue;
    const values = (parameter.resolved ?? parameter.value).split(',').map((value) => value.trim()).filter((value) => value !== '');
    for (const value of values) await checkValue(parameter.key, value, lookup, context);
  }
}

async function checkValue(key: string, value: string, lookup: { operation: string; member: string }, context: RequestContext): Promise<void> {
  try {
    await context.onBehalf.call('ec2', lookup.operation, { [lookup.member]: [value] });
  } catch (error) {
    if (!isAwsError(error)) throw error;
    if (/NotFound|Malformed|InvalidParameterValue/.test(error.code)) {
      throw validationError(`Parameter validation failed: parameter value ${value} for parameter name ${key} does not exist`);
    }
  }
}
