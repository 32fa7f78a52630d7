import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { checkSize, overlaps, parseBlock } from './cidr.js';
import { addAcl } from './acls.js';
import { addGroup } from './groups.js';
import { addRouteTable } from './routes.js';
import { all, dependency, details, fail, find, newId, remove, save, suffix, unsupported, within } from './store.js';
import { tagged, tagsFor } from './tags.js';

interface Settings {
  readonly dnsSupport: boolean;
  readonly dnsHostnames: boolean;
  readonly usageMetrics: boolean;
}

export function createVpc(input: Ec2.CreateVpcRequest, context: RequestContext): Ec2.CreateVpcResult {
  if (input.CidrBlock === undefined) throw input.Ipv4IpamPoolId === undefined ? fail('MissingParameter', 'Either \'cidrBlock\' or \'ipv4IpamPoolId\' should be provided.') : unsupported('IPAM pools');
  const block = checkSize(parseBlock(input.CidrBlock), 'InvalidVpc.Range');
  const tags = tagsFor('vpc', input, context);
  return { Vpc: addVpc({ cidr: block.text, tenancy: input.InstanceTenancy ?? 'default', ipv6: input.AmazonProvidedIpv6CidrBlock ?? false, isDefault: false, tags }, context) };
}

export interface NewVpc {
  readonly cidr: string;
  readonly tenancy: string;
  readonly ipv6: boolean;
  readonly isDefault: boolean;
  readonly tags: readonly Ec2.Tag[];
}

/** A VPC with what every VPC comes with: main route table, default network ACL, default security group. */
export function addVpc(wanted: NewVpc, context: RequestContext): Ec2.Vpc {
  const VpcId = newId('vpc');
  const vpc: Ec2.Vpc = {
    VpcId,
    CidrBlock: wanted.cidr,
    DhcpOptionsId: defaultDhcpOptions(context),
    State: 'available',
    OwnerId: context.account,
    InstanceTenancy: wanted.tenancy as Ec2.Tenancy,
    CidrBlockAssociationSet: [{ AssociationId: `vpc-cidr-assoc-${suffix()}`, CidrBlock: wanted.cidr, CidrBlockState: { State: 'associated' } }],
    IsDefault: wanted.isDefault,
    ...(wanted.ipv6 ? { Ipv6CidrBlockAssociationSet: [newIpv6(context)] } : {}),
    ...tagged('vpc', wanted.tags),
  };
  return context.state.transaction(() => {
    save('vpc', vpc, context);
    settings(context).put(VpcId, { dnsSupport: true, dnsHostnames: wanted.isDefault, usageMetrics: false });
    addRouteTable(vpc, { main: true, tags: [] }, context);
    addAcl(vpc, { isDefault: true, tags: [] }, context);
    addGroup({ name: 'default', description: 'default VPC security group', vpcId: VpcId, tags: [], isDefault: true }, context);
    return vpc;
  });
}

const settings = (context: RequestContext) => details<Settings>('vpc', context);

function newIpv6(context: RequestContext): Ec2.VpcIpv6CidrBlockAssociation {
  const hex = suffix();
  return { AssociationId: `vpc-cidr-assoc-${suffix()}`, Ipv6CidrBlock: `2600:1f18:${hex.slice(1, 5)}:${hex.slice(5, 7)}00::/56`.replace(/:0+(?=[0-9a-f])/g, ':'), Ipv6CidrBlockState: { State: 'associated' }, NetworkBorderGroup: context.region, Ipv6Pool: 'Amazon' };
}

/** The set an account's VPCs have until they get another. */
export function defaultDhcpOptions(context: RequestContext): string {
  const known = details<string>('defaults', context);
  const id = known.get('dhcp');
  if (id !== undefined) return id;
  const DhcpOptionsId = newId('dopt');
  const domain = context.region === 'us-east-1' ? 'ec2.internal' : `${context.region}.compute.internal`;
  save('dopt', { DhcpOptionsId, OwnerId: context.account, DhcpConfigurations: [{ Key: 'domain-name', Values: [{ Value: domain }] }, { Key: 'domain-name-servers', Values: [{ Value: 'AmazonProvidedDNS' }] }], Tags: [] }, context);
  known.put('dhcp', DhcpOptionsId);
  return DhcpOptionsId;
}

