import type { JsonObject } from '../json.js';
import { HandlerError, ignoring } from './failure.js';
import { ec2, ec2Provider, ownTags, type Answer } from './ec2-resource.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

interface VpcProperties {
  readonly CidrBlock?: string;
  readonly EnableDnsSupport?: boolean;
  readonly EnableDnsHostnames?: boolean;
  readonly InstanceTenancy?: string;
}

const vpc = ec2Provider({
  type: 'AWS::EC2::VPC',
  honours: ['CidrBlock', 'EnableDnsSupport', 'EnableDnsHostnames', 'InstanceTenancy'],
  tagged: 'vpc',
  gone: ['InvalidVpcID.NotFound'],
  async create(properties: VpcProperties, context, tags) {
    const { Vpc } = await ec2(context, 'CreateVpc', { CidrBlock: properties.CidrBlock, InstanceTenancy: properties.InstanceTenancy, ...tags });
    const id = Vpc.VpcId as string;
    context.initiated(id);
    await setDns(id, {}, properties, context);
    return { physicalId: id, attributes: await vpcAttributes(id, context) };
  },
  async update(id, before: VpcProperties, after: VpcProperties, context) {
    await setDns(id, before, after, context);
    if (after.InstanceTenancy !== before.InstanceTenancy) await ec2(context, 'ModifyVpcTenancy', { VpcId: id, InstanceTenancy: after.InstanceTenancy ?? 'default' });
  },
  delete: (id, _, context) => ec2(context, 'DeleteVpc', { VpcId: id }),
  attributes: vpcAttributes,
  async read(id, context) {
    const { Vpcs } = await ec2(context, 'DescribeVpcs', { VpcIds: [id] });
    const { EnableDnsSupport } = await ec2(context, 'DescribeVpcAttribute', { VpcId: id, Attribute: 'enableDnsSupport' });
    const { EnableDnsHostnames } = await ec2(context, 'DescribeVpcAttribute', { VpcId: id, Attribute: 'enableDnsHostnames' });
    const found = Vpcs[0];
    return { VpcId: id, CidrBlock: found.CidrBlock, InstanceTenancy: found.InstanceTenancy, EnableDnsSupport: EnableDnsSupport.Value, EnableDnsHostnames: EnableDnsHostnames.Value, ...ownTags(found.Tags) } as JsonObject;
  },
});

async function setDns(id: string, before: VpcProperties, after: VpcProperties, context: ProviderContext): Promise<void> {
  for (const [name, standard] of [['EnableDnsSupport', true], ['EnableDnsHostnames', false]] as const) {
    if ((after[name] ?? standard) !== (before[name] ?? standard)) await ec2(context, 'ModifyVpcAttribute', { VpcId: id, [name]: { Value: after[name] ?? standard } });
  }
}

async function vpcAttributes(id: string, context: ProviderContext): Promise<JsonObject> {
  const Filters = [{ Name: 'vpc-id', Values: [id] }];
  const { Vpcs } = await ec2(context, 'DescribeVpcs', { VpcIds: [id] });
  const { SecurityGroups } = await ec2(context, 'DescribeSecurityGroups', { Filters: [...Filters, { Name: 'group-name', Values: ['default'] }] });
  const { NetworkAcls } = await ec2(context, 'DescribeNetworkAcls', { Filters: [...Filters, { Name: 'default', Values: ['true'] }] });
  const found = Vpcs[0];
  return {
    VpcId: id,
    CidrBlock: found.CidrBlock,
    CidrBlockAssociations: found.CidrBlockAssociationSet.map((one: Answer) => one.AssociationId),
    Ipv6CidrBlocks: (found.Ipv6CidrBlockAssociationSet ?? []).map((one: Answer) => one.Ipv6CidrBlock),
    DefaultSecurityGroup: SecurityGroups[0].GroupId,
    DefaultNetworkAcl: NetworkAcls[0].NetworkAclId,
  };
}

interface SubnetProperties {
  readonly VpcId: string;
  readonly CidrBlock?: string;
  readonly AvailabilityZone?: string;
  readonly AvailabilityZoneId?: string;
  readonly MapPublicIpOnLaunch?: boolean;
  readonly AssignIpv6AddressOnCreation?: boolean;
  readonly EnableDns64?: boolean;
  readonly Ipv6CidrBlock?: string;
  readonly PrivateDnsNameOptionsOnLaunch?: { readonly HostnameType?: string; readonly EnableResourceNameDnsARecord?: boolean; readonly EnableResourceNameDnsAAAARecord?: boolean };
}

