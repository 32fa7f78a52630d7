import { randomInt } from 'node:crypto';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { addInterface } from './interfaces.js';
import { all, fail, find, newId, peek, remove, save, suffix, unsupported } from './store.js';
import { tagged, tagsFor } from './tags.js';

export function allocateAddress(input: Ec2.AllocateAddressRequest, context: RequestContext): Ec2.AllocateAddressResult {
  if (input.Domain === 'standard') throw fail('InvalidParameterValue', "EC2-Classic is no longer available: the domain must be 'vpc'.");
  if (input.CustomerOwnedIpv4Pool !== undefined || input.IpamPoolId !== undefined) throw unsupported('own address pools');
  const taken = new Set(all<Ec2.Address>('eip', context).map(({ PublicIp }) => PublicIp));
  let PublicIp: string;
  // 198.51.100.0/24 and its like are for documentation: nobody is reached by mistake (RFC 5737); 198.18.0.0/15 has room for more (RFC 2544).
  do PublicIp = `198.${18 + randomInt(2)}.${randomInt(256)}.${1 + randomInt(254)}`;
  while (taken.has(PublicIp));
  const address: Ec2.Address = { AllocationId: newId('eip'), PublicIp, Domain: 'vpc', NetworkBorderGroup: context.region, PublicIpv4Pool: 'amazon', ...tagged('eip', tagsFor('eip', input, context)) };
  save('eip', address, context);
  return { AllocationId: address.AllocationId, PublicIp, Domain: 'vpc', NetworkBorderGroup: context.region, PublicIpv4Pool: 'amazon' };
}

export function releaseAddress(input: Ec2.ReleaseAddressRequest, context: RequestContext): void {
  const address = addressOf(input, context);
  if (address.AssociationId !== undefined) throw fail('InvalidIPAddress.InUse', `The address with allocation id [${address.AllocationId}] cannot be released because it is in use.`);
  remove('eip', address.AllocationId!, context);
}

function addressOf(input: { readonly AllocationId?: string; readonly PublicIp?: string }, context: RequestContext): Ec2.Address {
  if (input.AllocationId !== undefined) return find<Ec2.Address>('eip', input.AllocationId, context);
  const found = all<Ec2.Address>('eip', context).find(({ PublicIp }) => PublicIp === input.PublicIp);
  if (!found) throw fail('InvalidAddress.NotFound', `Address '${input.PublicIp ?? ''}' not found.`);
  return found;
}

export function associateAddress(input: Ec2.AssociateAddressRequest, context: RequestContext): Ec2.AssociateAddressResult {
  const address = addressOf(input, context);
  const instance = input.InstanceId === undefined ? undefined : find<Ec2.Instance>('instance', input.InstanceId, context);
  const eni = find<Ec2.NetworkInterface>('eni', input.NetworkInterfaceId ?? instance?.NetworkInterfaces?.[0]?.NetworkInterfaceId, context);
  if (address.AssociationId !== undefined && input.AllowReassociation === false) throw fail('Resource.AlreadyAssociated', `resource ${address.AllocationId} is already associated with associate-id ${address.AssociationId}`);
  return { AssociationId: associate(address, eni, context, input.InstanceId) };
}

function associate(address: Ec2.Address, eni: Ec2.NetworkInterface, context: RequestContext, instanceId?: string): string {
  const AssociationId = `eipassoc-${suffix()}`;
  context.state.transaction(() => {
    if (address.AssociationId !== undefined) dissociate(address, context);
    save('eip', { ...address, AssociationId, NetworkInterfaceId: eni.NetworkInterfaceId, NetworkInterfaceOwnerId: context.account, PrivateIpAddress: eni.PrivateIpAddress, ...(instanceId === undefined ? {} : { InstanceId: instanceId }) }, context);
    save('eni', { ...eni, Association: { AllocationId: address.AllocationId, AssociationId, IpOwnerId: context.account, PublicIp: address.PublicIp, PublicDnsName: '' } }, context);
  });
  return AssociationId;
}

