import { createHash } from 'node:crypto';
import { optInStatus } from '../../kernel/opt-in.js';
import { availabilityZones, REGIONS } from '../../kernel/regions.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { matchesValue, page, pathOf } from './describe.js';
import { all, fail } from './store.js';
import { zoneId } from './zones.js';

/** What EC2 knows without anybody having made it: regions, zones, instance types, public images, quotas. */

export function describeRegions(input: Ec2.DescribeRegionsRequest, context: RequestContext): Ec2.DescribeRegionsResult {
  for (const name of input.RegionNames ?? []) if (!REGIONS.includes(name)) throw fail('InvalidParameterValue', `Invalid region provided: ${name}`);
  const regions = REGIONS.filter((name) => !input.RegionNames || input.RegionNames.includes(name)).map((RegionName): Ec2.Region => ({ RegionName, Endpoint: `ec2.${RegionName}.amazonaws.com`, OptInStatus: optInStatus(context.state, context.account, RegionName) }));
  const shown = input.AllRegions ? regions : regions.filter(({ OptInStatus }) => OptInStatus !== 'not-opted-in');
  return { Regions: filtered('Region', shown, input.Filters) };
}

export function describeAvailabilityZones(input: Ec2.DescribeAvailabilityZonesRequest, context: RequestContext): Ec2.DescribeAvailabilityZonesResult {
  const { region } = context;
  const names = availabilityZones(region);
  for (const name of input.ZoneNames ?? []) if (!names.includes(name)) throw fail('InvalidParameterValue', `Invalid availability zone: [${name}]`);
  const zones = names.map(
    (ZoneName): Ec2.AvailabilityZone => ({ ZoneName, ZoneId: zoneId(ZoneName), RegionName: region, State: 'available', OptInStatus: 'opt-in-not-required', GroupName: region, NetworkBorderGroup: region, ZoneType: 'availability-zone', Messages: [] }),
  );
  const wanted = zones.filter(({ ZoneName, ZoneId }) => (!input.ZoneNames || input.ZoneNames.includes(ZoneName!)) && (!input.ZoneIds || input.ZoneIds.includes(ZoneId!)));
  return { AvailabilityZones: filtered('AvailabilityZone', wanted, input.Filters) };
}

/** Filters over things that are no kind of their own. */
function filtered<T extends object>(shape: string, all: readonly T[], filters: readonly Ec2.Filter[] = [], own?: Readonly<Record<string, string>>): T[] {
  return all.filter((item) =>
    filters.every(({ Name = '', Values = [] }) => {
      const actual = read(item, pathOf(shape, Name, own));
      return Values.some((value) => actual.some((text) => matchesValue(value, text)));
    }),
  );
}

function read(value: unknown, path: readonly string[]): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one) => read(one, path));
  return path.length === 0 ? [String(value)] : read((value as Record<string, unknown>)[path[0]!], path.slice(1));
}

/** Default quotas of a new account (Amazon VPC and EC2 quotas). */
const ACCOUNT: Readonly<Record<string, string>> = { 'supported-platforms': 'VPC', 'vpc-max-security-groups-per-interface': '5', 'max-elastic-ips': '5', 'max-instances': '20', 'vpc-max-elastic-ips': '5' };

export function describeAccountAttributes(input: Ec2.DescribeAccountAttributesRequest, context: RequestContext): Ec2.DescribeAccountAttributesResult {
  const defaults = { ...ACCOUNT, 'default-vpc': defaultVpcId(context) };
  return { AccountAttributes: Object.entries(defaults).filter(([name]) => !input.AttributeNames || input.AttributeNames.includes(name as Ec2.AccountAttributeName)).map(([AttributeName, AttributeValue]) => ({ AttributeName, AttributeValues: [{ AttributeValue }] })) };
}

function defaultVpcId(context: RequestContext): string {
  return all<Ec2.Vpc>('vpc', context).find(({ IsDefault }) => IsDefault)?.VpcId ?? 'none';
}

