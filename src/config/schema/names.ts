import * as z from 'zod';

// One fleet is read in a process: writing parsers for it takes longer than it saves.
z.config({ jitless: true });

/**
 * Scalars of the fleet file. Each refusal carries a code of `src/config/codes.ts` in its message's head (`CFG012: …`), which the loader
 * takes apart; what zod itself refuses gets its code there.
 */

/** The 12 digits of an AWS account. YAML reads unquoted digits as a number, which loses leading zeros. */
export const accountId = z
  .string({ error: 'CFG012: must be a 12-digit string' })
  .regex(/^\d{12}$/, 'CFG012: must be a 12-digit string')
  .meta({ description: 'AWS account ID: 12 digits, quoted', examples: ['111111111111'] });

/** A region of the partition `aws`, `aws-cn` or `aws-us-gov`, by its code. */
export const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'CFG013: must be the code of a region')
  .meta({ description: 'Region code', examples: ['us-east-1', 'eu-west-1'] });

/** A name that becomes part of construct IDs and stack names: letters, digits and hyphens, a letter first. */
export const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, 'CFG014: must be letters, digits and hyphens, a letter first, at most 63')
  .meta({ description: 'Letters, digits and hyphens, a letter first' });

/** A name of CodePipeline's (stage, action, gate, pipeline): CodePipeline API reference, ActionDeclaration.name. */
export const actionName = z.string().regex(/^[A-Za-z0-9.@_-]{1,100}$/, 'CFG015: must be 1 to 100 letters, digits or .@_-');

export const arn = (service: string) =>
  z
    .string()
    .regex(new RegExp(`^arn:aws[a-z-]*:${service}:`), `CFG016: must be the ARN of ${service}`)
    .meta({ description: `ARN (${service})` });

/** Name or ARN of a secret in Secrets Manager. Its value never stands in the file. */
export const secretName = z
  .string()
  .regex(/^(arn:aws[a-z-]*:secretsmanager:\S+|[A-Za-z0-9/_+=.@-]{1,512})$/, 'CFG017: must be the name or ARN of a secret in Secrets Manager')
  .meta({ description: 'Name or ARN of a secret in Secrets Manager, never its value' });

export const commands = z.array(z.string().min(1)).min(1).meta({ description: 'Shell commands, one a line' });

export const environmentVariable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'CFG018: must be the name of an environment variable');

export const environmentVariables = z.record(environmentVariable, z.string());

export const tags = z.record(z.string().min(1).max(128), z.string().max(256)).meta({ description: 'Tags, by key' });

/** Any value; handed to the app as it stands. */
export const parameters = z.record(z.string(), z.json()).meta({ description: 'Parameters of any shape, handed to the app' });
