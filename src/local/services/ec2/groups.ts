import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { destination } from './cidr.js';
import { matchesAll, page } from './describe.js';
import { all, arnOf, details, fail, find, newId, remove, save, unsupported, within } from './store.js';
import { tagged, tagsFor } from './tags.js';

type Rule = Ec2.SecurityGroupRule;

/** Rules by group: what the permissions that a group shows are made of. */
const rules = (context: RequestContext) => details<Rule[]>('sg', context);

export function createSecurityGroup(input: Ec2.CreateSecurityGroupRequest, context: RequestContext): Ec2.CreateSecurityGroupResult {
  const vpc = input.VpcId === undefined ? all<Ec2.Vpc>('vpc', context).find(({ IsDefault }) => IsDefault) : find<Ec2.Vpc>('vpc', input.VpcId, context);
  if (!vpc) throw fail('VPCIdNotSpecified', 'No default VPC for this user');
  if (/^sg-/.test(input.GroupName)) throw fail('InvalidParameterValue', `Value (${input.GroupName}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`);
  if (!/^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/.test(input.GroupName)) throw fail('InvalidParameterValue', `Value (${input.GroupName}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.`);
  if (!/^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/.test(input.Description)) throw fail('InvalidParameterValue', `Value (${input.Description}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.`);
  if (within<Ec2.SecurityGroup>('sg', vpc.VpcId, context).some(({ GroupName }) => GroupName === input.GroupName))
    throw fail('InvalidGroup.Duplicate', `The security group '${input.GroupName}' already exists for VPC '${vpc.VpcId}'`);
  const group = addGroup({ name: input.GroupName, description: input.Description, vpcId: vpc.VpcId!, tags: tagsFor('sg', input, context), isDefault: false }, context);
  return { GroupId: group.GroupId, SecurityGroupArn: group.SecurityGroupArn, ...(group.Tags ? { Tags: group.Tags } : {}) };
}

export interface NewGroup {
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  readonly tags: readonly Ec2.Tag[];
  readonly isDefault: boolean;
}

/** New groups let everything out; a VPC's default group also lets its own members in. */
export function addGroup(wanted: NewGroup, context: RequestContext): Ec2.SecurityGroup {
  const GroupId = newId('sg');
  const group: Ec2.SecurityGroup = { GroupId, GroupName: wanted.name, Description: wanted.description, VpcId: wanted.vpcId, OwnerId: context.account, SecurityGroupArn: arnOf('sg', GroupId, context), ...tagged('sg', wanted.tags) };
  const all: Partial<Rule> = { IpProtocol: '-1', FromPort: -1, ToPort: -1 };
  context.state.transaction(() => {
    save('sg', group, context);
    rules(context).put(GroupId, [
      newRule(group, true, { ...all, CidrIpv4: '0.0.0.0/0' }, [], context),
      ...(wanted.isDefault ? [newRule(group, false, { ...all, ReferencedGroupInfo: { GroupId, UserId: context.account } }, [], context)] : []),
    ]);
  });
  return group;
}

function newRule(group: Ec2.SecurityGroup, IsEgress: boolean, rule: Partial<Rule>, tags: readonly Ec2.Tag[], context: RequestContext): Rule {
  const SecurityGroupRuleId = newId('sgr');
  return { SecurityGroupRuleId, GroupId: group.GroupId, GroupOwnerId: group.OwnerId, IsEgress, ...rule, SecurityGroupRuleArn: arnOf('sgr', SecurityGroupRuleId, context), Tags: [...tags] };
}

export function deleteSecurityGroup(input: Ec2.DeleteSecurityGroupRequest, context: RequestContext): Ec2.DeleteSecurityGroupResult {
  const group = groupOf(input, context);
  const id = group.GroupId!;
  if (group.GroupName === 'default') throw fail('CannotDelete', `the specified group: "${id}" name: "default" cannot be deleted by a user`);
  const used = all<Ec2.NetworkInterface>('eni', context).some(({ Groups }) => Groups?.some(({ GroupId }) => GroupId === id));
  const named = rules(context).entries().some(([, list]) => list.some((rule) => rule.GroupId !== id && rule.ReferencedGroupInfo?.GroupId === id));
  if (used || named) throw fail('DependencyViolation', `resource ${id} has a dependent object`);
  context.state.transaction(() => {
    remove('sg', id, context);
    rules(context).delete(id);
  });
  return { Return: true, GroupId: id };
}

