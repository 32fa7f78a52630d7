import { execFileSync } from 'node:child_process';
import { Argument, Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../../src/cli/completion.js';

const program = new Command('flotilla').option('--local', 'the local cloud');
program.command('approve').description("approve a team's gate").option('--commit <sha>', 'this one: only');
program.command('cloud').description('the cloud').command('start').option('--port <number>', 'port');
program.command('bootstrap').option('--emit <form>', 'form').option('--app <folder>', 'folder');
program.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));

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

  it('offers what a flag or an argument may be, and files where that is anything', () => {
    expect(offered('flotilla', 'bootstrap', '--emit', '')).toEqual(['stackset', 'template']);
    expect(offered('flotilla', 'bootstrap', '--emit', 't')).toEqual(['template']);
    expect(offered('flotilla', 'bootstrap', '--app', 'packag')).toEqual(['package-lock.json', 'package.json']);
    expect(offered('flotilla', 'completion', 'z')).toEqual(['zsh']);
    expect(offered('flotilla', 'cloud', 'start', '--p')).toEqual(['--port']);
  });

  it('is written for zsh and fish with descriptions', () => {
    expect(completionScript(program, 'zsh')).toContain("'approve:approve a team’s gate'");
    expect(completionScript(program, 'zsh')).toContain('this one\\: only');
    expect(completionScript(program, 'zsh')).toContain('--emit) compadd stackset template; return;;');
    expect(completionScript(program, 'fish')).toContain("complete -c flotilla -n '__fish_seen_subcommand_from approve' -l commit -r -d 'this one: only'");
    expect(completionScript(program, 'fish')).toContain("complete -c flotilla -n '__fish_seen_subcommand_from bootstrap' -l emit -x -a 'stackset template' -d 'form'");
  });
});
