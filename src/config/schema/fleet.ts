import * as z from 'zod';
import { bootstrap, environment } from './environment.js';
import { arn, name, parameters, region, tags } from './names.js';
import { namedPipeline, pipelineSettings } from './pipeline.js';

/** Events of a pipeline that notifications may be about (CodeStar Notifications, event types of pipelines). */
const pipelineEvent = z.enum(['started', 'succeeded', 'failed', 'canceled', 'superseded', 'resumed', 'approval-needed', 'approval-failed', 'approval-succeeded', 'action-failed', 'stage-failed']);

const notify = z.strictObject({
  email: z.array(z.email('CFG022: must be an e-mail address')).min(1).optional(),
  topic: arn('sns').optional().meta({ description: 'A topic that exists, instead of one of the pipeline’s own' }),
  slack: z
    .union([
      z.strictObject({
        workspace: z.string().regex(/^T[A-Z0-9]{8,}$/, 'CFG023: must be the ID of a Slack workspace'),
        channel: z.string().regex(/^[CG][A-Z0-9]{8,}$/, 'CFG023: must be the ID of a Slack channel'),
        name: z.string().regex(/^[\w-]{1,128}$/, 'CFG023: must be the name of a chat configuration').optional().meta({ description: 'Name of the channel’s configuration' }),
      }),
      z.strictObject({ configuration: arn('chatbot').meta({ description: 'A channel’s configuration that exists: an account has one for each channel' }) }),
    ])
    .optional(),
  events: z.array(pipelineEvent).min(1).optional().meta({ description: 'Default: failed, succeeded, approval-needed' }),
  security: arn('sns').optional().meta({ description: 'Topic of security changes; without it the permission gates own one' }),
});

/** The whole fleet file. */
export const fleetFile = z.strictObject({
  $schema: z.string().optional(),
  fleet: name.meta({ description: 'Name of the fleet: part of the pipeline stack’s name, and a tag of every stack' }),
  pipeline: pipelineSettings.optional(),
  pipelines: z.record(name, namedPipeline).optional().meta({ description: 'Several pipelines: what differs from `pipeline`, by name' }),
  environments: z.record(name, environment).meta({ description: 'Environments in the order they are deployed' }),
  parameters: parameters.optional(),
  bootstrap: bootstrap.optional(),
  permissionsBoundary: z.string().min(1).optional(),
  terminationProtection: z.boolean().optional(),
  notify: notify.optional(),
  tags: tags.optional(),
  newRegions: z.array(region).optional().meta({ description: 'Regions that AWS has opened since this version of Flotilla' }),
  quotas: z.record(z.string(), z.int().positive()).optional().meta({ description: 'Quotas of your accounts where they differ from the defaults, by name' }),
});

/** A fleet as a person writes it. */
export type FleetInput = z.input<typeof fleetFile>;
/** The same with every default filled in. */
export type FleetConfig = z.output<typeof fleetFile>;
export type Notify = z.infer<typeof notify>;
export type PipelineEvent = z.infer<typeof pipelineEvent>;
