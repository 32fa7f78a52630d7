import { describe, expect, it } from 'vitest';
import { explain, explained } from '../../../src/ops/explain/explain.js';
import { KNOWN_ERRORS } from '../../../src/ops/explain/table.js';

/** Errors in the words that AWS and CDK say them, with what the fix has to name. */
const CASES: readonly [code: string, text: string, fix: RegExp][] = [
  ['AWS001', "SSM parameter /cdk-bootstrap/hnb659fds/version not found in aws://111111111111/eu-west-1. Has the environment been bootstrapped? Please run 'cdk bootstrap' (see https://docs.aws.amazon.com/cdk/latest/guide/bootstrapping.html)", /bootstrap --pair 111111111111\/eu-west-1/],
  ['AWS001', 'ValidationError: Unable to fetch parameters [/cdk-bootstrap/hnb659fds/version] from parameter store for this account.', /bootstrap/],
  ['AWS002', "This CDK deployment requires bootstrap stack version '21', found '14' in 111111111111/us-east-1. Please run 'cdk bootstrap'.", /bootstrap --pair 111111111111\/us-east-1/],
  ['AWS003', 'Could not assume role in target account using current credentials (which are for account 999999999999) User: arn:aws:sts::999999999999:assumed-role/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/cdk-hnb659fds-deploy-role-111111111111-us-east-1 . Please make sure that this role exists in the account.', /bootstrap/],
  ['AWS004', 'Resource handler returned message: "Policy contains a statement with one or more invalid principals. (Service: Kms, Status Code: 400)"', /bootstrap/],
  ['AWS005', 'Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X; S3 Extended Request ID: Y; Proxy: null)', /doctor finds the stale principals/],
  ['AWS006', 'Cloud assembly schema version mismatch: Maximum schema version supported is 53.x.x, but found 54.0.0. You need at least CLI version 2.1030.0 to read this manifest.', /aws-cdk@2/],
  ['AWS003', "arn:aws:iam::999999999999:role/Build could not be used to assume 'arn:aws:iam::111111111111:role/cdk-hnb659fds-lookup-role-111111111111-us-east-1', but are for the right account. Proceeding anyway.", /bootstrap/],
  ['AWS037', "current credentials could not be used to assume 'arn:aws:iam::111111111111:role/cdk-hnb659fds-lookup-role-111111111111-us-east-1', but are for the right account. Proceeding anyway.\n[Error at /Pipeline/Prod/Net] You are not authorized to perform this operation. User: arn:aws:sts::111111111111:assumed-role/Synth/AWSCodeBuild-1 is not authorized to perform: ec2:DescribeAvailabilityZones", /credentials of 111111111111, and commit cdk.context.json/],
  ['AWS035', "Error: Cannot read asset manifest 'assembly-Dev/Dev.assets.json': Cloud assembly schema version mismatch: Maximum schema version supported is 54.x.x, but found 55.0.0", /reads schema 55.*--save-exact aws-cdk-lib@/],
  ['AWS007', 'ChangeSet [PipelineChange] does not exist (Service: AmazonCloudFormation; Status Code: 404; Error Code: ChangeSetNotFound; Request ID: X)', /flotilla retry --pipeline fleet Prod/],
  ['AWS008', 'ValidationError: Stack:arn:aws:cloudformation:eu-west-1:111111111111:stack/Api/1234 is in ROLLBACK_COMPLETE state and can not be updated.', /delete-stack --stack-name Api --region eu-west-1/],
  ['AWS009', 'Maximum policy size of 10240 bytes exceeded for role Pipeline-Role (Service: AmazonIdentityManagement; Status Code: 409; Error Code: LimitExceeded; Request ID: X)', /minimizePolicies/],
  ['AWS036', 'Resource handler returned message: "Policy arn:aws:iam::111111111111:policy/boundaries/workload does not exist or is not attachable. (Service: Iam, Status Code: 404)"', /create-policy --policy-name workload .*credentials of 111111111111/],
  ['AWS010', 'Error calling startBuild: Cannot have more than 1 builds in queue for the account (Service: AWSCodeBuild; Status Code: 400; Error Code: AccountLimitExceededException; Request ID: X)', /Service Quotas/],
  ['AWS011', 'Artifact [Synth_Output] exceeds max artifact size', /smaller/],
  ['AWS012', 'Failed to call UpdateProject, reason: Max buildspec length is 25600', /publishAssetsInParallel/],
  ['AWS013', "Pipeline stage 'Prod' has too many actions. There can only be up to 50 actions in a pipeline stage (Service: AWSCodePipeline; Status Code: 400; Error Code: InvalidStageDeclarationException; Request ID: X)", /split the wave/],
  ['AWS014', 'Export Net:Vpc cannot be deleted as it is in use by Api', /two deployments/],
  ['AWS014', 'Delete canceled. Cannot delete export Net:Vpc as it is in use by Api.', /two deployments/],
  ['AWS014', 'Some exports have changed!\n/cdk/exports/Api/vpc', /two deployments/],
  ['AWS014', 'Exports cannot be updated: \n/cdk/exports/Api/vpc', /two deployments/],
  ['AWS015', "Artifact Bucket must have a KMS Key to add cross-account action 'Deploy' (pipeline account: '999999999999', action account: '111111111111').", /crossAccountKeys/],
  ['AWS015', 'Pipeline stack which uses cross-environment actions must have an explicitly set account', /env: \{ account, region \}/],
  ['AWS016', 'Pipeline not created yet', /buildPipeline\(\) last/],
  ['AWS016', 'build() has already been called: can only call it once', /buildPipeline\(\) last/],
  ['AWS016', "You cannot depend on a stack in another stage: dependency cannot cross stage boundaries", /buildPipeline\(\) last/],
  ['AWS016', "Error: can't add Stages anymore after buildPipeline() has been called", /buildPipeline\(\) last/],
  ['AWS017', "Context lookups have been disabled. Make sure all necessary context is already in 'cdk.context.json' by running 'cdk synth' on a machine with sufficient AWS credentials and committing the result. Missing context keys: 'availability-zones:account=111111111111:region=eu-west-1'", /credentials of 111111111111/],
  ['AWS018', 'no matching base directory path found for cdk.out', /primaryOutputDirectory/],
  ['AWS019', 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?', /dockerEnabled/],
  ['AWS020', "No bucket named 'cdk-hnb659fds-assets-111111111111-eu-west-1'. Is account 111111111111 bootstrapped?", /bootstrap --pair 111111111111\/eu-west-1/],
  ['AWS020', "Bucket named 'cdk-hnb659fds-assets-111111111111-eu-west-1' exists, but we dont have access to it.", /bootstrap --pair 111111111111\/eu-west-1/],
  ['AWS020', "No ECR repository named 'cdk-hnb659fds-container-assets-111111111111-eu-west-1' in account 111111111111. Is this account bootstrapped?", /bootstrap --pair 111111111111\/eu-west-1/],
  ['AWS021', 'Role arn:aws:iam::111111111111:role/cdk-hnb659fds-cfn-exec-role-111111111111-us-east-1 is invalid or cannot be assumed', /bootstrap --pair 111111111111\/us-east-1/],
  ['AWS022', 'arn:aws:iam::999999999999:role/Pipeline is not authorized to perform AssumeRole on role arn:aws:iam::111111111111:role/cdk-hnb659fds-deploy-role-111111111111-us-east-1 (Service: AWSCodePipeline; Status Code: 400; Error Code: InvalidStructureException; Request ID: X)', /bootstrap --pair 111111111111\/us-east-1/],
  ['AWS023', 'InvalidChangeSetStatus: Cannot delete ChangeSet in status CREATE_IN_PROGRESS', /retry/],
  ['AWS024', 'Webhook could not be registered with GitHub. Error cause: Not found [StatusCode: 404, Body: {}]', /admin:repo_hook/],
  ['AWS024', 'Triggers for connection must reference a CodeStarSourceConnection action.', /CodeStarSourceConnection/],
  ['AWS025', 'ValidationError: Stack [Api] cannot be deleted while TerminationProtection is enabled', /--no-enable-termination-protection --stack-name Api/],
  ['AWS026', 'ApprovalAlreadyCompletedException: The approval action has already been approved or rejected.', /flotilla where/],
  ['AWS026', 'InvalidApprovalTokenException: Invalid approval token.', /flotilla where/],
  ['AWS027', 'Stack:arn:aws:cloudformation:eu-west-1:111111111111:stack/Api/1 is in UPDATE_ROLLBACK_FAILED state and can not be updated.', /continue-update-rollback/],
  ['AWS028', 'Throttling: Rate exceeded', /--concurrency/],
  ['AWS029', 'InvalidClientTokenId: The security token included in the request is invalid', /enable-region --region-name eu-west-1/],
  ['AWS030', 'ExpiredToken: The security token included in the request is expired', /aws sso login/],
  ['AWS031', 'AccessDenied: User: arn:aws:iam::111111111111:user/x is not authorized to perform: s3:CreateBucket with an explicit deny in a service control policy', /control policies/],
  ['AWS033', 'Resource handler returned message: "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for assets/a.zip. S3 Error Code: AccessDenied. S3 Error Message: User: arn:aws:sts::111111111111:assumed-role/cdk-greeter-cfn-exec-role-111111111111-ap-southeast-2/AWSCloudFormation is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::assets/a.zip" because no identity-based policy allows the s3:GetObject action"', /allows s3:GetObject among executionPolicies, then flotilla bootstrap --pair 111111111111\/ap-southeast-2$/],
  ['AWS034', 'LimitExceededException: Limit for stack has been exceeded', /Stack count/],
  ['AWS032', 'AccessDenied: User: arn:aws:iam::111111111111:user/x is not authorized to perform: cloudformation:DescribeStacks because no identity-based policy allows it', /--profile/],
];

describe('errors an operator meets', () => {
  it.each(CASES)('%s: %s', (code, text, fix) => {
    const found = explain(text, { pipeline: 'fleet', stage: 'Prod', region: 'eu-west-1' });
    expect(found).toMatchObject({ code, fix: expect.stringMatching(fix) as string });
    expect(found!.why.length).toBeGreaterThan(10);
  });

  it('all have a case here, and a code of their own', () => {
    const codes = KNOWN_ERRORS.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => !CASES.some(([one]) => one === code))).toEqual([]);
  });

  it('that only follow from a command that failed are not taken for the cause', () => {
    const upload = 'Phase context status code: CLIENT_ERROR Message: no matching base directory path found for cdk.out';
    expect(explain(upload)?.code).toBe('AWS018');
    expect(explain(`Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: npm test\n${upload}`)).toBeUndefined();
  });

  it('that nobody knows are told as they are', () => {
    expect(explain('something else')).toBeUndefined();
    expect(explained(new Error('something else'), 'do it')).toMatchObject({ code: 'AWS000', message: 'could not do it: something else' });
  });
});