/** Frees an address from its interface; the interface may be gone already. */
function dissociate(address: Ec2.Address, context: RequestContext): Ec2.Address {
  const { AssociationId: _a, NetworkInterfaceId, NetworkInterfaceOwnerId: _o, PrivateIpAddress: _p, InstanceId: _i, ...rest } = address;
  const eni = peek<Ec2.NetworkInterface>('eni', NetworkInterfaceId, context);
  if (eni) {
    const { Association: _, ...free } = eni;
    save('eni', free, context);
  }
  return save('eip', rest, context);
}

export function disassociateAddress(input: Ec2.DisassociateAddressRequest, context: RequestContext): void {
  const address = all<Ec2.Address>('eip', context).find((one) => (input.AssociationId === undefined ? one.PublicIp === input.PublicIp : one.AssociationId === input.AssociationId));
  if (!address || address.AssociationId === undefined) throw fail('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId ?? ''}' does not exist`);
  if (all<Ec2.NatGateway>('nat', context).some(({ State, NatGatewayAddresses }) => State === 'available' && NatGatewayAddresses?.some(({ AllocationId }) => AllocationId === address.AllocationId)))
    throw fail('AuthFailure', 'You do not have permission to access the specified resource.');
  dissociate(address, context);
}

export function createNatGateway(input: Ec2.CreateNatGatewayRequest, context: RequestContext): Ec2.CreateNatGatewayResult {
  if (input.SubnetId === undefined) throw unsupported('regional NAT gateways');
  const subnet = find<Ec2.Subnet>('subnet', input.SubnetId, context);
  const type = input.ConnectivityType ?? 'public';
  if (type === 'public' && input.AllocationId === undefined) throw fail('MissingParameter', 'The request must include the AllocationId parameter. Add the required parameter and retry the request.');
  const address = input.AllocationId === undefined ? undefined : find<Ec2.Address>('eip', input.AllocationId, context);
  if (address?.AssociationId !== undefined) throw fail('Resource.AlreadyAssociated', `Elastic IP address [${address.AllocationId}] is already associated`);
  const tags = tagsFor('nat', input, context);
  const NatGatewayId = newId('nat');
  const gateway = context.state.transaction((): Ec2.NatGateway => {
    const eni = addInterface({ subnet, type: 'nat_gateway', description: `Interface for NAT Gateway ${NatGatewayId}`, address: input.PrivateIpAddress, requesterManaged: true, attachment: { AttachTime: context.now(), DeleteOnTermination: false, DeviceIndex: 1, Status: 'attached', InstanceOwnerId: 'amazon-aws', AttachmentId: `eni-attach-${suffix()}` } }, context);
    const association = address ? { AllocationId: address.AllocationId, PublicIp: address.PublicIp, AssociationId: associate(address, eni, context) } : {};
    return save<Ec2.NatGateway>(
      'nat',
      {
        NatGatewayId, SubnetId: subnet.SubnetId, VpcId: subnet.VpcId, State: 'available', CreateTime: context.now(), ConnectivityType: type,
        NatGatewayAddresses: [{ NetworkInterfaceId: eni.NetworkInterfaceId, PrivateIp: eni.PrivateIpAddress, IsPrimary: true, Status: 'succeeded', ...association }], ...tagged('nat', tags),
      },
      context,
    );
  });
  return { NatGateway: { ...gateway, State: 'pending' }, ...(input.ClientToken === undefined ? {} : { ClientToken: input.ClientToken }) };
}

/** A deleted gateway is shown for about an hour (user guide, "Delete a NAT gateway"). */
export function deleteNatGateway(input: Ec2.DeleteNatGatewayRequest, context: RequestContext): Ec2.DeleteNatGatewayResult {
  const gateway = find<Ec2.NatGateway>('nat', input.NatGatewayId, context);
  context.state.transaction(() => {
    for (const { AllocationId, NetworkInterfaceId } of gateway.NatGatewayAddresses ?? []) {
      const address = peek<Ec2.Address>('eip', AllocationId, context);
      if (address) dissociate(address, context);
      if (NetworkInterfaceId !== undefined) remove('eni', NetworkInterfaceId, context);
    }
    save('nat', { ...gateway, State: 'deleted' as Ec2.NatGatewayState, DeleteTime: context.now() }, context);
  });
  return { NatGatewayId: input.NatGatewayId };
}
