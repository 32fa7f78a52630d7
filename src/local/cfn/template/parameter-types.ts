/**
 * Parameter types (user guide: "CloudFormation-supplied parameter types"). Each AWS-specific type names how a value of it is looked
 * for in the account.
 */
const AWS_SPECIFIC_TYPES = new Set([
  'AWS::EC2::AvailabilityZone::Name', 'AWS::EC2::Image::Id', 'AWS::EC2::Instance::Id', 'AWS::EC2::KeyPair::KeyName', 'AWS::EC2::SecurityGroup::GroupName',
  'AWS::EC2::SecurityGroup::Id', 'AWS::EC2::Subnet::Id', 'AWS::EC2::Volume::Id', 'AWS::EC2::VPC::Id', 'AWS::Route53::HostedZone::Id',
]);

const PLAIN = new Set(['String', 'Number', 'CommaDelimitedList', 'List<Number>', 'List<String>', 'AWS::SSM::Parameter::Name']);
const SSM = /^AWS::SSM::Parameter::Value<(.+)>$/;
const LIST = /^List<(.+)>$/;

export function isParameterType(type: string): boolean {
  if (PLAIN.has(type) || AWS_SPECIFIC_TYPES.has(type)) return true;
  const list = LIST.exec(type)?.[1];
  if (list !== undefined) return AWS_SPECIFIC_TYPES.has(list);
  const inner = SSM.exec(type)?.[1];
  return inner !== undefined && inner !== 'AWS::SSM::Parameter::Name' && !SSM.test(inner) && isParameterType(inner);
}

/** `AWS::SSM::Parameter::Value<T>` → `T`; undefined for the others. */
export function ssmValueType(type: string): string | undefined {
  return SSM.exec(type)?.[1];
}

/** Whether `Ref` to the parameter answers a list. */
export function isListType(type: string): boolean {
  const inner = ssmValueType(type) ?? type;
  return inner === 'CommaDelimitedList' || LIST.test(inner);
}

export function elementType(type: string): string {
  const inner = ssmValueType(type) ?? type;
  return inner === 'CommaDelimitedList' ? 'String' : (LIST.exec(inner)?.[1] ?? inner);
}
