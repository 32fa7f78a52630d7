import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../../src/cli/completion.js';

const program = new Command('flotilla').option('--local', 'the local cloud');
program.command('approve').description("approve a team's gate").option('--commit <sha>', 'this one: only');
program.command('cloud').description('the cloud').command('start');

/** What bash offers for a line that ends in an unfinished word. */
function offered(...line: string[]): string[] {
  const script = `${completionScript(program, 'bash')}\nCOMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')})\nCOMP_CWORD=${line.length - 1}\n_flotilla\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe('completion', () => {
  it('offers commands, then what may follow the one that is there', () => {
    expect(offered('flotilla', 'a')).toEqual(['approve']);
    expect(offered('flotilla', '--local', 'approve', '--c')).toEqual(['--commit']);
    expect(offered('flotilla', 'cloud', 's')).toEqual(['start']);
  });

  it('is written for zsh and fish with descriptions', () => {
    expect(completionScript(program, 'zsh')).toContain("'approve:approve a team’s gate'");
    expect(completionScript(program, 'zsh')).toContain('this one\\: only');
    expect(completionScript(program, 'fish')).toContain("complete -c flotilla -n '__fish_seen_subcommand_from approve' -l commit -d 'this one: only'");
  });
});
