import type { ActionRunner } from '../runner.js';
import { approval } from './approval.js';
import { cloudformation } from './cloudformation.js';
import { codebuild } from './codebuild.js';
import { commands } from './commands.js';
import { lambda } from './lambda.js';
import { s3Deploy } from './s3-deploy.js';
import { codecommit, connection, ecr, github, s3 } from './sources.js';

export const runners: readonly ActionRunner[] = [codecommit, connection, github, s3, ecr, codebuild, commands, cloudformation, approval, lambda, s3Deploy];