/** Families by what their sizes have: vCPUs and GiB of the size `large`. */
const FAMILIES: Readonly<Record<string, readonly [cpus: number, memory: number, architecture: 'x86_64' | 'arm64']>> = {
  t2: [2, 8, 'x86_64'], t3: [2, 8, 'x86_64'], t3a: [2, 8, 'x86_64'], t4g: [2, 8, 'arm64'], m5: [2, 8, 'x86_64'], m6i: [2, 8, 'x86_64'], m6g: [2, 8, 'arm64'], m7i: [2, 8, 'x86_64'], m7g: [2, 8, 'arm64'],
  c5: [2, 4, 'x86_64'], c6i: [2, 4, 'x86_64'], c6g: [2, 4, 'arm64'], c7g: [2, 4, 'arm64'], r5: [2, 16, 'x86_64'], r6i: [2, 16, 'x86_64'], r6g: [2, 16, 'arm64'], r7g: [2, 16, 'arm64'],
};
const SIZES: Readonly<Record<string, number>> = { large: 1, xlarge: 2, '2xlarge': 4, '4xlarge': 8, '8xlarge': 16, '12xlarge': 24, '16xlarge': 32, '24xlarge': 48 };
const BURSTABLE: Readonly<Record<string, readonly [number, number]>> = { nano: [2, 0.5], micro: [2, 1], small: [2, 2], medium: [2, 4] };

function instanceTypes(): Ec2.InstanceTypeInfo[] {
  return Object.entries(FAMILIES).flatMap(([family, [cpus, memory, architecture]]) => {
    const burstable = family.startsWith('t');
    const sizes: [string, number, number][] = [
      ...(burstable ? Object.entries(BURSTABLE).map(([size, [c, m]]): [string, number, number] => [size, c, m]) : []),
      ...Object.entries(SIZES).filter(([size]) => !burstable || ['large', 'xlarge', '2xlarge'].includes(size)).map(([size, factor]): [string, number, number] => [size, cpus * factor, memory * factor]),
    ];
    return sizes.map(([size, c, m]) => typeInfo(`${family}.${size}`, c, m, architecture, burstable));
  });
}

function typeInfo(name: string, cpus: number, memory: number, architecture: 'x86_64' | 'arm64', burstable: boolean): Ec2.InstanceTypeInfo {
  return {
    InstanceType: name, CurrentGeneration: !name.startsWith('t2.'), FreeTierEligible: name === 't3.micro', SupportedUsageClasses: ['on-demand', 'spot'], SupportedRootDeviceTypes: ['ebs'], SupportedVirtualizationTypes: ['hvm'],
    BareMetal: false, Hypervisor: name.startsWith('t2.') ? 'xen' : 'nitro', ProcessorInfo: { SupportedArchitectures: [architecture] }, VCpuInfo: { DefaultVCpus: cpus, DefaultCores: Math.max(1, cpus / 2), DefaultThreadsPerCore: architecture === 'arm64' ? 1 : 2 },
    MemoryInfo: { SizeInMiB: memory * 1024 }, InstanceStorageSupported: false, BurstablePerformanceSupported: burstable, AutoRecoverySupported: true, HibernationSupported: false, DedicatedHostsSupported: !burstable,
  };
}

export function describeInstanceTypes(input: Ec2.DescribeInstanceTypesRequest): Ec2.DescribeInstanceTypesResult {
  const all = instanceTypes();
  const unknown = (input.InstanceTypes ?? []).filter((name) => !all.some(({ InstanceType }) => InstanceType === name));
  if (unknown.length > 0) throw fail('InvalidInstanceType', `The following supplied instance types do not exist: [${unknown.join(', ')}]`);
  const own = { 'processor-info.supported-architecture': 'ProcessorInfo.SupportedArchitectures', 'vcpu-info.default-vcpus': 'VCpuInfo.DefaultVCpus', 'memory-info.size-in-mib': 'MemoryInfo.SizeInMiB' };
  const found = filtered('InstanceTypeInfo', all.filter(({ InstanceType }) => !input.InstanceTypes || input.InstanceTypes.includes(InstanceType!)), input.Filters, own);
  const { items, ...rest } = page(found, { MaxResults: input.MaxResults ?? 100, NextToken: input.NextToken });
  return { InstanceTypes: items, ...rest };
}

export function describeInstanceTypeOfferings(input: Ec2.DescribeInstanceTypeOfferingsRequest, context: RequestContext): Ec2.DescribeInstanceTypeOfferingsResult {
  const type = input.LocationType ?? 'region';
  const places = type === 'region' ? [context.region] : availabilityZones(context.region).map((zone) => (type === 'availability-zone-id' ? zoneId(zone) : zone));
  const all = instanceTypes().flatMap(({ InstanceType }) => places.map((Location): Ec2.InstanceTypeOffering => ({ InstanceType, LocationType: type, Location })));
  const { items, ...rest } = page(filtered('InstanceTypeOffering', all, input.Filters), { MaxResults: input.MaxResults ?? 1000, NextToken: input.NextToken });
  return { InstanceTypeOfferings: items, ...rest };
}

