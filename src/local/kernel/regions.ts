/** Regions of the partition `aws` (botocore 1.44.5 endpoints). */
export const REGIONS: readonly string[] = [
  'af-south-1', 'ap-east-1', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2',
  'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7',
  'ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2',
  'eu-west-3', 'il-central-1', 'me-central-1', 'me-south-1', 'mx-central-1', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2',
];

const KNOWN = new Set(REGIONS);

export function isRegion(name: string): boolean {
  return KNOWN.has(name);
}

/** Zones by name where they aren't a, b and c (EC2 user guide, "Availability Zones"; what an ordinary account sees). */
const ZONES: Readonly<Record<string, string>> = {
  'us-east-1': 'abcdef',
  'us-west-1': 'ac',
  'us-west-2': 'abcd',
  'ap-northeast-1': 'acd',
  'ap-northeast-2': 'abcd',
  'ca-central-1': 'abd',
  'eu-west-1': 'abc',
};

/** Names of a region's availability zones, as `Fn::GetAZs` and DescribeAvailabilityZones give them. */
export function availabilityZones(region: string): string[] {
  return [...(ZONES[region] ?? 'abc')].map((letter) => region + letter);
}
