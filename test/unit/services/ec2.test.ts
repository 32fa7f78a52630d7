import { beforeEach, describe, expect, it } from 'vitest';
import { matchesValue } from '../../../src/local/services/ec2/describe.js';
import { A, allow, failure, memoryCloud, REGION, type Answer, type MemoryCloud } from './cloud.js';

let cloud: MemoryCloud;
const call = (operation: string, input: object = {}): Promise<Answer> => cloud.call('ec2', operation, input as Record<string, unknown>);
const vpcId = async (CidrBlock = '10.0.0.0/16'): Promise<string> => (await call('CreateVpc', { CidrBlock })).Vpc.VpcId;
const subnetId = async (VpcId: string, CidrBlock = '10.0.1.0/24'): Promise<string> => (await call('CreateSubnet', { VpcId, CidrBlock })).Subnet.SubnetId;

beforeEach(() => {
  cloud = memoryCloud();
});

it('has a default VPC in every region, once', async () => {
  const { Vpcs } = await call('DescribeVpcs', { Filters: [{ Name: 'is-default', Values: ['true'] }] });
  expect(Vpcs).toMatchObject([{ CidrBlock: '172.31.0.0/16', IsDefault: true }]);
  const { Subnets } = await call('DescribeSubnets', { Filters: [{ Name: 'vpc-id', Values: [Vpcs[0].VpcId] }, { Name: 'default-for-az', Values: ['true'] }] });
  expect(Subnets.map(({ AvailabilityZone, AvailableIpAddressCount, MapPublicIpOnLaunch }: Answer) => [AvailabilityZone, AvailableIpAddressCount, MapPublicIpOnLaunch]).sort()).toEqual([...'abc'].map((zone) => [`${REGION}${zone}`, 4091, true]));
  expect((await cloud.admin(A, 'us-east-1').call<Answer>('ec2', 'DescribeVpcs', {})).Vpcs[0].VpcId).not.toBe(Vpcs[0].VpcId);
});

describe('a VPC', () => {
  it('is made in canonical form and with what it comes with', async () => {
    const id = await vpcId('10.0.0.7/16');
    const Filters = [{ Name: 'vpc-id', Values: [id] }];
    expect((await call('DescribeVpcs', { VpcIds: [id] })).Vpcs[0].CidrBlock).toBe('10.0.0.0/16');
    expect((await call('DescribeRouteTables', { Filters: [...Filters, { Name: 'association.main', Values: ['true'] }] })).RouteTables).toHaveLength(1);
    expect((await call('DescribeNetworkAcls', { Filters: [...Filters, { Name: 'default', Values: ['true'] }] })).NetworkAcls).toHaveLength(1);
    expect((await call('DescribeSecurityGroups', { Filters: [...Filters, { Name: 'group-name', Values: ['default'] }] })).SecurityGroups).toHaveLength(1);
  });

  it.each([
    ['10.0.0.0/8', 'InvalidVpc.Range'],
    ['10.0.0.0/33', 'InvalidParameterValue'],
    ['nonsense', 'InvalidParameterValue'],
  ])('is not made of %s: %s', async (block, code) => expect(await failure(vpcId(block))).toMatch(new RegExp(`^${code}: `)));

  it('takes subnets inside of it that do not overlap', async () => {
    const id = await vpcId();
    await subnetId(id);
    expect(await failure(subnetId(id, '10.0.1.128/25'))).toBe("InvalidSubnet.Conflict: The CIDR '10.0.1.128/25' conflicts with another subnet");
    expect(await failure(subnetId(id, '10.1.0.0/24'))).toBe("InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.");
  });

  it('stays while something is in it', async () => {
    const VpcId = await vpcId();
    const SubnetId = await subnetId(VpcId);
    const { NetworkInterface } = await call('CreateNetworkInterface', { SubnetId });
    expect(NetworkInterface.PrivateIpAddress).toBe('10.0.1.4');
    expect(await failure(call('DeleteSubnet', { SubnetId }))).toBe(`DependencyViolation: The subnet '${SubnetId}' has dependencies and cannot be deleted.`);
    expect(await failure(call('DeleteVpc', { VpcId }))).toBe(`DependencyViolation: The vpc '${VpcId}' has dependencies and cannot be deleted.`);
    await call('DeleteNetworkInterface', { NetworkInterfaceId: NetworkInterface.NetworkInterfaceId });
    await call('DeleteSubnet', { SubnetId });
    await call('DeleteVpc', { VpcId });
    expect(await failure(call('DescribeVpcs', { VpcIds: [VpcId] }))).toBe(`InvalidVpcID.NotFound: The vpc ID '${VpcId}' does not exist`);
  });
});

