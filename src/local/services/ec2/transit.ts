import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { all, arnOf, details, fail, find, newId, notFound, save } from './store.js';
import { tagged, tagsFor } from './tags.js';

type Attachment = Ec2.TransitGatewayAttachment;

export function createTransitGateway(input: Ec2.CreateTransitGatewayRequest, context: RequestContext): Ec2.CreateTransitGatewayResult {
  const TransitGatewayId = newId('tgw');
  const table = newId('tgwTable');
  const options = input.Options ?? {};
  const gateway: Ec2.TransitGateway = {
    TransitGatewayId,
    TransitGatewayArn: arnOf('tgw', TransitGatewayId, context),
    State: 'available',
    OwnerId: context.account,
    CreationTime: context.now(),
    ...(input.Description === undefined ? {} : { Description: input.Description }),
    Options: {
      AmazonSideAsn: options.AmazonSideAsn ?? 64512,
      ...(options.TransitGatewayCidrBlocks ? { TransitGatewayCidrBlocks: options.TransitGatewayCidrBlocks } : {}),
      AutoAcceptSharedAttachments: options.AutoAcceptSharedAttachments ?? 'disable',
      DefaultRouteTableAssociation: options.DefaultRouteTableAssociation ?? 'enable',
      DefaultRouteTablePropagation: options.DefaultRouteTablePropagation ?? 'enable',
      ...((options.DefaultRouteTableAssociation ?? 'enable') === 'enable' ? { AssociationDefaultRouteTableId: table } : {}),
      ...((options.DefaultRouteTablePropagation ?? 'enable') === 'enable' ? { PropagationDefaultRouteTableId: table } : {}),
      VpnEcmpSupport: options.VpnEcmpSupport ?? 'enable',
      DnsSupport: options.DnsSupport ?? 'enable',
      SecurityGroupReferencingSupport: options.SecurityGroupReferencingSupport ?? 'disable',
      MulticastSupport: options.MulticastSupport ?? 'disable',
    },
    ...tagged('tgw', tagsFor('tgw', input, context)),
  };
  context.state.transaction(() => {
    save('tgw', gateway, context);
    save<Ec2.TransitGatewayRouteTable>('tgwTable', { TransitGatewayRouteTableId: table, TransitGatewayId, State: 'available', DefaultAssociationRouteTable: true, DefaultPropagationRouteTable: true, CreationTime: context.now(), Tags: [] }, context);
  });
  return { TransitGateway: { ...gateway, State: 'pending' } };
}

export function modifyTransitGateway(input: Ec2.ModifyTransitGatewayRequest, context: RequestContext): Ec2.ModifyTransitGatewayResult {
  const gateway = live<Ec2.TransitGateway>('tgw', input.TransitGatewayId, context);
  const { AddTransitGatewayCidrBlocks: add = [], RemoveTransitGatewayCidrBlocks: gone = [], ...options } = input.Options ?? {};
  const blocks = [...(gateway.Options!.TransitGatewayCidrBlocks ?? []), ...add].filter((block) => !gone.includes(block));
  return { TransitGateway: save('tgw', { ...gateway, Description: input.Description ?? gateway.Description, Options: { ...gateway.Options, ...(options as object), ...(blocks.length > 0 ? { TransitGatewayCidrBlocks: blocks } : {}) } }, context) };
}

/** Deleted gateways and attachments stay visible for a while; only Describe finds them. */
function live<T extends { State?: string }>(kind: 'tgw' | 'tgwAttachment' | 'tgwTable', id: string | undefined, context: RequestContext): T {
  const found = find<T>(kind, id, context);
  if (found.State === 'deleted') throw notFound(kind, id!);
  return found;
}

export function deleteTransitGateway(input: Ec2.DeleteTransitGatewayRequest, context: RequestContext): Ec2.DeleteTransitGatewayResult {
  const gateway = live<Ec2.TransitGateway>('tgw', input.TransitGatewayId, context);
  const attached = all<Attachment>('tgwAttachment', context).filter(({ TransitGatewayId, State }) => TransitGatewayId === input.TransitGatewayId && State === 'available');
  if (attached.length > 0) throw fail('IncorrectState', `${input.TransitGatewayId} has non-deleted VPC Attachments: ${attached.map(({ TransitGatewayAttachmentId }) => TransitGatewayAttachmentId).join(', ')}.`);
  context.state.transaction(() => {
    for (const table of all<Ec2.TransitGatewayRouteTable>('tgwTable', context)) if (table.TransitGatewayId === input.TransitGatewayId) save('tgwTable', { ...table, State: 'deleted' as Ec2.TransitGatewayRouteTableState }, context);
    save('tgw', { ...gateway, State: 'deleted' as Ec2.TransitGatewayState }, context);
  });
  return { TransitGateway: { ...gateway, State: 'deleting' } };
}

interface VpcDetails {
  readonly subnets: readonly string[];
  readonly options: Ec2.TransitGatewayVpcAttachmentOptions;
}

const vpcDetails = (context: RequestContext) => details<VpcDetails>('tgwAttachment', context);

