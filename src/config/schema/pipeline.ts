import * as z from 'zod';
import { accountId, actionName, arn, name, region, tags } from './names.js';
import { source } from './source.js';
import { buildSettings, synth } from './steps.js';

const artifacts = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9.-]{3,63}$/, 'CFG030: must be the name of a bucket').optional().meta({ description: 'A bucket that exists, shared with other pipelines; without it the pipeline owns one' }),
  key: arn('kms').optional().meta({ description: 'A key that exists; without it the pipeline owns one' }),
  expireAfter: z.int().min(1).max(3650).optional().meta({ description: 'Days until artifacts expire; default 90' }),
  templatesOnly: z.boolean().optional().meta({ description: 'Deploy from an artifact of templates alone, for assemblies beyond CodePipeline’s 256 MB' }),
});

/** Settings of a pipeline; all optional and without defaults here, so that `pipelines.NAME` overrides nothing it doesn't say. */
export const pipelineSettings = z.strictObject({
  name: actionName.optional().meta({ description: 'Name of the pipeline; changing it changes nothing else' }),
  account: accountId.optional().meta({ description: 'Account of the pipeline (CI/CD account)' }),
  region: region.optional(),
  source: source.optional(),
  inputs: z.record(z.string().min(1), source).optional().meta({ description: 'Further sources, by the folder they are put into for the synth step' }),
  synth: synth.optional(),
  build: buildSettings.optional().meta({ description: 'Settings of all builds of the pipeline' }),
  type: z.enum(['V1', 'V2']).optional(),
  executionMode: z.enum(['superseded', 'queued', 'parallel']).optional(),
  selfMutation: z.boolean().optional().meta({ description: 'UpdatePipeline stage; on by default' }),
  restartOnUpdate: z.boolean().optional(),
  preflight: z.boolean().optional().meta({ description: 'Check every target’s bootstrap at the end of Synth; on by default' }),
  assets: z.strictObject({ batch: z.boolean().optional().meta({ description: 'One action publishes all assets; on by default' }) }).optional(),
  artifacts: artifacts.optional(),
  changeSets: z.boolean().optional().meta({ description: 'Prepare a change set and execute it, as two actions a stack. Off by default: one action, which a retry can repeat' }),
  terminationProtection: z.boolean().optional().meta({ description: 'Of the pipeline’s own stack' }),
  tags: tags.optional(),
});

/** One pipeline of several: what differs from `pipeline`, and which environments it deploys to. */
export const namedPipeline = z.strictObject({
  ...pipelineSettings.shape,
  branch: z.string().min(1).max(255).optional().meta({ description: 'Branch, where only that differs from the source of `pipeline`' }),
  environments: z.array(name).min(1).meta({ description: 'Environments this pipeline deploys to' }),
});

export type PipelineSettings = z.infer<typeof pipelineSettings>;
export type NamedPipeline = z.infer<typeof namedPipeline>;
