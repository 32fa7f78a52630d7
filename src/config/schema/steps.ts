import * as z from 'zod';
import { accountId, arn, commands, environmentVariable, environmentVariables, region, secretName } from './names.js';

/** Network of builds: by VPC ID with its subnets, as CodeBuild wants them. Looking one up at synth would need credentials. */
const vpc = z.strictObject({
  id: z.string().regex(/^vpc-[0-9a-f]+$/, 'CFG019: must be the ID of a VPC'),
  subnets: z.array(z.string().regex(/^subnet-[0-9a-f]+$/, 'CFG019: must be the ID of a subnet')).min(1),
  securityGroups: z.array(z.string().regex(/^sg-[0-9a-f]+$/, 'CFG019: must be the ID of a security group')).optional(),
});

const dockerCredential = z.union([
  z.strictObject({ dockerHub: secretName }),
  z.strictObject({ registry: z.string().min(1), secret: secretName }),
  z.strictObject({ ecr: z.array(z.strictObject({ repository: z.string().min(2), account: accountId.optional(), region: region.optional() })).min(1) }),
]);

const cache = z.union([z.literal('local'), z.literal('none'), z.strictObject({ bucket: z.string().min(3), prefix: z.string().optional() })]);

/** How CodeBuild runs a step. What a step doesn't say comes from `pipeline.build`. */
export const buildSettings = z.strictObject({
  image: z.string().min(1).optional().meta({ description: 'Build image: a CodeBuild image such as aws/codebuild/standard:7.0, or any registry/image:tag' }),
  architecture: z.enum(['x86', 'arm']).optional().meta({ description: 'Processor; decides the default image' }),
  compute: z.enum(['small', 'medium', 'large', 'x2-large']).optional().meta({ description: 'Compute type of CodeBuild' }),
  privileged: z.boolean().optional().meta({ description: 'Docker inside the build' }),
  timeout: z.int().min(5).max(2160).optional().meta({ description: 'Minutes until a build is stopped, 5 to 2160' }),
  buildspec: z.record(z.string(), z.json()).optional().meta({ description: 'Partial buildspec, merged into the generated one' }),
  vpc: vpc.optional(),
  proxy: z.strictObject({ http: z.url().optional(), https: z.url().optional(), none: z.array(z.string()).optional() }).optional().meta({ description: 'Proxy of the builds' }),
  npm: z.strictObject({ registry: z.url(), token: secretName.optional(), scope: z.string().regex(/^@[a-z0-9-~][a-z0-9-._~]*$/, 'CFG034: must be an npm scope').optional() }).optional().meta({ description: 'Private npm registry' }),
  docker: z.array(dockerCredential).optional().meta({ description: 'Credentials of container registries' }),
  cache: cache.optional(),
  environment: environmentVariables.optional(),
  secrets: z.record(environmentVariable, secretName).optional().meta({ description: 'Environment variables filled from Secrets Manager: VARIABLE: secret name' }),
  policies: z.array(arn('iam')).optional().meta({ description: 'Managed policies of the builds’ roles' }),
});

/** A single step logs in to registries as its pipeline does. */
const { docker: _, ...stepSettings } = buildSettings.shape;

/** A build step: its commands, or those and settings of its own. */
export const step = z.union([commands, z.strictObject({ ...stepSettings, commands, install: z.array(z.string()).optional(), outputs: z.record(environmentVariable, z.string().regex(/^[^.\s]+\.[^.\s]+$/, 'CFG064: must be Stack.Output')).optional().meta({ description: 'Environment variables from stack outputs: VARIABLE: Stack.Output. Outputs declared on a stack are there by their own names' }) })]);

export const synth = z.union([
  commands,
  z.strictObject({
    ...stepSettings,
    commands,
    install: z.array(z.string()).optional(),
    directory: z.string().optional().meta({ description: 'Folder of the app inside the source' }),
    output: z.string().optional().meta({ description: 'Folder of the cloud assembly, from `directory`; default cdk.out' }),
  }),
]);

export type BuildSettings = z.infer<typeof buildSettings>;
export type Step = z.infer<typeof step>;
export type Synth = z.infer<typeof synth>;
