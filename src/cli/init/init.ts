import { isCancel, select, text } from '@clack/prompts';
import { Argument, type Command } from 'commander';
import { resolve } from 'node:path';
import { FlotillaError } from '../../shared/errors.js';
import { terminal, type GlobalOptions } from '../terminal.js';
import { interactive } from '../world.js';
import { EXAMPLE_ACCOUNT, templateNamed, TEMPLATES, writeTemplate, type TemplateName } from './templates.js';
import { vendorPackage } from './vendor.js';

interface InitOptions extends GlobalOptions {
  readonly yes?: boolean;
  readonly name?: string;
  readonly account?: string;
}

export function addInitCommand(program: Command): void {
  program
    .command('init')
    .addArgument(templateArgument())
    .argument('[folder]')
    .description(`write an app: ${Object.keys(TEMPLATES).join(', ')}`)
    .option('--name <name>', 'name of the fleet and its package (the template’s)')
    .option('--account <id>', `account of the pipeline (${EXAMPLE_ACCOUNT})`)
    .action(async (template: string | undefined, folder: string | undefined, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<InitOptions>();
      const out = terminal(options);
      const answers = await answersOf(template, folder, options);
      const target = resolve(answers.folder);
      const files = [...writeTemplate(answers.template, target, answers), vendorPackage(target)].sort();
      const next = nextCommands(answers);
      out.data({ type: 'init', template: answers.template, folder: target, name: answers.name, account: answers.account, files, next });
      out.print(`${out.style('green', '✓')} ${answers.name} in ${answers.folder}\n${files.map((file) => `  ${file}`).join('\n')}\n\nnext\n${next.map((line) => `  ${line}`).join('\n')}`);
    });
}

/** The templates are offered by completions; another name is refused by an error of its own, with what was meant. */
function templateArgument(): Argument {
  const argument = new Argument('[template]');
  argument.argChoices = Object.keys(TEMPLATES);
  return argument;
}

interface Answers {
  readonly template: TemplateName;
  readonly folder: string;
  readonly name: string;
  readonly account: string;
}

/** At most four questions; what is said by a flag, or taken by --yes, isn't asked. */
async function answersOf(givenTemplate: string | undefined, givenFolder: string | undefined, options: InitOptions): Promise<Answers> {
  const asks = options.yes !== true && (givenTemplate === undefined || givenFolder === undefined || options.name === undefined || options.account === undefined);
  if (asks && !interactive()) throw new FlotillaError('CLI006', 'Nobody can be asked here', { why: 'stdin or stderr is not a terminal', fix: `flotilla init ${givenTemplate ?? 'payments'} ${givenFolder ?? 'FOLDER'} --yes takes the defaults`, exitCode: 2 });
  const ask = async (message: string, otherwise: string, check: (value: string) => string | undefined): Promise<string> => (asks ? answered(await text({ output: process.stderr, message, placeholder: otherwise, defaultValue: otherwise, validate: (value) => (value ? check(value) : undefined) })) : otherwise);
  const template = templateNamed(givenTemplate ?? (asks ? answered(await select({ output: process.stderr, message: 'What do you begin with?', options: Object.entries(TEMPLATES).map(([value, hint]) => ({ value, label: value, hint })) })) : 'payments'));
  const name = options.name ?? (await ask('What is it called?', template, wrongName));
  const folder = givenFolder ?? (await ask('In which folder?', `./${name}`, () => undefined));
  const account = options.account ?? (await ask('Which account has the pipeline?', EXAMPLE_ACCOUNT, wrongAccount));
  const wrong = wrongName(name) ?? wrongAccount(account);
  if (wrong !== undefined) throw new FlotillaError('INI004', wrong, { exitCode: 2 });
  return { template, folder, name, account };
}

function answered(answer: string | symbol): string {
  if (isCancel(answer)) throw new FlotillaError('INI005', 'nothing was written', { why: 'the questions were left', exitCode: 130 });
  return answer as string;
}

/** Names of packages and of fleets at once. */
function wrongName(name: string): string | undefined {
  return /^[a-z][a-z0-9-]{0,62}$/.test(name) ? undefined : `'${name}' is no name: small letters, digits and hyphens, a letter first`;
}

function wrongAccount(account: string): string | undefined {
  return /^\d{12}$/.test(account) ? undefined : `'${account}' is no account ID: 12 digits`;
}

function nextCommands({ template, folder }: Answers): readonly string[] {
  const overlay = template === 'networking' ? ' --overlay deployments/core.yaml' : '';
  return [...(resolve(folder) === process.cwd() ? [] : [`cd ${folder}`]), 'git init --initial-branch=main && git add --all && git commit --message "First commit"', 'npm ci', `npx flotilla plan${overlay}`, 'npx flotilla run'];
}
