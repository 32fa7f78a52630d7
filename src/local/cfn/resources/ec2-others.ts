import type { Json, JsonObject } from '../json.js';
import { ignoring } from './failure.js';
import { added, ec2, ec2Provider, type Answer } from './ec2-resource.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

interface EndpointProperties {
  readonly VpcId: string;
  readonly ServiceName?: string;
  readonly VpcEndpointType?: string;
  readonly PolicyDocument?: Json;
  readonly PrivateDnsEnabled?: boolean;
  readonly RouteTableIds?: readonly string[];
  readonly SecurityGroupIds?: readonly string[];
  readonly SubnetIds?: readonly string[];
}

const policyText = (policy: Json | undefined): string | undefined => (policy === undefined ? undefined : typeof policy === 'string' ? policy : JSON.stringify(policy));

/** Recorded: CloudFormation sets no tags of its own on VPC endpoints. */
const vpcEndpoint = ec2Provider({
  type: 'AWS::EC2::VPCEndpoint',
  honours: ['VpcId', 'ServiceName', 'VpcEndpointType', 'PolicyDocument', 'PrivateDnsEnabled', 'RouteTableIds', 'SecurityGroupIds', 'SubnetIds'],
  tagged: 'vpc-endpoint',
  systemTags: false,
  gone: ['InvalidVpcEndpointId.NotFound'],
  async create(properties: EndpointProperties, context, tags) {
    const { VpcEndpoint } = await ec2(context, 'CreateVpcEndpoint', {
      ...properties, Tags: undefined, PolicyDocument: policyText(properties.PolicyDocument), PrivateDnsEnabled: properties.PrivateDnsEnabled ?? (properties.VpcEndpointType === 'Interface' ? false : undefined), ClientToken: context.token, ...tags,
    });
    return { physicalId: VpcEndpoint.VpcEndpointId, attributes: endpointAnswers(VpcEndpoint) };
  },
  async update(id, before: EndpointProperties, after: EndpointProperties, context) {
    const lists = Object.fromEntries(
      (['RouteTableIds', 'SecurityGroupIds', 'SubnetIds'] as const).flatMap((name) => [[`Add${name}`, added(before[name], after[name])], [`Remove${name}`, added(after[name], before[name])]] as const).filter(([, list]) => list.length > 0),
    );
    await ec2(context, 'ModifyVpcEndpoint', { VpcEndpointId: id, ...lists, PolicyDocument: policyText(after.PolicyDocument), ResetPolicy: after.PolicyDocument === undefined && before.PolicyDocument !== undefined ? true : undefined, PrivateDnsEnabled: after.PrivateDnsEnabled });
  },
  delete: (id, _, context) => ec2(context, 'DeleteVpcEndpoints', { VpcEndpointIds: [id] }),
  async attributes(id, context) {
    const { VpcEndpoints } = await ec2(context, 'DescribeVpcEndpoints', { VpcEndpointIds: [id] });
    return endpointAnswers(VpcEndpoints[0]);
  },
});

function endpointAnswers(endpoint: Answer): JsonObject {
  return {
    Id: endpoint.VpcEndpointId,
    CreationTimestamp: `${new Date(endpoint.CreationTimestamp).toUTCString()}`,
    NetworkInterfaceIds: endpoint.NetworkInterfaceIds ?? [],
    DnsEntries: (endpoint.DnsEntries ?? []).map((one: Answer) => `${one.HostedZoneId}:${one.DnsName}`),
  };
}

const FLOW_PROPERTIES = ['ResourceId', 'ResourceType', 'TrafficType', 'DeliverLogsPermissionArn', 'LogDestination', 'LogDestinationType', 'LogFormat', 'LogGroupName', 'MaxAggregationInterval'];

const flowLog = ec2Provider({
  type: 'AWS::EC2::FlowLog',
  honours: FLOW_PROPERTIES,
  tagged: 'vpc-flow-log',
  gone: ['InvalidFlowLogId.NotFound'],
  async create(properties: Readonly<Record<string, unknown>>, context, tags) {
    const { ResourceId, ...rest } = Object.fromEntries(FLOW_PROPERTIES.map((name) => [name, properties[name]]));
    const { FlowLogIds } = await ec2(context, 'CreateFlowLogs', { ResourceIds: [ResourceId], ...rest, ...tags });
    return { physicalId: FlowLogIds[0], attributes: { Id: FlowLogIds[0] } };
  },
  delete: (id, _, context) => ec2(context, 'DeleteFlowLogs', { FlowLogIds: [id] }),
});

interface KeyProperties {
  readonly KeyName: string;
  readonly KeyType?: string;
  readonly KeyFormat?: string;
  readonly PublicKeyMaterial?: string;
}

