import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { contains, parseBlock } from './cidr.js';
import { all, fail, find, invalidValue, newId, remove, save, suffix, unsupported, within } from './store.js';
import { freeAddress } from './subnets.js';
import { tagged, tagsFor } from './tags.js';

export interface NewInterface {
  readonly subnet: Ec2.Subnet;
  readonly type: string;
  readonly description: string;
  readonly groups?: readonly string[];
  readonly address?: string;
  readonly requesterManaged?: boolean;
  readonly attachment?: Ec2.NetworkInterfaceAttachment;
  readonly tags?: readonly Ec2.Tag[];
}

/** A network interface in a subnet, with the subnet's next free address. */
export function addInterface(wanted: NewInterface, context: RequestContext): Ec2.NetworkInterface {
  const { subnet } = wanted;
  const address = wanted.address ?? freeAddress(subnet, context);
  const name = `ip-${address.replaceAll('.', '-')}.${context.region === 'us-east-1' ? 'ec2.internal' : `${context.region}.compute.internal`}`;
  const hex = suffix();
  return save<Ec2.NetworkInterface>(
    'eni',
    {
      NetworkInterfaceId: newId('eni'),
      SubnetId: subnet.SubnetId,
      VpcId: subnet.VpcId,
      AvailabilityZone: subnet.AvailabilityZone,
      OwnerId: context.account,
      Description: wanted.description,
      InterfaceType: wanted.type as Ec2.NetworkInterfaceType,
      Groups: groupsOf(wanted.groups ?? [], context),
      MacAddress: `0a:${hex.slice(1, 3)}:${hex.slice(3, 5)}:${hex.slice(5, 7)}:${hex.slice(7, 9)}:${hex.slice(9, 11)}`,
      PrivateIpAddress: address,
      PrivateDnsName: name,
      PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: address, PrivateDnsName: name }],
      Ipv6Addresses: [],
      RequesterManaged: wanted.requesterManaged ?? false,
      ...(wanted.requesterManaged ? { RequesterId: 'amazon-aws' } : {}),
      SourceDestCheck: !wanted.requesterManaged,
      Status: wanted.attachment ? 'in-use' : 'available',
      ...(wanted.attachment ? { Attachment: wanted.attachment } : {}),
      ...tagged('eni', wanted.tags ?? []),
    },
    context,
  );
}

/** Groups as interfaces and endpoints show them. */
export function groupsOf(ids: readonly string[], context: RequestContext): Ec2.GroupIdentifier[] {
  return ids.map((id) => {
    const { GroupId, GroupName } = find<Ec2.SecurityGroup>('sg', id, context);
    return { GroupId, GroupName };
  });
}

export function defaultGroup(vpcId: string, context: RequestContext): string {
  return within<Ec2.SecurityGroup>('sg', vpcId, context).find(({ GroupName }) => GroupName === 'default')!.GroupId!;
}

export function createNetworkInterface(input: Ec2.CreateNetworkInterfaceRequest, context: RequestContext): Ec2.CreateNetworkInterfaceResult {
  const subnet = find<Ec2.Subnet>('subnet', input.SubnetId, context);
  const address = input.PrivateIpAddress ?? input.PrivateIpAddresses?.find(({ Primary }) => Primary)?.PrivateIpAddress;
  if (address !== undefined) checkAddress(address, subnet, context);
  const made = addInterface({ subnet, type: input.InterfaceType ?? 'interface', description: input.Description ?? '', groups: input.Groups ?? [defaultGroup(subnet.VpcId!, context)], address, tags: tagsFor('eni', input, context) }, context);
  return { NetworkInterface: made };
}

function checkAddress(address: string, subnet: Ec2.Subnet, context: RequestContext): void {
  if (!contains(parseBlock(subnet.CidrBlock!), parseBlock(`${address}/32`, 'privateIpAddress'))) throw invalidValue(address, 'privateIpAddress', "Address does not fall within the subnet's address range");
  if (all<Ec2.NetworkInterface>('eni', context).some((one) => one.SubnetId === subnet.SubnetId && one.PrivateIpAddress === address)) throw fail('InvalidIPAddress.InUse', `Address ${address} is in use.`);
}

export function deleteNetworkInterface(input: Ec2.DeleteNetworkInterfaceRequest, context: RequestContext): void {
  const found = find<Ec2.NetworkInterface>('eni', input.NetworkInterfaceId, context);
  if (found.Status === 'in-use') throw fail('InvalidParameterValue', `Network interface '${input.NetworkInterfaceId}' is currently in use.`);
  remove('eni', input.NetworkInterfaceId, context);
}

export function modifyNetworkInterfaceAttribute(input: Ec2.ModifyNetworkInterfaceAttributeRequest, context: RequestContext): void {
  const found = find<Ec2.NetworkInterface>('eni', input.NetworkInterfaceId, context);
  if (input.Attachment) throw unsupported('the attachment of network interfaces');
  save(
    'eni',
    {
      ...found,
      ...(input.Groups ? { Groups: groupsOf(input.Groups, context) } : {}),
      ...(input.Description?.Value === undefined ? {} : { Description: input.Description.Value }),
      ...(input.SourceDestCheck?.Value === undefined ? {} : { SourceDestCheck: input.SourceDestCheck.Value }),
    },
    context,
  );
}
