import type { Service } from '../kernel/service.js';
import { s3 } from './s3/index.js';

/** Every service of the local cloud. A new one is a folder here and a line. */
export const services: readonly Service[] = [s3];
