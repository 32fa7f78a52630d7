import { Manifest } from 'aws-cdk-lib/cloud-assembly-schema';
import { FlotillaError } from '../shared/errors.js';

/** Versions of the programs a generated build installs. */
export interface PinnedTools {
  /** The CDK CLI: `npm install -g aws-cdk@VERSION`. */
  readonly cdkCli: string;
  /** Major version of the cloud assembly the CLI reads at most. */
  readonly readsSchema: number;
}

/** aws-cdk 2.1148.1 carries @aws-cdk/cloud-assembly-schema 55. Its tag `latest` must never be followed: it names a stray 3.0.0. */
const TOOLS: PinnedTools = { cdkCli: '2.1148.1', readsSchema: 55 };

/**
 * The tools this version of Flotilla was tested with, checked against the aws-cdk-lib that writes the assembly. Raises CDK001 when the
 * library writes a newer assembly than the pinned CLI can read, which on AWS would fail only in the pipeline's SelfMutate step.
 */
export function pinnedTools(): PinnedTools {
  const written = Number.parseInt(Manifest.version(), 10);
  if (written > TOOLS.readsSchema) {
    throw new FlotillaError('CDK001', `aws-cdk-lib writes cloud assemblies of schema ${written}, the pinned CDK CLI ${TOOLS.cdkCli} reads ${TOOLS.readsSchema} at most`, {
      why: 'the pipeline would fail at its SelfMutate step: "Cloud assembly schema version mismatch"',
      fix: 'update flotilla, or use the aws-cdk-lib it was tested with',
      exitCode: 2,
    });
  }
  return TOOLS;
}
