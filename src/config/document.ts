import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Mistake, Path } from './mistake.js';
import { withoutSecrets } from './secrets.js';

/** One fleet file, read: plain data, and where each part of it stands. */
export interface FleetDocument {
  readonly file: string;
  readonly value: unknown;
  /** What is wrong with the file as YAML or JSON, each with its place. */
  readonly mistakes: readonly (Mistake & { readonly range: Range })[];
  /** The place of `path`, or of what it would stand in; `depth` says how much of the path was found. */
  find(path: Path, atKey: boolean): { readonly depth: number; readonly range: Range; readonly collection: boolean };
  /** How the value at `path` is written, where it is one word. */
  written(path: Path): string | undefined;
  place(range: Range): { readonly where: string; readonly frame: string | undefined };
}

/** Offsets in the text, the end excluded. */
export type Range = readonly [number, number];

interface Spot {
  readonly key: Range | undefined;
  readonly value: Range;
  readonly collection: boolean;
}

/** More parts than any fleet has; what aliases multiply beyond it isn't read. */
const MOST_PARTS = 100_000;
const DEEPEST = 64;

/** Reads YAML 1.2 (JSON is a part of it) without ever raising: what is wrong is in `mistakes`. */
export function readDocument(file: string, text: string): FleetDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  // What the parser says after the first error is said of a text it has lost its way in: a bracket that is left open makes one of every line below.
  const mistakes: (Mistake & { range: Range })[] = document.errors.slice(0, 1).map((error) => syntaxMistake(error.code, error.message, error.pos));
  for (const warning of document.warnings) mistakes.push({ code: 'CFG002', path: [], what: `the file can't be read as YAML: ${sentence(warning.message)}`, range: warning.pos, fix: 'fleet files hold plain values: no tags of their own' });
  const reader = new Reader(document, text, mistakes);
  const value = mistakes.length === 0 ? reader.read() : undefined;
  return {
    file,
    value,
    mistakes,
    find: (path, atKey) => reader.find(path, atKey),
    written: (path) => reader.written(path),
    place: (range) => placeIn(file, text, lines, range),
  };
}

/** Turns nodes into plain data and notes where each stands. */
class Reader {
  private readonly spots = new Map<string, Spot>();
  private readonly open = new Set<Node>();
  private stopped = false;

  constructor(
    private readonly document: Document.Parsed,
    private readonly text: string,
    private readonly mistakes: (Mistake & { range: Range })[],
  ) {}

  read(): unknown {
    const root = this.document.contents as Node | null;
    return root === null ? null : this.plain(root, [], undefined);
  }

  find(path: Path, atKey: boolean): { depth: number; range: Range; collection: boolean } {
    for (let depth = path.length; depth >= 0; depth--) {
      const spot = this.spots.get(keyOf(path.slice(0, depth)));
      if (spot === undefined) continue;
      const preferKey = depth < path.length || atKey || spot.collection;
      return { depth, range: preferKey && spot.key !== undefined ? spot.key : this.firstLine(spot.value), collection: spot.collection };
    }
    return { depth: 0, range: [0, 0], collection: true };
  }

  written(path: Path): string | undefined {
    const spot = this.spots.get(keyOf(path));
    return spot === undefined || spot.collection ? undefined : this.text.slice(...spot.value);
  }

  private plain(node: Node | null, path: Path, key: Range | undefined): unknown {
    if (node === null || this.stopped) return null;
    const range: Range = node.range ? [node.range[0], node.range[1]] : [0, 0];
    const target = isAlias(node) ? node.resolve(this.document) : node;
    if (target === undefined) return this.refuse('CFG004', path, range, 'refers to an anchor that the file doesn’t have before it', 'set the anchor (&name) above its alias (*name)');
    if (this.open.has(target)) return this.refuse('CFG004', path, range, 'contains itself by an alias', 'write the part out');
    if (path.length > DEEPEST) return this.refuse('CFG004', path, range, `lies deeper than ${DEEPEST} levels`, 'write it flatter');
    if (this.spots.size >= MOST_PARTS) {
      this.stopped = true;
      return this.refuse('CFG004', path, range, `is beyond the ${MOST_PARTS} parts a fleet file may have, aliases written out`, 'remove the aliases that multiply each other');
    }
    this.spots.set(keyOf(path), { key, value: range, collection: isMap(target) || isSeq(target) });
    if (isScalar(target)) return this.scalar(target.value, path, range);
    this.open.add(target);
    const value = isMap(target) ? this.map(target, path) : isSeq(target) ? target.items.map((item, index) => this.plain(item as Node | null, [...path, index], undefined)) : null;
    this.open.delete(target);
    return value;
  }

