import type { Service } from '../kernel/service.js';

/** Every service of the local cloud. A new one is a folder here and a line. */
export const services: readonly Service[] = [];
