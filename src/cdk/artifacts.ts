import { BootstraplessSynthesizer, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack, type App } from 'aws-cdk-lib';
import { Alias, Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { PhysicalName } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Fleet, Pipeline } from '../fleet/index.js';
import { acknowledge } from './judgements.js';
import { markStack } from './marks.js';

export type ArtifactStores = { readonly artifactBucket: IBucket } | { readonly crossRegionReplicationBuckets: Record<string, IBucket> };

/**
 * Where a pipeline keeps its artifacts: a bucket and key of its own in its region, and one of each in every other region it deploys to,
 * in a support stack that the fleet's pipelines share. Unlike those CDK makes, they expire what they hold and go with their stack.
 */
export function artifactStores(app: App, stack: Stack, fleet: Fleet, pipeline: Pipeline): ArtifactStores {
  const others = [...new Set(pipeline.waves.flatMap(({ targets }) => targets.flatMap(({ regions }) => regions.map(({ region }) => region))))].filter((region) => region !== pipeline.region).toSorted();
  const own = homeBucket(stack, pipeline);
  if (others.length === 0) return { artifactBucket: own };
  const replicas = others.map((region) => [region, supportStack(app, stack, fleet, pipeline, region).bucket] as const);
  return { crossRegionReplicationBuckets: { [pipeline.region]: own, ...Object.fromEntries(replicas) } };
}

function homeBucket(stack: Stack, { artifacts }: Pipeline): IBucket {
  const key = artifacts.key ? Key.fromKeyArn(stack, 'ArtifactKey', artifacts.key) : undefined;
  if (artifacts.bucket) return Bucket.fromBucketAttributes(stack, 'ArtifactBucket', { bucketName: artifacts.bucket, ...(key ? { encryptionKey: key } : {}) });
  return artifactBucket(stack, key ?? artifactKey(stack), artifacts.expireAfter);
}

class SupportStack extends Stack {
  readonly bucket: IBucket;

  constructor(app: App, id: string, fleet: Fleet, pipeline: Pipeline, region: string, synthesizer: BootstraplessSynthesizer | undefined) {
    super(app, id, {
      env: { account: pipeline.account, region },
      description: `Artifacts of the fleet ${fleet.name} in ${region}`,
      terminationProtection: sharers(fleet, pipeline).some(({ terminationProtection }) => terminationProtection),
      ...(synthesizer ? { synthesizer } : {}),
    });
    const key = artifactKey(this);
    // Stacks of other regions can't import a key's ARN, which is only known once the key exists; its alias has a name.
    const alias = new Alias(this, 'ArtifactKeyAlias', { aliasName: `alias/${fleet.name.toLowerCase()}-artifacts-${region}`, targetKey: key, removalPolicy: RemovalPolicy.DESTROY });
    this.bucket = artifactBucket(this, alias, Math.max(...sharers(fleet, pipeline).map(({ artifacts }) => artifacts.expireAfter)));
  }
}

/** The pipelines whose artifacts lie in the support stacks of one account; what the most careful of them says holds. */
function sharers({ pipelines }: Fleet, { account }: Pipeline): readonly Pipeline[] {
  return pipelines.filter((other) => other.account === account);
}

/** The pipeline's deploy role reaches other regions of its account, so the pair there needs no bootstrap of its own. */
function supportStack(app: App, stack: Stack, fleet: Fleet, pipeline: Pipeline, region: string): SupportStack {
  const id = `${stackPrefix(fleet)}Support-${fleet.pipelines.every(({ account }) => account === pipeline.account) ? '' : `${pipeline.account}-`}${region}`;
  const known = app.node.tryFindChild(id) as SupportStack | undefined;
  if (known) return known;
  const { synthesizer } = stack;
  const made = new SupportStack(app, id, fleet, pipeline, region, synthesizer instanceof DefaultStackSynthesizer ? new BootstraplessSynthesizer({ deployRoleArn: synthesizer.deployRoleArn, cloudFormationExecutionRoleArn: synthesizer.cloudFormationExecutionRoleArn }) : undefined);
  markStack(made, fleet);
  acknowledge(made);
  return made;
}

function stackPrefix(fleet: Fleet): string {
  return fleet.pipelines[0]!.stackId.replace(/Pipeline.*$/, '');
}

function artifactKey(scope: Construct): Key {
  return new Key(scope, 'ArtifactKey', { description: 'Artifacts of pipelines', enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY, pendingWindow: Duration.days(7) });
}

function artifactBucket(scope: Construct, encryptionKey: IKey, expireAfter: number): Bucket {
  return new Bucket(scope, 'ArtifactBucket', {
    bucketName: PhysicalName.GENERATE_IF_NEEDED,
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    enforceSSL: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    lifecycleRules: [{ id: 'expire', expiration: Duration.days(expireAfter), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
