import { Manifest } from 'aws-cdk-lib/cloud-assembly-schema';
import { FlotillaError } from '../shared/errors.js';

/** Versions of the programs a generated build installs. */
export interface PinnedTools {
  /** The CDK CLI: `npm install -g aws-cdk@VERSION`. */
  readonly cdkCli: string;
  /** The asset publisher: `npm install -g cdk-assets@VERSION`. */
  readonly cdkAssets: string;
  /** Major version of the cloud assembly both of them read at most. */
  readonly readsSchema: number;
}

/** aws-cdk 2.1148.1 reads assemblies of schema 55, cdk-assets 4.7.3 of 54. The tag `latest` of aws-cdk must never be followed: it names a stray 3.0.0. */
const TOOLS: PinnedTools = { cdkCli: '2.1148.1', cdkAssets: '4.7.3', readsSchema: 54 };

/**
 * The tools this version of Flotilla was tested with, checked against the aws-cdk-lib that writes the assembly. Raises CDK001 when the
 * library writes a newer assembly than they read, which on AWS would fail only in the pipeline's SelfMutate or Assets step.
 */
export function pinnedTools(): PinnedTools {
  const written = Number.parseInt(Manifest.version(), 10);
  if (written > TOOLS.readsSchema) {
    throw new FlotillaError('CDK001', `this aws-cdk-lib writes cloud assemblies of schema ${written}, the pinned cdk-assets ${TOOLS.cdkAssets} reads ${TOOLS.readsSchema} at most`, {
      why: 'the pipeline would fail where it publishes assets: "Cloud assembly schema version mismatch"',
      fix: 'use the aws-cdk-lib this version was tested with (npm install aws-cdk-lib@2.271.0), or a later flotilla',
      exitCode: 2,
    });
  }
  return TOOLS;
}
