const DIRECTIONS: Readonly<Record<string, string>> = { north: 'n', south: 's', east: 'e', west: 'w', central: 'c', northeast: 'ne', northwest: 'nw', southeast: 'se', southwest: 'sw' };

/** `use1` for `us-east-1`: how zone IDs and hosted names abbreviate regions. */
export function shortRegion(region: string): string {
  const [area = '', direction = '', number = ''] = region.split('-');
  return `${area}${DIRECTIONS[direction] ?? direction}${number}`;
}

/** Zone IDs are the same in all accounts; the local cloud counts a region's zones by their letters. */
export function zoneId(zone: string): string {
  return `${shortRegion(zone.slice(0, -1))}-az${zone.charCodeAt(zone.length - 1) - 96}`;
}