export function deleteVpc(input: Ec2.DeleteVpcRequest, context: RequestContext): void {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  const blocks = [
    ...within('subnet', input.VpcId, context),
    ...within('eni', input.VpcId, context),
    ...within<Ec2.VpcEndpoint>('vpce', input.VpcId, context),
    ...all<Ec2.InternetGateway>('igw', context).filter(({ Attachments }) => Attachments?.some(({ VpcId }) => VpcId === input.VpcId)),
    ...all<Ec2.VpnGateway>('vgw', context).filter(({ VpcAttachments }) => VpcAttachments?.some(({ VpcId, State }) => VpcId === input.VpcId && State === 'attached')),
    ...all<Ec2.TransitGatewayAttachment>('tgwAttachment', context).filter(({ ResourceId, State }) => ResourceId === input.VpcId && State === 'available'),
    ...all<Ec2.VpcPeeringConnection>('pcx', context).filter(({ RequesterVpcInfo, AccepterVpcInfo, Status }) => Status?.Code === 'active' && [RequesterVpcInfo?.VpcId, AccepterVpcInfo?.VpcId].includes(input.VpcId)),
    ...within<Ec2.RouteTable>('rtb', input.VpcId, context).filter(({ Associations }) => !Associations?.some(({ Main }) => Main)),
    ...within<Ec2.NetworkAcl>('acl', input.VpcId, context).filter(({ IsDefault }) => !IsDefault),
    ...within<Ec2.SecurityGroup>('sg', input.VpcId, context).filter(({ GroupName }) => GroupName !== 'default'),
  ];
  if (blocks.length > 0) throw dependency('vpc', input.VpcId);
  context.state.transaction(() => {
    for (const { RouteTableId } of within<Ec2.RouteTable>('rtb', input.VpcId, context)) remove('rtb', RouteTableId!, context);
    for (const { NetworkAclId } of within<Ec2.NetworkAcl>('acl', input.VpcId, context)) remove('acl', NetworkAclId!, context);
    for (const { GroupId } of within<Ec2.SecurityGroup>('sg', input.VpcId, context)) {
      remove('sg', GroupId!, context);
      details('sg', context).delete(GroupId!);
    }
    settings(context).delete(vpc.VpcId!);
    remove('vpc', vpc.VpcId!, context);
  });
}

export function modifyVpcAttribute(input: Ec2.ModifyVpcAttributeRequest, context: RequestContext): void {
  find('vpc', input.VpcId, context);
  const before = settings(context).get(input.VpcId)!;
  const given = [input.EnableDnsSupport, input.EnableDnsHostnames, input.EnableNetworkAddressUsageMetrics].filter((value) => value !== undefined);
  if (given.length !== 1) throw fail('InvalidParameterCombination', given.length === 0 ? 'No attributes specified' : 'Only one attribute may be modified at a time');
  settings(context).put(input.VpcId, {
    dnsSupport: input.EnableDnsSupport?.Value ?? before.dnsSupport,
    dnsHostnames: input.EnableDnsHostnames?.Value ?? before.dnsHostnames,
    usageMetrics: input.EnableNetworkAddressUsageMetrics?.Value ?? before.usageMetrics,
  });
}

export function describeVpcAttribute(input: Ec2.DescribeVpcAttributeRequest, context: RequestContext): Ec2.DescribeVpcAttributeResult {
  find('vpc', input.VpcId, context);
  const { dnsSupport, dnsHostnames, usageMetrics } = settings(context).get(input.VpcId)!;
  switch (input.Attribute) {
    case 'enableDnsSupport':
      return { VpcId: input.VpcId, EnableDnsSupport: { Value: dnsSupport } };
    case 'enableDnsHostnames':
      return { VpcId: input.VpcId, EnableDnsHostnames: { Value: dnsHostnames } };
    default:
      return { VpcId: input.VpcId, EnableNetworkAddressUsageMetrics: { Value: usageMetrics } };
  }
}

