/** What the service knows of an action provider (user guide, "Action structure reference"). */
export interface Provider {
  readonly category: string;
  readonly owner: string;
  readonly provider: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly secret?: readonly string[];
  readonly inputs: readonly [least: number, most: number];
  readonly outputs: readonly [least: number, most: number];
  /** Providers that are set up per account may have configuration of their own. */
  readonly minutes: number;
}

const HOUR = 60;

const KNOWN: readonly Provider[] = [
  source('AWS', 'CodeCommit', ['RepositoryName', 'BranchName'], ['PollForSourceChanges', 'OutputArtifactFormat']),
  source('AWS', 'CodeStarSourceConnection', ['ConnectionArn', 'FullRepositoryId', 'BranchName'], ['OutputArtifactFormat', 'DetectChanges']),
  source('AWS', 'S3', ['S3Bucket', 'S3ObjectKey'], ['PollForSourceChanges', 'AllowOverrideForS3ObjectKey']),
  source('AWS', 'ECR', ['RepositoryName'], ['ImageTag']),
  { ...source('ThirdParty', 'GitHub', ['Owner', 'Repo', 'Branch', 'OAuthToken'], ['PollForSourceChanges']), secret: ['OAuthToken'] },
  {
    category: 'Build', owner: 'AWS', provider: 'CodeBuild', required: ['ProjectName'], optional: ['PrimarySource', 'EnvironmentVariables', 'BatchEnabled', 'CombineArtifacts', 'BuildspecOverride'], inputs: [0, 5], outputs: [0, 5], minutes: 36 * HOUR,
  },
  {
    category: 'Test', owner: 'AWS', provider: 'CodeBuild', required: ['ProjectName'], optional: ['PrimarySource', 'EnvironmentVariables', 'BatchEnabled', 'CombineArtifacts', 'BuildspecOverride'], inputs: [0, 5], outputs: [0, 5], minutes: 36 * HOUR,
  },
  { category: 'Compute', owner: 'AWS', provider: 'Commands', required: [], optional: [], inputs: [0, 10], outputs: [0, 1], minutes: 55 },
  {
    category: 'Deploy', owner: 'AWS', provider: 'CloudFormation', required: ['ActionMode', 'StackName'],
    optional: ['ChangeSetName', 'TemplatePath', 'TemplateConfiguration', 'Capabilities', 'RoleArn', 'ParameterOverrides', 'OutputFileName'], inputs: [0, 10], outputs: [0, 1], minutes: 72 * HOUR,
  },
  { category: 'Deploy', owner: 'AWS', provider: 'S3', required: ['BucketName', 'Extract'], optional: ['ObjectKey', 'KMSEncryptionKeyARN', 'CannedACL', 'CacheControl'], inputs: [1, 1], outputs: [0, 0], minutes: 90 },
  { category: 'Invoke', owner: 'AWS', provider: 'Lambda', required: ['FunctionName'], optional: ['UserParameters'], inputs: [0, 5], outputs: [0, 5], minutes: 24 * HOUR },
  {
    category: 'Approval', owner: 'AWS', provider: 'Manual', required: [], optional: ['NotificationArn', 'CustomData', 'ExternalEntityLink', 'ApprovalSummary'], inputs: [0, 0], outputs: [0, 0], minutes: 7 * 24 * HOUR,
  },
];

function source(owner: string, provider: string, required: readonly string[], optional: readonly string[]): Provider {
  return { category: 'Source', owner, provider, required, optional, inputs: [0, 0], outputs: [1, 1], minutes: HOUR };
}

/** Providers AWS has and the local cloud doesn't run: refused by name, so that nobody takes silence for success. */
const NOT_HERE: ReadonlySet<string> = new Set([
  'Deploy/CodeDeploy', 'Deploy/ECS', 'Deploy/CodeDeployToECS', 'Deploy/ElasticBeanstalk', 'Deploy/OpsWorks', 'Deploy/AppConfig', 'Deploy/ServiceCatalog', 'Deploy/AlexaSkillsKit', 'Deploy/EC2', 'Deploy/EKS',
  'Deploy/CloudFormationStackSet', 'Deploy/CloudFormationStackInstances', 'Invoke/StepFunctions', 'Invoke/CodePipeline', 'Invoke/InspectorScan', 'Build/ECRBuildAndPublish', 'Build/Jenkins', 'Test/Jenkins', 'Test/DeviceFarm',
]);

export function findProvider(type: { category: string; owner: string; provider: string }): Provider | undefined {
  return KNOWN.find((known) => known.category === type.category && known.owner === type.owner && known.provider === type.provider);
}

export function isKnownElsewhere(type: { category: string; provider: string }): boolean {
  return NOT_HERE.has(`${type.category}/${type.provider}`);
}

export function providers(): readonly Provider[] {
  return KNOWN;
}
