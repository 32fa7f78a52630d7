import * as z from 'zod';
import { arn, secretName } from './names.js';

const branch = z.string().min(1).max(255).default('main').meta({ description: 'Branch that is followed' });
/** CodePipeline, GitFilePathFilterCriteria: at most 8 patterns a list. */
const paths = z.array(z.string().min(1)).max(8, 'CFG031: has more than the 8 patterns CodePipeline takes').overwrite((all) => [...new Set(all)]).optional().meta({ description: 'Only commits that change such paths start the pipeline' });
const repositoryOf = (host: string) => z.string().regex(/^[^\s/]+(\/[^\s/]+)+$/, `CFG030: must be OWNER/REPOSITORY of ${host}`);
const connection = arn('code(connections|star-connections)');
/** Whole clone with history instead of the archive of a commit. */
const clone = z.boolean().default(false).meta({ description: 'Hand a full git clone to the build, with history' });

const codecommit = z.strictObject({ codecommit: z.string().regex(/^[\w.-]{1,100}$/, 'CFG030: must be the name of a CodeCommit repository'), branch, paths, clone, create: z.boolean().default(false).meta({ description: 'Create the repository with the pipeline' }) });
const github = z.strictObject({ github: repositoryOf('GitHub'), branch, paths, connection: connection.optional(), token: secretName.optional(), clone });
const bitbucket = z.strictObject({ bitbucket: repositoryOf('Bitbucket'), branch, paths, connection, clone });
const gitlab = z.strictObject({ gitlab: repositoryOf('GitLab'), branch, paths, connection, clone });
const s3 = z.strictObject({ s3: z.string().regex(/^[a-z0-9.-]{3,63}$/, 'CFG030: must be the name of a bucket'), key: z.string().min(1), poll: z.boolean().default(false).meta({ description: 'Poll instead of following events' }) });
const ecr = z.strictObject({ ecr: z.string().min(2).max(256), tag: z.string().default('latest') });

/** Where a pipeline's commits come from; the first key says which provider. */
export const source = z.union([codecommit, github, bitbucket, gitlab, s3, ecr]).meta({ description: 'Source: one of codecommit, github, bitbucket, gitlab, s3, ecr' });

/** Keys that name a provider, for telling which form a mistaken source was meant to be. */
export const sourceForms = { codecommit, github, bitbucket, gitlab, s3, ecr } as const;

export type Source = z.infer<typeof source>;