/** A group by its ID, or by its name in the default VPC. */
function groupOf(input: { readonly GroupId?: string; readonly GroupName?: string }, context: RequestContext): Ec2.SecurityGroup {
  if (input.GroupId !== undefined) return find<Ec2.SecurityGroup>('sg', input.GroupId, context);
  if (input.GroupName === undefined) throw fail('MissingParameter', 'The request must contain the parameter groupName or groupId');
  const vpc = all<Ec2.Vpc>('vpc', context).find(({ IsDefault }) => IsDefault);
  const found = within<Ec2.SecurityGroup>('sg', vpc?.VpcId, context).find(({ GroupName }) => GroupName === input.GroupName);
  if (!found) throw fail('InvalidGroup.NotFound', `The security group '${input.GroupName}' does not exist`);
  return found;
}

export function view(group: Ec2.SecurityGroup, context: RequestContext): Ec2.SecurityGroup {
  const own = rules(context).get(group.GroupId!) ?? [];
  return { ...group, IpPermissions: permissions(own.filter(({ IsEgress }) => !IsEgress)), IpPermissionsEgress: permissions(own.filter(({ IsEgress }) => IsEgress)) };
}

/** Rules of the same protocol and ports are one permission. */
function permissions(own: readonly Rule[]): Ec2.IpPermission[] {
  const found = new Map<string, Ec2.IpPermission & { IpRanges: Ec2.IpRange[]; Ipv6Ranges: Ec2.Ipv6Range[]; PrefixListIds: Ec2.PrefixListId[]; UserIdGroupPairs: Ec2.UserIdGroupPair[] }>();
  for (const { IpProtocol, FromPort, ToPort, CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupInfo, Description } of own) {
    const key = `${IpProtocol} ${FromPort} ${ToPort}`;
    const ports = IpProtocol === '-1' ? {} : { FromPort, ToPort };
    const permission = found.get(key) ?? { IpProtocol, ...ports, IpRanges: [], Ipv6Ranges: [], PrefixListIds: [], UserIdGroupPairs: [] };
    found.set(key, permission);
    const said = Description === undefined ? {} : { Description };
    if (CidrIpv4 !== undefined) permission.IpRanges.push({ CidrIp: CidrIpv4, ...said });
    if (CidrIpv6 !== undefined) permission.Ipv6Ranges.push({ CidrIpv6, ...said });
    if (PrefixListId !== undefined) permission.PrefixListIds.push({ PrefixListId, ...said });
    if (ReferencedGroupInfo !== undefined) permission.UserIdGroupPairs.push({ GroupId: ReferencedGroupInfo.GroupId, UserId: ReferencedGroupInfo.UserId, ...said });
  }
  return [...found.values()];
}

interface RuleInput {
  readonly GroupId?: string;
  readonly GroupName?: string;
  readonly IpPermissions?: readonly Ec2.IpPermission[];
  readonly IpProtocol?: string;
  readonly FromPort?: number;
  readonly ToPort?: number;
  readonly CidrIp?: string;
  readonly SourceSecurityGroupName?: string;
  readonly SecurityGroupRuleIds?: readonly string[];
  readonly TagSpecifications?: readonly Ec2.TagSpecification[];
}

export function authorize(IsEgress: boolean): (input: RuleInput, context: RequestContext) => Ec2.AuthorizeSecurityGroupIngressResult {
  return (input, context) => {
    const group = groupOf(input, context);
    const before = rules(context).get(group.GroupId!) ?? [];
    const tags = tagsFor('sgr', input, context);
    const added = wanted(input, group, context).map((rule) => newRule(group, IsEgress, rule, tags, context));
    for (const rule of added) if (before.some((one) => one.IsEgress === IsEgress && sameRule(one, rule))) throw fail('InvalidPermission.Duplicate', `the specified rule "${inWords(rule)}" already exists`);
    rules(context).put(group.GroupId!, [...before, ...added]);
    return { Return: true, SecurityGroupRules: added };
  };
}

