import type { Service } from '../kernel/service.js';
import { kms } from './kms/index.js';
import { s3 } from './s3/index.js';
import { ssm } from './ssm/index.js';

/** Every service of the local cloud. A new one is a folder here and a line. */
export const services: readonly Service[] = [kms, s3, ssm];