/** Images that Amazon publishes, as lookups by name find them. IDs are made from the names; no image is behind them. */
const IMAGES: readonly (readonly [name: string, architecture: 'x86_64' | 'arm64', created: string, platform?: 'Windows'])[] = [
  ['al2023-ami-2023.6.20250115.0-kernel-6.1-x86_64', 'x86_64', '2025-01-15T00:00:00.000Z'],
  ['al2023-ami-2023.6.20250115.0-kernel-6.1-arm64', 'arm64', '2025-01-15T00:00:00.000Z'],
  ['amzn2-ami-hvm-2.0.20250116.0-x86_64-gp2', 'x86_64', '2025-01-16T00:00:00.000Z'],
  ['amzn2-ami-kernel-5.10-hvm-2.0.20250116.0-x86_64-gp2', 'x86_64', '2025-01-16T00:00:00.000Z'],
  ['amzn2-ami-kernel-5.10-hvm-2.0.20250116.0-arm64-gp2', 'arm64', '2025-01-16T00:00:00.000Z'],
  ['amzn-ami-vpc-nat-2018.03.0.20230807.0-x86_64-ebs', 'x86_64', '2023-08-07T00:00:00.000Z'],
  ['ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250115', 'x86_64', '2025-01-15T00:00:00.000Z'],
  ['ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20250112', 'x86_64', '2025-01-12T00:00:00.000Z'],
  ['Windows_Server-2022-English-Full-Base-2025.01.15', 'x86_64', '2025-01-15T00:00:00.000Z', 'Windows'],
];

export function describeImages(input: Ec2.DescribeImagesRequest, context: RequestContext): Ec2.DescribeImagesResult {
  // The account has no images of its own: the local cloud makes none.
  const owners = input.Owners ?? [];
  const asked = owners.length === 0 || owners.some((owner) => owner !== 'self' && owner !== context.account);
  const all = asked ? IMAGES.map(([name, architecture, created, platform]) => image(name, architecture, created, platform, context.region)) : [];
  const missing = (input.ImageIds ?? []).filter((id) => !all.some(({ ImageId }) => ImageId === id));
  if (missing.length > 0) throw fail('InvalidAMIID.NotFound', `The image ${missing.length === 1 ? 'id' : 'ids'} '[${missing.join(', ')}]' ${missing.length === 1 ? 'does' : 'do'} not exist`);
  const own = { 'owner-alias': 'ImageOwnerAlias', 'is-public': 'Public', 'block-device-mapping.volume-type': 'BlockDeviceMappings.Ebs.VolumeType', 'root-device-type': 'RootDeviceType' };
  const found = filtered('Image', all.filter(({ ImageId }) => !input.ImageIds || input.ImageIds.includes(ImageId!)), input.Filters, own);
  const { items, ...rest } = page(found, input);
  return { Images: items, ...rest };
}

function image(Name: string, Architecture: 'x86_64' | 'arm64', CreationDate: string, platform: 'Windows' | undefined, region: string): Ec2.Image {
  return {
    ImageId: `ami-0${createHash('sha256').update(`${region}${Name}`).digest('hex').slice(0, 16)}`, Name, Architecture, CreationDate, ImageOwnerAlias: 'amazon', ImageLocation: `amazon/${Name}`, ImageType: 'machine', Public: true, State: 'available', EnaSupport: true,
    Hypervisor: 'xen', VirtualizationType: 'hvm', RootDeviceName: platform ? '/dev/sda1' : '/dev/xvda', RootDeviceType: 'ebs', PlatformDetails: platform ?? 'Linux/UNIX', ...(platform ? { Platform: platform } : {}),
    BlockDeviceMappings: [{ DeviceName: platform ? '/dev/sda1' : '/dev/xvda', Ebs: { DeleteOnTermination: true, VolumeSize: platform ? 30 : 8, VolumeType: Name.endsWith('gp2') ? 'gp2' : 'gp3', Encrypted: false } }], Description: Name,
  };
}
