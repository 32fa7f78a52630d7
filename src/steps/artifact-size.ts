import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** Bytes of an archive that a CloudFormation action takes as its input (CodePipeline user guide, Quotas: 256 MB). */
const LIMIT = 256 * 1024 ** 2;

/** Share of the limit from which it is worth a warning, as everywhere in the budget. */
const WARN_AT = 0.8;

/** What there is to say of the archive that becomes of an assembly: nothing, a warning, or that no stack could be deployed from it. */
export function judgeArtifact(assembly: string, limit = LIMIT): { readonly fits: boolean; readonly text: string } | undefined {
  const bytes = archivedSize(assembly, limit * WARN_AT);
  if (bytes <= limit * WARN_AT) return undefined;
  const fits = bytes <= limit;
  const megabytes = (size: number): string => `${(size / 1024 ** 2).toFixed(0)} MB`;
  return {
    fits,
    text: `${fits ? '⚠' : '✖'} PRE005 the assembly makes an artifact of ${megabytes(bytes)}, and CloudFormation actions take ${megabytes(limit)}
  why  its assets lie in it as well as its templates
  fix  artifacts: { templatesOnly: true } in the fleet file; or smaller assets (node_modules, build contexts of images)`,
  };
}

/** Bytes of the files together, compressed only where they come to more than `enough` as they are. */
function archivedSize(folder: string, enough: number): number {
  const files = filesIn(folder).map((path) => ({ path, stat: lstatSync(path) }));
  const sizeOf = (of: (file: (typeof files)[number]) => number): number => files.reduce((sum, file) => sum + of(file), 0);
  const plain = sizeOf(({ stat }) => stat.size);
  return plain <= enough ? plain : sizeOf(({ path, stat }) => (stat.size > 1024 ** 3 ? stat.size : deflateRawSync(readFileSync(path)).length));
}

/** Not readdir's own recursion: some releases of Node follow links with it, also in circles. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? filesIn(join(folder, entry.name)) : entry.isFile() ? [join(folder, entry.name)] : []));
}
