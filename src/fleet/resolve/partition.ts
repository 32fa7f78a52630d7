import type { Pipeline } from '../model.js';
import type { Report } from './names.js';
import type { PlacedTarget } from './targets.js';

/** Roles can't be assumed from one partition into another (IAM user guide: AWS partitions). */
export function checkPartition(pipeline: Pipeline, report: Report): void {
  const own = partitionOf(pipeline.region);
  for (const target of pipeline.waves.flatMap((wave) => wave.targets)) {
    const foreign = target.regions.find(({ region }) => partitionOf(region) !== own);
    if (foreign !== undefined) report({ code: 'CFG067', path: (target as PlacedTarget).path, what: `lies in ${foreign.region}, partition ${partitionOf(foreign.region)}, and its pipeline in ${own}`, why: 'roles can’t be assumed across partitions', fix: 'give each partition a pipeline in an account of its own, in a fleet of its own' });
  }
}

export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return region.startsWith('us-iso') || region.startsWith('eu-iso') ? 'aws-iso' : region.startsWith('eusc-') ? 'aws-eusc' : 'aws';
}
