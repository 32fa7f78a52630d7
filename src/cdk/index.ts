export { pinnedTools, type PinnedTools } from './tools.js';
