export { defineFleet, type FleetInput } from '../config/index.js';
export { Fleet, type FleetOptions, type ParameterSchema, type Parameters, type StageTarget } from './fleet.js';
export { PipelineStack } from './pipeline-stack.js';
export { pinnedTools, type PinnedTools } from './tools.js';
