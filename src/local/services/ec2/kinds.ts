/** A kind of thing EC2 keeps: how its IDs look, how the API and IAM call it, and what EC2 says when one isn't there. */
export interface Kind {
  /** Of its IDs: `vpc` in `vpc-0123456789abcdef0`. */
  readonly prefix: string;
  /** Shape of the model that describes one, and its member that holds the ID. */
  readonly shape: string;
  readonly id: string;
  /** As ARNs and tag specifications name it. */
  readonly type: string;
  readonly code: string;
  readonly missing: (id: string) => string;
  /** Member of its tags, when it isn't `Tags`. */
  readonly tags?: string;
  /** Shown without tags as an empty list, where others leave the member out. */
  readonly emptyTags?: boolean;
  /** Names of filters that don't follow from the shape's members. */
  readonly filters?: Readonly<Record<string, string>>;
}

const idOf = (noun: string) => (id: string): string => `The ${noun} ID '${id}' does not exist`;

/** EC2 API reference, "Error codes" and the data types. */
export const KINDS = {
  vpc: { prefix: 'vpc', shape: 'Vpc', id: 'VpcId', type: 'vpc', code: 'InvalidVpcID.NotFound', missing: idOf('vpc'), filters: { cidr: 'CidrBlock', 'cidr-block-association.cidr-block': 'CidrBlockAssociationSet.CidrBlock', 'cidr-block-association.state': 'CidrBlockAssociationSet.CidrBlockState.State', 'cidr-block-association.association-id': 'CidrBlockAssociationSet.AssociationId', 'ipv6-cidr-block-association.ipv6-cidr-block': 'Ipv6CidrBlockAssociationSet.Ipv6CidrBlock' } },
  subnet: { prefix: 'subnet', shape: 'Subnet', id: 'SubnetId', type: 'subnet', code: 'InvalidSubnetID.NotFound', missing: idOf('subnet'), filters: { cidr: 'CidrBlock', 'ipv6-cidr-block-association.ipv6-cidr-block': 'Ipv6CidrBlockAssociationSet.Ipv6CidrBlock' } },
  igw: { prefix: 'igw', shape: 'InternetGateway', id: 'InternetGatewayId', type: 'internet-gateway', code: 'InvalidInternetGatewayID.NotFound', missing: idOf('internetGateway'), emptyTags: true },
  eigw: { prefix: 'eigw', shape: 'EgressOnlyInternetGateway', id: 'EgressOnlyInternetGatewayId', type: 'egress-only-internet-gateway', code: 'InvalidEgressOnlyInternetGatewayId.NotFound', missing: idOf('egressOnlyInternetGateway'), emptyTags: true },
  rtb: { prefix: 'rtb', shape: 'RouteTable', id: 'RouteTableId', type: 'route-table', code: 'InvalidRouteTableID.NotFound', missing: idOf('routeTable'), emptyTags: true },
  sg: { prefix: 'sg', shape: 'SecurityGroup', id: 'GroupId', type: 'security-group', code: 'InvalidGroup.NotFound', missing: (id: string) => `The security group '${id}' does not exist`, filters: { 'ip-permission.cidr': 'IpPermissions.IpRanges.CidrIp', 'ip-permission.group-id': 'IpPermissions.UserIdGroupPairs.GroupId', 'ip-permission.protocol': 'IpPermissions.IpProtocol', 'ip-permission.from-port': 'IpPermissions.FromPort', 'ip-permission.to-port': 'IpPermissions.ToPort', 'egress.ip-permission.cidr': 'IpPermissionsEgress.IpRanges.CidrIp', 'egress.ip-permission.group-id': 'IpPermissionsEgress.UserIdGroupPairs.GroupId', 'egress.ip-permission.protocol': 'IpPermissionsEgress.IpProtocol' } },
  sgr: { prefix: 'sgr', shape: 'SecurityGroupRule', id: 'SecurityGroupRuleId', type: 'security-group-rule', code: 'InvalidSecurityGroupRuleId.NotFound', missing: idOf('security group rule'), emptyTags: true },
  acl: { prefix: 'acl', shape: 'NetworkAcl', id: 'NetworkAclId', type: 'network-acl', code: 'InvalidNetworkAclID.NotFound', missing: idOf('networkAcl'), emptyTags: true, filters: { default: 'IsDefault', 'entry.cidr': 'Entries.CidrBlock' } },
  dopt: { prefix: 'dopt', shape: 'DhcpOptions', id: 'DhcpOptionsId', type: 'dhcp-options', code: 'InvalidDhcpOptionID.NotFound', missing: idOf('dhcpOption'), emptyTags: true, filters: { key: 'DhcpConfigurations.Key', value: 'DhcpConfigurations.Values.Value' } },
  nat: { prefix: 'nat', shape: 'NatGateway', id: 'NatGatewayId', type: 'natgateway', code: 'NatGatewayNotFound', missing: (id: string) => `The Nat Gateway ${id} was not found`, emptyTags: true },
  eip: { prefix: 'eipalloc', shape: 'Address', id: 'AllocationId', type: 'elastic-ip', code: 'InvalidAllocationID.NotFound', missing: idOf('allocation') },
  eni: { prefix: 'eni', shape: 'NetworkInterface', id: 'NetworkInterfaceId', type: 'network-interface', code: 'InvalidNetworkInterfaceID.NotFound', missing: idOf('networkInterface'), tags: 'TagSet', emptyTags: true, filters: { 'group-id': 'Groups.GroupId', 'group-name': 'Groups.GroupName', 'addresses.private-ip-address': 'PrivateIpAddresses.PrivateIpAddress' } },
  vpce: { prefix: 'vpce', shape: 'VpcEndpoint', id: 'VpcEndpointId', type: 'vpc-endpoint', code: 'InvalidVpcEndpointId.NotFound', missing: (id: string) => `The Vpc Endpoint Id '${id}' does not exist`, emptyTags: true, filters: { 'vpc-endpoint-state': 'State' } },
  pcx: { prefix: 'pcx', shape: 'VpcPeeringConnection', id: 'VpcPeeringConnectionId', type: 'vpc-peering-connection', code: 'InvalidVpcPeeringConnectionID.NotFound', missing: idOf('vpcPeeringConnection'), emptyTags: true, filters: { 'status-code': 'Status.Code', 'accepter-vpc-info.vpc-id': 'AccepterVpcInfo.VpcId', 'requester-vpc-info.vpc-id': 'RequesterVpcInfo.VpcId' } },
  flow: { prefix: 'fl', shape: 'FlowLog', id: 'FlowLogId', type: 'vpc-flow-log', code: 'InvalidFlowLogId.NotFound', missing: (id: string) => `The flow log '${id}' does not exist`, emptyTags: true },
  key: { prefix: 'key', shape: 'KeyPairInfo', id: 'KeyPairId', type: 'key-pair', code: 'InvalidKeyPair.NotFound', missing: (id: string) => `The key pair '${id}' does not exist`, emptyTags: true, filters: { fingerprint: 'KeyFingerprint' } },
  tgw: { prefix: 'tgw', shape: 'TransitGateway', id: 'TransitGatewayId', type: 'transit-gateway', code: 'InvalidTransitGatewayID.NotFound', missing: (id: string) => `Transit Gateway ${id} was deleted or does not exist.`, emptyTags: true },
  tgwAttachment: { prefix: 'tgw-attach', shape: 'TransitGatewayAttachment', id: 'TransitGatewayAttachmentId', type: 'transit-gateway-attachment', code: 'InvalidTransitGatewayAttachmentID.NotFound', missing: (id: string) => `Transit Gateway Attachment ${id} was deleted or does not exist.`, emptyTags: true },
  tgwTable: { prefix: 'tgw-rtb', shape: 'TransitGatewayRouteTable', id: 'TransitGatewayRouteTableId', type: 'transit-gateway-route-table', code: 'InvalidRouteTableID.NotFound', missing: (id: string) => `Transit Gateway Route Table ${id} was deleted or does not exist.`, emptyTags: true },
  vgw: { prefix: 'vgw', shape: 'VpnGateway', id: 'VpnGatewayId', type: 'vpn-gateway', code: 'InvalidVpnGatewayID.NotFound', missing: idOf('vpnGateway'), emptyTags: true, filters: { 'attachment.vpc-id': 'VpcAttachments.VpcId', 'attachment.state': 'VpcAttachments.State' } },
  cgw: { prefix: 'cgw', shape: 'CustomerGateway', id: 'CustomerGatewayId', type: 'customer-gateway', code: 'InvalidCustomerGatewayID.NotFound', missing: idOf('customerGateway'), emptyTags: true },
  template: { prefix: 'lt', shape: 'LaunchTemplate', id: 'LaunchTemplateId', type: 'launch-template', code: 'InvalidLaunchTemplateId.NotFound', missing: (id: string) => `The specified launch template, with template ID ${id}, does not exist.`, emptyTags: true },
  instance: { prefix: 'i', shape: 'Instance', id: 'InstanceId', type: 'instance', code: 'InvalidInstanceID.NotFound', missing: idOf('instance'), filters: { 'instance-state-name': 'State.Name', 'instance-state-code': 'State.Code', 'availability-zone': 'Placement.AvailabilityZone', tenancy: 'Placement.Tenancy', 'ip-address': 'PublicIpAddress', 'dns-name': 'PublicDnsName', 'instance.group-id': 'SecurityGroups.GroupId', 'instance.group-name': 'SecurityGroups.GroupName', 'iam-instance-profile.arn': 'IamInstanceProfile.Arn' } },
  volume: { prefix: 'vol', shape: 'Volume', id: 'VolumeId', type: 'volume', code: 'InvalidVolume.NotFound', missing: (id: string) => `The volume '${id}' does not exist.`, filters: { status: 'State' } },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export function kindOf(name: KindName): Kind {
  return KINDS[name];
}

const BY_PREFIX: ReadonlyMap<string, KindName> = new Map(Object.entries(KINDS).map(([name, { prefix }]) => [prefix, name as KindName]));

/** The kind an ID belongs to. */
export function kindOfId(id: string): KindName | undefined {
  return BY_PREFIX.get(id.slice(0, Math.max(0, id.lastIndexOf('-'))));
}