  private scalar(value: unknown, path: Path, range: Range): unknown {
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
    return this.refuse('CFG002', path, range, 'is neither text, a finite number, true, false nor null', 'put it into quotes');
  }

  private map(map: YAMLMap, path: Path): unknown {
    const values = new Map<string, unknown>();
    const seen = new Set<string>();
    // Own keys after merged ones, so that they win; the order of the keys is that of the file.
    for (const pair of map.items as Pair<Node, Node | null>[]) if (isMergeKey(pair.key)) this.merge(pair, path, values);
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      if (isMergeKey(pair.key)) continue;
      const range: Range = pair.key?.range ? [pair.key.range[0], pair.key.range[1]] : [0, 0];
      const name = isScalar(pair.key) && pair.key.value !== null ? (typeof pair.key.value === 'string' ? pair.key.value : this.text.slice(...range)) : undefined;
      if (name === undefined || name === '__proto__') {
        this.refuse('CFG002', path, range, 'has a key that is no word', 'keys are words');
        continue;
      }
      if (seen.has(name)) {
        this.refuse('CFG003', [...path, name], range, 'stands twice', 'keep one of them; the other would be lost without a word');
        continue;
      }
      seen.add(name);
      values.set(name, this.plain(pair.value, [...path, name], range));
      if (pair.value === null) this.spots.set(keyOf([...path, name]), { key: range, value: range, collection: false });
    }
    return Object.fromEntries(values);
  }

  private merge(pair: Pair<Node, Node | null>, path: Path, values: Map<string, unknown>): void {
    const from = pair.value && isAlias(pair.value) ? pair.value.resolve(this.document) : pair.value;
    const parts = from && isSeq(from) ? [...from.items].reverse() : [from];
    for (const part of parts) {
      const target = part && isAlias(part) ? part.resolve(this.document) : part;
      const range: Range = pair.key.range ? [pair.key.range[0], pair.key.range[1]] : [0, 0];
      if (!isMap(target)) this.refuse('CFG004', path, range, 'merges (<<) something that is no object', 'let << name an anchor of an object');
      else if (this.open.has(target)) this.refuse('CFG004', path, range, 'merges (<<) itself', 'write the part out');
      else {
        this.open.add(target);
        for (const [key, value] of Object.entries(this.map(target, path) as Record<string, unknown>)) values.set(key, value);
        this.open.delete(target);
      }
    }
  }

  private refuse(code: string, path: Path, range: Range, what: string, fix: string): null {
    this.mistakes.push({ code, path, what: path.length === 0 ? `the file ${what}` : what, fix, range: this.firstLine(range) });
    return null;
  }

  private firstLine([start, end]: Range): Range {
    const newline = this.text.indexOf('\n', start);
    return [start, newline === -1 || newline > end ? end : newline];
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

function sentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function syntaxMistake(code: string, message: string, [start, end]: readonly [number, number]): Mistake & { range: Range } {
  const range: Range = [start, Math.max(end, start + 1)];
  if (code === 'TAB_AS_INDENT') return { code: 'CFG002', path: [], what: 'a tab stands where YAML wants spaces', why: 'YAML forbids tabs as indentation', fix: 'indent by two spaces', range };
  if (code === 'MULTIPLE_DOCS') return { code: 'CFG002', path: [], what: 'the file holds several documents', fix: 'keep one; lay several files over each other with --overlay', range };
  return { code: 'CFG002', path: [], what: `the file can't be read as YAML: ${sentence(message)}`, fix: 'check brackets, quotes and indentation at this line and right above it', range };
}

function placeIn(file: string, text: string, lines: LineCounter, [start, end]: Range): { where: string; frame: string } {
  const at = Math.min(start, text.length);
  const { line, col } = text === '' ? { line: 1, col: 1 } : lines.linePos(at);
  const from = at - (col - 1);
  const newline = text.indexOf('\n', from);
  const content = withoutSecrets(text.slice(from, newline === -1 ? undefined : newline).replace(/\r$/, ''));
  const width = Math.max(1, Math.min(end - at, content.length - col + 1));
  // Long lines (JSON in one line) are cut around what is meant.
  const cut = Math.max(0, col - 61);
  const shown = content.slice(cut, cut + 140).replaceAll('\t', ' ');
  const gutter = String(line);
  return { where: `${file}:${line}:${col}`, frame: `${gutter} │ ${shown}\n${' '.repeat(gutter.length)} │ ${' '.repeat(col - 1 - cut)}${'^'.repeat(Math.min(width, Math.max(1, 140 - (col - 1 - cut))))}` };
}
