import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlotillaError } from '../../shared/errors.js';

/** What Flotilla reads of a `cdk.json`. */
export interface CdkSettings {
  /** The command that starts the app. */
  readonly app?: string;
  readonly toolkitStackName?: string;
}

/** The settings of a CDK app; none where the folder has no cdk.json. Raises OPS008 where it can't be read as an object of JSON, or a setting is no text. */
export function cdkSettings(folder: string): CdkSettings {
  const file = join(folder, 'cdk.json');
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  const settings = parsed(text, file);
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) throw refused(file, 'is no object', { fix: '{ "app": "npx tsx bin/app.ts" }' });
  for (const key of ['app', 'toolkitStackName'] as const) {
    const value = (settings as Record<string, unknown>)[key];
    if (value !== undefined && typeof value !== 'string') throw refused(file, `says of "${key}" what is no text`, { where: `${file}:${lineOf(text, text.indexOf(`"${key}"`))}`, fix: `"${key}": ${key === 'app' ? '"npx tsx bin/app.ts"' : '"CDKToolkit-acme"'}` });
  }
  return settings as CdkSettings;
}

/** The command that starts the app. Raises OPS009 where cdk.json doesn't name one, and what `cdkSettings` does. */
export function appCommand(folder: string): string {
  const { app } = cdkSettings(folder);
  if (app !== undefined && app.trim() !== '') return app;
  const file = join(folder, 'cdk.json');
  throw new FlotillaError('OPS009', `${file} doesn't say how the app is started`, { where: file, why: '"app" is missing: the CDK CLI could not synthesize it either', fix: '"app": "npx tsx bin/app.ts", with the command of your app', exitCode: 2 });
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const at = /at position (\d+)/.exec(said);
    throw refused(file, 'is not valid JSON', { where: `${file}:${lineOf(text, at ? Number(at[1]) : text.length)}`, why: said, fix: 'put it right there: JSON has no comments and no comma behind the last part' });
  }
}

/** `LINE:COLUMN` of an offset, both from 1. */
function lineOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
}

function refused(file: string, what: string, { where = file, why, fix }: { readonly where?: string; readonly why?: string; readonly fix: string }): FlotillaError {
  return new FlotillaError('OPS008', `${file} ${what}`, { where, why, fix, exitCode: 2 });
}
