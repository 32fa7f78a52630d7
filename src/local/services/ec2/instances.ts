import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { select } from './describe.js';
import { addInterface, defaultGroup, groupsOf } from './interfaces.js';
import { all, details, fail, find, newId, remove, save, suffix, unsupported, within } from './store.js';
import { tagged, tagsFor } from './tags.js';
import { templateData } from './templates.js';

/**
 * Instances are modelled: they have addresses, interfaces and volumes, go to `running` at once and boot nothing. Whatever would run in
 * them doesn't.
 */

const STATES = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 } as const;
type StateName = keyof typeof STATES;

const state = (Name: StateName): Ec2.InstanceState => ({ Code: STATES[Name], Name });

type Wanted = Ec2.RunInstancesRequest;

export function runInstances(input: Wanted, context: RequestContext): Ec2.Reservation {
  const wanted = { ...fromTemplate(input, context), ...defined(input) } as Wanted;
  const image = wanted.ImageId;
  if (image === undefined) throw fail('MissingParameter', 'The request must contain the parameter ImageId');
  checkImage(image);
  if (input.MinCount < 1 || input.MaxCount < input.MinCount) throw fail('InvalidParameterValue', `Value (${input.MinCount}) for parameter minCount is invalid.`);
  if (wanted.KeyName !== undefined && !all<Ec2.KeyPairInfo>('key', context).some(({ KeyName }) => KeyName === wanted.KeyName)) throw fail('InvalidKeyPair.NotFound', `The key pair '${wanted.KeyName}' does not exist`);
  const profile = wanted.IamInstanceProfile;
  const subnet = subnetOf(wanted, context);
  const groups = wanted.NetworkInterfaces?.[0]?.Groups ?? groupIds(wanted, subnet, context);
  const tags = tagsFor('instance', wanted, context, ['volume', 'eni']);
  const volumeTags = tagsFor('volume', wanted, context, ['instance', 'eni']);
  const reservation: Ec2.Reservation = { ReservationId: `r-${suffix()}`, OwnerId: context.account, Groups: [] };
  const Instances = context.state.transaction(() =>
    Array.from({ length: input.MaxCount }, (_, index) => launch({ wanted, image, subnet, groups, profile, tags, volumeTags, index, reservation: reservation.ReservationId! }, context)),
  );
  return { ...reservation, Instances: Instances.map((instance) => ({ ...instance, State: state('pending') })) };
}

function defined<T extends object>(input: T): Partial<T> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function fromTemplate(input: Wanted, context: RequestContext): object {
  if (!input.LaunchTemplate) return {};
  const { SecurityGroupIds, SecurityGroups, TagSpecifications, ...rest } = templateData(input.LaunchTemplate, context) as Record<string, unknown>;
  return defined({ ...rest, SecurityGroupIds, SecurityGroups, TagSpecifications });
}

/** Which public images exist the local cloud can't know: any well-formed ID is taken. */
function checkImage(id: string): void {
  if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) throw fail('InvalidAMIID.Malformed', `Invalid id: "${id}"`);
}

function subnetOf(wanted: Wanted, context: RequestContext): Ec2.Subnet {
  const id = wanted.SubnetId ?? wanted.NetworkInterfaces?.[0]?.SubnetId;
  if (id !== undefined) return find<Ec2.Subnet>('subnet', id, context);
  const zone = wanted.Placement?.AvailabilityZone;
  const found = all<Ec2.Subnet>('subnet', context).find(({ DefaultForAz, AvailabilityZone }) => DefaultForAz && (zone === undefined || AvailabilityZone === zone));
  if (!found) throw fail('MissingInput', 'No subnets found for the default VPC. Please specify a subnet.');
  return found;
}

function groupIds(wanted: Wanted, subnet: Ec2.Subnet, context: RequestContext): string[] {
  const named = (wanted.SecurityGroups ?? []).map((name) => {
    const found = within<Ec2.SecurityGroup>('sg', subnet.VpcId, context).find(({ GroupName }) => GroupName === name);
    if (!found) throw fail('InvalidGroup.NotFound', `The security group '${name}' does not exist in VPC '${subnet.VpcId}'`);
    return found.GroupId!;
  });
  const ids = [...(wanted.SecurityGroupIds ?? []), ...named];
  for (const id of ids) if (find<Ec2.SecurityGroup>('sg', id, context).VpcId !== subnet.VpcId) throw fail('InvalidParameter', `Security group ${id} and subnet ${subnet.SubnetId} belong to different networks.`);
  return ids.length > 0 ? ids : [defaultGroup(subnet.VpcId!, context)];
}