describe('routes', () => {
  it('lead only where the VPC is connected, and nowhere once that is gone', async () => {
    const VpcId = await vpcId();
    const { RouteTable } = await call('CreateRouteTable', { VpcId });
    const { InternetGateway } = await call('CreateInternetGateway');
    const route = { RouteTableId: RouteTable.RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId: InternetGateway.InternetGatewayId };
    expect(await failure(call('CreateRoute', route))).toMatch(/^InvalidParameterValue: .*belong to different networks/);
    const attachment = { VpcId, InternetGatewayId: InternetGateway.InternetGatewayId };
    await call('AttachInternetGateway', attachment);
    await call('CreateRoute', route);
    await call('DetachInternetGateway', attachment);
    const { RouteTables } = await call('DescribeRouteTables', { RouteTableIds: [route.RouteTableId] });
    expect(RouteTables[0].Routes.map(({ State }: Answer) => State)).toEqual(['active', 'blackhole']);
  });

  it('of a subnet are those of one table', async () => {
    const VpcId = await vpcId();
    const SubnetId = await subnetId(VpcId);
    const [one, two] = [(await call('CreateRouteTable', { VpcId })).RouteTable.RouteTableId, (await call('CreateRouteTable', { VpcId })).RouteTable.RouteTableId];
    await call('AssociateRouteTable', { SubnetId, RouteTableId: one });
    expect(await failure(call('AssociateRouteTable', { SubnetId, RouteTableId: two }))).toMatch(/^Resource.AlreadyAssociated/);
    expect(await failure(call('DeleteRouteTable', { RouteTableId: one }))).toMatch(/^DependencyViolation/);
  });
});

describe('security groups', () => {
  it('gather rules into permissions and refuse a rule twice', async () => {
    const { GroupId } = await call('CreateSecurityGroup', { GroupName: 'web', Description: 'd' });
    const rule = (CidrIp: string) => ({ GroupId, IpPermissions: [{ IpProtocol: '6', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp }] }] });
    await call('AuthorizeSecurityGroupIngress', rule('10.0.0.0/8'));
    await call('AuthorizeSecurityGroupIngress', rule('192.168.0.0/16'));
    expect((await call('DescribeSecurityGroups', { GroupIds: [GroupId] })).SecurityGroups[0].IpPermissions).toMatchObject([{ IpProtocol: 'tcp', FromPort: 443, IpRanges: [{ CidrIp: '10.0.0.0/8' }, { CidrIp: '192.168.0.0/16' }] }]);
    expect(await failure(call('AuthorizeSecurityGroupIngress', rule('10.0.0.0/8')))).toBe('InvalidPermission.Duplicate: the specified rule "peer: 10.0.0.0/8, TCP, from port: 443, to port: 443, ALLOW" already exists');
    await call('RevokeSecurityGroupIngress', rule('10.0.0.0/8'));
    expect(await failure(call('RevokeSecurityGroupIngress', rule('10.0.0.0/8')))).toMatch(/^InvalidPermission.NotFound/);
  });

  it('stay while another group names them', async () => {
    const [a, b] = [(await call('CreateSecurityGroup', { GroupName: 'a', Description: 'd' })).GroupId, (await call('CreateSecurityGroup', { GroupName: 'b', Description: 'd' })).GroupId];
    await call('AuthorizeSecurityGroupIngress', { GroupId: a, IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: b }] }] });
    expect(await failure(call('DeleteSecurityGroup', { GroupId: b }))).toBe(`DependencyViolation: resource ${b} has a dependent object`);
    expect(await failure(call('CreateSecurityGroup', { GroupName: 'a', Description: 'd' }))).toMatch(/^InvalidGroup.Duplicate/);
  });
});