/** The private key of a pair that EC2 makes is put into Parameter Store (template reference, "AWS::EC2::KeyPair"). */
const keyPair = ec2Provider({
  type: 'AWS::EC2::KeyPair',
  honours: ['KeyName', 'KeyType', 'KeyFormat', 'PublicKeyMaterial'],
  tagged: 'key-pair',
  systemTags: false,
  gone: ['InvalidKeyPair.NotFound'],
  async create({ KeyName, KeyType, KeyFormat, PublicKeyMaterial }: KeyProperties, context, tags) {
    const made = PublicKeyMaterial === undefined ? await ec2(context, 'CreateKeyPair', { KeyName, KeyType, KeyFormat, ...tags }) : await ec2(context, 'ImportKeyPair', { KeyName, PublicKeyMaterial: Buffer.from(PublicKeyMaterial), ...tags });
    context.initiated(KeyName);
    if (made.KeyMaterial !== undefined) await context.client.call('ssm', 'PutParameter', { Name: `/ec2/keypair/${made.KeyPairId}`, Type: 'SecureString', Value: made.KeyMaterial, Overwrite: true });
    return { physicalId: KeyName, attributes: { KeyPairId: made.KeyPairId, KeyFingerprint: made.KeyFingerprint } };
  },
  async delete(name, { PublicKeyMaterial }: KeyProperties, context) {
    const { KeyPairId } = await ec2(context, 'DeleteKeyPair', { KeyName: name });
    if (PublicKeyMaterial === undefined && KeyPairId !== undefined) await ignoring(['ParameterNotFound'], context.client.call('ssm', 'DeleteParameter', { Name: `/ec2/keypair/${KeyPairId}` }));
  },
});

interface TemplateProperties {
  readonly LaunchTemplateName?: string;
  readonly LaunchTemplateData: JsonObject;
  readonly VersionDescription?: string;
  readonly TagSpecifications?: readonly Json[];
}

const launchTemplate = ec2Provider({
  type: 'AWS::EC2::LaunchTemplate',
  honours: ['LaunchTemplateName', 'LaunchTemplateData', 'VersionDescription', 'TagSpecifications'],
  gone: ['InvalidLaunchTemplateId.NotFound'],
  async create(properties: TemplateProperties, context) {
    const { LaunchTemplateData, VersionDescription, TagSpecifications } = properties;
    const { LaunchTemplate } = await ec2(context, 'CreateLaunchTemplate', { LaunchTemplateName: properties.LaunchTemplateName ?? context.name({ limit: 128 }), LaunchTemplateData, VersionDescription, TagSpecifications, ClientToken: context.token });
    return { physicalId: LaunchTemplate.LaunchTemplateId, attributes: templateAnswers(LaunchTemplate) };
  },
  async update(id, _, { LaunchTemplateData, VersionDescription }: TemplateProperties, context) {
    await ec2(context, 'CreateLaunchTemplateVersion', { LaunchTemplateId: id, LaunchTemplateData, VersionDescription });
    const { LaunchTemplates } = await ec2(context, 'DescribeLaunchTemplates', { LaunchTemplateIds: [id] });
    return { attributes: templateAnswers(LaunchTemplates[0]) };
  },
  delete: (id, _, context) => ec2(context, 'DeleteLaunchTemplate', { LaunchTemplateId: id }),
});

function templateAnswers(template: Answer): JsonObject {
  return { LaunchTemplateId: template.LaunchTemplateId, LatestVersionNumber: String(template.LatestVersionNumber), DefaultVersionNumber: String(template.DefaultVersionNumber) };
}

interface InstanceProperties {
  readonly AvailabilityZone?: string;
  readonly Tenancy?: string;
  readonly IamInstanceProfile?: string;
  readonly Monitoring?: boolean;
  readonly NetworkInterfaces?: readonly { readonly GroupSet?: readonly string[]; readonly SubnetId?: string; readonly DeviceIndex: string; readonly AssociatePublicIpAddress?: boolean }[];
  readonly DisableApiTermination?: boolean;
  readonly SourceDestCheck?: boolean;
  readonly SecurityGroupIds?: readonly string[];
  readonly InstanceType?: string;
  readonly [other: string]: unknown;
}

const SAME = ['ImageId', 'InstanceType', 'KeyName', 'SubnetId', 'SecurityGroupIds', 'SecurityGroups', 'PrivateIpAddress', 'UserData', 'BlockDeviceMappings', 'EbsOptimized', 'DisableApiTermination', 'LaunchTemplate', 'MetadataOptions'];