interface Launch {
  readonly wanted: Wanted;
  readonly image: string;
  readonly subnet: Ec2.Subnet;
  readonly groups: readonly string[];
  readonly profile: Ec2.IamInstanceProfileSpecification | undefined;
  readonly tags: readonly Ec2.Tag[];
  readonly volumeTags: readonly Ec2.Tag[];
  readonly index: number;
  readonly reservation: string;
}

function launch({ wanted, image, subnet, groups, profile, tags, volumeTags, index, reservation }: Launch, context: RequestContext): Ec2.Instance {
  const InstanceId = newId('instance');
  const now = context.now();
  const attachment = { AttachTime: now, AttachmentId: `eni-attach-${suffix()}`, DeleteOnTermination: true, DeviceIndex: 0, Status: 'attached' as const, NetworkCardIndex: 0 };
  const eni = addInterface({ subnet, type: 'interface', description: '', groups, address: wanted.PrivateIpAddress, attachment: { ...attachment, InstanceId, InstanceOwnerId: context.account } }, context);
  const volume = addVolume({ zone: subnet.AvailabilityZone!, size: rootSize(wanted), type: 'gp3', tags: volumeTags, instance: InstanceId }, context);
  const { Association: _a, Attachment: _t, ...nic } = eni;
  const instance: Ec2.Instance = {
    InstanceId,
    ImageId: image,
    InstanceType: wanted.InstanceType ?? 'm1.small',
    State: state('running'),
    LaunchTime: now,
    AmiLaunchIndex: index,
    Architecture: /^[a-z]+\d+g[a-z]*\./.test(wanted.InstanceType ?? '') ? 'arm64' : 'x86_64',
    VpcId: subnet.VpcId,
    SubnetId: subnet.SubnetId,
    Placement: { AvailabilityZone: subnet.AvailabilityZone, GroupName: '', Tenancy: wanted.Placement?.Tenancy ?? 'default' },
    PrivateIpAddress: eni.PrivateIpAddress,
    PrivateDnsName: eni.PrivateDnsName,
    PublicDnsName: '',
    SecurityGroups: groupsOf(groups, context),
    NetworkInterfaces: [{ NetworkInterfaceId: nic.NetworkInterfaceId, SubnetId: nic.SubnetId, VpcId: nic.VpcId, OwnerId: nic.OwnerId, PrivateIpAddress: nic.PrivateIpAddress, PrivateDnsName: nic.PrivateDnsName, MacAddress: nic.MacAddress, SourceDestCheck: true, Status: 'in-use', Groups: nic.Groups, InterfaceType: 'interface', Attachment: attachment }],
    RootDeviceName: '/dev/xvda',
    RootDeviceType: 'ebs',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { AttachTime: now, DeleteOnTermination: true, Status: 'attached', VolumeId: volume.VolumeId } }],
    Monitoring: { State: wanted.Monitoring?.Enabled ? 'enabled' : 'disabled' },
    EbsOptimized: wanted.EbsOptimized ?? false,
    SourceDestCheck: true,
    Hypervisor: 'xen',
    VirtualizationType: 'hvm',
    EnaSupport: true,
    MetadataOptions: { State: 'applied', HttpTokens: 'required', HttpPutResponseHopLimit: 2, HttpEndpoint: 'enabled', HttpProtocolIpv6: 'disabled', InstanceMetadataTags: 'disabled', ...wanted.MetadataOptions },
    StateTransitionReason: '',
    ClientToken: wanted.ClientToken ?? '',
    ...(wanted.KeyName === undefined ? {} : { KeyName: wanted.KeyName }),
    ...(profile ? { IamInstanceProfile: { Arn: profile.Arn ?? `arn:aws:iam::${context.account}:instance-profile/${profile.Name ?? ''}`, Id: `AIPA${suffix().slice(1).toUpperCase()}` } } : {}),
    ...tagged('instance', tags),
  };
  details<Extra>('instance', context).put(InstanceId, { reservation, userData: wanted.UserData, protected: wanted.DisableApiTermination ?? false });
  return save('instance', instance, context);
}

interface Extra {
  readonly reservation: string;
  readonly userData?: string;
  readonly protected: boolean;
}

