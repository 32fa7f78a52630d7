import type { JsonObject } from '../json.js';
import { ec2, ec2Provider, ownTags, type Answer } from './ec2-resource.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

interface Rule {
  readonly IpProtocol: string;
  readonly FromPort?: number;
  readonly ToPort?: number;
  readonly CidrIp?: string;
  readonly CidrIpv6?: string;
  readonly SourcePrefixListId?: string;
  readonly DestinationPrefixListId?: string;
  readonly SourceSecurityGroupId?: string;
  readonly SourceSecurityGroupName?: string;
  readonly SourceSecurityGroupOwnerId?: string;
  readonly DestinationSecurityGroupId?: string;
  readonly Description?: string;
}

/** A rule of a template as one permission of the API. */
function permission(rule: Rule): Record<string, unknown> {
  const said = rule.Description === undefined ? {} : { Description: rule.Description };
  const prefix = rule.SourcePrefixListId ?? rule.DestinationPrefixListId;
  const group = rule.SourceSecurityGroupId ?? rule.DestinationSecurityGroupId;
  return {
    IpProtocol: String(rule.IpProtocol),
    ...(rule.FromPort === undefined ? {} : { FromPort: rule.FromPort }),
    ...(rule.ToPort === undefined ? {} : { ToPort: rule.ToPort }),
    ...(rule.CidrIp === undefined ? {} : { IpRanges: [{ CidrIp: rule.CidrIp, ...said }] }),
    ...(rule.CidrIpv6 === undefined ? {} : { Ipv6Ranges: [{ CidrIpv6: rule.CidrIpv6, ...said }] }),
    ...(prefix === undefined ? {} : { PrefixListIds: [{ PrefixListId: prefix, ...said }] }),
    ...(group === undefined && rule.SourceSecurityGroupName === undefined
      ? {}
      : { UserIdGroupPairs: [{ ...(group === undefined ? { GroupName: rule.SourceSecurityGroupName } : { GroupId: group }), ...(rule.SourceSecurityGroupOwnerId === undefined ? {} : { UserId: rule.SourceSecurityGroupOwnerId }), ...said }] }),
  };
}

interface GroupProperties {
  readonly GroupDescription: string;
  readonly GroupName?: string;
  readonly VpcId?: string;
  readonly SecurityGroupIngress?: readonly Rule[];
  readonly SecurityGroupEgress?: readonly Rule[];
}

/** What a group lets out when the template says nothing. */
const EVERYTHING: Rule = { IpProtocol: '-1', CidrIp: '0.0.0.0/0' };

const securityGroup = ec2Provider({
  type: 'AWS::EC2::SecurityGroup',
  honours: ['GroupDescription', 'GroupName', 'VpcId', 'SecurityGroupIngress', 'SecurityGroupEgress'],
  tagged: 'security-group',
  gone: ['InvalidGroup.NotFound'],
  async create(properties: GroupProperties, context, tags) {
    const { GroupId } = await ec2(context, 'CreateSecurityGroup', { GroupName: properties.GroupName ?? context.name({ limit: 255 }), Description: properties.GroupDescription, VpcId: properties.VpcId, ...tags });
    context.initiated(GroupId);
    await setRules(GroupId, 'Ingress', [], properties.SecurityGroupIngress ?? [], context);
    // A group with rules of its own for what goes out has only those.
    if (properties.SecurityGroupEgress) await setRules(GroupId, 'Egress', [EVERYTHING], properties.SecurityGroupEgress, context);
    return { physicalId: GroupId, attributes: await groupAttributes(GroupId, context) };
  },
  async update(id, before: GroupProperties, after: GroupProperties, context) {
    await setRules(id, 'Ingress', before.SecurityGroupIngress ?? [], after.SecurityGroupIngress ?? [], context);
    await setRules(id, 'Egress', before.SecurityGroupEgress ?? [EVERYTHING], after.SecurityGroupEgress ?? [EVERYTHING], context);
  },
  delete: (id, _, context) => ec2(context, 'DeleteSecurityGroup', { GroupId: id }),
  attributes: groupAttributes,
  async read(id, context) {
    const { SecurityGroups } = await ec2(context, 'DescribeSecurityGroups', { GroupIds: [id] });
    const found = SecurityGroups[0];
    const ingress = rulesOf(found.IpPermissions, 'Source');
    return { GroupId: id, Id: id, GroupName: found.GroupName, GroupDescription: found.Description, VpcId: found.VpcId, ...(ingress.length > 0 ? { SecurityGroupIngress: ingress } : {}), SecurityGroupEgress: rulesOf(found.IpPermissionsEgress, 'Destination'), ...ownTags(found.Tags) } as unknown as JsonObject;
  },
});

