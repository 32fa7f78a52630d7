import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { overlaps, parseBlock } from './cidr.js';
import { fail, find, newId, peek, save, notFound } from './store.js';
import { tagged, tagsFor } from './tags.js';

type Peering = Ec2.VpcPeeringConnection;

export function createVpcPeeringConnection(input: Ec2.CreateVpcPeeringConnectionRequest, context: RequestContext): Ec2.CreateVpcPeeringConnectionResult {
  const own = find<Ec2.Vpc>('vpc', input.VpcId, context);
  const account = input.PeerOwnerId ?? context.account;
  const region = input.PeerRegion ?? context.region;
  const peer = peek<Ec2.Vpc>('vpc', input.PeerVpcId, { state: context.state, account, region });
  const overlapping = peer && overlaps(parseBlock(own.CidrBlock!), parseBlock(peer.CidrBlock!));
  const failed = !peer || overlapping;
  const connection: Peering = {
    VpcPeeringConnectionId: newId('pcx'),
    RequesterVpcInfo: info(own, context.region),
    AccepterVpcInfo: peer && !failed ? { ...info(peer, region), CidrBlock: undefined } : { OwnerId: account, VpcId: input.PeerVpcId, Region: region },
    // A request that can't come to anything fails by itself (peering guide, "VPC peering connection lifecycle").
    Status: failed ? { Code: 'failed', Message: 'Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range' } : { Code: 'pending-acceptance', Message: `Pending Acceptance by ${account}` },
    ExpirationTime: new Date(context.now().getTime() + 7 * 86_400_000),
    ...tagged('pcx', tagsFor('pcx', input, context)),
  };
  saveBoth(connection, context);
  return { VpcPeeringConnection: connection };
}

function info(vpc: Ec2.Vpc, region: string): Ec2.VpcPeeringConnectionVpcInfo {
  const PeeringOptions = { AllowDnsResolutionFromRemoteVpc: false, AllowEgressFromLocalClassicLinkToRemoteVpc: false, AllowEgressFromLocalVpcToRemoteClassicLink: false };
  return { CidrBlock: vpc.CidrBlock, CidrBlockSet: vpc.CidrBlockAssociationSet!.map(({ CidrBlock }) => ({ CidrBlock })), OwnerId: vpc.OwnerId, VpcId: vpc.VpcId, Region: region, PeeringOptions };
}

/** A connection is known on both its sides, each in its account and region. */
function saveBoth(connection: Peering, { state }: RequestContext): void {
  state.transaction(() => {
    for (const side of [connection.RequesterVpcInfo!, connection.AccepterVpcInfo!]) {
      const place = { state, account: side.OwnerId!, region: side.Region! };
      if (connection.Status!.Code !== 'failed' || side === connection.RequesterVpcInfo) save('pcx', connection, place);
    }
  });
}

export function acceptVpcPeeringConnection(input: Ec2.AcceptVpcPeeringConnectionRequest, context: RequestContext): Ec2.AcceptVpcPeeringConnectionResult {
  const connection = find<Peering>('pcx', input.VpcPeeringConnectionId, context);
  const { AccepterVpcInfo: accepter, Status } = connection;
  if (accepter!.OwnerId !== context.account || accepter!.Region !== context.region) throw fail('OperationNotPermitted', `User ${context.account} cannot accept peering ${input.VpcPeeringConnectionId}`);
  if (Status!.Code === 'active') return { VpcPeeringConnection: connection };
  if (Status!.Code !== 'pending-acceptance') throw fail('InvalidStateTransition', `Invalid state transition for ${input.VpcPeeringConnectionId}, attempted to transition from ${Status!.Code} to active`);
  const vpc = find<Ec2.Vpc>('vpc', accepter!.VpcId, context);
  const accepted: Peering = { ...connection, AccepterVpcInfo: info(vpc, context.region), Status: { Code: 'active', Message: 'Active' }, ExpirationTime: undefined };
  saveBoth(accepted, context);
  return { VpcPeeringConnection: accepted };
}

export function rejectVpcPeeringConnection(input: Ec2.RejectVpcPeeringConnectionRequest, context: RequestContext): Ec2.RejectVpcPeeringConnectionResult {
  const connection = find<Peering>('pcx', input.VpcPeeringConnectionId, context);
  if (connection.Status!.Code !== 'pending-acceptance') throw fail('InvalidStateTransition', `Invalid state transition for ${input.VpcPeeringConnectionId}, attempted to transition from ${connection.Status!.Code} to rejected`);
  saveBoth({ ...connection, Status: { Code: 'rejected', Message: `Rejected by ${context.account}` } }, context);
  return { Return: true };
}

/** A deleted connection stays visible for some hours. */
export function deleteVpcPeeringConnection(input: Ec2.DeleteVpcPeeringConnectionRequest, context: RequestContext): Ec2.DeleteVpcPeeringConnectionResult {
  const connection = find<Peering>('pcx', input.VpcPeeringConnectionId, context);
  if (connection.Status!.Code === 'deleted') throw notFound('pcx', input.VpcPeeringConnectionId);
  saveBoth({ ...connection, Status: { Code: 'deleted', Message: `Deleted by ${context.account}` } }, context);
  return { Return: true };
}

export function modifyVpcPeeringConnectionOptions(input: Ec2.ModifyVpcPeeringConnectionOptionsRequest, context: RequestContext): Ec2.ModifyVpcPeeringConnectionOptionsResult {
  const connection = find<Peering>('pcx', input.VpcPeeringConnectionId, context);
  if (connection.Status!.Code !== 'active') throw fail('OperationNotPermitted', `Peering ${input.VpcPeeringConnectionId} is not active. Peering options can be added only to active peerings.`);
  const withOptions = (side: Ec2.VpcPeeringConnectionVpcInfo, options: Ec2.PeeringConnectionOptionsRequest | undefined): Ec2.VpcPeeringConnectionVpcInfo => ({ ...side, PeeringOptions: { ...side.PeeringOptions, ...options } });
  const after: Peering = { ...connection, RequesterVpcInfo: withOptions(connection.RequesterVpcInfo!, input.RequesterPeeringConnectionOptions), AccepterVpcInfo: withOptions(connection.AccepterVpcInfo!, input.AccepterPeeringConnectionOptions) };
  saveBoth(after, context);
  return { RequesterPeeringConnectionOptions: after.RequesterVpcInfo!.PeeringOptions, AccepterPeeringConnectionOptions: after.AccepterVpcInfo!.PeeringOptions };
}