function rootSize(wanted: Wanted): number {
  return wanted.BlockDeviceMappings?.find(({ Ebs }) => Ebs?.VolumeSize !== undefined)?.Ebs?.VolumeSize ?? 8;
}

export function describeInstances(input: Ec2.DescribeInstancesRequest, context: RequestContext): Ec2.DescribeInstancesResult {
  const { items, ...rest } = select<Ec2.Instance>('instance', input.InstanceIds ?? [], input, context);
  const reservations = new Map<string, Ec2.Instance[]>();
  for (const instance of items) {
    const id = details<Extra>('instance', context).get(instance.InstanceId!)?.reservation ?? '';
    reservations.set(id, [...(reservations.get(id) ?? []), instance]);
  }
  return { Reservations: [...reservations].map(([ReservationId, Instances]) => ({ ReservationId, OwnerId: context.account, Groups: [], Instances })), ...rest };
}

export function describeInstanceStatus(input: Ec2.DescribeInstanceStatusRequest, context: RequestContext): Ec2.DescribeInstanceStatusResult {
  const { items, ...rest } = select<Ec2.Instance>('instance', input.InstanceIds ?? [], input, context);
  const shown = items.filter(({ State }) => input.IncludeAllInstances || State?.Name === 'running');
  const ok: Ec2.InstanceStatusSummary = { Status: 'ok', Details: [{ Name: 'reachability', Status: 'passed' }] };
  return { InstanceStatuses: shown.map(({ InstanceId, Placement, State }) => ({ InstanceId, AvailabilityZone: Placement?.AvailabilityZone, InstanceState: State, InstanceStatus: ok, SystemStatus: ok })), ...rest };
}

function change(ids: readonly string[], allowed: readonly StateName[], to: StateName, verb: string, context: RequestContext): Ec2.InstanceStateChange[] {
  const found = ids.map((id) => find<Ec2.Instance>('instance', id, context));
  for (const { InstanceId, State } of found)
    if (!allowed.includes(State!.Name as StateName)) throw fail('IncorrectInstanceState', `The instance '${InstanceId}' is not in a state from which it can be ${verb}.`);
  return found.map((instance) => {
    save('instance', { ...instance, State: state(to) }, context);
    return { InstanceId: instance.InstanceId, PreviousState: instance.State, CurrentState: state(to) };
  });
}

export function startInstances(input: Ec2.StartInstancesRequest, context: RequestContext): Ec2.StartInstancesResult {
  return { StartingInstances: change(input.InstanceIds, ['stopped', 'running'], 'running', 'started', context) };
}

export function stopInstances(input: Ec2.StopInstancesRequest, context: RequestContext): Ec2.StopInstancesResult {
  return { StoppingInstances: change(input.InstanceIds, ['running', 'stopped'], 'stopped', 'stopped', context) };
}

export function rebootInstances(input: Ec2.RebootInstancesRequest, context: RequestContext): void {
  change(input.InstanceIds, ['running'], 'running', 'rebooted', context);
}

/** A terminated instance stays visible for a while; its interface and root volume go with it. */
export function terminateInstances(input: Ec2.TerminateInstancesRequest, context: RequestContext): Ec2.TerminateInstancesResult {
  for (const id of input.InstanceIds) {
    find('instance', id, context);
    if (details<Extra>('instance', context).get(id)?.protected) throw fail('OperationNotPermitted', `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`);
  }
  return context.state.transaction(() => {
    for (const id of input.InstanceIds) {
      const instance = find<Ec2.Instance>('instance', id, context);
      for (const { NetworkInterfaceId } of instance.NetworkInterfaces ?? []) remove('eni', NetworkInterfaceId!, context);
      for (const { Ebs } of instance.BlockDeviceMappings ?? []) if (Ebs?.DeleteOnTermination) remove('volume', Ebs.VolumeId!, context);
      const { VpcId: _v, SubnetId: _s, PrivateIpAddress: _p, ...rest } = instance;
      save('instance', { ...rest, NetworkInterfaces: [], BlockDeviceMappings: [], SecurityGroups: [] }, context);
    }
    return { TerminatingInstances: change(input.InstanceIds, ['running', 'stopped', 'terminated'], 'terminated', 'terminated', context) };
  });
}

