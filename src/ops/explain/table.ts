/** Where an error was met, as far as it is known: it makes the fix a command that can be run. */
export interface ErrorPlace {
  /** `111111111111/eu-west-1`. */
  readonly place?: string;
  readonly region?: string;
  readonly pipeline?: string;
  readonly stage?: string;
  readonly stack?: string;
  /** On the local cloud: the commands of a fix say so. */
  readonly local?: boolean;
}

export interface KnownError {
  /** Stable; `flotilla explain` lists them. */
  readonly code: string;
  /** Against `ErrorName: message`. */
  readonly pattern: RegExp;
  readonly why: string;
  fix(match: RegExpExecArray, place: ErrorPlace): string;
  readonly exitCode?: number;
}

const bootstrapOf = ({ place }: ErrorPlace, found?: string): string => `flotilla bootstrap${(found ?? place) ? ` --pair ${found ?? place}` : ''}   (flotilla doctor shows every pair)`;
const pairIn = (text: string | undefined): string | undefined => {
  const [, account, region] = /(?:aws:\/\/)?(\d{12})\/([a-z]{2}(?:-[a-z]+)+-\d)/.exec(text ?? '') ?? [];
  return account && region ? `${account}/${region}` : undefined;
};
const stackOr = (name: string | undefined, { stack }: ErrorPlace): string => stack ?? name ?? 'STACK';
const regionFlag = ({ region }: ErrorPlace): string => (region ? ` --region ${region}` : '');
const retryOf = ({ pipeline, stage }: ErrorPlace): string => `flotilla retry${pipeline ? ` --pipeline ${pipeline}` : ''}${stage ? ` ${stage}` : ''}`;