it('gives a NAT gateway its address and takes it back', async () => {
  const SubnetId = await subnetId(await vpcId());
  const { AllocationId } = await call('AllocateAddress', { Domain: 'vpc' });
  const { NatGateway } = await call('CreateNatGateway', { SubnetId, AllocationId });
  expect(await failure(call('ReleaseAddress', { AllocationId }))).toMatch(/^InvalidIPAddress.InUse/);
  await call('DeleteNatGateway', { NatGatewayId: NatGateway.NatGatewayId });
  expect((await call('DescribeNatGateways', { NatGatewayIds: [NatGateway.NatGatewayId] })).NatGateways[0].State).toBe('deleted');
  await call('ReleaseAddress', { AllocationId });
});

describe('filters', () => {
  it.each([['a*c', 'abbc', true], ['a*c', 'abb', false], ['a?c', 'abc', true], ['*', '', true], ['a\\*', 'a*', true], ['a\\*', 'ab', false], ['*x*y*', 'axbyc', true]])('%s on %s: %s', (pattern, text, expected) => expect(matchesValue(pattern, text)).toBe(expected));

  it('follow the shape of what is described, and are refused where it has no such member', async () => {
    const id = await vpcId();
    await call('CreateTags', { Resources: [id], Tags: [{ Key: 'Name', Value: 'main' }] });
    const found = async (Name: string, ...Values: string[]): Promise<string[]> => (await call('DescribeVpcs', { Filters: [{ Name, Values }] })).Vpcs.map(({ VpcId }: Answer) => VpcId);
    expect(await found('tag:Name', 'ma*')).toEqual([id]);
    expect(await found('cidr-block-association.cidr-block', '10.0.0.0/16')).toEqual([id]);
    expect(await failure(found('shoe-size', '42'))).toBe("InvalidParameterValue: The filter 'shoe-size' is invalid");
  });
});

describe('permissions', () => {
  it('are asked for the resources an action is about, and for tags besides', async () => {
    const id = await vpcId();
    const other = await vpcId('10.9.0.0/16');
    const arn = (type: string): string => `arn:aws:ec2:${REGION}:${A}:${type}`;
    const user = await cloud.user('net', allow('ec2:CreateSubnet', [arn('subnet/*'), arn(`vpc/${id}`)]));
    await expect(user.call('ec2', 'CreateSubnet', { VpcId: id, CidrBlock: '10.0.1.0/24' })).resolves.toBeDefined();
    expect(await failure(user.call('ec2', 'CreateSubnet', { VpcId: other, CidrBlock: '10.9.1.0/24' }))).toMatch(new RegExp(`^UnauthorizedOperation: .*ec2:CreateSubnet on resource: ${arn(`vpc/${other}`)}`));
    expect(await failure(user.call('ec2', 'CreateSubnet', { VpcId: id, CidrBlock: '10.0.2.0/24', TagSpecifications: [{ ResourceType: 'subnet', Tags: [{ Key: 'a', Value: 'b' }] }] }))).toMatch(/^UnauthorizedOperation: .*ec2:CreateTags/);
  });

  it('are all that a dry run asks for', async () => {
    expect(await failure(call('CreateVpc', { CidrBlock: '10.0.0.0/16', DryRun: true }))).toBe('DryRunOperation: Request would have succeeded, but DryRun flag is set.');
    expect((await call('DescribeVpcs')).Vpcs).toHaveLength(1);
  });
});

it('runs instances that boot nothing', async () => {
  const { Instances } = await call('RunInstances', { ImageId: 'ami-0123456789abcdef0', MinCount: 1, MaxCount: 1, InstanceType: 't3.micro' });
  const id = Instances[0].InstanceId;
  const described = async (): Promise<string> => (await call('DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0].State.Name;
  expect([Instances[0].State.Name, await described()]).toEqual(['pending', 'running']);
  await call('TerminateInstances', { InstanceIds: [id] });
  expect(await described()).toBe('terminated');
  expect((await call('DescribeNetworkInterfaces')).NetworkInterfaces).toEqual([]);
});
