/** What a fleet is to the operator, wherever it was read from: a synthesized app, the pipelines that stand, or what the command line says. */
export interface OperatedFleet {
  readonly name: string;
  readonly pipelines: readonly FleetPipeline[];
  readonly pairs: readonly FleetPair[];
  readonly stacks: readonly FleetStack[];
  /** Folder of the cloud assembly, where the fleet was read from one. */
  readonly assembly?: string;
}

export interface Pair {
  readonly account: string;
  readonly region: string;
}

/** A pipeline; `name` where it is known before it stands, `stackName` where a stack makes it. */
export interface FleetPipeline extends Pair {
  readonly name?: string;
  readonly stackName?: string;
  /** Names of secrets that its template resolves. */
  readonly secrets?: readonly string[];
}

/** An account and region that something is deployed to, and how it is to be bootstrapped. */
export interface FleetPair extends Pair {
  /** Name of the environment, for people and for profile patterns. */
  readonly environment?: string;
  readonly bootstrap: BootstrapSettings;
}

/** What `cdk bootstrap` takes, for one pair. What is undefined is left as it stands; on a new bootstrap it is the template's default. */
export interface BootstrapSettings {
  readonly qualifier: string;
  /** Undefined: `CDKToolkit`, which only the default qualifier may use. */
  readonly toolkitStackName?: string;
  readonly trust: readonly string[];
  readonly trustForLookup: readonly string[];
  /** ARNs of managed policies of the execution role. */
  readonly executionPolicies?: readonly string[];
  /** Name of a managed policy of the pair's account. */
  readonly permissionsBoundary?: string;
  readonly boundaryOnAllRoles?: boolean;
  /** Key of the asset bucket: AWS's own, a new one of the customer, or the ID or ARN of a key. */
  readonly kms?: 'aws-managed' | 'customer' | { readonly key: string };
  readonly tags?: Readonly<Record<string, string>>;
  readonly terminationProtection?: boolean;
}

export interface FleetStack extends Pair {
  /** `PaymentsPipeline/Dev/Payments`. */
  readonly path: string;
  readonly stackName: string;
  /** File of the template; absent where the fleet was read from pipelines. */
  readonly templateFile?: string;
  /** Paths of the stacks that have to stand before this one. */
  readonly dependsOn: readonly string[];
  /** An application's, the one that holds a pipeline, or one that CDK makes for it in another region. */
  readonly kind: 'application' | 'pipeline' | 'support';
  readonly qualifier: string;
  /** Stage of the pipeline that deploys it. */
  readonly stage?: string;
}

/** `111111111111/eu-west-1`. */
export function placeOf({ account, region }: Pair): string {
  return `${account}/${region}`;
}
