import { basename } from 'node:path';
import type { Command } from 'commander';
import { fleetFileIn, FLEET_FILES } from '../config/index.js';
import { FlotillaError } from '../shared/errors.js';

export interface FleetFileOptions {
  readonly overlay?: readonly string[];
}

/** A command about the fleet file: `FILE`, and files laid over it. */
export function fleetFileCommand(program: Command, name: string, description: string): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  return program.command(`${name} [file]`).description(description).option('--overlay <file>', 'laid over the fleet file; repeatable', collect);
}

/** The file that was named, or the one of the working folder. Raises CLI010. */
export function fleetFileOf(given: string | undefined): string {
  const file = given ?? fleetFileIn('.');
  if (file === undefined) throw new FlotillaError('CLI010', 'there is no fleet file here', { why: `none of ${FLEET_FILES.map((name) => basename(name)).join(', ')} exists`, fix: 'name one, or write one with flotilla init', exitCode: 2 });
  return file;
}