export function revoke(IsEgress: boolean): (input: RuleInput, context: RequestContext) => Ec2.RevokeSecurityGroupIngressResult {
  return (input, context) => {
    const group = groupOf(input, context);
    const before = rules(context).get(group.GroupId!) ?? [];
    const ids = input.SecurityGroupRuleIds;
    for (const id of ids ?? []) if (!before.some((rule) => rule.SecurityGroupRuleId === id)) throw fail('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`);
    const gone = ids ? before.filter((rule) => ids.includes(rule.SecurityGroupRuleId!)) : before.filter((rule) => rule.IsEgress === IsEgress && wanted(input, group, context).some((one) => sameRule(one, rule)));
    if (gone.length === 0) throw fail('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.');
    rules(context).put(group.GroupId!, before.filter((rule) => !gone.includes(rule)));
    return { Return: true, RevokedSecurityGroupRules: gone.map(({ SecurityGroupRuleArn: _, GroupOwnerId: _owner, Tags: _tags, ReferencedGroupInfo, ...rule }) => ({ ...rule, ...(ReferencedGroupInfo ? { ReferencedGroupId: ReferencedGroupInfo.GroupId } : {}) })) };
  };
}

/** The single rules that permissions consist of. */
function wanted(input: RuleInput, group: Ec2.SecurityGroup, context: RequestContext): Partial<Rule>[] {
  const flat: Ec2.IpPermission[] = input.CidrIp !== undefined || input.SourceSecurityGroupName !== undefined
    ? [{ IpProtocol: input.IpProtocol, FromPort: input.FromPort, ToPort: input.ToPort, ...(input.CidrIp === undefined ? {} : { IpRanges: [{ CidrIp: input.CidrIp }] }), ...(input.SourceSecurityGroupName === undefined ? {} : { UserIdGroupPairs: [{ GroupName: input.SourceSecurityGroupName }] }) }]
    : [];
  const given = input.IpPermissions ?? flat;
  if (given.length === 0) throw fail('MissingParameter', 'The request must contain the parameter ipPermissions');
  return given.flatMap((permission) => {
    const base = portsOf(permission);
    const sources: Partial<Rule>[] = [
      ...(permission.IpRanges ?? []).map(({ CidrIp, Description }) => ({ CidrIpv4: destination(CidrIp!, 'cidrIp'), Description })),
      ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6, Description }) => ({ CidrIpv6: destination(CidrIpv6!, 'cidrIpv6'), Description })),
      ...(permission.PrefixListIds ?? []).map(({ PrefixListId, Description }) => ({ PrefixListId, Description })),
      ...(permission.UserIdGroupPairs ?? []).map((pair) => ({ ReferencedGroupInfo: referenced(pair, group, context), Description: pair.Description })),
    ];
    if (sources.length === 0) throw fail('InvalidParameterValue', "Invalid value 'null' for ipRanges. Must specify at least one source or destination.");
    return sources.map((source) => Object.fromEntries(Object.entries({ ...base, ...source }).filter(([, value]) => value !== undefined)) as Partial<Rule>);
  });
}

const PROTOCOLS: Readonly<Record<string, string>> = { '1': 'icmp', '6': 'tcp', '17': 'udp', '58': 'icmpv6', all: '-1' };

