export { FlotillaError, type FlotillaErrorDetails } from './shared/errors.js';
export { version } from './version.js';
