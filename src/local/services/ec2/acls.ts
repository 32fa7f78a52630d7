import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { destination } from './cidr.js';
import { all, dependency, fail, find, newId, remove, save, suffix } from './store.js';
import { tagged, tagsFor } from './tags.js';

/** The rule nobody can remove: what no other rule decided is denied. */
const LAST = 32767;

export function createNetworkAcl(input: Ec2.CreateNetworkAclRequest, context: RequestContext): Ec2.CreateNetworkAclResult {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  return { NetworkAcl: addAcl(vpc, { isDefault: false, tags: tagsFor('acl', input, context) }, context) };
}

export function addAcl(vpc: Ec2.Vpc, { isDefault, tags }: { isDefault: boolean; tags: readonly Ec2.Tag[] }, context: RequestContext): Ec2.NetworkAcl {
  const entry = (Egress: boolean, RuleAction: Ec2.RuleAction, RuleNumber: number): Ec2.NetworkAclEntry => ({ CidrBlock: '0.0.0.0/0', Egress, Protocol: '-1', RuleAction, RuleNumber });
  return save<Ec2.NetworkAcl>(
    'acl',
    {
      NetworkAclId: newId('acl'),
      VpcId: vpc.VpcId,
      OwnerId: context.account,
      IsDefault: isDefault,
      Associations: [],
      // The default ACL lets everything through.
      Entries: [...(isDefault ? [entry(true, 'allow', 100)] : []), entry(true, 'deny', LAST), ...(isDefault ? [entry(false, 'allow', 100)] : []), entry(false, 'deny', LAST)],
      ...tagged('acl', tags),
    },
    context,
  );
}

export function deleteNetworkAcl(input: Ec2.DeleteNetworkAclRequest, context: RequestContext): void {
  const acl = find<Ec2.NetworkAcl>('acl', input.NetworkAclId, context);
  if (acl.IsDefault) throw fail('InvalidParameterValue', `cannot delete default network ACL ${input.NetworkAclId}`);
  if (acl.Associations!.length > 0) throw dependency('networkAcl', input.NetworkAclId);
  remove('acl', input.NetworkAclId, context);
}

export function createNetworkAclEntry(input: Ec2.CreateNetworkAclEntryRequest, context: RequestContext): void {
  const acl = find<Ec2.NetworkAcl>('acl', input.NetworkAclId, context);
  if (findEntry(acl, input)) throw fail('NetworkAclEntryAlreadyExists', `The network acl entry identified by ${input.RuleNumber} already exists.`);
  put(acl, [...acl.Entries!, entryOf(input)], context);
}

export function replaceNetworkAclEntry(input: Ec2.ReplaceNetworkAclEntryRequest, context: RequestContext): void {
  const acl = find<Ec2.NetworkAcl>('acl', input.NetworkAclId, context);
  const before = findEntry(acl, input);
  if (!before) throw noEntry(input);
  put(acl, acl.Entries!.map((entry) => (entry === before ? entryOf(input) : entry)), context);
}

export function deleteNetworkAclEntry(input: Ec2.DeleteNetworkAclEntryRequest, context: RequestContext): void {
  const acl = find<Ec2.NetworkAcl>('acl', input.NetworkAclId, context);
  const before = findEntry(acl, input);
  if (!before) throw noEntry(input);
  put(acl, acl.Entries!.filter((entry) => entry !== before), context);
}

interface EntryName {
  readonly RuleNumber: number;
  readonly Egress: boolean;
  readonly NetworkAclId: string;
}

function findEntry(acl: Ec2.NetworkAcl, { RuleNumber, Egress }: EntryName): Ec2.NetworkAclEntry | undefined {
  return acl.Entries!.find((entry) => entry.RuleNumber === RuleNumber && entry.Egress === Egress);
}

function noEntry({ RuleNumber, Egress, NetworkAclId }: EntryName): Error {
  return fail('InvalidNetworkAclEntry.NotFound', `The ${Egress ? 'egress' : 'ingress'} entry with rule number '${RuleNumber}' does not exist in network ACL '${NetworkAclId}'`);
}

function entryOf(input: Ec2.CreateNetworkAclEntryRequest): Ec2.NetworkAclEntry {
  if (input.RuleNumber < 1 || input.RuleNumber > 32766) throw fail('InvalidParameterValue', `Value (${input.RuleNumber}) for parameter ruleNumber is invalid. The rule number must be between 1 and 32766.`);
  return {
    Egress: input.Egress,
    Protocol: input.Protocol,
    RuleAction: input.RuleAction,
    RuleNumber: input.RuleNumber,
    ...(input.CidrBlock === undefined ? {} : { CidrBlock: destination(input.CidrBlock, 'cidrBlock') }),
    ...(input.Ipv6CidrBlock === undefined ? {} : { Ipv6CidrBlock: destination(input.Ipv6CidrBlock, 'ipv6CidrBlock') }),
    ...(input.PortRange ? { PortRange: input.PortRange } : {}),
    ...(input.IcmpTypeCode ? { IcmpTypeCode: input.IcmpTypeCode } : {}),
  };
}

function put(acl: Ec2.NetworkAcl, entries: readonly Ec2.NetworkAclEntry[], context: RequestContext): void {
  save('acl', { ...acl, Entries: [...entries].sort((a, b) => Number(b.Egress) - Number(a.Egress) || a.RuleNumber! - b.RuleNumber!) }, context);
}

export function replaceNetworkAclAssociation(input: Ec2.ReplaceNetworkAclAssociationRequest, context: RequestContext): Ec2.ReplaceNetworkAclAssociationResult {
  const target = find<Ec2.NetworkAcl>('acl', input.NetworkAclId, context);
  const holder = all<Ec2.NetworkAcl>('acl', context).find(({ Associations }) => Associations!.some(({ NetworkAclAssociationId }) => NetworkAclAssociationId === input.AssociationId));
  const before = holder?.Associations!.find(({ NetworkAclAssociationId }) => NetworkAclAssociationId === input.AssociationId);
  if (!holder || !before) throw fail('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`);
  if (holder.VpcId !== target.VpcId) throw fail('InvalidParameterValue', `network ACL ${input.NetworkAclId} belongs to another network`);
  const NewAssociationId = `aclassoc-${suffix()}`;
  context.state.transaction(() => {
    save('acl', { ...holder, Associations: holder.Associations!.filter((one) => one !== before) }, context);
    const now = find<Ec2.NetworkAcl>('acl', input.NetworkAclId, context);
    save('acl', { ...now, Associations: [...now.Associations!, { NetworkAclAssociationId: NewAssociationId, NetworkAclId: input.NetworkAclId, SubnetId: before.SubnetId }] }, context);
  });
  return { NewAssociationId };
}

