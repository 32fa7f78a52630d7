import { LineCounter, parseDocument } from 'yaml';
import { AwsError } from '../kernel/error.js';

export const PHASES = ['install', 'pre_build', 'build', 'post_build'] as const;
export type PhaseName = (typeof PHASES)[number];

/** A buildspec of version 0.2 (CodeBuild user guide, "Build specification reference"). */
export interface Buildspec {
  readonly shell: 'sh' | 'bash';
  readonly variables: Readonly<Record<string, string>>;
  readonly parameterStore: Readonly<Record<string, string>>;
  readonly secretsManager: Readonly<Record<string, string>>;
  readonly exported: readonly string[];
  readonly phases: Readonly<Partial<Record<PhaseName, Phase>>>;
  readonly artifacts: Artifacts | undefined;
  readonly secondaryArtifacts: Readonly<Record<string, Artifacts>>;
  readonly cachePaths: readonly string[];
  readonly reports: Readonly<Record<string, Report>>;
  /** What was asked for and is passed over, for the log. */
  readonly ignored: readonly string[];
}

export interface Phase {
  readonly commands: readonly string[];
  readonly finally: readonly string[];
  /** Undefined: as the phases follow each other, a failed build included in post_build. */
  readonly onFailure: 'ABORT' | 'CONTINUE' | undefined;
  readonly runtimeVersions: Readonly<Record<string, string>>;
}

export interface Artifacts {
  readonly files: readonly string[];
  readonly excludePaths: readonly string[];
  readonly baseDirectory: string | undefined;
  readonly discardPaths: boolean;
  readonly name: string | undefined;
  readonly followLinks: boolean;
}

export interface Report {
  readonly files: readonly string[];
  readonly baseDirectory: string | undefined;
  readonly discardPaths: boolean;
  /** In capitals: case makes no difference. */
  readonly format: string;
}

const TOP = ['version', 'env', 'phases', 'artifacts', 'cache', 'reports', 'proxy', 'run-as', 'batch'];

/** Reads a buildspec. Raises YAML_FILE_ERROR with CodeBuild's kind of sentence, naming the key and, for syntax, the line. */
export function parseBuildspec(text: string): Buildspec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const problem = document.errors[0];
  if (problem) throw invalid(`${problem.message.split('\n')[0]} (line ${lines.linePos(problem.pos[0]).line})`);
  const root = document.toJS() as unknown;
  if (!isMap(root)) throw invalid('Invalid buildspec: it is not a mapping');
  known(root, TOP, '');
  const version = String(root['version'] ?? '');
  if (version !== '0.2' && version !== '0.1') throw invalid(version === '' ? 'invalid buildspec: missing version' : `invalid buildspec: unsupported version '${version}'`);
  if (root['batch'] !== undefined) throw unsupported('batch builds (batch)');
  if (root['run-as'] !== undefined && root['run-as'] !== 'root') throw unsupported('another user (run-as)');
  const env = map(root['env'], 'env');
  known(env, ['shell', 'variables', 'parameter-store', 'secrets-manager', 'exported-variables', 'git-credential-helper'], 'env');
  const phases = map(root['phases'], 'phases');
  known(phases, PHASES, 'phases');
  const artifacts = root['artifacts'] === undefined ? undefined : map(root['artifacts'], 'artifacts');
  const secondary = artifacts?.['secondary-artifacts'] === undefined ? {} : map(artifacts['secondary-artifacts'], 'artifacts.secondary-artifacts');
  const cache = map(root['cache'], 'cache');
  known(cache, ['paths', 'key', 'fallback-keys', 'action'], 'cache');
  const shell = String(env['shell'] ?? 'sh');
  if (shell !== 'sh' && shell !== 'bash') throw unsupported(`the shell '${shell}' (env.shell)`);
  return {
    shell,
    variables: strings(env['variables'], 'env.variables'),
    parameterStore: strings(env['parameter-store'], 'env.parameter-store'),
    secretsManager: strings(env['secrets-manager'], 'env.secrets-manager'),
    exported: list(env['exported-variables'], 'env.exported-variables'),
    phases: Object.fromEntries(PHASES.filter((name) => phases[name] !== undefined && phases[name] !== null).map((name) => [name, phase(map(phases[name], `phases.${name}`), name)])),
    artifacts: artifacts && (artifacts['files'] !== undefined || Object.keys(secondary).length === 0) ? artifact(artifacts, 'artifacts') : undefined,
    secondaryArtifacts: Object.fromEntries(Object.entries(secondary).map(([name, value]) => [name, artifact(map(value, `artifacts.secondary-artifacts.${name}`), `artifacts.secondary-artifacts.${name}`)])),
    cachePaths: list(cache['paths'], 'cache.paths'),
    reports: Object.fromEntries(Object.entries(map(root['reports'], 'reports')).map(([name, value]) => [name, report(map(value, `reports.${name}`), name)])),
    ignored: [...(root['proxy'] === undefined ? [] : ['proxy']), ...(env['git-credential-helper'] === undefined ? [] : ['env.git-credential-helper'])],
  };
}

