import { Argument, type Command, type Option } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `flotilla completion SHELL`: a script made of the commands and flags that there are. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print the completion of a shell: eval "$(flotilla completion bash)"')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .action((shell: Shell) => void process.stdout.write(completionScript(program, shell)));
}

export function completionScript(program: Command, shell: Shell): string {
  const words = wordsOf(program);
  return shell === 'bash' ? bash(words) : shell === 'zsh' ? zsh(words) : fish(words);
}

/** What may follow `flotilla`, and what may follow each command. */
interface Words {
  readonly global: readonly Word[];
  readonly commands: readonly (Word & { readonly follow: readonly Word[] })[];
  /** Flags that take a value: the values there are, or none where it is a file or anybody's word. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

interface Word {
  readonly text: string;
  readonly description: string;
}

/** Values of flags that refuse others by an error of their own. */
const VALUES: Readonly<Record<string, readonly string[]>> = { '--progress': ['auto', 'live', 'plain', 'jsonl'], '--emit': ['stackset', 'template'], '--isolation': ['auto', 'bwrap', 'process'], '--summary': ['markdown', 'junit'], '--kms': ['aws-managed', 'customer'] };

function wordsOf(program: Command): Words {
  const shown = ({ options }: Command): readonly Option[] => options.filter(({ long, hidden }) => long && !hidden);
  const flags = (command: Command): Word[] => shown(command).map(({ long, description }) => ({ text: long!, description }));
  const all = [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)];
  return {
    global: flags(program),
    commands: program.commands.map((command) => {
      const inner = command.commands;
      return { text: command.name(), description: command.description(), follow: [...argumentsOf(command), ...inner.map((sub) => ({ text: sub.name(), description: sub.description() })), ...distinct([...flags(command), ...inner.flatMap(flags)])] };
    }),
    values: new Map(all.flatMap((command) => shown(command).filter(({ required, optional }) => required || optional).map(({ long, argChoices }): [string, readonly string[]] => [long!, argChoices ?? VALUES[long!] ?? []]))),
  };
}

/** What an argument may be, where that is a list. */
function argumentsOf(command: Command): Word[] {
  return command.registeredArguments.flatMap(({ argChoices = [], description }) => argChoices.map((text) => ({ text, description })));
}

function distinct(words: readonly Word[]): Word[] {
  return [...new Map(words.map((word) => [word.text, word])).values()];
}

const texts = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ');

/** Flags by the values they take, those that take the same together. */
function valueCases({ values }: Words): [flags: readonly string[], values: readonly string[]][] {
  const cases = new Map<string, string[]>();
  for (const [flag, own] of values) cases.set(own.join(' '), [...(cases.get(own.join(' ')) ?? []), flag]);
  return [...cases].map(([own, flags]) => [flags, own === '' ? [] : own.split(' ')]);
}

function bash(words: Words): string {
  const { global, commands } = words;
  return `_flotilla() {
  local current="\${COMP_WORDS[COMP_CWORD]}" word command=
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${valueCases(words).map(([flags, values]) => `    ${flags.join('|')}) COMPREPLY=($(compgen ${values.length > 0 ? `-W "${values.join(' ')}"` : '-f'} -- "$current")); return;;`).join('\n')}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in ${commands.map(({ text }) => text).join('|')}) command="$word"; break;; esac
  done
  case "$command" in
${commands.map(({ text, follow }) => `    ${text}) COMPREPLY=($(compgen -W "${texts([...follow, ...global])}" -- "$current"));;`).join('\n')}
    *) COMPREPLY=($(compgen -W "${texts([...commands, ...global])}" -- "$current"));;
  esac
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _flotilla flotilla
`;
}

function zsh(all: Words): string {
  const { global, commands } = all;
  const quoted = (words: readonly Word[]): string => words.map(({ text, description }) => `'${text}:${description.replaceAll("'", '’').replaceAll(':', '\\:')}'`).join(' ');
  return `#compdef flotilla
_flotilla() {
  local -a words_here
  local word command=
  case "\${words[CURRENT-1]}" in
${valueCases(all).map(([flags, values]) => `    ${flags.join('|')}) ${values.length > 0 ? `compadd ${values.join(' ')}` : '_files'}; return;;`).join('\n')}
  esac
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "$word" in ${commands.map(({ text }) => text).join('|')}) command="$word"; break;; esac
  done
  case "$command" in
${commands.map(({ text, follow }) => `    ${text}) words_here=(${quoted([...follow, ...global])});;`).join('\n')}
    *) words_here=(${quoted([...commands, ...global])});;
  esac
  _describe 'flotilla' words_here || _files
}
compdef _flotilla flotilla
`;
}

function fish({ global, commands, values }: Words): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const value = (flag: string): string => {
    const own = values.get(flag);
    return own === undefined ? '' : own.length > 0 ? ` -x -a ${quote(own.join(' '))}` : ' -r';
  };
  const flag = ({ text, description }: Word, condition: string): string => `complete -c flotilla -n ${quote(condition)} ${text.startsWith('--') ? `-l ${text.slice(2)}${value(text)}` : `-f -a ${text}`} -d ${quote(description)}`;
  return [
    ...commands.map((command) => `complete -c flotilla -f -n __fish_use_subcommand -a ${command.text} -d ${quote(command.description)}`),
    ...global.map((word) => flag(word, 'true')),
    ...commands.flatMap(({ text, follow }) => follow.map((word) => flag(word, `__fish_seen_subcommand_from ${text}`))),
    '',
  ].join('\n');
}
