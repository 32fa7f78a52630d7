import { tmpdir } from 'node:os';
import { parse } from 'yaml';
import { FlotillaError } from '../../shared/errors.js';
import { runCdk } from '../synth.js';

/** The bootstrap template of the CDK CLI that Flotilla pins. */
export interface BootstrapTemplate {
  readonly body: string;
  readonly version: number;
  /** Provenance; a stack of another variant is somebody's own. */
  readonly variant: string;
  /** Names of its parameters with their defaults. */
  readonly parameters: Readonly<Record<string, string>>;
}

let known: Promise<BootstrapTemplate> | undefined;

/** Asks the CLI for its template, once (`cdk bootstrap --show-template`); no credentials are read for it. */
export function bootstrapTemplate(): Promise<BootstrapTemplate> {
  known ??= readTemplate();
  return known;
}

async function readTemplate(): Promise<BootstrapTemplate> {
  const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('AWS_')));
  const body = await runCdk(['bootstrap', '--show-template'], 'BST009', 'cdk bootstrap --show-template', { cwd: tmpdir(), env: { ...env, CDK_DISABLE_CLI_TELEMETRY: 'true' }, emit: () => {} });
  return parseTemplate(body);
}

interface Document {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
  readonly Resources?: Readonly<Record<string, { readonly Properties?: Readonly<Record<string, unknown>> }>>;
}

/** Reads what Flotilla needs to know of the template. Raises BST009 when it isn't what the CLI ships. */
export function parseTemplate(body: string): BootstrapTemplate {
  const document = parse(body) as Document | null;
  const version = Number(document?.Resources?.['CdkBootstrapVersion']?.Properties?.['Value']);
  if (!document?.Parameters || !Number.isInteger(version)) throw new FlotillaError('BST009', 'the CDK CLI shows a bootstrap template that has no version', { why: 'the resource CdkBootstrapVersion is not there', fix: 'install Flotilla anew: it pins the CLI it was tested with' });
  const parameters = Object.fromEntries(Object.entries(document.Parameters).map(([name, { Default }]) => [name, String(Default ?? '')]));
  return { body, version, variant: parameters['BootstrapVariant'] ?? '', parameters };
}