export function createTransitGatewayVpcAttachment(input: Ec2.CreateTransitGatewayVpcAttachmentRequest, context: RequestContext): Ec2.CreateTransitGatewayVpcAttachmentResult {
  const gateway = live<Ec2.TransitGateway>('tgw', input.TransitGatewayId, context);
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  const subnets = input.SubnetIds.map((id) => find<Ec2.Subnet>('subnet', id, context));
  if (subnets.some(({ VpcId }) => VpcId !== vpc.VpcId)) throw fail('InvalidSubnetID.NotFound', `The subnets '${input.SubnetIds.join(', ')}' are not all of the VPC '${input.VpcId}'`);
  if (new Set(subnets.map(({ AvailabilityZone }) => AvailabilityZone)).size < subnets.length) throw fail('DuplicateSubnetsInSameZone', 'Duplicate Subnets for same AZ');
  if (all<Attachment>('tgwAttachment', context).some((one) => one.TransitGatewayId === input.TransitGatewayId && one.ResourceId === input.VpcId && one.State === 'available'))
    throw fail('DuplicateTransitGatewayAttachment', `${input.TransitGatewayId} has non-deleted Transit Gateway Attachments with same VPC ID.`);
  const table = gateway.Options!.AssociationDefaultRouteTableId;
  const attachment: Attachment = {
    TransitGatewayAttachmentId: newId('tgwAttachment'), TransitGatewayId: input.TransitGatewayId, TransitGatewayOwnerId: gateway.OwnerId, ResourceOwnerId: context.account, ResourceType: 'vpc', ResourceId: input.VpcId, State: 'available',
    ...(table === undefined ? {} : { Association: { TransitGatewayRouteTableId: table, State: 'associated' } }), CreationTime: context.now(), ...tagged('tgwAttachment', tagsFor('tgwAttachment', input, context)),
  };
  const options: Ec2.TransitGatewayVpcAttachmentOptions = { DnsSupport: 'enable', SecurityGroupReferencingSupport: 'enable', Ipv6Support: 'disable', ApplianceModeSupport: 'disable', ...input.Options };
  context.state.transaction(() => {
    save('tgwAttachment', attachment, context);
    vpcDetails(context).put(attachment.TransitGatewayAttachmentId!, { subnets: input.SubnetIds, options });
  });
  return { TransitGatewayVpcAttachment: { ...vpcView(attachment, context), State: 'pending' } };
}

export function vpcView(attachment: Attachment, context: RequestContext): Ec2.TransitGatewayVpcAttachment {
  const { subnets = [], options = {} } = vpcDetails(context).get(attachment.TransitGatewayAttachmentId!) ?? {};
  const { TransitGatewayAttachmentId, TransitGatewayId, ResourceId, ResourceOwnerId, State, CreationTime, Tags } = attachment;
  return { TransitGatewayAttachmentId, TransitGatewayId, VpcId: ResourceId, VpcOwnerId: ResourceOwnerId, State, SubnetIds: [...subnets], CreationTime, Options: options, Tags };
}

export function modifyTransitGatewayVpcAttachment(input: Ec2.ModifyTransitGatewayVpcAttachmentRequest, context: RequestContext): Ec2.ModifyTransitGatewayVpcAttachmentResult {
  const attachment = live<Attachment>('tgwAttachment', input.TransitGatewayAttachmentId, context);
  const before = vpcDetails(context).get(input.TransitGatewayAttachmentId)!;
  for (const id of input.AddSubnetIds ?? []) find('subnet', id, context);
  const subnets = [...before.subnets, ...(input.AddSubnetIds ?? [])].filter((id) => !input.RemoveSubnetIds?.includes(id));
  vpcDetails(context).put(input.TransitGatewayAttachmentId, { subnets, options: { ...before.options, ...input.Options } });
  return { TransitGatewayVpcAttachment: vpcView(attachment, context) };
}

export function deleteTransitGatewayVpcAttachment(input: Ec2.DeleteTransitGatewayVpcAttachmentRequest, context: RequestContext): Ec2.DeleteTransitGatewayVpcAttachmentResult {
  const attachment = live<Attachment>('tgwAttachment', input.TransitGatewayAttachmentId, context);
  const { Association: _, ...rest } = attachment;
  save('tgwAttachment', { ...rest, State: 'deleted' as Ec2.TransitGatewayAttachmentState }, context);
  return { TransitGatewayVpcAttachment: { ...vpcView(attachment, context), State: 'deleting' } };
}

export function describeTransitGatewayVpcAttachments(input: Ec2.DescribeTransitGatewayVpcAttachmentsRequest, context: RequestContext): Ec2.DescribeTransitGatewayVpcAttachmentsResult {
  const found = (input.TransitGatewayAttachmentIds ?? all<Attachment>('tgwAttachment', context).map(({ TransitGatewayAttachmentId }) => TransitGatewayAttachmentId!)).map((id) => vpcView(find<Attachment>('tgwAttachment', id, context), context));
  const member = { 'vpc-id': 'VpcId', state: 'State', 'transit-gateway-id': 'TransitGatewayId', 'transit-gateway-attachment-id': 'TransitGatewayAttachmentId' } as const;
  const matches = (item: Ec2.TransitGatewayVpcAttachment): boolean =>
    (input.Filters ?? []).every(({ Name = '', Values = [] }) => {
      if (!(Name in member)) throw fail('InvalidParameterValue', `The filter '${Name}' is invalid`);
      return Values.includes(String(item[member[Name as keyof typeof member]]));
    });
  return { TransitGatewayVpcAttachments: found.filter(matches) };
}
