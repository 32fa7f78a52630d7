import * as z from 'zod';
import { accountId, actionName, arn, environmentVariables, name, parameters, region, tags } from './names.js';
import { step } from './steps.js';

/** How the pairs of an environment are bootstrapped, and therefore which roles deploy there. */
export const bootstrap = z.strictObject({
  qualifier: z.string().regex(/^[A-Za-z0-9_-]{1,10}$/, 'CFG020: must be 1 to 10 letters, digits, hyphens or underscores').optional(),
  toolkitStackName: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'CFG021: must be the name of a stack').optional(),
  executionPolicies: z.array(arn('iam')).optional().meta({ description: 'Managed policies of CloudFormation’s execution role' }),
  trust: z.array(accountId).optional().meta({ description: 'Accounts that may deploy, besides the pipeline’s' }),
  trustForLookup: z.array(accountId).optional(),
  permissionsBoundary: z.string().min(1).optional().meta({ description: 'Managed policy that bounds the execution role, by name' }),
  kms: z.union([z.boolean(), arn('kms')]).optional().meta({ description: 'true: a key of its own for the asset bucket; or the ARN of one' }),
  terminationProtection: z.boolean().optional(),
  tags: tags.optional(),
});

const regionEntry = z.union([region, z.strictObject({ region, enabled: z.boolean().default(true), parameters: parameters.optional(), stage: z.string().optional() })]);
const accountEntry = z.union([accountId, z.strictObject({ account: accountId, enabled: z.boolean().default(true), parameters: parameters.optional(), bootstrap: bootstrap.optional(), regions: z.array(regionEntry).min(1).optional() })]);

const approval = z.union([z.boolean(), actionName, z.strictObject({ name: actionName.optional(), comment: z.string().max(1000).optional(), notify: arn('sns').optional(), timeout: z.int().min(5).max(86_400).optional().meta({ description: 'Minutes until the approval expires' }) })]);

const gates = z.strictObject({
  approval: approval.optional().meta({ description: 'Manual approval before the environment: true, or its name' }),
  permissions: z.union([z.literal('broadened'), z.literal('none'), z.strictObject({ when: z.literal('broadened'), notify: arn('sns').optional(), approve: z.boolean().default(true) })]).optional().meta({ description: 'A person confirms a deployment that broadens permissions' }),
  every: z.enum(['environment', 'wave']).default('environment').meta({ description: 'Once before the environment, or before each wave of its rollout' }),
});

const rollout = z.union([z.literal('parallel'), z.literal('one-by-one'), z.strictObject({ waves: z.array(z.array(region).min(1)).min(1) })]);

/** A stack of hand-written CloudFormation. */
const templateStack = z.union([z.string().min(1), z.strictObject({ template: z.string().min(1), parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(), dependsOn: z.array(z.string()).optional() })]);

export const environment = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'false: stays in the file, nothing is deployed' }),
  account: accountId.optional(),
  accounts: z.array(accountEntry).min(1).optional(),
  region: regionEntry.optional(),
  regions: z.array(regionEntry).min(1).optional(),
  stage: z.string().optional().meta({ description: 'Name of the stages: {Environment}, {environment}, {account} and {region} are filled in' }),
  regionsIn: z.enum(['stages', 'stacks']).default('stages').meta({ description: 'A stage for each region, or one stage whose stacks lie in the regions' }),
  parameters: parameters.optional(),
  gates: gates.optional(),
  before: z.record(actionName, step).optional().meta({ description: 'Steps before a deployment, by name' }),
  verify: z.record(actionName, step).optional().meta({ description: 'Tests after each stage, by name' }),
  rollout: rollout.default('parallel'),
  wave: name.optional().meta({ description: 'Environments of one name share one wave' }),
  templates: z.record(z.string(), templateStack).optional().meta({ description: 'Stacks from hand-written CloudFormation, by name' }),
  dependsOn: z.record(z.string(), z.array(z.string()).min(1)).optional().meta({ description: 'Order of stacks inside a stage: STACK: [stacks deployed before it]' }),
  bootstrap: bootstrap.optional(),
  permissionsBoundary: z.string().min(1).optional().meta({ description: 'Managed policy that bounds every role of the stacks, by name' }),
  terminationProtection: z.boolean().optional(),
  tags: tags.optional(),
  environment: environmentVariables.optional().meta({ description: 'Environment variables of the environment’s steps' }),
});

export type Environment = z.infer<typeof environment>;
export type BootstrapSettings = z.infer<typeof bootstrap>;
