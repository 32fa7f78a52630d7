export { checkConfig, loadConfig, readConfig, type Check, type FleetText } from './load.js';
export { deepMerge } from './merge.js';
export { FleetFileError, printProblem, refuse, type Mistake, type Path, type Problem } from './mistake.js';
export type { FleetConfig, FleetInput, Notify, PipelineEvent } from './schema/fleet.js';
export type { Environment, BootstrapSettings } from './schema/environment.js';
export type { NamedPipeline, PipelineSettings } from './schema/pipeline.js';
export type { Source } from './schema/source.js';
export type { BuildSettings, Step, Synth } from './schema/steps.js';