function portsOf({ IpProtocol = '', FromPort, ToPort }: Ec2.IpPermission): Partial<Rule> {
  const protocol = PROTOCOLS[IpProtocol] ?? IpProtocol.toLowerCase();
  if (protocol === '-1') return { IpProtocol: '-1', FromPort: -1, ToPort: -1 };
  if (!/^(tcp|udp|icmp|icmpv6|\d{1,3})$/.test(protocol)) throw fail('InvalidPermission.Malformed', `Unsupported IP protocol "${IpProtocol}"`);
  if (protocol === 'tcp' || protocol === 'udp') {
    if (FromPort === undefined || ToPort === undefined) throw fail('InvalidParameterValue', "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
    if (FromPort < 0 || ToPort > 65535 || FromPort > ToPort) throw fail('InvalidParameterValue', `Invalid value '${FromPort < 0 || FromPort > 65535 ? FromPort : ToPort}' for ${FromPort > ToPort ? 'portRange. From port must be less than or equal to to port.' : 'port. Must be between 0 and 65535.'}`);
  }
  return { IpProtocol: protocol, FromPort: FromPort ?? -1, ToPort: ToPort ?? -1 };
}

function referenced(pair: Ec2.UserIdGroupPair, group: Ec2.SecurityGroup, context: RequestContext): Ec2.ReferencedSecurityGroup {
  if (pair.GroupId === undefined) return { GroupId: groupOf({ GroupName: pair.GroupName }, context).GroupId, UserId: context.account };
  // A group of a peer's account is taken at its word.
  if (pair.UserId !== undefined && pair.UserId !== context.account) return { GroupId: pair.GroupId, UserId: pair.UserId };
  const other = find<Ec2.SecurityGroup>('sg', pair.GroupId, context);
  const peered = all<Ec2.VpcPeeringConnection>('pcx', context).some(({ RequesterVpcInfo, AccepterVpcInfo }) => [RequesterVpcInfo?.VpcId, AccepterVpcInfo?.VpcId].includes(other.VpcId) && [RequesterVpcInfo?.VpcId, AccepterVpcInfo?.VpcId].includes(group.VpcId));
  if (other.VpcId !== group.VpcId && !peered) throw fail('InvalidGroup.NotFound', `You have specified two resources that belong to different networks.`);
  return { GroupId: pair.GroupId, UserId: context.account };
}

function sameRule(a: Partial<Rule>, b: Partial<Rule>): boolean {
  const key = (rule: Partial<Rule>): string => [rule.IpProtocol, rule.FromPort, rule.ToPort, rule.CidrIpv4, rule.CidrIpv6, rule.PrefixListId, rule.ReferencedGroupInfo?.GroupId].join(' ');
  return key(a) === key(b);
}

function inWords(rule: Rule): string {
  const peer = rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.PrefixListId ?? rule.ReferencedGroupInfo?.GroupId;
  if (rule.IpProtocol === '-1') return `peer: ${peer}, ALL, ALLOW`;
  return `peer: ${peer}, ${rule.IpProtocol!.toUpperCase()}, from port: ${rule.FromPort}, to port: ${rule.ToPort}, ALLOW`;
}

export function describeSecurityGroupRules(input: Ec2.DescribeSecurityGroupRulesRequest, context: RequestContext): Ec2.DescribeSecurityGroupRulesResult {
  const every = rules(context).list().flat();
  for (const id of input.SecurityGroupRuleIds ?? []) if (!every.some((rule) => rule.SecurityGroupRuleId === id)) throw fail('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`);
  const found = every.filter((rule) => (!input.SecurityGroupRuleIds || input.SecurityGroupRuleIds.includes(rule.SecurityGroupRuleId!)) && matchesAll('sgr', rule, input.Filters ?? []));
  const { items, ...rest } = page(found, input);
  return { SecurityGroupRules: items, ...rest };
}

export function modifySecurityGroupRules(input: Ec2.ModifySecurityGroupRulesRequest, context: RequestContext): Ec2.ModifySecurityGroupRulesResult {
  const group = find<Ec2.SecurityGroup>('sg', input.GroupId, context);
  let own = rules(context).get(input.GroupId) ?? [];
  for (const { SecurityGroupRuleId: id, SecurityGroupRule: change } of input.SecurityGroupRules) {
    if (!own.some((rule) => rule.SecurityGroupRuleId === id)) throw fail('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`);
    if (!change) throw unsupported('changes of a rule without the rule');
    const { ReferencedGroupId, ...rest } = change;
    own = own.map((rule) => (rule.SecurityGroupRuleId === id ? { SecurityGroupRuleId: id, GroupId: rule.GroupId, GroupOwnerId: rule.GroupOwnerId, IsEgress: rule.IsEgress, SecurityGroupRuleArn: rule.SecurityGroupRuleArn, Tags: rule.Tags, ...rest, ...portsOf(rest), ...(ReferencedGroupId === undefined ? {} : { ReferencedGroupInfo: referenced({ GroupId: ReferencedGroupId }, group, context) }) } : rule));
  }
  rules(context).put(input.GroupId, own);
  return { Return: true };
}

export function updateDescriptions(IsEgress: boolean): (input: RuleInput & { SecurityGroupRuleDescriptions?: readonly Ec2.SecurityGroupRuleDescription[] }, context: RequestContext) => { Return: boolean } {
  return (input, context) => {
    const group = groupOf(input, context);
    const own = rules(context).get(group.GroupId!) ?? [];
    const byRule = input.IpPermissions ? wanted(input, group, context) : [];
    const described = own.map((rule) => {
      const named = input.SecurityGroupRuleDescriptions?.find(({ SecurityGroupRuleId }) => SecurityGroupRuleId === rule.SecurityGroupRuleId) ?? (rule.IsEgress === IsEgress ? byRule.find((one) => sameRule(one, rule)) : undefined);
      return named ? { ...rule, Description: named.Description } : rule;
    });
    rules(context).put(group.GroupId!, described);
    return { Return: true };
  };
}
