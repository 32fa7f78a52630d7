import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { commandLine } from '../../../src/cli/command-line.js';
import { outputSchema } from '../../../src/cli/output-schema.js';

it('the schema that ships is the one of the commands', () => {
  expect(JSON.parse(readFileSync(new URL('../../../schema/output.json', import.meta.url), 'utf8'))).toEqual(outputSchema());
});

it('the schema has what every command prints, but completion, which prints a program', () => {
  const names = (command: Command, before: string): string[] => (command.commands.length === 0 ? [`${before}${command.name()}`] : command.commands.flatMap((inner) => names(inner, `${before}${command.name()} `)));
  const printing = commandLine().commands.flatMap((command) => names(command, '')).filter((name) => name !== 'completion');
  expect(Object.keys(outputSchema()['$defs'] as object).sort()).toEqual([...printing, 'problems', 'error'].sort());
});
