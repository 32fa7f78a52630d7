import { stripVTControlCharacters } from 'node:util';

/** Columns a text takes in a terminal. */
export function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Breaks a text at its spaces into lines of so many columns; what has no space stays whole. */
export function wrapped(text: string, columns: number): string[] {
  if (widthOf(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text behind what its line begins with; where it doesn't fit, on lines of its own, indented. */
export function hanging(begin: string, text: string, columns: number, indent = 4): string {
  if (text === '') return begin;
  if (widthOf(begin) + 1 + widthOf(text) <= columns) return `${begin} ${text}`;
  return [begin, ...wrapped(text, Math.max(20, columns - indent)).map((line) => ' '.repeat(indent) + line)].join('\n');
}

/** Lines of a text that may have several, each broken to fit; all but the first are indented. */
export function paragraph(text: string, columns: number, indent = 2): string {
  const lines = text.split('\n').flatMap((line) => wrapped(line, Math.max(20, columns - indent)));
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** Where the last column of a table has less room than this, each row is a block instead. */
const LEAST = 20;

/**
 * Rows as a table, the last column wrapped under itself. In a terminal too narrow for that each row is a block: its first two columns on a line,
 * the others indented under them, by their names.
 */
export function tableLines(headings: readonly string[], rows: readonly (readonly string[])[], columns: number, heading: (text: string) => string): string[] {
  const last = headings.length - 1;
  const widths = headings.slice(0, last).map((text, index) => Math.max(text.length, ...rows.map((row) => widthOf(row[index]!))));
  const before = widths.reduce((sum, width) => sum + width + 2, 0);
  if (before + LEAST > columns) return rows.flatMap((row) => block(headings, row, columns));
  const aligned = (row: readonly string[]): string => row.slice(0, last).map((text, index) => text + ' '.repeat(widths[index]! - widthOf(text) + 2)).join('');
  return [heading(aligned(headings) + headings[last]!), ...rows.flatMap((row) => cells(aligned(row), row[last]!, before, columns))];
}

/** The last cell beside the others, in two lines at most; a longer one goes below the row. */
function cells(row: string, text: string, before: number, columns: number): string[] {
  const beside = wrapped(text, columns - before);
  if (beside.length <= 2) return beside.map((line, index) => (index === 0 ? row : ' '.repeat(before)) + line);
  return [row.trimEnd(), ...wrapped(text, columns - 4).map((line) => `    ${line}`)];
}

function block(headings: readonly string[], row: readonly string[], columns: number): string[] {
  const others = row.slice(2).map((text, index) => (index + 2 < row.length - 1 ? `${headings[index + 2]!.toLowerCase()} ${text}` : text));
  return [row.slice(0, 2).join('  '), ...wrapped(others.join('  '), columns - 2).map((line) => `  ${line}`)];
}