const subnet = ec2Provider({
  type: 'AWS::EC2::Subnet',
  honours: ['VpcId', 'CidrBlock', 'AvailabilityZone', 'AvailabilityZoneId', 'MapPublicIpOnLaunch', 'AssignIpv6AddressOnCreation', 'EnableDns64', 'Ipv6CidrBlock', 'PrivateDnsNameOptionsOnLaunch'],
  tagged: 'subnet',
  gone: ['InvalidSubnetID.NotFound'],
  async create(properties: SubnetProperties, context, tags) {
    const { VpcId, CidrBlock, AvailabilityZone, AvailabilityZoneId, Ipv6CidrBlock } = properties;
    const { Subnet } = await ec2(context, 'CreateSubnet', { VpcId, CidrBlock, AvailabilityZone, AvailabilityZoneId, Ipv6CidrBlock, ...tags });
    const id = Subnet.SubnetId as string;
    context.initiated(id);
    await setSubnet(id, {}, properties, context);
    return { physicalId: id, attributes: await subnetAttributes(id, context) };
  },
  async update(id, before: SubnetProperties, after: SubnetProperties, context) {
    await setSubnet(id, before, after, context);
    if (before.Ipv6CidrBlock !== after.Ipv6CidrBlock) {
      const { Subnets } = await ec2(context, 'DescribeSubnets', { SubnetIds: [id] });
      for (const { AssociationId } of Subnets[0].Ipv6CidrBlockAssociationSet) await ec2(context, 'DisassociateSubnetCidrBlock', { AssociationId });
      if (after.Ipv6CidrBlock !== undefined) await ec2(context, 'AssociateSubnetCidrBlock', { SubnetId: id, Ipv6CidrBlock: after.Ipv6CidrBlock });
    }
  },
  delete: (id, _, context) => ec2(context, 'DeleteSubnet', { SubnetId: id }),
  attributes: subnetAttributes,
  async read(id, context) {
    const { Subnets } = await ec2(context, 'DescribeSubnets', { SubnetIds: [id] });
    const { VpcId, CidrBlock, AvailabilityZone, MapPublicIpOnLaunch, AssignIpv6AddressOnCreation, EnableDns64, Tags } = Subnets[0];
    return { SubnetId: id, VpcId, CidrBlock, AvailabilityZone, MapPublicIpOnLaunch, AssignIpv6AddressOnCreation, EnableDns64, ...ownTags(Tags) } as JsonObject;
  },
});

async function setSubnet(id: string, before: Partial<SubnetProperties>, after: SubnetProperties, context: ProviderContext): Promise<void> {
  for (const name of ['MapPublicIpOnLaunch', 'AssignIpv6AddressOnCreation', 'EnableDns64'] as const) {
    if ((after[name] ?? false) !== (before[name] ?? false)) await ec2(context, 'ModifySubnetAttribute', { SubnetId: id, [name]: { Value: after[name] ?? false } });
  }
  const was = before.PrivateDnsNameOptionsOnLaunch ?? {};
  const is = after.PrivateDnsNameOptionsOnLaunch ?? {};
  if (is.HostnameType !== was.HostnameType) await ec2(context, 'ModifySubnetAttribute', { SubnetId: id, PrivateDnsHostnameTypeOnLaunch: is.HostnameType ?? 'ip-name' });
  for (const name of ['EnableResourceNameDnsARecord', 'EnableResourceNameDnsAAAARecord'] as const) {
    if ((is[name] ?? false) !== (was[name] ?? false)) await ec2(context, 'ModifySubnetAttribute', { SubnetId: id, [`${name}OnLaunch`]: { Value: is[name] ?? false } });
  }
}

async function subnetAttributes(id: string, context: ProviderContext): Promise<JsonObject> {
  const { Subnets } = await ec2(context, 'DescribeSubnets', { SubnetIds: [id] });
  const found = Subnets[0];
  const { NetworkAcls } = await ec2(context, 'DescribeNetworkAcls', { Filters: [{ Name: 'association.subnet-id', Values: [id] }] });
  const association = NetworkAcls[0]?.Associations.find((one: Answer) => one.SubnetId === id)?.NetworkAclAssociationId ?? '';
  return {
    SubnetId: id, VpcId: found.VpcId, CidrBlock: found.CidrBlock, AvailabilityZone: found.AvailabilityZone, AvailabilityZoneId: found.AvailabilityZoneId, NetworkAclAssociationId: association, OutpostArn: '',
    Ipv6CidrBlocks: found.Ipv6CidrBlockAssociationSet.map((one: Answer) => one.Ipv6CidrBlock),
  };
}