export function vpcSettings(vpcId: string, context: RequestContext): Settings | undefined {
  return settings(context).get(vpcId);
}

export function associateVpcCidrBlock(input: Ec2.AssociateVpcCidrBlockRequest, context: RequestContext): Ec2.AssociateVpcCidrBlockResult {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  if (input.AmazonProvidedIpv6CidrBlock) {
    const association = newIpv6(context);
    save('vpc', { ...vpc, Ipv6CidrBlockAssociationSet: [...(vpc.Ipv6CidrBlockAssociationSet ?? []), association] }, context);
    return { VpcId: input.VpcId, Ipv6CidrBlockAssociation: association };
  }
  if (input.CidrBlock === undefined) throw unsupported('IPAM pools and own IPv6 blocks');
  const block = checkSize(parseBlock(input.CidrBlock), 'InvalidVpc.Range');
  const before = vpc.CidrBlockAssociationSet ?? [];
  if (before.some(({ CidrBlock }) => overlaps(parseBlock(CidrBlock!), block))) throw fail('CidrConflict', `The CIDR '${block.text}' conflicts with another CIDR block of the VPC`);
  const association: Ec2.VpcCidrBlockAssociation = { AssociationId: `vpc-cidr-assoc-${suffix()}`, CidrBlock: block.text, CidrBlockState: { State: 'associated' } };
  context.state.transaction(() => {
    save('vpc', { ...vpc, CidrBlockAssociationSet: [...before, association] }, context);
    for (const table of within<Ec2.RouteTable>('rtb', input.VpcId, context)) save('rtb', { ...table, Routes: [...table.Routes!, { DestinationCidrBlock: block.text, GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' }] }, context);
  });
  return { VpcId: input.VpcId, CidrBlockAssociation: association };
}

export function disassociateVpcCidrBlock(input: Ec2.DisassociateVpcCidrBlockRequest, context: RequestContext): Ec2.DisassociateVpcCidrBlockResult {
  const id = input.AssociationId;
  for (const vpc of all<Ec2.Vpc>('vpc', context)) {
    const four = vpc.CidrBlockAssociationSet?.find(({ AssociationId }) => AssociationId === id);
    const six = vpc.Ipv6CidrBlockAssociationSet?.find(({ AssociationId }) => AssociationId === id);
    if (four) {
      if (four.CidrBlock === vpc.CidrBlock) throw fail('OperationNotPermitted', `The vpc CIDR block with association ID ${id} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`);
      if (within<Ec2.Subnet>('subnet', vpc.VpcId, context).some(({ CidrBlock }) => overlaps(parseBlock(CidrBlock!), parseBlock(four.CidrBlock!)))) throw dependency('vpc', vpc.VpcId!);
      save('vpc', { ...vpc, CidrBlockAssociationSet: vpc.CidrBlockAssociationSet!.filter((one) => one !== four) }, context);
      return { VpcId: vpc.VpcId, CidrBlockAssociation: { ...four, CidrBlockState: { State: 'disassociating' } } };
    }
    if (six) {
      save('vpc', { ...vpc, Ipv6CidrBlockAssociationSet: vpc.Ipv6CidrBlockAssociationSet!.filter((one) => one !== six) }, context);
      return { VpcId: vpc.VpcId, Ipv6CidrBlockAssociation: { ...six, Ipv6CidrBlockState: { State: 'disassociating' } } };
    }
  }
  throw fail('InvalidVpcCidrBlockAssociationID.NotFound', `The vpc CIDR block association ID '${id}' does not exist`);
}

export function modifyVpcTenancy(input: Ec2.ModifyVpcTenancyRequest, context: RequestContext): Ec2.ModifyVpcTenancyResult {
  save('vpc', { ...find<Ec2.Vpc>('vpc', input.VpcId, context), InstanceTenancy: input.InstanceTenancy }, context);
  return { ReturnValue: true };
}
