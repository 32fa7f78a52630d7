import type { Operation, RequestContext, Service } from '../../kernel/service.js';
import * as acl from './acls.js';
import * as address from './addresses.js';
import { authorizationOf } from './authorization.js';
import { ensureDefaults } from './defaults.js';
import { describe } from './describe.js';
import * as endpoint from './endpoints.js';
import * as gateway from './gateways.js';
import * as group from './groups.js';
import * as instance from './instances.js';
import * as network from './interfaces.js';
import { kindOfId } from './kinds.js';
import * as lookup from './lookups.js';
import * as other from './others.js';
import * as peering from './peering.js';
import * as route from './routes.js';
import { fail, peek } from './store.js';
import * as subnet from './subnets.js';
import { createTags, deleteTags, describeTags, tagsOf } from './tags.js';
import * as template from './templates.js';
import * as transit from './transit.js';
import * as vpc from './vpcs.js';

const operations: Readonly<Record<string, Operation>> = {
  DescribeRegions: lookup.describeRegions,
  DescribeAvailabilityZones: lookup.describeAvailabilityZones,
  DescribeAccountAttributes: lookup.describeAccountAttributes,
  DescribeInstanceTypes: lookup.describeInstanceTypes,
  DescribeInstanceTypeOfferings: lookup.describeInstanceTypeOfferings,
  DescribeImages: lookup.describeImages,
  CreateVpc: vpc.createVpc,
  DeleteVpc: vpc.deleteVpc,
  DescribeVpcs: describe('vpc', 'VpcIds', 'Vpcs'),
  ModifyVpcAttribute: vpc.modifyVpcAttribute,
  DescribeVpcAttribute: vpc.describeVpcAttribute,
  ModifyVpcTenancy: vpc.modifyVpcTenancy,
  AssociateVpcCidrBlock: vpc.associateVpcCidrBlock,
  DisassociateVpcCidrBlock: vpc.disassociateVpcCidrBlock,
  CreateSubnet: subnet.createSubnet,
  DeleteSubnet: subnet.deleteSubnet,
  DescribeSubnets: describe('subnet', 'SubnetIds', 'Subnets', subnet.view),
  ModifySubnetAttribute: subnet.modifySubnetAttribute,
  AssociateSubnetCidrBlock: subnet.associateSubnetCidrBlock,
  DisassociateSubnetCidrBlock: subnet.disassociateSubnetCidrBlock,
  CreateInternetGateway: gateway.createInternetGateway,
  AttachInternetGateway: gateway.attachInternetGateway,
  DetachInternetGateway: gateway.detachInternetGateway,
  DeleteInternetGateway: gateway.deleteInternetGateway,
  DescribeInternetGateways: describe('igw', 'InternetGatewayIds', 'InternetGateways'),
  CreateEgressOnlyInternetGateway: gateway.createEgressOnlyInternetGateway,
  DeleteEgressOnlyInternetGateway: gateway.deleteEgressOnlyInternetGateway,
  DescribeEgressOnlyInternetGateways: describe('eigw', 'EgressOnlyInternetGatewayIds', 'EgressOnlyInternetGateways'),
  CreateVpnGateway: gateway.createVpnGateway,
  AttachVpnGateway: gateway.attachVpnGateway,
  DetachVpnGateway: gateway.detachVpnGateway,
  DeleteVpnGateway: gateway.deleteVpnGateway,
  DescribeVpnGateways: describe('vgw', 'VpnGatewayIds', 'VpnGateways'),
  CreateCustomerGateway: gateway.createCustomerGateway,
  DeleteCustomerGateway: gateway.deleteCustomerGateway,
  DescribeCustomerGateways: describe('cgw', 'CustomerGatewayIds', 'CustomerGateways'),
  AllocateAddress: address.allocateAddress,
  ReleaseAddress: address.releaseAddress,
  AssociateAddress: address.associateAddress,
  DisassociateAddress: address.disassociateAddress,
  DescribeAddresses: describe('eip', 'AllocationIds', 'Addresses'),
  CreateNatGateway: address.createNatGateway,
  DeleteNatGateway: address.deleteNatGateway,
  DescribeNatGateways: describe('nat', 'NatGatewayIds', 'NatGateways'),
  CreateRouteTable: route.createRouteTable,
  DeleteRouteTable: route.deleteRouteTable,
  DescribeRouteTables: describe('rtb', 'RouteTableIds', 'RouteTables', route.view),
  CreateRoute: route.createRoute,
  ReplaceRoute: route.replaceRoute,
  DeleteRoute: route.deleteRoute,
  AssociateRouteTable: route.associateRouteTable,
  DisassociateRouteTable: route.disassociateRouteTable,
  ReplaceRouteTableAssociation: route.replaceRouteTableAssociation,
  EnableVgwRoutePropagation: route.enableVgwRoutePropagation,
  DisableVgwRoutePropagation: route.disableVgwRoutePropagation,
  CreateSecurityGroup: group.createSecurityGroup,
  DeleteSecurityGroup: group.deleteSecurityGroup,
  DescribeSecurityGroups: (input, context) => describe('sg', 'GroupIds', 'SecurityGroups', group.view)(byName(input), context),
  DescribeSecurityGroupRules: group.describeSecurityGroupRules,
  ModifySecurityGroupRules: group.modifySecurityGroupRules,
  AuthorizeSecurityGroupIngress: group.authorize(false),
  AuthorizeSecurityGroupEgress: group.authorize(true),
  RevokeSecurityGroupIngress: group.revoke(false),
  RevokeSecurityGroupEgress: group.revoke(true),
  UpdateSecurityGroupRuleDescriptionsIngress: group.updateDescriptions(false),
  UpdateSecurityGroupRuleDescriptionsEgress: group.updateDescriptions(true),
  CreateNetworkAcl: acl.createNetworkAcl,
  DeleteNetworkAcl: acl.deleteNetworkAcl,
  DescribeNetworkAcls: describe('acl', 'NetworkAclIds', 'NetworkAcls'),
  CreateNetworkAclEntry: acl.createNetworkAclEntry,
  ReplaceNetworkAclEntry: acl.replaceNetworkAclEntry,
  DeleteNetworkAclEntry: acl.deleteNetworkAclEntry,
  ReplaceNetworkAclAssociation: acl.replaceNetworkAclAssociation,
  CreateNetworkInterface: network.createNetworkInterface,
  DeleteNetworkInterface: network.deleteNetworkInterface,
  ModifyNetworkInterfaceAttribute: network.modifyNetworkInterfaceAttribute,
  DescribeNetworkInterfaces: describe('eni', 'NetworkInterfaceIds', 'NetworkInterfaces'),
  CreateVpcEndpoint: endpoint.createVpcEndpoint,
  ModifyVpcEndpoint: endpoint.modifyVpcEndpoint,
  DeleteVpcEndpoints: endpoint.deleteVpcEndpoints,
  DescribeVpcEndpoints: describe('vpce', 'VpcEndpointIds', 'VpcEndpoints'),
  DescribeVpcEndpointServices: endpoint.describeVpcEndpointServices,
  DescribePrefixLists: endpoint.describePrefixLists,
  DescribeManagedPrefixLists: endpoint.describeManagedPrefixLists,
  CreateVpcPeeringConnection: peering.createVpcPeeringConnection,
  AcceptVpcPeeringConnection: peering.acceptVpcPeeringConnection,
  RejectVpcPeeringConnection: peering.rejectVpcPeeringConnection,
  DeleteVpcPeeringConnection: peering.deleteVpcPeeringConnection,
  ModifyVpcPeeringConnectionOptions: peering.modifyVpcPeeringConnectionOptions,
  DescribeVpcPeeringConnections: describe('pcx', 'VpcPeeringConnectionIds', 'VpcPeeringConnections'),
  CreateDhcpOptions: other.createDhcpOptions,
  AssociateDhcpOptions: other.associateDhcpOptions,
  DeleteDhcpOptions: other.deleteDhcpOptions,
  DescribeDhcpOptions: describe('dopt', 'DhcpOptionsIds', 'DhcpOptions'),
  CreateKeyPair: other.createKeyPair,
  ImportKeyPair: other.importKeyPair,
  DeleteKeyPair: other.deleteKeyPair,
  DescribeKeyPairs: other.describeKeyPairs,
  CreateFlowLogs: other.createFlowLogs,
  DeleteFlowLogs: other.deleteFlowLogs,
  DescribeFlowLogs: describe('flow', 'FlowLogIds', 'FlowLogs'),
  CreateTransitGateway: transit.createTransitGateway,
  ModifyTransitGateway: transit.modifyTransitGateway,
  DeleteTransitGateway: transit.deleteTransitGateway,
  DescribeTransitGateways: describe('tgw', 'TransitGatewayIds', 'TransitGateways'),
  CreateTransitGatewayVpcAttachment: transit.createTransitGatewayVpcAttachment,
  ModifyTransitGatewayVpcAttachment: transit.modifyTransitGatewayVpcAttachment,
  DeleteTransitGatewayVpcAttachment: transit.deleteTransitGatewayVpcAttachment,
  DescribeTransitGatewayAttachments: describe('tgwAttachment', 'TransitGatewayAttachmentIds', 'TransitGatewayAttachments'),
  DescribeTransitGatewayVpcAttachments: transit.describeTransitGatewayVpcAttachments,
  DescribeTransitGatewayRouteTables: describe('tgwTable', 'TransitGatewayRouteTableIds', 'TransitGatewayRouteTables'),
  CreateLaunchTemplate: template.createLaunchTemplate,
  CreateLaunchTemplateVersion: template.createLaunchTemplateVersion,
  ModifyLaunchTemplate: template.modifyLaunchTemplate,
  DeleteLaunchTemplate: template.deleteLaunchTemplate,
  DeleteLaunchTemplateVersions: template.deleteLaunchTemplateVersions,
  DescribeLaunchTemplates: template.describeLaunchTemplates,
  DescribeLaunchTemplateVersions: template.describeLaunchTemplateVersions,
  RunInstances: instance.runInstances,
  TerminateInstances: instance.terminateInstances,
  StartInstances: instance.startInstances,
  StopInstances: instance.stopInstances,
  RebootInstances: instance.rebootInstances,
  ModifyInstanceAttribute: instance.modifyInstanceAttribute,
  DescribeInstances: instance.describeInstances,
  DescribeInstanceStatus: instance.describeInstanceStatus,
  DescribeInstanceAttribute: instance.describeInstanceAttribute,
  CreateVolume: instance.createVolume,
  DeleteVolume: instance.deleteVolume,
  DescribeVolumes: describe('volume', 'VolumeIds', 'Volumes'),
  CreateTags: createTags,
  DeleteTags: deleteTags,
  DescribeTags: describeTags,
};

/** Amazon EC2: the VPC family with its rules, what the CDK looks up, and instances that are modelled. */
export const ec2: Service = {
  name: 'ec2',
  operations: Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, prepared(operation)])),
  authorization: Object.fromEntries(Object.keys(operations).map((name) => [name, authorizationOf(name)])),
  resourceTags: (arn, context) => {
    const id = arn.slice(arn.lastIndexOf('/') + 1);
    const kind = kindOfId(id);
    const item = kind && peek(kind, id, context);
    return item ? Object.fromEntries(tagsOf(kind, item).map(({ Key, Value }) => [Key!, Value ?? ''])) : undefined;
  },
};

/** Before the first operation in a region the account has its default VPC; a dry run ends where the operation would begin. */
function prepared(operation: Operation): Operation {
  return (input: { DryRun?: boolean }, context: RequestContext) => {
    if (input.DryRun) throw fail('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
    ensureDefaults(context);
    return operation(input, context);
  };
}

/** Groups asked for by name are filtered by it. */
function byName(input: { readonly GroupNames?: readonly string[]; readonly Filters?: readonly object[] }): object {
  return input.GroupNames ? { ...input, Filters: [...(input.Filters ?? []), { Name: 'group-name', Values: input.GroupNames }] } : input;
}
