import { Argument, type Command } from 'commander';

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
}

interface Word {
  readonly text: string;
  readonly description: string;
}

function wordsOf(program: Command): Words {
  const flags = ({ options }: Command): Word[] => options.flatMap(({ long, description, hidden }) => (long && !hidden ? [{ text: long, description }] : []));
  return {
    global: flags(program),
    commands: program.commands.map((command) => ({ text: command.name(), description: command.description(), follow: [...command.commands.map((sub) => ({ text: sub.name(), description: sub.description() })), ...flags(command)] })),
  };
}

const texts = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ');

function bash({ global, commands }: Words): string {
  return `_flotilla() {
  local current="\${COMP_WORDS[COMP_CWORD]}" word command=
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

function zsh({ global, commands }: Words): string {
  const quoted = (words: readonly Word[]): string => words.map(({ text, description }) => `'${text}:${description.replaceAll("'", '’').replaceAll(':', '\\:')}'`).join(' ');
  return `#compdef flotilla
_flotilla() {
  local -a words_here
  local word command=
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

function fish({ global, commands }: Words): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const flag = ({ text, description }: Word, condition: string): string => `complete -c flotilla -n ${quote(condition)} ${text.startsWith('--') ? `-l ${text.slice(2)}` : `-a ${text}`} -d ${quote(description)}`;
  return [
    ...commands.map((command) => `complete -c flotilla -n __fish_use_subcommand -a ${command.text} -d ${quote(command.description)}`),
    ...global.map((word) => flag(word, 'true')),
    ...commands.flatMap(({ text, follow }) => follow.map((word) => flag(word, `__fish_seen_subcommand_from ${text}`))),
    '',
  ].join('\n');
}
