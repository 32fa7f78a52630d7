import type { Service } from '../kernel/service.js';
import { cloudformation } from './cloudformation/index.js';
import { iam } from './iam/index.js';
import { kms } from './kms/index.js';
import { s3 } from './s3/index.js';
import { sns } from './sns/index.js';
import { sqs } from './sqs/index.js';
import { ssm } from './ssm/index.js';
import { sts } from './sts/index.js';

/** Every service of the local cloud. A new one is a folder here and a line. */
export const services: readonly Service[] = [cloudformation, iam, kms, s3, sns, sqs, ssm, sts];
