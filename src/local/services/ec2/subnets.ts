import { availabilityZones } from '../../kernel/regions.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { addressOf, checkSize, contains, overlaps, parseBlock } from './cidr.js';
import { all, arnOf, dependency, fail, find, invalidValue, newId, remove, save, suffix, unsupported, within } from './store.js';
import { tagged, tagsFor } from './tags.js';
import { zoneId } from './zones.js';

/** EC2 keeps the first four addresses of a subnet and its last. */
const RESERVED = 5;

export function createSubnet(input: Ec2.CreateSubnetRequest, context: RequestContext): Ec2.CreateSubnetResult {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  if (input.CidrBlock === undefined) throw unsupported('subnets without an IPv4 block');
  const block = checkSize(parseBlock(input.CidrBlock), 'InvalidSubnet.Range');
  if (!vpc.CidrBlockAssociationSet!.some(({ CidrBlock }) => contains(parseBlock(CidrBlock!), block))) throw fail('InvalidSubnet.Range', `The CIDR '${block.text}' is invalid.`);
  if (within<Ec2.Subnet>('subnet', input.VpcId, context).some(({ CidrBlock }) => overlaps(parseBlock(CidrBlock!), block))) throw fail('InvalidSubnet.Conflict', `The CIDR '${block.text}' conflicts with another subnet`);
  const tags = tagsFor('subnet', input, context);
  const zone = zoneOf(input, context);
  const ipv6 = input.Ipv6CidrBlock === undefined ? [] : [ipv6Association(vpc, input.Ipv6CidrBlock)];
  return { Subnet: view(addSubnet(vpc, { cidr: block.text, zone, isDefault: false, tags, ipv6 }, context), context) };
}

function zoneOf(input: Ec2.CreateSubnetRequest, context: RequestContext): string {
  const zones = availabilityZones(context.region);
  if (input.AvailabilityZoneId !== undefined) {
    const zone = zones.find((name) => zoneId(name) === input.AvailabilityZoneId);
    if (!zone) throw invalidValue(input.AvailabilityZoneId, 'availabilityZoneId', `Subnets can currently only be created in the following availability zones: ${zones.map(zoneId).join(', ')}.`);
    return zone;
  }
  const zone = input.AvailabilityZone ?? zones[0]!;
  if (!zones.includes(zone)) throw invalidValue(zone, 'availabilityZone', `Subnets can currently only be created in the following availability zones: ${zones.join(', ')}.`);
  return zone;
}

function ipv6Association(vpc: Ec2.Vpc, block: string): Ec2.SubnetIpv6CidrBlockAssociation {
  const prefix = (text: string): string => text.split('/')[0]!.replace(/::$/, '').slice(0, -2);
  if (!block.endsWith('/64') || !vpc.Ipv6CidrBlockAssociationSet?.some(({ Ipv6CidrBlock }) => block.startsWith(prefix(Ipv6CidrBlock!)))) throw fail('InvalidSubnet.Range', `The CIDR '${block}' is invalid.`);
  return { AssociationId: `subnet-cidr-assoc-${suffix()}`, Ipv6CidrBlock: block, Ipv6CidrBlockState: { State: 'associated' } };
}

export interface NewSubnet {
  readonly cidr: string;
  readonly zone: string;
  readonly isDefault: boolean;
  readonly tags: readonly Ec2.Tag[];
  readonly ipv6: readonly Ec2.SubnetIpv6CidrBlockAssociation[];
}

export function addSubnet(vpc: Ec2.Vpc, wanted: NewSubnet, context: RequestContext): Ec2.Subnet {
  const SubnetId = newId('subnet');
  const subnet: Ec2.Subnet = {
    SubnetId,
    SubnetArn: arnOf('subnet', SubnetId, context),
    VpcId: vpc.VpcId,
    CidrBlock: wanted.cidr,
    AvailabilityZone: wanted.zone,
    AvailabilityZoneId: zoneId(wanted.zone),
    OwnerId: context.account,
    State: 'available',
    DefaultForAz: wanted.isDefault,
    MapPublicIpOnLaunch: wanted.isDefault,
    MapCustomerOwnedIpOnLaunch: false,
    AssignIpv6AddressOnCreation: false,
    Ipv6CidrBlockAssociationSet: [...wanted.ipv6],
    EnableDns64: false,
    Ipv6Native: false,
    PrivateDnsNameOptionsOnLaunch: { HostnameType: 'ip-name', EnableResourceNameDnsARecord: false, EnableResourceNameDnsAAAARecord: false },
    ...tagged('subnet', wanted.tags),
  };
  context.state.transaction(() => {
    save('subnet', subnet, context);
    const acl = within<Ec2.NetworkAcl>('acl', vpc.VpcId, context).find(({ IsDefault }) => IsDefault)!;
    save('acl', { ...acl, Associations: [...acl.Associations!, { NetworkAclAssociationId: `aclassoc-${suffix()}`, NetworkAclId: acl.NetworkAclId, SubnetId }] }, context);
  });
  return subnet;
}