export function modifyInstanceAttribute(input: Ec2.ModifyInstanceAttributeRequest, context: RequestContext): void {
  const instance = find<Ec2.Instance>('instance', input.InstanceId, context);
  const extra = details<Extra>('instance', context);
  if (input.DisableApiTermination?.Value !== undefined) extra.put(input.InstanceId, { ...extra.get(input.InstanceId)!, protected: input.DisableApiTermination.Value });
  if (input.InstanceType?.Value !== undefined && instance.State?.Name !== 'stopped') throw fail('IncorrectInstanceState', `The instance '${input.InstanceId}' is not in the 'stopped' state.`);
  if (input.UserData !== undefined || input.Attribute !== undefined) throw unsupported(`the change of ${input.Attribute ?? 'UserData'} of an instance`);
  save(
    'instance',
    {
      ...instance,
      InstanceType: input.InstanceType?.Value ?? instance.InstanceType,
      SourceDestCheck: input.SourceDestCheck?.Value ?? instance.SourceDestCheck,
      EbsOptimized: input.EbsOptimized?.Value ?? instance.EbsOptimized,
      ...(input.Groups ? { SecurityGroups: groupsOf(input.Groups, context) } : {}),
    },
    context,
  );
}

export function describeInstanceAttribute(input: Ec2.DescribeInstanceAttributeRequest, context: RequestContext): Ec2.InstanceAttribute {
  const instance = find<Ec2.Instance>('instance', input.InstanceId, context);
  const extra = details<Extra>('instance', context).get(input.InstanceId)!;
  switch (input.Attribute) {
    case 'disableApiTermination':
      return { InstanceId: input.InstanceId, DisableApiTermination: { Value: extra.protected } };
    case 'userData':
      return { InstanceId: input.InstanceId, UserData: extra.userData === undefined ? {} : { Value: extra.userData } };
    case 'instanceType':
      return { InstanceId: input.InstanceId, InstanceType: { Value: instance.InstanceType } };
    case 'sourceDestCheck':
      return { InstanceId: input.InstanceId, SourceDestCheck: { Value: instance.SourceDestCheck } };
    case 'groupSet':
      return { InstanceId: input.InstanceId, Groups: instance.SecurityGroups };
    default:
      throw unsupported(`the instance attribute ${input.Attribute}`);
  }
}

interface NewVolume {
  readonly zone: string;
  readonly size: number;
  readonly type: Ec2.VolumeType;
  readonly tags: readonly Ec2.Tag[];
  readonly instance?: string;
  readonly encrypted?: boolean;
  readonly kmsKey?: string;
}

function addVolume(wanted: NewVolume, context: RequestContext): Ec2.Volume {
  const VolumeId = newId('volume');
  const attachment: Ec2.VolumeAttachment[] = wanted.instance === undefined ? [] : [{ AttachTime: context.now(), DeleteOnTermination: true, Device: '/dev/xvda', InstanceId: wanted.instance, State: 'attached', VolumeId }];
  const volume: Ec2.Volume = {
    VolumeId, AvailabilityZone: wanted.zone, Size: wanted.size, VolumeType: wanted.type, State: wanted.instance === undefined ? 'available' : 'in-use', CreateTime: context.now(), Encrypted: wanted.encrypted ?? false, SnapshotId: '',
    ...(wanted.kmsKey === undefined ? {} : { KmsKeyId: wanted.kmsKey }), Attachments: attachment, MultiAttachEnabled: false, ...tagged('volume', wanted.tags),
  };
  return save('volume', volume, context);
}

export function createVolume(input: Ec2.CreateVolumeRequest, context: RequestContext): Ec2.Volume {
  if (input.SnapshotId !== undefined) throw unsupported('volumes from snapshots');
  if (input.AvailabilityZone === undefined) throw fail('MissingParameter', 'The request must contain the parameter zone');
  if (input.Size === undefined) throw fail('MissingParameter', 'The request must contain the parameter size/snapshot');
  return addVolume({ zone: input.AvailabilityZone, size: input.Size, type: input.VolumeType ?? 'gp2', tags: tagsFor('volume', input, context), encrypted: input.Encrypted, kmsKey: input.KmsKeyId }, context);
}

export function deleteVolume(input: Ec2.DeleteVolumeRequest, context: RequestContext): void {
  const volume = find<Ec2.Volume>('volume', input.VolumeId, context);
  if (volume.State === 'in-use') throw fail('VolumeInUse', `Volume ${input.VolumeId} is currently attached to ${volume.Attachments?.[0]?.InstanceId}`);
  remove('volume', input.VolumeId, context);
}
