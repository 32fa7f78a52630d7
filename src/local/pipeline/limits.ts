/** Quotas of CodePipeline (user guide, "Quotas in AWS CodePipeline"); one table, so that a report can compare against it. */
export const LIMITS = {
  stages: 50,
  actionsPerStage: 100,
  actionsPerPipeline: 1000,
  nameLength: 100,
  runOrder: 999,
  /** Characters of the value of an action configuration key. */
  configurationValue: 1000,
  environmentVariables: 10,
  configurationKeys: 50,
  parameterOverrides: 1024,
  approvalMinutes: { default: 7 * 24 * 60, least: 5, most: 86_400 },
  actionMinutes: { default: 60, cloudFormation: 3 * 24 * 60, lambda: 24 * 60, s3: 90, codeBuild: 36 * 60 },
  triggers: 50,
  pushFilters: 3,
  patterns: 8,
  variables: 50,
  commands: 50,
  cloudFormationInputBytes: 256 * 1024 * 1024,
  sourceBytes: 5 * 1024 * 1024 * 1024,
} as const;
