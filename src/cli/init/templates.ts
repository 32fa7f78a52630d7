import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { FlotillaError } from '../../shared/errors.js';
import { nearest } from '../../shared/suggest.js';

/** Apps that `flotilla init` writes: the examples of this project, by name, with what they show. */
export const TEMPLATES = {
  payments: 'a microservice: one pipeline, four targets, tests between them, an approval',
  networking: 'a VPC in several accounts and regions, all from YAML files',
  lambda: 'a function in shared accounts, through a bootstrap of its own',
  'rest-api': 'a pipeline for each branch, Bitbucket, Slack, typed configuration',
} as const;

export type TemplateName = keyof typeof TEMPLATES;

/** What differs from the example. */
export interface TemplateSettings {
  /** Name of the fleet, the package and its repository. */
  readonly name: string;
  /** Account of the pipeline. */
  readonly account: string;
}

/** The account that the examples' pipelines lie in. */
export const EXAMPLE_ACCOUNT = '999999999999';

/** The template of that name. Raises INI001. */
export function templateNamed(given: string): TemplateName {
  if (Object.hasOwn(TEMPLATES, given)) return given as TemplateName;
  const meant = nearest(given, Object.keys(TEMPLATES));
  throw new FlotillaError('INI001', `there is no template '${given}'`, { fix: meant === undefined ? `one of ${Object.keys(TEMPLATES).join(', ')}` : `did you mean ${meant}?`, exitCode: 2 });
}

/** Copies a template into a folder that is empty or not there yet; answers its files. Raises INI002 where something is in the way. */
export function writeTemplate(template: TemplateName, folder: string, settings: TemplateSettings): readonly string[] {
  const there = existsSync(folder) ? readdirSync(folder).filter((name) => name !== '.git') : [];
  if (there.length > 0) throw new FlotillaError('INI002', `${folder} is not empty`, { why: `it holds ${there.slice(0, 3).join(', ')}${there.length > 3 ? ' …' : ''}`, fix: 'name a folder that is empty or not there yet', exitCode: 2 });
  cpSync(join(templatesFolder(), template), folder, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
  if (existsSync(join(folder, 'gitignore'))) renameSync(join(folder, 'gitignore'), join(folder, '.gitignore'));
  const files = filesIn(folder);
  for (const file of files) adapt(file, template, settings);
  return files.map((file) => relative(folder, file)).sort();
}

/** What running an example leaves behind; the package has none of it. */
const LEFT_OUT: readonly string[] = ['node_modules', 'cdk.out', '.flotilla', 'vendor'];

/** In the package beside the bundle; in a checkout the examples themselves. */
function templatesFolder(): string {
  return [join(import.meta.dirname, 'templates'), join(import.meta.dirname, '..', '..', '..', 'examples')].find((folder) => existsSync(folder))!;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === '.git') return [];
    return statSync(path).isDirectory() ? filesIn(path) : [path];
  });
}

/** Puts the settings into a file: the account everywhere, the name into the fleet file, package and lockfile. */
function adapt(file: string, template: TemplateName, { name, account }: TemplateSettings): void {
  const before = readFileSync(file, 'utf8');
  let text = before.replaceAll(EXAMPLE_ACCOUNT, account);
  if (/^flotilla\.(yaml|config\.ts)$/.test(basename(file))) text = text.replaceAll(new RegExp(`(?<![\\w-])${template}(?![\\w])`, 'g'), name);
  if (/^package(-lock)?\.json$/.test(basename(file))) text = text.replaceAll(`"name": "${template}"`, `"name": "${name}"`);
  if (text !== before) writeFileSync(file, text);
}
