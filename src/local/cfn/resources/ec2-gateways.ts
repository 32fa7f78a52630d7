import type { JsonObject } from '../json.js';
import { HandlerError, ignoring } from './failure.js';
import { added, ec2, ec2Provider, ownTags } from './ec2-resource.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

const internetGateway = ec2Provider({
  type: 'AWS::EC2::InternetGateway',
  honours: [],
  tagged: 'internet-gateway',
  gone: ['InvalidInternetGatewayID.NotFound'],
  async create(_: object, context, tags) {
    const { InternetGateway } = await ec2(context, 'CreateInternetGateway', tags as Record<string, unknown>);
    return { physicalId: InternetGateway.InternetGatewayId, attributes: { InternetGatewayId: InternetGateway.InternetGatewayId } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteInternetGateway', { InternetGatewayId: id }),
  attributes: async (id) => ({ InternetGatewayId: id }),
  async read(id, context) {
    const { InternetGateways } = await ec2(context, 'DescribeInternetGateways', { InternetGatewayIds: [id] });
    return { InternetGatewayId: id, ...ownTags(InternetGateways[0].Tags) } as JsonObject;
  },
});

interface AttachmentProperties {
  readonly VpcId: string;
  readonly InternetGatewayId?: string;
  readonly VpnGatewayId?: string;
}

const gatewayAttachment = ec2Provider({
  type: 'AWS::EC2::VPCGatewayAttachment',
  honours: ['VpcId', 'InternetGatewayId', 'VpnGatewayId'],
  gone: ['InvalidVpcID.NotFound', 'InvalidInternetGatewayID.NotFound', 'InvalidVpnGatewayID.NotFound', 'Gateway.NotAttached', 'InvalidVpnGatewayAttachment.NotFound'],
  async create(properties: AttachmentProperties, context) {
    await attach(properties, context);
    const kind = properties.InternetGatewayId === undefined ? 'VGW' : 'IGW';
    return { physicalId: `${kind}|${properties.VpcId}`, attributes: { AttachmentType: kind } };
  },
  async update(_, before: AttachmentProperties, after: AttachmentProperties, context) {
    await detach(before, context);
    await attach(after, context);
  },
  delete: (_, properties: AttachmentProperties, context) => detach(properties, context),
});

async function attach({ VpcId, InternetGatewayId, VpnGatewayId }: AttachmentProperties, context: ProviderContext): Promise<void> {
  if (InternetGatewayId === undefined && VpnGatewayId === undefined) throw new HandlerError('InvalidRequest', 'Either an InternetGatewayId or a VpnGatewayId must be specified');
  if (InternetGatewayId !== undefined) await ec2(context, 'AttachInternetGateway', { VpcId, InternetGatewayId });
  if (VpnGatewayId !== undefined) await ec2(context, 'AttachVpnGateway', { VpcId, VpnGatewayId });
}

async function detach({ VpcId, InternetGatewayId, VpnGatewayId }: AttachmentProperties, context: ProviderContext): Promise<void> {
  if (InternetGatewayId !== undefined) await ec2(context, 'DetachInternetGateway', { VpcId, InternetGatewayId });
  if (VpnGatewayId !== undefined) await ec2(context, 'DetachVpnGateway', { VpcId, VpnGatewayId });
}

const egressOnly = ec2Provider({
  type: 'AWS::EC2::EgressOnlyInternetGateway',
  honours: ['VpcId'],
  tagged: 'egress-only-internet-gateway',
  gone: ['InvalidEgressOnlyInternetGatewayId.NotFound'],
  async create({ VpcId }: { VpcId: string }, context, tags) {
    const { EgressOnlyInternetGateway } = await ec2(context, 'CreateEgressOnlyInternetGateway', { VpcId, ...tags });
    const id = EgressOnlyInternetGateway.EgressOnlyInternetGatewayId;
    return { physicalId: id, attributes: { Id: id } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteEgressOnlyInternetGateway', { EgressOnlyInternetGatewayId: id }),
});

interface EipProperties {
  readonly Domain?: string;
  readonly InstanceId?: string;
  readonly NetworkBorderGroup?: string;
  readonly PublicIpv4Pool?: string;
}

/** `Ref` of an Elastic IP is its address. */
const eip = ec2Provider({
  type: 'AWS::EC2::EIP',
  honours: ['Domain', 'InstanceId', 'NetworkBorderGroup', 'PublicIpv4Pool'],
  tagged: 'elastic-ip',
  gone: ['InvalidAddress.NotFound', 'InvalidAllocationID.NotFound'],
  async create({ InstanceId, NetworkBorderGroup }: EipProperties, context, tags) {
    const { PublicIp, AllocationId } = await ec2(context, 'AllocateAddress', { Domain: 'vpc', NetworkBorderGroup, ...tags });
    context.initiated(PublicIp);
    if (InstanceId !== undefined) await ec2(context, 'AssociateAddress', { AllocationId, InstanceId });
    return { physicalId: PublicIp, attributes: { PublicIp, AllocationId } };
  },
  async update(id, before: EipProperties, after: EipProperties, context) {
    if (before.InstanceId === after.InstanceId) return;
    const address = await addressOf(id, context);
    if (address.AssociationId !== undefined) await ec2(context, 'DisassociateAddress', { AssociationId: address.AssociationId });
    if (after.InstanceId !== undefined) await ec2(context, 'AssociateAddress', { AllocationId: address.AllocationId, InstanceId: after.InstanceId });
  },
  async delete(id, _, context) {
    const address = await addressOf(id, context);
    if (address.AllocationId === undefined) return;
    if (address.AssociationId !== undefined) await ec2(context, 'DisassociateAddress', { AssociationId: address.AssociationId });
    await ec2(context, 'ReleaseAddress', { AllocationId: address.AllocationId });
  },
  tagId: async (id, context) => (await addressOf(id, context)).AllocationId,
  attributes: async (id, context) => ({ PublicIp: id, AllocationId: (await addressOf(id, context)).AllocationId ?? '' }),
});

async function addressOf(ip: string, context: ProviderContext): Promise<{ AllocationId?: string; AssociationId?: string }> {
  const { Addresses } = await ec2(context, 'DescribeAddresses', { Filters: [{ Name: 'public-ip', Values: [ip] }] });
  return Addresses[0] ?? {};
}

const eipAssociation = ec2Provider({
  type: 'AWS::EC2::EIPAssociation',
  honours: ['AllocationId', 'EIP', 'InstanceId', 'NetworkInterfaceId'],
  gone: ['InvalidAssociationID.NotFound'],
  async create({ AllocationId, EIP, InstanceId, NetworkInterfaceId }: Readonly<Record<string, string>>, context) {
    const { AssociationId } = await ec2(context, 'AssociateAddress', { AllocationId, PublicIp: EIP, InstanceId, NetworkInterfaceId });
    return { physicalId: AssociationId, attributes: { Id: AssociationId } };
  },
  delete: (id, _, context) => ec2(context, 'DisassociateAddress', { AssociationId: id }),
});

interface NatProperties {
  readonly SubnetId?: string;
  readonly AllocationId?: string;
  readonly ConnectivityType?: string;
  readonly PrivateIpAddress?: string;
}

const natGateway = ec2Provider({
  type: 'AWS::EC2::NatGateway',
  honours: ['SubnetId', 'AllocationId', 'ConnectivityType', 'PrivateIpAddress'],
  tagged: 'natgateway',
  gone: ['NatGatewayNotFound'],
  async create(properties: NatProperties, context, tags) {
    const { SubnetId, AllocationId, ConnectivityType, PrivateIpAddress } = properties;
    const { NatGateway } = await ec2(context, 'CreateNatGateway', { SubnetId, AllocationId, ConnectivityType, PrivateIpAddress, ClientToken: context.token, ...tags });
    const id = NatGateway.NatGatewayId as string;
    context.initiated(id);
    await natState(id, 'available', context);
    return { physicalId: id, attributes: { NatGatewayId: id, EniId: NatGateway.NatGatewayAddresses[0].NetworkInterfaceId } };
  },
  async delete(id, _, context) {
    await ec2(context, 'DeleteNatGateway', { NatGatewayId: id });
    await natState(id, 'deleted', context);
  },
});

async function natState(id: string, wanted: string, context: ProviderContext): Promise<void> {
  await context.poll(async () => {
    const { NatGateways } = await ec2(context, 'DescribeNatGateways', { NatGatewayIds: [id] });
    const { State, FailureMessage } = NatGateways[0];
    if (State === 'failed') throw new HandlerError('NotStabilized', `NatGateway ${id} is in state failed and hence failed to stabilize. Detailed failure message: ${FailureMessage}`);
    return State === wanted ? true : undefined;
  }, { what: `NAT gateway ${id}` });
}

const vpnGateway = ec2Provider({
  type: 'AWS::EC2::VPNGateway',
  honours: ['Type', 'AmazonSideAsn'],
  tagged: 'vpn-gateway',
  gone: ['InvalidVpnGatewayID.NotFound'],
  async create({ Type, AmazonSideAsn }: { Type: string; AmazonSideAsn?: number }, context, tags) {
    const { VpnGateway } = await ec2(context, 'CreateVpnGateway', { Type, AmazonSideAsn, ...tags });
    return { physicalId: VpnGateway.VpnGatewayId, attributes: { VPNGatewayId: VpnGateway.VpnGatewayId } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteVpnGateway', { VpnGatewayId: id }),
});

interface PropagationProperties {
  readonly RouteTableIds: readonly string[];
  readonly VpnGatewayId: string;
}

const propagation = ec2Provider({
  type: 'AWS::EC2::VPNGatewayRoutePropagation',
  honours: ['RouteTableIds', 'VpnGatewayId'],
  gone: ['InvalidRouteTableID.NotFound'],
  async create({ RouteTableIds, VpnGatewayId }: PropagationProperties, context) {
    for (const RouteTableId of RouteTableIds) await ec2(context, 'EnableVgwRoutePropagation', { RouteTableId, GatewayId: VpnGatewayId });
    const id = context.name();
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(_, before: PropagationProperties, after: PropagationProperties, context) {
    for (const RouteTableId of added(after.RouteTableIds, before.RouteTableIds)) await ignoring(['InvalidRouteTableID.NotFound'], ec2(context, 'DisableVgwRoutePropagation', { RouteTableId, GatewayId: before.VpnGatewayId }));
    for (const RouteTableId of added(before.RouteTableIds, after.RouteTableIds)) await ec2(context, 'EnableVgwRoutePropagation', { RouteTableId, GatewayId: after.VpnGatewayId });
  },
  async delete(_, { RouteTableIds, VpnGatewayId }: PropagationProperties, context) {
    for (const RouteTableId of RouteTableIds) await ignoring(['InvalidRouteTableID.NotFound'], ec2(context, 'DisableVgwRoutePropagation', { RouteTableId, GatewayId: VpnGatewayId }));
  },
});

const customerGateway = ec2Provider({
  type: 'AWS::EC2::CustomerGateway',
  honours: ['BgpAsn', 'IpAddress', 'Type', 'DeviceName'],
  tagged: 'customer-gateway',
  gone: ['InvalidCustomerGatewayID.NotFound'],
  async create({ BgpAsn, IpAddress, Type, DeviceName }: Readonly<Record<string, unknown>>, context, tags) {
    const { CustomerGateway } = await ec2(context, 'CreateCustomerGateway', { BgpAsn, IpAddress, Type, DeviceName, ...tags });
    return { physicalId: CustomerGateway.CustomerGatewayId, attributes: { CustomerGatewayId: CustomerGateway.CustomerGatewayId } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteCustomerGateway', { CustomerGatewayId: id }),
});

interface TransitProperties {
  readonly Description?: string;
  readonly TransitGatewayCidrBlocks?: readonly string[];
  readonly [option: string]: unknown;
}

const TRANSIT_OPTIONS = ['AmazonSideAsn', 'AutoAcceptSharedAttachments', 'DefaultRouteTableAssociation', 'DefaultRouteTablePropagation', 'DnsSupport', 'MulticastSupport', 'SecurityGroupReferencingSupport', 'VpnEcmpSupport', 'TransitGatewayCidrBlocks'];

/** Recorded: CloudFormation sets no tags of its own on transit gateways and their attachments. */
const transitGateway = ec2Provider({
  type: 'AWS::EC2::TransitGateway',
  honours: ['Description', ...TRANSIT_OPTIONS],
  tagged: 'transit-gateway',
  systemTags: false,
  gone: ['InvalidTransitGatewayID.NotFound'],
  async create(properties: TransitProperties, context, tags) {
    const Options = Object.fromEntries(TRANSIT_OPTIONS.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]));
    const { TransitGateway } = await ec2(context, 'CreateTransitGateway', { Description: properties.Description, Options, ...tags });
    return { physicalId: TransitGateway.TransitGatewayId, attributes: { Id: TransitGateway.TransitGatewayId, TransitGatewayArn: TransitGateway.TransitGatewayArn } };
  },
  async update(id, before: TransitProperties, after: TransitProperties, context) {
    const changed = TRANSIT_OPTIONS.filter((name) => name !== 'TransitGatewayCidrBlocks' && after[name] !== undefined && after[name] !== before[name]).map((name) => [name, after[name]]);
    const blocks = { AddTransitGatewayCidrBlocks: added(before.TransitGatewayCidrBlocks, after.TransitGatewayCidrBlocks), RemoveTransitGatewayCidrBlocks: added(after.TransitGatewayCidrBlocks, before.TransitGatewayCidrBlocks) };
    await ec2(context, 'ModifyTransitGateway', { TransitGatewayId: id, Description: after.Description, Options: { ...Object.fromEntries(changed), ...Object.fromEntries(Object.entries(blocks).filter(([, list]) => list.length > 0)) } });
  },
  delete: (id, _, context) => ec2(context, 'DeleteTransitGateway', { TransitGatewayId: id }),
});

interface TransitAttachment {
  readonly TransitGatewayId: string;
  readonly VpcId: string;
  readonly SubnetIds: readonly string[];
  readonly Options?: Readonly<Record<string, string>>;
}

const transitAttachment = (type: string): ResourceProvider =>
  ec2Provider({
    type,
    honours: ['TransitGatewayId', 'VpcId', 'SubnetIds', 'Options'],
    tagged: 'transit-gateway-attachment',
    systemTags: false,
    gone: ['InvalidTransitGatewayAttachmentID.NotFound'],
    async create({ TransitGatewayId, VpcId, SubnetIds, Options }: TransitAttachment, context, tags) {
      const { TransitGatewayVpcAttachment } = await ec2(context, 'CreateTransitGatewayVpcAttachment', { TransitGatewayId, VpcId, SubnetIds, Options, ...tags });
      const id = TransitGatewayVpcAttachment.TransitGatewayAttachmentId;
      return { physicalId: id, attributes: { Id: id } };
    },
    async update(id, before: TransitAttachment, after: TransitAttachment, context) {
      const AddSubnetIds = added(before.SubnetIds, after.SubnetIds);
      const RemoveSubnetIds = added(after.SubnetIds, before.SubnetIds);
      await ec2(context, 'ModifyTransitGatewayVpcAttachment', { TransitGatewayAttachmentId: id, Options: after.Options, ...(AddSubnetIds.length > 0 ? { AddSubnetIds } : {}), ...(RemoveSubnetIds.length > 0 ? { RemoveSubnetIds } : {}) });
    },
    delete: (id, _, context) => ec2(context, 'DeleteTransitGatewayVpcAttachment', { TransitGatewayAttachmentId: id }),
  });

export const gateways: readonly ResourceProvider[] = [
  internetGateway, gatewayAttachment, egressOnly, eip, eipAssociation, natGateway, vpnGateway, propagation, customerGateway, transitGateway, transitAttachment('AWS::EC2::TransitGatewayAttachment'), transitAttachment('AWS::EC2::TransitGatewayVpcAttachment'),
];