const instance = ec2Provider({
  type: 'AWS::EC2::Instance',
  honours: [...SAME, 'AvailabilityZone', 'Tenancy', 'IamInstanceProfile', 'Monitoring', 'NetworkInterfaces', 'SourceDestCheck', 'PropagateTagsToVolumeOnCreation', 'CreditSpecification', 'InstanceInitiatedShutdownBehavior'],
  tagged: 'instance',
  gone: ['InvalidInstanceID.NotFound'],
  async create(properties: InstanceProperties, context, tags) {
    const { AvailabilityZone, Tenancy, IamInstanceProfile, Monitoring, NetworkInterfaces } = properties;
    const { Instances } = await ec2(context, 'RunInstances', {
      ...Object.fromEntries(SAME.map((name) => [name, properties[name]])), MinCount: 1, MaxCount: 1,
      ...(AvailabilityZone ?? Tenancy ? { Placement: { AvailabilityZone, Tenancy } } : {}), ...(IamInstanceProfile ? { IamInstanceProfile: { Name: IamInstanceProfile } } : {}), ...(Monitoring === undefined ? {} : { Monitoring: { Enabled: Monitoring } }),
      ...(NetworkInterfaces ? { NetworkInterfaces: NetworkInterfaces.map(({ GroupSet, SubnetId, DeviceIndex }) => ({ Groups: GroupSet, SubnetId, DeviceIndex: Number(DeviceIndex) })) } : {}), ...tags,
    });
    const id = Instances[0].InstanceId as string;
    context.initiated(id);
    if (properties.SourceDestCheck === false) await ec2(context, 'ModifyInstanceAttribute', { InstanceId: id, SourceDestCheck: { Value: false } });
    return { physicalId: id, attributes: await instanceAttributes(id, context) };
  },
  async update(id, before: InstanceProperties, after: InstanceProperties, context) {
    if (after.InstanceType !== before.InstanceType) {
      await ec2(context, 'StopInstances', { InstanceIds: [id] });
      await ec2(context, 'ModifyInstanceAttribute', { InstanceId: id, InstanceType: { Value: after.InstanceType } });
      await ec2(context, 'StartInstances', { InstanceIds: [id] });
    }
    for (const name of ['DisableApiTermination', 'SourceDestCheck'] as const) if (after[name] !== undefined && after[name] !== before[name]) await ec2(context, 'ModifyInstanceAttribute', { InstanceId: id, [name]: { Value: after[name] } });
    if (after.SecurityGroupIds && JSON.stringify(after.SecurityGroupIds) !== JSON.stringify(before.SecurityGroupIds)) await ec2(context, 'ModifyInstanceAttribute', { InstanceId: id, Groups: after.SecurityGroupIds });
  },
  delete: (id, _, context) => ec2(context, 'TerminateInstances', { InstanceIds: [id] }),
  attributes: instanceAttributes,
});

async function instanceAttributes(id: string, context: ProviderContext): Promise<JsonObject> {
  const { Reservations } = await ec2(context, 'DescribeInstances', { InstanceIds: [id] });
  const found = Reservations[0].Instances[0];
  return { InstanceId: id, AvailabilityZone: found.Placement.AvailabilityZone, PrivateIp: found.PrivateIpAddress, PrivateDnsName: found.PrivateDnsName, PublicIp: found.PublicIpAddress ?? '', PublicDnsName: found.PublicDnsName ?? '', VpcId: found.VpcId };
}

interface InterfaceProperties {
  readonly SubnetId: string;
  readonly Description?: string;
  readonly GroupSet?: readonly string[];
  readonly PrivateIpAddress?: string;
  readonly SourceDestCheck?: boolean;
}

const networkInterface = ec2Provider({
  type: 'AWS::EC2::NetworkInterface',
  honours: ['SubnetId', 'Description', 'GroupSet', 'PrivateIpAddress', 'SourceDestCheck'],
  tagged: 'network-interface',
  gone: ['InvalidNetworkInterfaceID.NotFound'],
  async create({ SubnetId, Description, GroupSet, PrivateIpAddress, SourceDestCheck }: InterfaceProperties, context, tags) {
    const { NetworkInterface } = await ec2(context, 'CreateNetworkInterface', { SubnetId, Description, Groups: GroupSet, PrivateIpAddress, ...tags });
    const id = NetworkInterface.NetworkInterfaceId as string;
    context.initiated(id);
    if (SourceDestCheck === false) await ec2(context, 'ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, SourceDestCheck: { Value: false } });
    return { physicalId: id, attributes: { Id: id, PrimaryPrivateIpAddress: NetworkInterface.PrivateIpAddress, VpcId: NetworkInterface.VpcId, SecondaryPrivateIpAddresses: [] } };
  },
  async update(id, before: InterfaceProperties, after: InterfaceProperties, context) {
    if (after.GroupSet && JSON.stringify(after.GroupSet) !== JSON.stringify(before.GroupSet)) await ec2(context, 'ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, Groups: after.GroupSet });
    if (after.Description !== before.Description) await ec2(context, 'ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, Description: { Value: after.Description ?? '' } });
    if (after.SourceDestCheck !== before.SourceDestCheck) await ec2(context, 'ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, SourceDestCheck: { Value: after.SourceDestCheck ?? true } });
  },
  delete: (id, _, context) => ec2(context, 'DeleteNetworkInterface', { NetworkInterfaceId: id }),
});

export const others: readonly ResourceProvider[] = [vpcEndpoint, flowLog, keyPair, launchTemplate, instance, networkInterface];