/** Errors that operators of CDK pipelines meet, in the words AWS and CDK say them; the first that fits counts. */
export const KNOWN_ERRORS: readonly KnownError[] = [
  { code: 'AWS001', pattern: /SSM parameter \S+ not found(?: in (?:environment )?(\S+?))?\. Has the environment been bootstrapped|Unable to fetch parameters \[(\/cdk-bootstrap\/[^\]]+)\] from parameter store/, why: 'the account and region are not bootstrapped, or under another qualifier', fix: (match, place) => bootstrapOf(place, pairIn(match[1])) },
  { code: 'AWS002', pattern: /requires bootstrap stack version '(\d+)', found '([^']*)'(?: in (\S+?))?\./, why: 'the bootstrap is older than the app needs', fix: (match, place) => bootstrapOf(place, pairIn(match[3])) },
  { code: 'AWS037', pattern: /could not be used to assume 'arn:aws:iam::(\d{12}):role\/\S*-lookup-role-[^']+'.*\[Error at \//s, why: 'the build looks values up in an account, and its role may neither assume the lookup role nor read them itself', fix: (match) => `cdk synth with credentials of ${match[1]}, and commit cdk.context.json; or let the Synth step assume roles tagged aws-cdk:bootstrap-role=lookup (rolePolicyStatements)` },
  { code: 'AWS003', pattern: /Could not assume role in target account using current credentials|could not be used to assume '([^']+)'/, why: 'the role is not there, or its trust does not name the account that deploys', fix: (_match, place) => bootstrapOf(place), exitCode: 3 },
  { code: 'AWS004', pattern: /Policy contains a statement with one or more invalid principals/, why: 'a key policy names a role that does not exist: one of a bootstrap that is missing or under another qualifier, or one that another stack has to make first', fix: (_match, place) => `${bootstrapOf(place)}; where the role is the app’s own, deploy the stack that makes it first` },
  { code: 'AWS035', pattern: /Cannot read asset manifest.*Maximum schema version supported is (\S+?), but found (\S+?)(?:\s|$)/, why: 'cdk-assets of the build is older than the aws-cdk-lib that wrote the assembly', fix: (match) => `until a release of cdk-assets reads schema ${match[2]!.split('.')[0]}, an aws-cdk-lib that writes an earlier one: npm install --save-exact aws-cdk-lib@2.271.0 (54)` },
  { code: 'AWS006', pattern: /Maximum schema version supported is (\S+?), but found (\S+?)\.(?:\s|$)/, why: 'the CDK CLI of the build is older than the aws-cdk-lib that wrote the assembly', fix: () => 'pin the CLI of the Synth step to one that reads it: npm install -g aws-cdk@2 (never the tag latest)' },
  { code: 'AWS007', pattern: /ChangeSetNotFound|ChangeSet \[[^\]]*\] does not exist/, why: 'the change set was consumed by the attempt that failed: retrying the failed action alone can never succeed', fix: (_match, place) => `${retryOf(place)}   (prepares the change sets again)` },
  { code: 'AWS008', pattern: /Stack:?\s*(\S+?)\s+is in (ROLLBACK_COMPLETE|ROLLBACK_FAILED|DELETE_FAILED) state and can ?not be updated/, why: 'its first creation failed; CloudFormation only deletes it from here', fix: (match, place) => `aws cloudformation delete-stack --stack-name ${stackOr(match[1]?.split('/')[1], place)}${regionFlag(place)}   then ${retryOf(place)}` },
  { code: 'AWS027', pattern: /is in (UPDATE_ROLLBACK_FAILED) state and can ?not be updated/, why: 'a rollback could not be finished', fix: (_match, place) => `aws cloudformation continue-update-rollback --stack-name ${stackOr(undefined, place)}${regionFlag(place)}` },
  { code: 'AWS009', pattern: /Maximum policy size of (\d+) bytes exceeded for (role|user|group) (\S+)/, why: 'the inline policies of a role together are limited', fix: () => 'minimise policies (@aws-cdk/aws-iam:minimizePolicies), or split the pipeline' },
  { code: 'AWS036', pattern: /Policy arn:aws:iam::(\d{12}):policy\/(?:\S+\/)?(\S+) does not exist or is not attachable/, why: 'the app counts on a managed policy that its account has from elsewhere, as a permissions boundary of a landing zone', fix: (match) => `aws iam create-policy --policy-name ${match[2]} --policy-document file://POLICY.json with credentials of ${match[1]} (of the local cloud: eval "$(flotilla cloud env)" and --profile ${match[1]}), then run again` },
  { code: 'AWS010', pattern: /Cannot have more than (\d+) (?:builds in queue|active builds)|AccountLimitExceededException/, why: 'the account runs or queues no more builds at a time', fix: (_match, place) => `${retryOf(place)} when others have ended; raise "Concurrently running builds" in Service Quotas` },
  { code: 'AWS011', pattern: /Artifact \[([^\]]+)\] exceeds max artifact size/, why: 'CloudFormation actions take an input of 256 MB at most, and cdk.out is larger', fix: () => 'keep assets out of the deploy artifact, or make them smaller (docker build context, node_modules)' },
  { code: 'AWS012', pattern: /Max buildspec length is (\d+)/, why: 'the inline buildspec of an asset step grew with its targets', fix: () => 'publishAssetsInParallel: false writes it into a file; or fewer targets a pipeline' },
  { code: 'AWS013', pattern: /Pipeline stage '([^']+)' has too many actions|can only be up to (\d+) actions in a pipeline stage/, why: 'a stage has more actions than CodePipeline takes', fix: () => 'split the wave into several' },
  { code: 'AWS014', pattern: /Export (\S+) cannot be (?:deleted|updated) as it is in use by ([^\n]+)|Cannot delete export (\S+) as it is in use by ([^\n]+)|Exports cannot be updated:|Some exports have changed!/, why: 'another stack still imports the value', fix: () => 'two deployments: first take the import away and keep the export (this.exportValue), then the export' },
  { code: 'AWS015', pattern: /Artifact Bucket must have a KMS Key to add cross-account action|Pipeline stack which uses cross-environment actions must have an explicitly set account/, why: 'the pipeline deploys to other accounts', fix: () => 'crossAccountKeys: true, and env: { account, region } of the pipeline’s stack' },
  { code: 'AWS016', pattern: /Pipeline not created yet|build\(\) has already been called|can't add (?:Stages|Waves) anymore after buildPipeline\(\)|dependency cannot cross stage boundaries/, why: 'the app changes the pipeline in an order that CDK does not take', fix: () => 'add everything first, call buildPipeline() last; look into pipeline.pipeline only after it' },
  { code: 'AWS017', pattern: /Context lookups have been disabled.*?Missing context keys: '([^']*)'/s, why: 'the build may not look values up, and cdk.context.json does not have them', fix: (match) => `cdk synth with credentials of ${/account=(\d{12})/.exec(match[1] ?? '')?.[1] ?? 'the account'}, and commit cdk.context.json` },
  // A build uploads also after a command has failed, and then finds nothing: the command is what counts.
  { code: 'AWS018', pattern: /(?<!COMMAND_EXECUTION_ERROR.*)no matching base directory path found for (\S+)/s, why: 'the synth step wrote its assembly elsewhere', fix: () => 'primaryOutputDirectory of the Synth step: where cdk.out lies from the top of the repository' },
  { code: 'AWS019', pattern: /Cannot connect to the Docker daemon/, why: 'the build has no container engine', fix: () => 'dockerEnabledForSynth / dockerEnabledForSelfMutation: true (a privileged build)' },
  { code: 'AWS020', pattern: /No bucket named '([^']+)'\. Is account|Bucket named '([^']+)' exists, but we dont have access|No ECR repository named '([^']+)'/, why: 'the bucket or repository of the assets is not there, or is somebody else’s', fix: (match, place) => bootstrapOf(place, assetPair(match[1] ?? match[2] ?? match[3])) },
  { code: 'AWS021', pattern: /Role (\S*cfn-exec-role\S*) is invalid or cannot be assumed/, why: 'the bootstrap was removed before its stacks: nothing can update or delete them', fix: (match, place) => bootstrapOf(place, rolePair(match[1])) },
  { code: 'AWS022', pattern: /is not authorized to perform AssumeRole on role (\S+)|not authorized to perform: sts:AssumeRole on resource: (\S+)/, why: 'the role does not trust who asks, or is not there', fix: (match, place) => bootstrapOf(place, rolePair(match[1] ?? match[2])), exitCode: 3 },
  { code: 'AWS023', pattern: /Cannot delete ChangeSet in status (\w+)/, why: 'CloudFormation still prepares it', fix: (_match, place) => `${retryOf(place)} in a moment` },
  { code: 'AWS024', pattern: /Webhook could not be registered with (\w+)\. Error cause: (\S+ ?\S*)|Triggers for connection must reference a CodeStarSourceConnection action/, why: 'the token may not make webhooks, or the repository is another; with a connection the source action has to use it', fix: () => 'a token with admin:repo_hook for that repository; for V2 triggers a CodeStarSourceConnection source' },
  { code: 'AWS025', pattern: /Stack \[([^\]]+)\] cannot be deleted while TerminationProtection is enabled/, why: 'the stack is protected', fix: (match, place) => `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${match[1]}${regionFlag(place)}`, exitCode: 5 },
  { code: 'AWS026', pattern: /ApprovalAlreadyCompletedException|InvalidApprovalTokenException/, why: 'somebody answered it, or its execution was superseded', fix: () => 'flotilla where shows what waits now' },
  { code: 'AWS028', pattern: /(?:Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded|SlowDown)\b|Rate exceeded/, why: 'AWS throttled the calls until the attempts were used up', fix: () => 'run again with fewer at a time: --concurrency 4' },
  { code: 'AWS029', pattern: /^(?:OptInRequired|InvalidClientTokenId|UnrecognizedClientException|AuthFailure): /, why: 'the account has not opted in to the region, or its credentials are gone', fix: (_match, { region }) => `aws account enable-region --region-name ${region ?? 'REGION'}`, exitCode: 3 },
  { code: 'AWS030', pattern: /^(?:ExpiredToken|ExpiredTokenException|RequestExpired): /, why: 'the session is over', fix: () => 'sign in again: aws sso login', exitCode: 3 },
  { code: 'AWS031', pattern: /with an explicit deny in a (service|resource) control policy/, why: 'the organization forbids it', fix: () => 'ask those who keep the control policies; flotilla doctor --save records them', exitCode: 5 },
  { code: 'AWS033', pattern: /assumed-role\/cdk-\S+-cfn-exec-role-(\d{12})-(\S+?)\/\S+ is not authorized to perform: (\S+).*?because no identity-based policy allows/s, why: 'the execution policies of the bootstrap do not allow it', fix: (match) => `a policy that allows ${match[3]} among executionPolicies, then flotilla bootstrap --pair ${match[1]}/${match[2]}` },
  { code: 'AWS034', pattern: /Limit for stacks? has been exceeded/, why: 'the account has as many stacks in the region as it may', fix: () => 'flotilla prune deletes stacks that nobody declares any more; or raise "Stack count" in Service Quotas' },
  { code: 'AWS005', pattern: /Access Denied \(Service: (?:Amazon S3|S3)|AccessDenied.*\bs3:(?:GetObject|PutObject)|Access Denied.*Status Code: 403; Error Code: AccessDenied/, why: 'a bucket or key policy names a role that was made anew: AWS keeps its old unique ID (AROA…)', fix: () => 'flotilla doctor finds the stale principals; deploying the pipeline’s stack again names the new roles' },
  { code: 'AWS032', pattern: /^(?:AccessDenied|AccessDeniedException|UnauthorizedOperation): |is not authorized to perform: (\S+)/, why: 'the identity may not do this', fix: () => 'act with another profile or role (--profile, --role), or have the permission granted', exitCode: 3 },
];

/** `cdk-QUALIFIER-assets-ACCOUNT-REGION`. */
function assetPair(name: string | undefined): string | undefined {
  const [, account, region] = /-(\d{12})-([a-z]{2}(?:-[a-z]+)+-\d)$/.exec(name ?? '') ?? [];
  return account && region ? `${account}/${region}` : undefined;
}

/** `…role/cdk-QUALIFIER-deploy-role-ACCOUNT-REGION`. */
function rolePair(arn: string | undefined): string | undefined {
  const [, account, region] = /role-(\d{12})-([a-z]{2}(?:-[a-z]+)+-\d)/.exec(arn ?? '') ?? [];
  return account && region ? `${account}/${region}` : undefined;
}