/** Permissions of the API as rules of a template. */
function rulesOf(permissions: readonly Answer[], side: 'Source' | 'Destination'): JsonObject[] {
  return permissions.flatMap(({ IpProtocol, FromPort, ToPort, IpRanges, Ipv6Ranges, PrefixListIds, UserIdGroupPairs }: Answer) => {
    const base = { IpProtocol, ...(FromPort === undefined ? {} : { FromPort, ToPort }) };
    const said = ({ Description }: Answer): object => (Description === undefined ? {} : { Description });
    return [
      ...IpRanges.map((one: Answer) => ({ ...base, CidrIp: one.CidrIp, ...said(one) })),
      ...Ipv6Ranges.map((one: Answer) => ({ ...base, CidrIpv6: one.CidrIpv6, ...said(one) })),
      ...PrefixListIds.map((one: Answer) => ({ ...base, [`${side}PrefixListId`]: one.PrefixListId, ...said(one) })),
      ...UserIdGroupPairs.map((one: Answer) => ({ ...base, [`${side}SecurityGroupId`]: one.GroupId, ...said(one) })),
    ];
  });
}

async function setRules(GroupId: string, direction: 'Ingress' | 'Egress', before: readonly Rule[], after: readonly Rule[], context: ProviderContext): Promise<void> {
  const key = (rule: Rule): string => JSON.stringify(permission(rule));
  const was = new Map(before.map((rule) => [key(rule), rule]));
  const is = new Map(after.map((rule) => [key(rule), rule]));
  for (const [name, rule] of was) if (!is.has(name)) await ec2(context, `RevokeSecurityGroup${direction}`, { GroupId, IpPermissions: [permission(rule)] });
  for (const [name, rule] of is) if (!was.has(name)) await ec2(context, `AuthorizeSecurityGroup${direction}`, { GroupId, IpPermissions: [permission(rule)] });
}

async function groupAttributes(id: string, context: ProviderContext): Promise<JsonObject> {
  const { SecurityGroups } = await ec2(context, 'DescribeSecurityGroups', { GroupIds: [id] });
  return { GroupId: id, Id: id, VpcId: SecurityGroups[0].VpcId };
}

interface SingleRule extends Rule {
  readonly GroupId?: string;
  readonly GroupName?: string;
}

const single = (direction: 'Ingress' | 'Egress', sides: readonly string[]): ResourceProvider =>
  ec2Provider({
    type: `AWS::EC2::SecurityGroup${direction}`,
    honours: ['GroupId', 'GroupName', 'IpProtocol', 'FromPort', 'ToPort', 'CidrIp', 'CidrIpv6', 'Description', ...sides],
    gone: ['InvalidGroup.NotFound', 'InvalidPermission.NotFound', 'InvalidSecurityGroupRuleId.NotFound'],
    async create({ GroupId, GroupName, ...rule }: SingleRule, context) {
      const { SecurityGroupRules } = await ec2(context, `AuthorizeSecurityGroup${direction}`, { GroupId, GroupName, IpPermissions: [permission(rule)] });
      const id = SecurityGroupRules[0].SecurityGroupRuleId;
      return { physicalId: id, attributes: { Id: id } };
    },
    async update(id, _, { GroupId, GroupName, Description }: SingleRule, context) {
      await ec2(context, `UpdateSecurityGroupRuleDescriptions${direction}`, { GroupId, GroupName, SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId: id, Description: Description ?? '' }] });
    },
    delete: (id, { GroupId, GroupName }: SingleRule, context) => ec2(context, `RevokeSecurityGroup${direction}`, { GroupId, GroupName, SecurityGroupRuleIds: [id] }),
  });

