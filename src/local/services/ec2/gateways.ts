import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { all, dependency, fail, find, newId, remove, save, within } from './store.js';
import { tagged, tagsFor } from './tags.js';

export function createInternetGateway(input: Ec2.CreateInternetGatewayRequest, context: RequestContext): Ec2.CreateInternetGatewayResult {
  return { InternetGateway: save<Ec2.InternetGateway>('igw', { InternetGatewayId: newId('igw'), OwnerId: context.account, Attachments: [], ...tagged('igw', tagsFor('igw', input, context)) }, context) };
}

export function attachInternetGateway(input: Ec2.AttachInternetGatewayRequest, context: RequestContext): void {
  const gateway = find<Ec2.InternetGateway>('igw', input.InternetGatewayId, context);
  find('vpc', input.VpcId, context);
  if (gateway.Attachments!.length > 0) throw fail('Resource.AlreadyAssociated', `resource ${input.InternetGatewayId} is already attached to network ${gateway.Attachments![0]!.VpcId}`);
  if (all<Ec2.InternetGateway>('igw', context).some(({ Attachments }) => Attachments!.some(({ VpcId }) => VpcId === input.VpcId)))
    throw fail('InvalidParameterValue', `Network ${input.VpcId} already has an internet gateway attached`);
  save('igw', { ...gateway, Attachments: [{ State: 'available' as Ec2.AttachmentStatus, VpcId: input.VpcId }] }, context);
}

export function detachInternetGateway(input: Ec2.DetachInternetGatewayRequest, context: RequestContext): void {
  const gateway = find<Ec2.InternetGateway>('igw', input.InternetGatewayId, context);
  if (!gateway.Attachments!.some(({ VpcId }) => VpcId === input.VpcId)) throw fail('Gateway.NotAttached', `resource ${input.InternetGatewayId} is not attached to network ${input.VpcId}`);
  if (within<Ec2.NetworkInterface>('eni', input.VpcId, context).some(({ Association }) => Association?.PublicIp !== undefined))
    throw fail('DependencyViolation', `Network ${input.VpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`);
  save('igw', { ...gateway, Attachments: [] }, context);
}

export function deleteInternetGateway(input: Ec2.DeleteInternetGatewayRequest, context: RequestContext): void {
  const gateway = find<Ec2.InternetGateway>('igw', input.InternetGatewayId, context);
  if (gateway.Attachments!.length > 0) throw dependency('internetGateway', input.InternetGatewayId);
  remove('igw', input.InternetGatewayId, context);
}

export function createEgressOnlyInternetGateway(input: Ec2.CreateEgressOnlyInternetGatewayRequest, context: RequestContext): Ec2.CreateEgressOnlyInternetGatewayResult {
  find('vpc', input.VpcId, context);
  const gateway: Ec2.EgressOnlyInternetGateway = { EgressOnlyInternetGatewayId: newId('eigw'), Attachments: [{ State: 'attached', VpcId: input.VpcId }], ...tagged('eigw', tagsFor('eigw', input, context)) };
  return { EgressOnlyInternetGateway: save('eigw', gateway, context) };
}

export function deleteEgressOnlyInternetGateway(input: Ec2.DeleteEgressOnlyInternetGatewayRequest, context: RequestContext): Ec2.DeleteEgressOnlyInternetGatewayResult {
  find('eigw', input.EgressOnlyInternetGatewayId, context);
  remove('eigw', input.EgressOnlyInternetGatewayId, context);
  return { ReturnCode: true };
}

export function createVpnGateway(input: Ec2.CreateVpnGatewayRequest, context: RequestContext): Ec2.CreateVpnGatewayResult {
  const gateway: Ec2.VpnGateway = { VpnGatewayId: newId('vgw'), State: 'available', Type: input.Type, AmazonSideAsn: input.AmazonSideAsn ?? 64512, VpcAttachments: [], ...tagged('vgw', tagsFor('vgw', input, context)) };
  return { VpnGateway: save('vgw', gateway, context) };
}

export function attachVpnGateway(input: Ec2.AttachVpnGatewayRequest, context: RequestContext): Ec2.AttachVpnGatewayResult {
  const gateway = find<Ec2.VpnGateway>('vgw', input.VpnGatewayId, context);
  find('vpc', input.VpcId, context);
  if (gateway.VpcAttachments!.some(({ VpcId, State }) => State === 'attached' && VpcId !== input.VpcId)) throw fail('InvalidParameterValue', `The virtual private gateway ${input.VpnGatewayId} is already attached to a VPC`);
  const VpcAttachment: Ec2.VpcAttachment = { State: 'attached', VpcId: input.VpcId };
  save('vgw', { ...gateway, VpcAttachments: [VpcAttachment] }, context);
  return { VpcAttachment };
}

export function detachVpnGateway(input: Ec2.DetachVpnGatewayRequest, context: RequestContext): void {
  const gateway = find<Ec2.VpnGateway>('vgw', input.VpnGatewayId, context);
  if (!gateway.VpcAttachments!.some(({ VpcId, State }) => VpcId === input.VpcId && State === 'attached')) throw fail('InvalidVpnGatewayAttachment.NotFound', `The attachment with vpn gateway ID '${input.VpnGatewayId}' and vpc ID '${input.VpcId}' does not exist.`);
  save('vgw', { ...gateway, VpcAttachments: [{ State: 'detached' as Ec2.AttachmentStatus, VpcId: input.VpcId }] }, context);
}

export function deleteVpnGateway(input: Ec2.DeleteVpnGatewayRequest, context: RequestContext): void {
  const gateway = find<Ec2.VpnGateway>('vgw', input.VpnGatewayId, context);
  if (gateway.VpcAttachments!.some(({ State }) => State === 'attached')) throw fail('IncorrectState', `The vpnGateway ID '${input.VpnGatewayId}' is attached to a VPC`);
  remove('vgw', input.VpnGatewayId, context);
}

export function createCustomerGateway(input: Ec2.CreateCustomerGatewayRequest, context: RequestContext): Ec2.CreateCustomerGatewayResult {
  const gateway: Ec2.CustomerGateway = {
    CustomerGatewayId: newId('cgw'), State: 'available', Type: input.Type, BgpAsn: String(input.BgpAsn ?? 65000), IpAddress: input.IpAddress ?? input.PublicIp, ...(input.DeviceName === undefined ? {} : { DeviceName: input.DeviceName }), ...tagged('cgw', tagsFor('cgw', input, context)),
  };
  return { CustomerGateway: save('cgw', gateway, context) };
}

export function deleteCustomerGateway(input: Ec2.DeleteCustomerGatewayRequest, context: RequestContext): void {
  find('cgw', input.CustomerGatewayId, context);
  remove('cgw', input.CustomerGatewayId, context);
}
