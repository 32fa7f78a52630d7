import { basename } from 'node:path';
import type { Command } from 'commander';
import { fleetFileIn, FLEET_FILES } from '../config/index.js';
import { FlotillaError } from '../shared/errors.js';

export interface FleetFileOptions {
  readonly overlay?: readonly string[];
}

/** Flags that say which of its forms an app is meant in. */
export interface AppOptions extends FleetFileOptions {
  readonly context?: readonly string[];
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** A command about the fleet file: `FILE`, and files laid over it. */
export function fleetFileCommand(program: Command, name: string, description: string): Command {
  return addOverlay(program.command(`${name} [file]`).description(description));
}

/** A command that synthesizes an app, or reads the fleet file that lies beside it. */
export function addAppOptions(command: Command): Command {
  return addContext(addOverlay(command));
}

function addOverlay(command: Command): Command {
  return command.option('--overlay <file>', 'laid over the fleet file; repeatable', collect);
}

export function addContext(command: Command): Command {
  return command.option('-c, --context <key=value>', 'context the app is synthesized with, as of cdk; repeatable', collect);
}

/** Context as it was given. Raises CLI018 where one is not KEY=VALUE. */
export function contextOf({ context = [] }: AppOptions): readonly string[] {
  const wrong = context.find((one) => !/^[^=]+=/.test(one));
  if (wrong !== undefined) throw new FlotillaError('CLI018', `--context '${wrong}' is not KEY=VALUE`, { fix: '--context stage=edge', exitCode: 2 });
  return context;
}

/** The fleet file of an app's folder. Raises CLI019 where there is none that the overlays could be laid over. */
export function fleetFileOfApp(app: string, { overlay = [] }: AppOptions): string | undefined {
  const file = fleetFileIn(app);
  if (file === undefined && overlay.length > 0) throw new FlotillaError('CLI019', `there is nothing to lay ${overlay.join(', ')} over`, { why: `no fleet file lies in ${app}`, fix: 'leave out --overlay, or name the folder of the app', exitCode: 2 });
  return file;
}

/** Raises CLI019 where an app's flags are given to a command that looks at no app. */
export function refuseAppOptions({ overlay = [], context = [] }: AppOptions, instead: string): void {
  const given = [...(overlay.length > 0 ? ['--overlay'] : []), ...(context.length > 0 ? ['--context'] : [])].join(' and ');
  if (given !== '') throw new FlotillaError('CLI019', `${given} and ${instead} exclude each other`, { why: `with ${instead} no app is synthesized and no fleet file read`, fix: `leave out ${given}, or use --app FOLDER instead of ${instead}`, exitCode: 2 });
}

/** The flags of an app again, for a command that is advised. */
export function appFlags({ overlay = [], context = [] }: AppOptions): string {
  return [...overlay.map((file) => ` --overlay ${file}`), ...context.map((one) => ` --context '${one}'`)].join('');
}

/** The file that was named, or the one of the working folder. Raises CLI010. */
export function fleetFileOf(given: string | undefined): string {
  const file = given ?? fleetFileIn('.');
  if (file === undefined) throw new FlotillaError('CLI010', 'there is no fleet file here', { why: `none of ${FLEET_FILES.map((name) => basename(name)).join(', ')} exists`, fix: 'name one, or write one with flotilla init', exitCode: 2 });
  return file;
}
