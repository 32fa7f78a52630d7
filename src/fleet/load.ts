import { checkConfig, inspectConfig, loadConfig, type FleetInput, type Problem } from '../config/index.js';
import type { Fleet } from './model.js';
import { examineFleet, resolveFleet } from './resolve.js';

export interface LoadOptions {
  /** Files laid over the first, in order: objects are merged, anything else replaced, null removes. */
  readonly overlays?: readonly string[];
}

/**
 * Reads a fleet file: YAML, JSON, or a program (flotilla.config.ts). Synchronous. Raises FleetFileError (exit 2) with every mistake, each
 * with its place; CFG025 when a program fails.
 */
export function loadFleet(file: string, options: LoadOptions = {}): Fleet {
  return resolveFleet(loadConfig(file, options.overlays ?? [], (config) => examineFleet(config).mistakes));
}

/** As `loadFleet`, with what is allowed but looks wrong. */
export function inspectFleet(file: string, options: LoadOptions = {}): { readonly fleet: Fleet; readonly warnings: readonly Problem[] } {
  const { config, warnings } = inspectConfig(file, options.overlays ?? [], (parsed) => examineFleet(parsed).mistakes);
  return { fleet: resolveFleet(config), warnings };
}

/** A fleet written in code. Raises FleetFileError with every mistake. */
export function parseFleet(fleet: FleetInput): Fleet {
  return resolveFleet(checkConfig(fleet, (config) => examineFleet(config).mistakes));
}
