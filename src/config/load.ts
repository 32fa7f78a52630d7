import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readDocument, type FleetDocument, type Range } from './document.js';
import { mistakesOf } from './issues.js';
import { isDictionary, layFile } from './merge.js';
import { FleetFileError, problemOf, type Mistake, type Path, type Problem } from './mistake.js';
import { accountWarnings, regionMistakes } from './places.js';
import { isProgram, runProgram } from './program.js';
import { fleetFile, type FleetConfig } from './schema/fleet.js';
import { secretMistake, secretMistakes, secretsIn, secretWarnings } from './secrets.js';

/** One file's name and text. */
export interface FleetText {
  readonly file: string;
  readonly text: string;
}

/** What the schema can't see: mistakes between the parts of a fleet. */
export type Check = (config: FleetConfig) => readonly Mistake[];

/**
 * Reads a fleet file and the files laid over it (YAML or JSON), in order. Raises FleetFileError with every mistake of every layer, those
 * that `check` finds included.
 */
export function loadConfig(file: string, overlays: readonly string[], check: Check): FleetConfig {
  return readLayers([file, ...overlays].map(readLayer), check).config;
}

/** Names a fleet file has when none is said, in the order they are looked for. */
export const FLEET_FILES: readonly string[] = ['flotilla.yaml', 'flotilla.yml', 'flotilla.json', 'flotilla.config.ts', 'flotilla.config.mts', 'flotilla.config.mjs', 'flotilla.config.js', 'flotilla.config.cjs'];

/** The fleet file of a folder, or undefined. */
export function fleetFileIn(folder: string): string | undefined {
  return FLEET_FILES.map((name) => join(folder, name)).find((file) => existsSync(file));
}

/** As `loadConfig`, with what is allowed but looks wrong. */
export function inspectConfig(file: string, overlays: readonly string[], check: Check): { readonly config: FleetConfig; readonly warnings: readonly Problem[] } {
  return readLayers([file, ...overlays].map(readLayer), check);
}

/** The same from texts. */
export function readConfig(texts: readonly FleetText[], check: Check): FleetConfig {
  return readLayers(texts.map(readText), check).config;
}

/** A file of a fleet, and the credentials written into it. */
interface Layer extends FleetDocument {
  readonly secrets: readonly (Mistake & { readonly range: Range })[];
}

function readLayers(layers: readonly Layer[], check: Check): { readonly config: FleetConfig; readonly warnings: readonly Problem[] } {
  const secrets = layers.flatMap((layer) => layer.secrets.map((mistake) => ({ mistake, layer, range: mistake.range })));
  const broken = layers.flatMap((layer) => layer.mistakes.map((mistake) => ({ mistake, layer, range: mistake.range })));
  const file = layers[0]?.file;
  // A file that can't be read says nothing more; one that holds a secret does.
  if (broken.length > 0) throw new FleetFileError(inOrder([...secrets, ...broken], layers), file);
  const value = layers.map((layer) => layer.value).reduce((base, over) => layFile(base, over ?? undefined));
  const { config, mistakes } = validate(value, check, (path) => holding(layers, path).written(path));
  if (config === undefined || secrets.length + mistakes.length > 0) throw new FleetFileError(inOrder([...secrets, ...mistakes.map((mistake) => located(mistake, layers))], layers), file);
  return { config, warnings: inOrder([...accountWarnings(config), ...secretWarnings(config)].map((warning) => located(warning, layers)), layers) };
}

/** The same from an object, as `flotilla.config.ts` and tests have it; problems carry no place. */
export function checkConfig(value: unknown, check: Check): FleetConfig {
  const noData = firstThatIsNoData(value, [], []);
  if (noData !== undefined) throw new FleetFileError([problemOf(noData, undefined)], undefined);
  const secrets = secretMistakes(value);
  const { config, mistakes: others } = validate(value, check, () => undefined);
  const mistakes = [...secrets, ...others];
  if (config === undefined || mistakes.length > 0) throw new FleetFileError(mistakes.map((mistake) => problemOf(mistake, undefined)), undefined);
  return config;
}

function readText({ file, text }: FleetText): Layer {
  return { ...readDocument(file, text), secrets: secretsIn(text).map(({ what, range }) => ({ ...secretMistake(what, []), range })) };
}

function readLayer(file: string): Layer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FleetFileError([problemOf({ code: 'CFG001', path: [], what: missing ? `there is no file ${shortest(file)}` : `${shortest(file)} can't be read: ${(error as Error).message}`, fix: missing ? 'write one with `flotilla init`, or name another' : undefined }, undefined)], shortest(file));
  }
  return isProgram(file) ? readProgram(file, text) : readText({ file: shortest(file), text });
}

/** A program's answer is data: its mistakes have a path, and the file as their place. */
function readProgram(file: string, text: string): Layer {
  const value = runProgram(file);
  const secrets = [...secretsIn(text).map(({ what }) => secretMistake(what, [])), ...secretMistakes(value)].map((mistake) => ({ ...mistake, range: [0, 0] as const }));
  return { file: shortest(file), value, mistakes: [], secrets, find: (path) => depthIn(value, path), written: () => undefined, place: () => ({ where: shortest(file), frame: undefined }) };
}