function phase(value: Record<string, unknown>, name: string): Phase {
  known(value, ['commands', 'finally', 'on-failure', 'runtime-versions', 'run-as', 'steps'], `phases.${name}`);
  if (value['run-as'] !== undefined && value['run-as'] !== 'root') throw unsupported(`another user (phases.${name}.run-as)`);
  if (value['steps'] !== undefined) throw unsupported(`steps (phases.${name}.steps)`);
  const onFailure = value['on-failure'] === undefined ? undefined : String(value['on-failure']).toUpperCase();
  if (onFailure !== undefined && onFailure !== 'ABORT' && onFailure !== 'CONTINUE') throw unsupported(`on-failure '${String(value['on-failure'])}' (phases.${name})`);
  return { commands: list(value['commands'], `phases.${name}.commands`), finally: list(value['finally'], `phases.${name}.finally`), onFailure, runtimeVersions: strings(value['runtime-versions'], `phases.${name}.runtime-versions`) };
}

function artifact(value: Record<string, unknown>, path: string): Artifacts {
  known(value, ['files', 'name', 'discard-paths', 'base-directory', 'exclude-paths', 'enable-symlinks', 's3-prefix', 'secondary-artifacts'], path);
  return {
    files: list(value['files'], `${path}.files`),
    excludePaths: list(value['exclude-paths'], `${path}.exclude-paths`),
    baseDirectory: value['base-directory'] === undefined ? undefined : String(value['base-directory']),
    discardPaths: yes(value['discard-paths']),
    name: value['name'] === undefined ? undefined : String(value['name']),
    followLinks: !yes(value['enable-symlinks']),
  };
}

function report(value: Record<string, unknown>, name: string): Report {
  known(value, ['files', 'base-directory', 'discard-paths', 'file-format'], `reports.${name}`);
  return { files: list(value['files'], `reports.${name}.files`), baseDirectory: value['base-directory'] === undefined ? undefined : String(value['base-directory']), discardPaths: yes(value['discard-paths']), format: String(value['file-format'] ?? 'JUNITXML').toUpperCase() };
}

function yes(value: unknown): boolean {
  return value === true || value === 'yes' || value === 'true';
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function map(value: unknown, path: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (!isMap(value)) throw invalid(`invalid buildspec: ${path} must be a mapping`);
  return value;
}

function strings(value: unknown, path: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(map(value, path)).map(([key, entry]) => {
      if (typeof entry === 'object' && entry !== null) throw invalid(`invalid buildspec: ${path}.${key} must be text`);
      return [key, entry === null ? '' : String(entry)];
    }),
  );
}

function list(value: unknown, path: string): string[] {
  if (value === undefined || value === null) return [];
  const items = Array.isArray(value) ? value : [value];
  return items.map((item, i) => {
    if (typeof item === 'object' && item !== null) throw invalid(`invalid buildspec: Expected ${path}[${i}] to be of string type: found subkeys instead at line, value of the key tag on line might be empty`);
    return String(item ?? '');
  });
}

function known(value: Record<string, unknown>, keys: readonly string[], path: string): void {
  for (const key of Object.keys(value)) if (!keys.includes(key)) throw invalid(`invalid buildspec: unknown key '${path === '' ? key : `${path}.${key}`}'`);
}

function invalid(message: string): AwsError {
  return new AwsError('YAML_FILE_ERROR', message, { status: 400 });
}

function unsupported(what: string): AwsError {
  return new AwsError('YAML_FILE_ERROR', `The local cloud does not run ${what} of a buildspec`, { status: 400 });
}
