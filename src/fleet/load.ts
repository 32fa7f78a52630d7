import { checkConfig, loadConfig, type FleetInput } from '../config/index.js';
import type { Fleet } from './model.js';
import { examineFleet, resolveFleet } from './resolve.js';

export interface LoadOptions {
  /** Files laid over the first, in order: objects are merged, anything else replaced, null removes. */
  readonly overlays?: readonly string[];
}

/** Reads a fleet file, YAML or JSON. Synchronous. Raises FleetFileError (exit 2) with every mistake, each with its place. */
export function loadFleet(file: string, options: LoadOptions = {}): Fleet {
  return resolveFleet(loadConfig(file, options.overlays ?? [], (config) => examineFleet(config).mistakes));
}

/** A fleet written in code. Raises FleetFileError with every mistake. */
export function parseFleet(fleet: FleetInput): Fleet {
  return resolveFleet(checkConfig(fleet, (config) => examineFleet(config).mistakes));
}
