/** Zones of a region as Fn::GetAZs answers them: three, and the six of us-east-1. */
export function availabilityZones(region: string): string[] {
  const letters = region === 'us-east-1' ? 'abcdef' : region === 'us-west-2' ? 'abcd' : 'abc';
  return [...letters].map((letter) => `${region}${letter}`);
}