/** With what changes as interfaces come and go. */
export function view(subnet: Ec2.Subnet, context: RequestContext): Ec2.Subnet {
  const block = parseBlock(subnet.CidrBlock!);
  return { ...subnet, AvailableIpAddressCount: block.last - block.first + 1 - RESERVED - interfacesOf(subnet.SubnetId!, context).length };
}

export function interfacesOf(subnetId: string, context: RequestContext): Ec2.NetworkInterface[] {
  return all<Ec2.NetworkInterface>('eni', context).filter((one) => one.SubnetId === subnetId);
}

/** The lowest address of a subnet that nobody has. */
export function freeAddress(subnet: Ec2.Subnet, context: RequestContext): string {
  const block = parseBlock(subnet.CidrBlock!);
  const taken = new Set(interfacesOf(subnet.SubnetId!, context).map(({ PrivateIpAddress }) => PrivateIpAddress));
  for (let address = block.first + 4; address < block.last; address++) if (!taken.has(addressOf(address))) return addressOf(address);
  throw fail('InsufficientFreeAddressesInSubnet', `There are not enough free addresses in subnet '${subnet.SubnetId}' to satisfy the requested number of instances.`);
}

export function deleteSubnet(input: Ec2.DeleteSubnetRequest, context: RequestContext): void {
  const subnet = find<Ec2.Subnet>('subnet', input.SubnetId, context);
  if (interfacesOf(input.SubnetId, context).length > 0) throw dependency('subnet', input.SubnetId);
  context.state.transaction(() => {
    for (const table of within<Ec2.RouteTable>('rtb', subnet.VpcId, context)) {
      const Associations = table.Associations!.filter(({ SubnetId }) => SubnetId !== input.SubnetId);
      if (Associations.length < table.Associations!.length) save('rtb', { ...table, Associations }, context);
    }
    for (const acl of within<Ec2.NetworkAcl>('acl', subnet.VpcId, context)) {
      const Associations = acl.Associations!.filter(({ SubnetId }) => SubnetId !== input.SubnetId);
      if (Associations.length < acl.Associations!.length) save('acl', { ...acl, Associations }, context);
    }
    remove('subnet', input.SubnetId, context);
  });
}

export function modifySubnetAttribute(input: Ec2.ModifySubnetAttributeRequest, context: RequestContext): void {
  const subnet = find<Ec2.Subnet>('subnet', input.SubnetId, context);
  const names = subnet.PrivateDnsNameOptionsOnLaunch!;
  if (input.CustomerOwnedIpv4Pool !== undefined || input.MapCustomerOwnedIpOnLaunch?.Value) throw unsupported('customer-owned address pools');
  save(
    'subnet',
    {
      ...subnet,
      MapPublicIpOnLaunch: input.MapPublicIpOnLaunch?.Value ?? subnet.MapPublicIpOnLaunch,
      AssignIpv6AddressOnCreation: input.AssignIpv6AddressOnCreation?.Value ?? subnet.AssignIpv6AddressOnCreation,
      EnableDns64: input.EnableDns64?.Value ?? subnet.EnableDns64,
      PrivateDnsNameOptionsOnLaunch: {
        HostnameType: input.PrivateDnsHostnameTypeOnLaunch ?? names.HostnameType,
        EnableResourceNameDnsARecord: input.EnableResourceNameDnsARecordOnLaunch?.Value ?? names.EnableResourceNameDnsARecord,
        EnableResourceNameDnsAAAARecord: input.EnableResourceNameDnsAAAARecordOnLaunch?.Value ?? names.EnableResourceNameDnsAAAARecord,
      },
    },
    context,
  );
}

export function associateSubnetCidrBlock(input: Ec2.AssociateSubnetCidrBlockRequest, context: RequestContext): Ec2.AssociateSubnetCidrBlockResult {
  const subnet = find<Ec2.Subnet>('subnet', input.SubnetId, context);
  if (input.Ipv6CidrBlock === undefined) throw unsupported('IPAM pools');
  const association = ipv6Association(find<Ec2.Vpc>('vpc', subnet.VpcId, context), input.Ipv6CidrBlock);
  save('subnet', { ...subnet, Ipv6CidrBlockAssociationSet: [...subnet.Ipv6CidrBlockAssociationSet!, association] }, context);
  return { SubnetId: input.SubnetId, Ipv6CidrBlockAssociation: association };
}

export function disassociateSubnetCidrBlock(input: Ec2.DisassociateSubnetCidrBlockRequest, context: RequestContext): Ec2.DisassociateSubnetCidrBlockResult {
  for (const subnet of all<Ec2.Subnet>('subnet', context)) {
    const association = subnet.Ipv6CidrBlockAssociationSet?.find(({ AssociationId }) => AssociationId === input.AssociationId);
    if (!association) continue;
    save('subnet', { ...subnet, Ipv6CidrBlockAssociationSet: subnet.Ipv6CidrBlockAssociationSet!.filter((one) => one !== association) }, context);
    return { SubnetId: subnet.SubnetId, Ipv6CidrBlockAssociation: { ...association, Ipv6CidrBlockState: { State: 'disassociating' } } };
  }
  throw fail('InvalidSubnetCidrBlockAssociationID.NotFound', `The subnet CIDR block association ID '${input.AssociationId}' does not exist`);
}