function depthIn(value: unknown, path: Path): { depth: number; range: readonly [number, number]; collection: boolean } {
  let part = value;
  let depth = 0;
  for (; depth < path.length; depth++) {
    if ((!isDictionary(part) && !Array.isArray(part)) || !Object.hasOwn(part, path[depth]!)) break;
    part = (part as Record<string | number, unknown>)[path[depth]!];
  }
  return { depth, range: [0, 0], collection: isDictionary(part) || Array.isArray(part) };
}

/** What only code can say: functions, and objects that contain themselves. */
function firstThatIsNoData(value: unknown, path: Path, open: readonly object[]): Mistake | undefined {
  const refused = (what: string): Mistake => ({ code: 'CFG007', path, what: path.length === 0 ? `the fleet ${what}` : what, fix: 'a fleet is made of plain data: text, numbers, true, false, null, lists and objects' });
  if (['function', 'symbol', 'bigint'].includes(typeof value)) return refused(`is a ${typeof value}`);
  if (typeof value !== 'object' || value === null) return undefined;
  if (open.includes(value)) return refused('contains itself');
  if (path.length > 64) return refused('lies deeper than 64 levels');
  for (const [key, below] of Object.entries(value)) {
    const found = firstThatIsNoData(below, [...path, Array.isArray(value) ? Number(key) : key], [...open, value]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As seen from where the command runs, where that is shorter. */
function shortest(file: string): string {
  const from = relative(process.cwd(), file);
  return from !== '' && from.length < file.length && !from.startsWith('..') ? from : file;
}

function validate(value: unknown, check: Check, written: (path: Path) => string | undefined): { config: FleetConfig | undefined; mistakes: readonly Mistake[] } {
  const result = fleetFile.safeParse(value);
  if (result.success) return { config: result.data, mistakes: [...regionMistakes(result.data), ...check(result.data)] };
  const mistakes = mistakesOf(result.error.issues, value, written);
  return { config: undefined, mistakes: [...mistakes, ...checkWhatIsValid(value, mistakes, check)] };
}

/** Checks what is left of a fleet once the parts that the schema refuses are taken out, so that one run tells every mistake. */
function checkWhatIsValid(value: unknown, mistakes: readonly Mistake[], check: Check): readonly Mistake[] {
  const copy = structuredClone(value);
  const removed: Path[] = [];
  let refused = mistakes;
  for (let round = 0; round < 20; round++) {
    for (const { path } of refused) {
      const gone = remove(copy, path);
      if (gone === undefined) return [];
      removed.push(gone);
    }
    const result = fleetFile.safeParse(copy);
    // What is said about a part that was taken out, or about what it was taken out of, may only come from that.
    if (result.success) return [...regionMistakes(result.data), ...check(result.data)].filter((mistake) => !removed.some((path) => related(path, mistake.path)));
    refused = mistakesOf(result.error.issues, copy, () => undefined);
  }
  return [];
}

/** Whether one path leads to the other. */
function related(left: Path, right: Path): boolean {
  return left.every((part, index) => index >= right.length || part === right[index]);
}

/** Takes out what stands at `path`, or, where nothing stands there, what it is missing from; answers what was taken out. */
function remove(root: unknown, path: Path): Path | undefined {
  let parent = root;
  for (const [depth, part] of path.entries()) {
    if (!isDictionary(parent) && !Array.isArray(parent)) return remove(root, path.slice(0, depth));
    const holder = parent as Record<string | number, unknown>;
    if (!Object.hasOwn(holder, part)) return depth === 0 ? undefined : remove(root, path.slice(0, depth));
    if (depth === path.length - 1) {
      if (Array.isArray(holder)) return remove(root, path.slice(0, depth));
      delete holder[part];
      return path;
    }
    parent = holder[part];
  }
  return undefined;
}

interface Placed {
  readonly mistake: Mistake;
  readonly layer: FleetDocument;
  readonly range: Range;
}

function located(mistake: Mistake, layers: readonly FleetDocument[]): Placed {
  const layer = holding(layers, mistake.path);
  return { mistake, layer, range: layer.find(mistake.path, mistake.atKey === true).range };
}

/** In the order of the files, as a reader goes through them. */
function inOrder(placed: readonly Placed[], layers: readonly FleetDocument[]): readonly Problem[] {
  return placed
    .toSorted((left, right) => layers.indexOf(left.layer) - layers.indexOf(right.layer) || left.range[0] - right.range[0])
    .map(({ mistake, layer, range }) => problemOf(mistake, layer.place(range)));
}

/** The layer a path comes from: the last one that has all of it if it is one value, the first if it is a collection. */
function holding(layers: readonly FleetDocument[], path: Path): FleetDocument {
  return layers.reduce((best, layer) => {
    const [mine, other] = [layer.find(path, false), best.find(path, false)];
    return mine.depth > other.depth || (mine.depth === other.depth && mine.depth === path.length && !mine.collection) ? layer : best;
  });
}
