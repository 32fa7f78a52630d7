import { Manifest } from 'aws-cdk-lib/cloud-assembly-schema';
import { FlotillaError } from '../shared/errors.js';

/** Versions of the programs a generated build installs. */
export interface PinnedTools {
  /** The CDK CLI: `npm install -g aws-cdk@VERSION`. */
  readonly cdkCli: string;
  /** The asset publisher: `npm install -g cdk-assets@VERSION`. */
  readonly cdkAssets: string;
  /** Whether the assembly takes a publisher of its own along, because that version doesn't read it. */
  readonly ownPublisher: boolean;
  /** Major version of the cloud assembly they read at most. */
  readonly readsSchema: number;
}

/** aws-cdk 2.1148.1 and the library within our own publisher (cdk-assets-lib 1.5) read assemblies of schema 55. The tag `latest` of aws-cdk must never be followed: it names a stray 3.0.0. */
const TOOLS = { cdkCli: '2.1148.1', cdkAssets: '4.7.3', readsSchema: 55 } as const;

/** What the newest cdk-assets reads; aws-cdk-lib writes 55 since 2.272. */
const CDK_ASSETS_READS = 54;

/**
 * The tools this version of Flotilla was tested with, checked against the aws-cdk-lib that writes the assembly. Raises CDK001 when the
 * library writes a newer assembly than they read, which on AWS would fail only in the pipeline's SelfMutate or Assets step.
 */
export function pinnedTools(written: number = Number.parseInt(Manifest.version(), 10)): PinnedTools {
  if (written > TOOLS.readsSchema) {
    throw new FlotillaError('CDK001', `this aws-cdk-lib writes cloud assemblies of schema ${written}, the pinned tools read ${TOOLS.readsSchema} at most`, {
      why: 'the pipeline would fail where it updates itself or publishes assets: "Cloud assembly schema version mismatch"',
      fix: 'a later flotilla; or an earlier aws-cdk-lib, pinned: npm install --save-exact aws-cdk-lib@2.276.0',
      exitCode: 2,
    });
  }
  return { ...TOOLS, ownPublisher: written > CDK_ASSETS_READS };
}
