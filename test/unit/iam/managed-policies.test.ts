import { describe, expect, it } from 'vitest';
import { compilePolicy, validatePolicy } from '../../../src/local/iam/index.js';
import { awsManagedPolicies } from '../../../src/local/services/iam/aws-managed.js';

describe('policies that AWS manages', () => {
  it('can all be evaluated and would pass IAM’s own check', () => {
    const broken = awsManagedPolicies().flatMap(({ arn, versions }) => {
      const { document } = versions[0]!;
      const problem = compilePolicy(document).error ?? validatePolicy(document, 'identity');
      return problem === undefined ? [] : [`${arn}: ${problem}`];
    });
    expect(broken).toEqual([]);
  });

  it('include those that CDK names', () => {
    const arns = new Set(awsManagedPolicies().map(({ arn }) => arn));
    for (const name of CDK) expect(arns).toContain(`arn:aws:iam::aws:policy/${name}`);
  });
});

/** What aws-cdk-lib 2.276 and the CLI's bootstrap template name. */
const CDK = [
  'AdministratorAccess',
  'AWSCodeDeployRoleForECS',
  'AWSLambdaManagedEC2ResourceOperator',
  'AWSServiceCatalogAdminFullAccess',
  'AmazonEC2ContainerRegistryPullOnly',
  'AmazonEC2ContainerRegistryReadOnly',
  'AmazonECSInfrastructureRolePolicyForLoadBalancers',
  'AmazonECSInfrastructureRolePolicyForManagedInstances',
  'AmazonEKSClusterPolicy',
  'AmazonEKSFargatePodExecutionRolePolicy',
  'AmazonEKSWorkerNodePolicy',
  'AmazonEKS_CNI_Policy',
  'AmazonElasticContainerRegistryPublicReadOnly',
  'AmazonSSMManagedInstanceCore',
  'AmazonSageMakerFullAccess',
  'CloudWatchLambdaInsightsExecutionRolePolicy',
  'ReadOnlyAccess',
  'service-role/AWSAppSyncPushToCloudWatchLogs',
  'service-role/AWSBackupServiceRolePolicyForBackup',
  'service-role/AWSBackupServiceRolePolicyForRestores',
  'service-role/AWSBatchServiceRole',
  'service-role/AWSCodeDeployRole',
  'service-role/AWSCodeDeployRoleForLambdaLimited',
  'service-role/AWSConfigRulesExecutionRole',
  'service-role/AWSLambdaBasicDurableExecutionRolePolicy',
  'service-role/AWSLambdaBasicExecutionRole',
  'service-role/AWSLambdaMSKExecutionRole',
  'service-role/AWSLambdaVPCAccessExecutionRole',
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs',
  'service-role/AmazonEC2ContainerServiceforEC2Role',
  'service-role/AmazonECSInfrastructureRolePolicyForVolumes',
  'service-role/AmazonEMRServicePolicy_v2',
  'service-role/AmazonElasticMapReduceRole',
  'service-role/AmazonElasticMapReduceforAutoScalingRole',
  'service-role/AmazonRDSDirectoryServiceAccess',
  'service-role/AmazonRDSEnhancedMonitoringRole',
];