const networkAcl = ec2Provider({
  type: 'AWS::EC2::NetworkAcl',
  honours: ['VpcId'],
  tagged: 'network-acl',
  gone: ['InvalidNetworkAclID.NotFound'],
  async create({ VpcId }: { VpcId: string }, context, tags) {
    const { NetworkAcl } = await ec2(context, 'CreateNetworkAcl', { VpcId, ...tags });
    return { physicalId: NetworkAcl.NetworkAclId, attributes: { Id: NetworkAcl.NetworkAclId } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteNetworkAcl', { NetworkAclId: id }),
});

interface EntryProperties {
  readonly NetworkAclId: string;
  readonly RuleNumber: number;
  readonly RuleAction: string;
  readonly Protocol: number;
  readonly Egress?: boolean;
  readonly CidrBlock?: string;
  readonly Ipv6CidrBlock?: string;
  readonly Icmp?: { readonly Code?: number; readonly Type?: number };
  readonly PortRange?: { readonly From?: number; readonly To?: number };
}

const entry = ({ Icmp, Protocol, Egress = false, ...rest }: EntryProperties): Record<string, unknown> => ({ ...rest, Egress, Protocol: String(Protocol), ...(Icmp ? { IcmpTypeCode: Icmp } : {}) });

const networkAclEntry = ec2Provider({
  type: 'AWS::EC2::NetworkAclEntry',
  honours: ['NetworkAclId', 'RuleNumber', 'RuleAction', 'Protocol', 'Egress', 'CidrBlock', 'Ipv6CidrBlock', 'Icmp', 'PortRange'],
  gone: ['InvalidNetworkAclID.NotFound', 'InvalidNetworkAclEntry.NotFound'],
  async create(properties: EntryProperties, context) {
    await ec2(context, 'CreateNetworkAclEntry', entry(properties));
    const id = context.name();
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(_, _before, after: EntryProperties, context) {
    await ec2(context, 'ReplaceNetworkAclEntry', entry(after));
  },
  delete: (_, { NetworkAclId, RuleNumber, Egress = false }: EntryProperties, context) => ec2(context, 'DeleteNetworkAclEntry', { NetworkAclId, RuleNumber, Egress }),
});

interface AclAssociation {
  readonly SubnetId: string;
  readonly NetworkAclId: string;
}

/** A subnet always has an ACL: to let go of one is to return to the VPC's default. */
const aclAssociation = ec2Provider({
  type: 'AWS::EC2::SubnetNetworkAclAssociation',
  honours: ['SubnetId', 'NetworkAclId'],
  gone: ['InvalidAssociationID.NotFound', 'InvalidSubnetID.NotFound'],
  async create({ SubnetId, NetworkAclId }: AclAssociation, context) {
    const held = await associationOf(SubnetId, context);
    const { NewAssociationId } = await ec2(context, 'ReplaceNetworkAclAssociation', { AssociationId: held?.id, NetworkAclId });
    return { physicalId: NewAssociationId, attributes: { AssociationId: NewAssociationId } };
  },
  async delete(id, { SubnetId }: AclAssociation, context) {
    const held = await associationOf(SubnetId, context);
    if (held?.id !== id) return;
    const { NetworkAcls } = await ec2(context, 'DescribeNetworkAcls', { Filters: [{ Name: 'vpc-id', Values: [held.vpc] }, { Name: 'default', Values: ['true'] }] });
    await ec2(context, 'ReplaceNetworkAclAssociation', { AssociationId: id, NetworkAclId: NetworkAcls[0].NetworkAclId });
  },
});

async function associationOf(SubnetId: string, context: ProviderContext): Promise<{ id: string; vpc: string } | undefined> {
  const { NetworkAcls } = await ec2(context, 'DescribeNetworkAcls', { Filters: [{ Name: 'association.subnet-id', Values: [SubnetId] }] });
  const found = NetworkAcls[0]?.Associations.find((one: Answer) => one.SubnetId === SubnetId);
  return found && { id: found.NetworkAclAssociationId, vpc: NetworkAcls[0].VpcId };
}

export const security: readonly ResourceProvider[] = [
  securityGroup, single('Ingress', ['SourcePrefixListId', 'SourceSecurityGroupId', 'SourceSecurityGroupName', 'SourceSecurityGroupOwnerId']), single('Egress', ['DestinationPrefixListId', 'DestinationSecurityGroupId']), networkAcl, networkAclEntry, aclAssociation,
];
