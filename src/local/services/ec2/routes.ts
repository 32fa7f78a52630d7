import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { destination } from './cidr.js';
import { all, dependency, fail, find, newId, peek, remove, save, suffix, unsupported, within } from './store.js';
import { tagged, tagsFor } from './tags.js';

export function createRouteTable(input: Ec2.CreateRouteTableRequest, context: RequestContext): Ec2.CreateRouteTableResult {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  return { RouteTable: addRouteTable(vpc, { main: false, tags: tagsFor('rtb', input, context) }, context) };
}

export function addRouteTable(vpc: Ec2.Vpc, { main, tags }: { main: boolean; tags: readonly Ec2.Tag[] }, context: RequestContext): Ec2.RouteTable {
  const RouteTableId = newId('rtb');
  const local = (block: object): Ec2.Route => ({ ...block, GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' });
  return save<Ec2.RouteTable>(
    'rtb',
    {
      RouteTableId,
      VpcId: vpc.VpcId,
      OwnerId: context.account,
      Associations: main ? [{ Main: true, RouteTableAssociationId: newId('association'), RouteTableId, AssociationState: { State: 'associated' } }] : [],
      PropagatingVgws: [],
      Routes: [
        ...vpc.CidrBlockAssociationSet!.map(({ CidrBlock }) => local({ DestinationCidrBlock: CidrBlock })),
        ...(vpc.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => local({ DestinationIpv6CidrBlock: Ipv6CidrBlock })),
      ],
      ...tagged('rtb', tags),
    },
    context,
  );
}

export function deleteRouteTable(input: Ec2.DeleteRouteTableRequest, context: RequestContext): void {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  if (table.Associations!.length > 0) throw dependency('routeTable', input.RouteTableId);
  remove('rtb', input.RouteTableId, context);
}

/** A route whose target is gone leads nowhere. */
export function view(table: Ec2.RouteTable, context: RequestContext): Ec2.RouteTable {
  return { ...table, Routes: table.Routes!.map((route) => (leads(route, table, context) ? route : { ...route, State: 'blackhole' as const })) };
}

function leads(route: Ec2.Route, table: Ec2.RouteTable, context: RequestContext): boolean {
  const { GatewayId: gateway, NatGatewayId: nat } = route;
  if (nat !== undefined) return peek<Ec2.NatGateway>('nat', nat, context)?.State === 'available';
  if (gateway?.startsWith('igw-')) return peek<Ec2.InternetGateway>('igw', gateway, context)?.Attachments?.some(({ VpcId }) => VpcId === table.VpcId) ?? false;
  if (gateway?.startsWith('vgw-')) return peek<Ec2.VpnGateway>('vgw', gateway, context)?.VpcAttachments?.some(({ VpcId, State }) => VpcId === table.VpcId && State === 'attached') ?? false;
  if (route.VpcPeeringConnectionId !== undefined) return peek<Ec2.VpcPeeringConnection>('pcx', route.VpcPeeringConnectionId, context)?.Status?.Code === 'active';
  if (route.TransitGatewayId !== undefined) return peek<Ec2.TransitGateway>('tgw', route.TransitGatewayId, context)?.State === 'available';
  if (route.NetworkInterfaceId !== undefined) return peek('eni', route.NetworkInterfaceId, context) !== undefined;
  return true;
}

interface RouteInput {
  readonly RouteTableId: string;
  readonly DestinationCidrBlock?: string;
  readonly DestinationIpv6CidrBlock?: string;
  readonly DestinationPrefixListId?: string;
}

export function createRoute(input: Ec2.CreateRouteRequest, context: RequestContext): Ec2.CreateRouteResult {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  const to = destinationOf(input);
  const before = findRoute(table, to);
  if (before && !sameTarget(before, input)) throw fail('RouteAlreadyExists', `The route identified by ${Object.values(to)[0]} already exists.`);
  if (!before) save('rtb', { ...table, Routes: [...table.Routes!, { ...to, ...targetOf(input, table, context), Origin: 'CreateRoute', State: 'active' }] }, context);
  return { Return: true };
}

export function replaceRoute(input: Ec2.ReplaceRouteRequest, context: RequestContext): void {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  const to = destinationOf(input);
  if (!findRoute(table, to)) throw noRoute(to, table);
  const route: Ec2.Route = { ...to, ...targetOf(input as Ec2.CreateRouteRequest, table, context), Origin: 'CreateRoute', State: 'active' };
  save('rtb', { ...table, Routes: table.Routes!.map((one) => (findRoute({ Routes: [one] }, to) ? route : one)) }, context);
}

export function deleteRoute(input: Ec2.DeleteRouteRequest, context: RequestContext): void {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  const to = destinationOf(input);
  const route = findRoute(table, to);
  if (!route) throw noRoute(to, table);
  if (route.GatewayId === 'local') throw fail('InvalidParameterValue', `cannot remove local route ${Object.values(to)[0]} in route table ${input.RouteTableId}`);
  save('rtb', { ...table, Routes: table.Routes!.filter((one) => one !== route) }, context);
}

function destinationOf(input: RouteInput): Ec2.Route {
  if (input.DestinationCidrBlock !== undefined) return { DestinationCidrBlock: destination(input.DestinationCidrBlock, 'destinationCidrBlock') };
  if (input.DestinationIpv6CidrBlock !== undefined) return { DestinationIpv6CidrBlock: destination(input.DestinationIpv6CidrBlock, 'destinationIpv6CidrBlock') };
  if (input.DestinationPrefixListId !== undefined) return { DestinationPrefixListId: input.DestinationPrefixListId };
  throw fail('MissingParameter', 'The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId');
}

function findRoute(table: Ec2.RouteTable, to: Ec2.Route): Ec2.Route | undefined {
  return table.Routes!.find((route) => Object.entries(to).every(([name, value]) => route[name as keyof Ec2.Route] === value));
}

function noRoute(to: Ec2.Route, table: Ec2.RouteTable): Error {
  const [[name = '', value] = []] = Object.entries(to);
  return fail('InvalidRoute.NotFound', `no route with ${name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()} ${String(value)} in route table ${table.RouteTableId}`);
}

const TARGETS = ['GatewayId', 'NatGatewayId', 'InstanceId', 'NetworkInterfaceId', 'VpcPeeringConnectionId', 'TransitGatewayId', 'EgressOnlyInternetGatewayId', 'CarrierGatewayId', 'LocalGatewayId', 'VpcEndpointId', 'CoreNetworkArn'] as const;

function sameTarget(route: Ec2.Route, input: Ec2.CreateRouteRequest): boolean {
  return TARGETS.every((name) => input[name] === undefined || (route as Record<string, unknown>)[name === 'VpcEndpointId' ? 'GatewayId' : name] === input[name]);
}

/** The one target a route leads to, which must be there and belong to the VPC. */
function targetOf(input: Ec2.CreateRouteRequest, table: Ec2.RouteTable, context: RequestContext): Ec2.Route {
  const given = TARGETS.filter((name) => input[name] !== undefined);
  if (given.length !== 1) throw fail('InvalidParameterCombination', given.length === 0 ? 'The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, carrierGatewayId, vpcEndpointId, coreNetworkArn, instanceId' : 'The request must contain only one target');
  const [name] = given;
  const id = input[name!]!;
  switch (name) {
    case 'GatewayId':
      return gatewayTarget(id, table, context);
    case 'NatGatewayId':
      if (peek<Ec2.NatGateway>('nat', id, context)?.State !== 'available') throw fail('InvalidNatGatewayID.NotFound', `The natGateway ID '${id}' does not exist`);
      return { NatGatewayId: id };
    case 'NetworkInterfaceId':
      return { NetworkInterfaceId: find<Ec2.NetworkInterface>('eni', id, context).NetworkInterfaceId };
    case 'InstanceId': {
      const instance = find<Ec2.Instance>('instance', id, context);
      return { InstanceId: id, InstanceOwnerId: context.account, NetworkInterfaceId: instance.NetworkInterfaces?.[0]?.NetworkInterfaceId };
    }
    case 'VpcPeeringConnectionId':
      find('pcx', id, context);
      return { VpcPeeringConnectionId: id };
    case 'TransitGatewayId':
      return transitTarget(id, table, context);
    case 'EgressOnlyInternetGatewayId':
      find('eigw', id, context);
      return { EgressOnlyInternetGatewayId: id };
    case 'VpcEndpointId':
      find('vpce', id, context);
      return { GatewayId: id };
    default:
      throw unsupported(`routes to ${String(name)}`);
  }
}

function gatewayTarget(id: string, table: Ec2.RouteTable, context: RequestContext): Ec2.Route {
  const vpn = id.startsWith('vgw-') ? find<Ec2.VpnGateway>('vgw', id, context) : undefined;
  const attached = vpn
    ? vpn.VpcAttachments?.some(({ VpcId, State }) => VpcId === table.VpcId && State === 'attached')
    : find<Ec2.InternetGateway>('igw', id, context).Attachments?.some(({ VpcId }) => VpcId === table.VpcId);
  if (!attached) throw fail('InvalidParameterValue', `route table ${table.RouteTableId} and network gateway ${id} belong to different networks`);
  return { GatewayId: id };
}

function transitTarget(id: string, table: Ec2.RouteTable, context: RequestContext): Ec2.Route {
  const attached = all<Ec2.TransitGatewayAttachment>('tgwAttachment', context).some(({ TransitGatewayId, ResourceId, State }) => TransitGatewayId === id && ResourceId === table.VpcId && State === 'available');
  if (!attached) throw fail('InvalidTransitGatewayID.NotFound', `The transitGateway ID '${id}' does not exist.`);
  return { TransitGatewayId: id };
}

export function associateRouteTable(input: Ec2.AssociateRouteTableRequest, context: RequestContext): Ec2.AssociateRouteTableResult {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  if (input.GatewayId !== undefined) find(input.GatewayId.startsWith('vgw-') ? 'vgw' : 'igw', input.GatewayId, context);
  else if (find<Ec2.Subnet>('subnet', input.SubnetId, context).VpcId !== table.VpcId) throw fail('InvalidParameterValue', `Route table ${input.RouteTableId} and subnet ${input.SubnetId} belong to different networks`);
  const associated = withAssociation(input.SubnetId ?? input.GatewayId!, context);
  if (associated) {
    if (associated.table.RouteTableId === table.RouteTableId) return { AssociationId: associated.association.RouteTableAssociationId, AssociationState: { State: 'associated' } };
    throw fail('Resource.AlreadyAssociated', `the specified association for route table ${input.RouteTableId} conflicts with an existing association`);
  }
  const association = newAssociation(table, input);
  save('rtb', { ...table, Associations: [...table.Associations!, association] }, context);
  return { AssociationId: association.RouteTableAssociationId, AssociationState: { State: 'associated' } };
}

function newAssociation(table: Ec2.RouteTable, of: { readonly SubnetId?: string; readonly GatewayId?: string; readonly Main?: boolean }): Ec2.RouteTableAssociation {
  return {
    Main: of.Main ?? false,
    RouteTableAssociationId: `rtbassoc-${suffix()}`,
    RouteTableId: table.RouteTableId,
    ...(of.SubnetId === undefined ? {} : { SubnetId: of.SubnetId }),
    ...(of.GatewayId === undefined ? {} : { GatewayId: of.GatewayId }),
    AssociationState: { State: 'associated' },
  };
}

function withAssociation(id: string, context: RequestContext): { table: Ec2.RouteTable; association: Ec2.RouteTableAssociation } | undefined {
  for (const table of all<Ec2.RouteTable>('rtb', context)) {
    const association = table.Associations!.find((one) => [one.SubnetId, one.GatewayId, one.RouteTableAssociationId].includes(id));
    if (association) return { table, association };
  }
  return undefined;
}

function associationOf(id: string, context: RequestContext): { table: Ec2.RouteTable; association: Ec2.RouteTableAssociation } {
  const found = withAssociation(id, context);
  if (!found) throw fail('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`);
  return found;
}

export function disassociateRouteTable(input: Ec2.DisassociateRouteTableRequest, context: RequestContext): void {
  const { table, association } = associationOf(input.AssociationId, context);
  if (association.Main) throw fail('InvalidParameterValue', `cannot disassociate the main route table association ${input.AssociationId}`);
  save('rtb', { ...table, Associations: table.Associations!.filter((one) => one !== association) }, context);
}

/** Also how a VPC gets another main route table. */
export function replaceRouteTableAssociation(input: Ec2.ReplaceRouteTableAssociationRequest, context: RequestContext): Ec2.ReplaceRouteTableAssociationResult {
  const { table, association } = associationOf(input.AssociationId, context);
  const target = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  if (target.VpcId !== table.VpcId) throw fail('InvalidParameterValue', `Route table ${input.RouteTableId} belongs to another network`);
  const replacement = newAssociation(target, association);
  context.state.transaction(() => {
    save('rtb', { ...table, Associations: table.Associations!.filter((one) => one !== association) }, context);
    const now = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
    save('rtb', { ...now, Associations: [...now.Associations!, replacement] }, context);
  });
  return { NewAssociationId: replacement.RouteTableAssociationId, AssociationState: { State: 'associated' } };
}

export function enableVgwRoutePropagation(input: Ec2.EnableVgwRoutePropagationRequest, context: RequestContext): void {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  gatewayTarget(input.GatewayId, table, context);
  save('rtb', { ...table, PropagatingVgws: [...table.PropagatingVgws!.filter(({ GatewayId }) => GatewayId !== input.GatewayId), { GatewayId: input.GatewayId }] }, context);
}

export function disableVgwRoutePropagation(input: Ec2.DisableVgwRoutePropagationRequest, context: RequestContext): void {
  const table = find<Ec2.RouteTable>('rtb', input.RouteTableId, context);
  save('rtb', { ...table, PropagatingVgws: table.PropagatingVgws!.filter(({ GatewayId }) => GatewayId !== input.GatewayId) }, context);
}

/** Tables of one VPC that subnets without a table of their own use. */
export function mainTable(vpcId: string, context: RequestContext): Ec2.RouteTable | undefined {
  return within<Ec2.RouteTable>('rtb', vpcId, context).find(({ Associations }) => Associations?.some(({ Main }) => Main));
}