const routeTable = ec2Provider({
  type: 'AWS::EC2::RouteTable',
  honours: ['VpcId'],
  tagged: 'route-table',
  gone: ['InvalidRouteTableID.NotFound'],
  async create({ VpcId }: { VpcId: string }, context, tags) {
    const { RouteTable } = await ec2(context, 'CreateRouteTable', { VpcId, ...tags });
    return { physicalId: RouteTable.RouteTableId, attributes: { RouteTableId: RouteTable.RouteTableId } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteRouteTable', { RouteTableId: id }),
  attributes: async (id) => ({ RouteTableId: id }),
  async read(id, context) {
    const { RouteTables } = await ec2(context, 'DescribeRouteTables', { RouteTableIds: [id] });
    return { RouteTableId: id, VpcId: RouteTables[0].VpcId, ...ownTags(RouteTables[0].Tags) } as JsonObject;
  },
});

interface RouteProperties {
  readonly RouteTableId: string;
  readonly DestinationCidrBlock?: string;
  readonly DestinationIpv6CidrBlock?: string;
  readonly DestinationPrefixListId?: string;
  readonly [target: string]: string | undefined;
}

const destinationOf = ({ RouteTableId, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId }: RouteProperties): Record<string, string | undefined> => ({ RouteTableId, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId });
const blockOf = (properties: RouteProperties): string => properties.DestinationCidrBlock ?? properties.DestinationIpv6CidrBlock ?? properties.DestinationPrefixListId ?? '';

const route = ec2Provider({
  type: 'AWS::EC2::Route',
  honours: ['RouteTableId', 'DestinationCidrBlock', 'DestinationIpv6CidrBlock', 'DestinationPrefixListId', 'GatewayId', 'NatGatewayId', 'InstanceId', 'NetworkInterfaceId', 'VpcPeeringConnectionId', 'TransitGatewayId', 'EgressOnlyInternetGatewayId', 'VpcEndpointId'],
  gone: ['InvalidRoute.NotFound', 'InvalidRouteTableID.NotFound'],
  async create(properties: RouteProperties, context) {
    await ec2(context, 'CreateRoute', properties);
    return { physicalId: `${properties.RouteTableId}|${blockOf(properties)}`, attributes: { CidrBlock: blockOf(properties) } };
  },
  async update(_, _before, after: RouteProperties, context) {
    await ec2(context, 'ReplaceRoute', after);
  },
  delete: (_, properties: RouteProperties, context) => ec2(context, 'DeleteRoute', destinationOf(properties)),
});

interface AssociationProperties {
  readonly SubnetId?: string;
  readonly GatewayId?: string;
  readonly RouteTableId: string;
}

const association = (type: string, member: 'SubnetId' | 'GatewayId', attribute: string): ResourceProvider =>
  ec2Provider({
    type,
    honours: [member, 'RouteTableId'],
    gone: ['InvalidAssociationID.NotFound'],
    async create(properties: AssociationProperties, context) {
      const { AssociationId } = await ec2(context, 'AssociateRouteTable', properties as unknown as Record<string, unknown>);
      return { physicalId: AssociationId, attributes: { [attribute]: AssociationId } };
    },
    async update(id, _, after: AssociationProperties, context) {
      const { NewAssociationId } = await ec2(context, 'ReplaceRouteTableAssociation', { AssociationId: id, RouteTableId: after.RouteTableId });
      return { physicalId: NewAssociationId, attributes: { [attribute]: NewAssociationId } };
    },
    delete: (id, _, context) => ec2(context, 'DisassociateRouteTable', { AssociationId: id }),
  });

const dhcpOptions = ec2Provider({
  type: 'AWS::EC2::DHCPOptions',
  honours: ['DomainName', 'DomainNameServers', 'NtpServers', 'NetbiosNameServers', 'NetbiosNodeType', 'Ipv6AddressPreferredLeaseTime'],
  tagged: 'dhcp-options',
  gone: ['InvalidDhcpOptionID.NotFound'],
  async create(properties: Readonly<Record<string, unknown>>, context, tags) {
    const names = { DomainName: 'domain-name', DomainNameServers: 'domain-name-servers', NtpServers: 'ntp-servers', NetbiosNameServers: 'netbios-name-servers', NetbiosNodeType: 'netbios-node-type', Ipv6AddressPreferredLeaseTime: 'ipv6-address-preferred-lease-time' };
    const DhcpConfigurations = Object.entries(names).filter(([name]) => properties[name] !== undefined).map(([name, Key]) => ({ Key, Values: [properties[name]].flat().map(String) }));
    const { DhcpOptions } = await ec2(context, 'CreateDhcpOptions', { DhcpConfigurations, ...tags });
    return { physicalId: DhcpOptions.DhcpOptionsId, attributes: { DhcpOptionsId: DhcpOptions.DhcpOptionsId } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteDhcpOptions', { DhcpOptionsId: id }),
});

interface DhcpAssociation {
  readonly DhcpOptionsId: string;
  readonly VpcId: string;
}

const dhcpAssociation = ec2Provider({
  type: 'AWS::EC2::VPCDHCPOptionsAssociation',
  honours: ['DhcpOptionsId', 'VpcId'],
  gone: ['InvalidVpcID.NotFound'],
  async create(properties: DhcpAssociation, context) {
    await ec2(context, 'AssociateDhcpOptions', { ...properties });
    return { physicalId: `${properties.DhcpOptionsId}|${properties.VpcId}` };
  },
  delete: (_, { VpcId }: DhcpAssociation, context) => ec2(context, 'AssociateDhcpOptions', { VpcId, DhcpOptionsId: 'default' }),
});

interface VpcBlock {
  readonly VpcId: string;
  readonly CidrBlock?: string;
  readonly AmazonProvidedIpv6CidrBlock?: boolean;
}

const vpcCidrBlock = ec2Provider({
  type: 'AWS::EC2::VPCCidrBlock',
  honours: ['VpcId', 'CidrBlock', 'AmazonProvidedIpv6CidrBlock'],
  gone: ['InvalidVpcCidrBlockAssociationID.NotFound', 'InvalidVpcID.NotFound'],
  async create(properties: VpcBlock, context) {
    const answer = await ec2(context, 'AssociateVpcCidrBlock', { ...properties });
    const id = (answer.CidrBlockAssociation ?? answer.Ipv6CidrBlockAssociation).AssociationId;
    return { physicalId: id, attributes: { Id: id } };
  },
  delete: (id, _, context) => ec2(context, 'DisassociateVpcCidrBlock', { AssociationId: id }),
});

const subnetCidrBlock = ec2Provider({
  type: 'AWS::EC2::SubnetCidrBlock',
  honours: ['SubnetId', 'Ipv6CidrBlock'],
  gone: ['InvalidSubnetCidrBlockAssociationID.NotFound'],
  async create(properties: { SubnetId: string; Ipv6CidrBlock?: string }, context) {
    const { Ipv6CidrBlockAssociation } = await ec2(context, 'AssociateSubnetCidrBlock', { ...properties });
    return { physicalId: Ipv6CidrBlockAssociation.AssociationId, attributes: { Id: Ipv6CidrBlockAssociation.AssociationId } };
  },
  delete: (id, _, context) => ec2(context, 'DisassociateSubnetCidrBlock', { AssociationId: id }),
});

interface PeeringProperties {
  readonly VpcId: string;
  readonly PeerVpcId: string;
  readonly PeerOwnerId?: string;
  readonly PeerRegion?: string;
}

/** CloudFormation accepts a peering inside the account itself (template reference, "AWS::EC2::VPCPeeringConnection"). */
const peering = ec2Provider({
  type: 'AWS::EC2::VPCPeeringConnection',
  honours: ['VpcId', 'PeerVpcId', 'PeerOwnerId', 'PeerRegion'],
  tagged: 'vpc-peering-connection',
  gone: ['InvalidVpcPeeringConnectionID.NotFound'],
  async create({ VpcId, PeerVpcId, PeerOwnerId, PeerRegion }: PeeringProperties, context, tags) {
    if (PeerOwnerId !== undefined && PeerOwnerId !== context.account) throw new HandlerError('InvalidRequest', 'The local cloud peers VPCs of one account only');
    const { VpcPeeringConnection } = await ec2(context, 'CreateVpcPeeringConnection', { VpcId, PeerVpcId, PeerOwnerId, PeerRegion, ...tags });
    const id = VpcPeeringConnection.VpcPeeringConnectionId as string;
    context.initiated(id);
    if (VpcPeeringConnection.Status.Code === 'failed') throw new HandlerError('NotStabilized', `${VpcPeeringConnection.Status.Message}`);
    const peer = PeerRegion === undefined ? context.client : context.client.in(PeerRegion);
    await peer.call('ec2', 'AcceptVpcPeeringConnection', { VpcPeeringConnectionId: id });
    return { physicalId: id, attributes: { Id: id } };
  },
  delete: (id, _, context) => ignoring(['InvalidStateTransition'], ec2(context, 'DeleteVpcPeeringConnection', { VpcPeeringConnectionId: id })),
});

export const network: readonly ResourceProvider[] = [
  vpc, subnet, routeTable, route, association('AWS::EC2::SubnetRouteTableAssociation', 'SubnetId', 'Id'), association('AWS::EC2::GatewayRouteTableAssociation', 'GatewayId', 'AssociationId'), dhcpOptions, dhcpAssociation, vpcCidrBlock, subnetCidrBlock, peering,
];
