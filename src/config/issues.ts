import type * as z from 'zod';
import { nearest } from '../shared/suggest.js';
import { definition, formsAt, keysOf, providerOf, variants } from './forms.js';
import { isDictionary } from './merge.js';
import type { Mistake, Path } from './mistake.js';
import { nearestAccount } from './places.js';
import { fleetFile } from './schema/fleet.js';
import { REGIONS } from './regions.js';
import { sourceForms } from './schema/source.js';

type Issue = z.core.$ZodIssue;

/** What the schema refuses about `value`, in the words of the fleet file. */
export function mistakesOf(issues: readonly Issue[], value: unknown, written: (path: Path) => string | undefined): Mistake[] {
  const mistakes = issues.flatMap((issue) => translate(issue, [], value, written));
  // A key that is misspelt is missing as well: once is enough.
  const meant = new Set(mistakes.flatMap(({ meantPath }) => (meantPath === undefined ? [] : [JSON.stringify(meantPath)])));
  return mistakes.filter(({ code, path }) => code !== 'CFG006' || !meant.has(JSON.stringify(path))).map(({ meantPath: _, ...mistake }) => mistake);
}

interface Translated extends Mistake {
  /** The path with the key that was meant. */
  readonly meantPath?: Path;
}

function translate(issue: Issue, above: Path, root: unknown, written: (path: Path) => string | undefined): Translated[] {
  const path: Path = [...above, ...(issue.path as (string | number)[])];
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], root));
    case 'invalid_union':
      return union(issue.errors, path, value, root, written);
    case 'invalid_key':
      return issue.issues.map((inner) => ({ ...coded(inner.message, [...path], 'CFG014'), atKey: true }));
    case 'invalid_type':
      return [wrongType(issue, path, value, root, written)];
    case 'invalid_value':
      return [oneOf(issue.values.map(String), path, value)];
    case 'too_big':
    case 'too_small':
      return [coded(issue.message, path, 'CFG009', bounds(issue))];
    default:
      return [withAdvice(coded(issue.message, path, 'CFG008', 'is not a valid value'), value, written(path), root)];
  }
}

/** Messages of the schema begin with a code of ours where they say something particular. */
function coded(message: string, path: Path, otherwise: string, what = message): Mistake {
  const match = /^(CFG\d{3}): (.*)$/s.exec(message);
  return match ? { code: match[1]!, path, what: match[2]! } : { code: otherwise, path, what };
}

function wrongType(issue: Extract<Issue, { code: 'invalid_type' }>, path: Path, value: unknown, root: unknown, written: (path: Path) => string | undefined): Mistake {
  if (value === undefined) return path.length === 0 ? { code: 'CFG006', path, what: 'the fleet is missing' } : { code: 'CFG006', path, what: 'is missing', fix: `add \`${String(path.at(-1))}:\`` };
  const plain = { code: 'CFG007', path, what: `must be ${KINDS[issue.expected] ?? issue.expected}, not ${kindOf(value)}` };
  if (path.length === 0) return { ...plain, what: `the file must hold an object, not ${kindOf(value)}`, fix: 'begin with `fleet: NAME`' };
  return withAdvice(coded(issue.message, path, 'CFG007', plain.what), value, written(path), root);
}

const KINDS: Readonly<Record<string, string>> = { string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'an object', record: 'an object' };

export function kindOf(value: unknown): string {
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (isDictionary(value)) return 'an object';
  return typeof value === 'string' ? 'text' : typeof value === 'boolean' ? String(value) : 'a number';
}

/** Why and fix where the value itself shows what went wrong. */
function withAdvice(mistake: Mistake, value: unknown, written: string | undefined, root: unknown): Mistake {
  const key = String(mistake.path.findLast((part) => typeof part === 'string') ?? '');
  if (mistake.code === 'CFG012') return { ...mistake, ...accountAdvice(value, written, key, root) };
  if (mistake.code === 'CFG013' && typeof value === 'string') return { ...mistake, ...regionAdvice(value) };
  if (mistake.code === 'CFG007' && typeof value === 'number' && mistake.what.includes('text')) return { ...mistake, why: 'unquoted digits parse as a number', fix: `${key}: "${written ?? value}"` };
  return mistake;
}

function accountAdvice(value: unknown, written: string | undefined, key: string, root: unknown): Pick<Mistake, 'why' | 'fix'> {
  const digits = (written ?? String(value)).replaceAll(/[^0-9]/g, '');
  if (typeof value === 'number') return { why: 'unquoted digits parse as a number', fix: digits.length === 12 ? `${key}: "${digits}"` : 'quote the 12 digits' };
  if (typeof value === 'string' && digits.length === 12) return { why: 'an account ID has digits alone', fix: `${key}: "${digits}"` };
  if (typeof value !== 'string') return {};
  const meant = nearestAccount(value, root);
  return { why: `it has ${digits.length} digits`, fix: meant === undefined ? 'compare it with `aws sts get-caller-identity`' : `did you mean "${meant}"? It stands elsewhere in the file` };
}

function regionAdvice(value: string): Pick<Mistake, 'fix'> {
  const meant = nearest(value, REGIONS);
  return meant === undefined ? {} : { fix: `did you mean ${meant}?` };
}

function oneOf(values: readonly string[], path: Path, value: unknown): Mistake {
  const meant = typeof value === 'string' ? nearest(value, values) : undefined;
  return { code: 'CFG008', path, what: `must be ${listed(values)}${typeof value === 'string' ? `, not ${JSON.stringify(value)}` : ''}`, fix: meant === undefined ? undefined : `did you mean ${meant}?` };
}

function bounds(issue: Extract<Issue, { code: 'too_big' | 'too_small' }>): string {
  const big = issue.code === 'too_big';
  const limit = String(big ? issue.maximum : issue.minimum);
  if (issue.origin === 'string') return limit === '1' && !big ? 'must not be empty' : `must have ${big ? 'at most' : 'at least'} ${limit} characters`;
  if (issue.origin === 'array') return limit === '1' && !big ? 'must name at least one' : `must have ${big ? 'at most' : 'at least'} ${limit} entries`;
  return `must be ${big ? 'at most' : 'at least'} ${limit}`;
}

function unknownKey(path: Path, root: unknown): Translated {
  const key = String(path.at(-1));
  const level = path.slice(0, -1);
  const known = keysOf(formsAt(fleetFile, level, root));
  const meant = nearest(key, known);
  const other = meant === undefined ? belongsElsewhere(key, level, root) : undefined;
  return { code: 'CFG005', path, meantPath: meant === undefined ? undefined : [...level, meant], atKey: true, what: 'is not a key the fleet file knows here', fix: meant === undefined ? (other ?? `here stand: ${known.join(', ')}`) : `did you mean ${meant}?` };
}

/** `approval` beside `gates` instead of in it, or in the object around. */
function belongsElsewhere(key: string, level: Path, root: unknown): string | undefined {
  for (const form of formsAt(fleetFile, level, root)) {
    for (const [name, below] of Object.entries(definition(form).shape ?? {})) {
      if (keysOf(variants(below)).includes(key)) return `it belongs into ${name}: ${name}: { ${key}: … }`;
    }
  }
  for (let depth = level.length - 1; depth >= 0; depth--) {
    if (keysOf(formsAt(fleetFile, level.slice(0, depth), root)).includes(key)) return depth === 0 ? 'it belongs to the top of the file' : `it belongs to ${String(level[depth - 1])}, beside ${String(level[depth])}`;
  }
  return undefined;
}

/** Tells a mistake in the form that was meant, rather than that none of them fits. */
function union(branches: readonly (readonly Issue[])[], path: Path, value: unknown, root: unknown, written: (path: Path) => string | undefined): Translated[] {
  const forms = formsAt(fleetFile, path.slice(0, -1), root).flatMap((form) => optionsOf(form, path.at(-1)));
  if (value === undefined) return [{ code: 'CFG006', path, what: 'is missing' }];
  if (forms.includes(sourceForms.codecommit)) return sourceMistakes(forms, branches, path, value, root, written);
  // A branch that refuses the kind of the value as a whole wasn't meant.
  const meant = branches.filter((issues) => issues.length > 0 && !issues.some((issue) => issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')));
  if (meant.length > 0) return leastWrong(meant).flatMap((issue) => translate(issue, path, root, written));
  const all = branches.flat();
  const own = all.find((issue) => /^CFG\d{3}: /.test(issue.message) && issue.code === 'invalid_type');
  const expected = [...new Set(all.flatMap((issue) => (issue.path.length > 0 ? [] : issue.code === 'invalid_value' ? issue.values.map((one) => JSON.stringify(one)) : issue.code === 'invalid_type' ? [KINDS[issue.expected] ?? issue.expected] : [])))];
  if (own !== undefined && !isDictionary(value) && !Array.isArray(value)) return [withAdvice(coded(own.message, path, 'CFG007'), value, written(path), root)];
  const literals = all.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : []));
  const near = typeof value === 'string' ? nearest(value, literals) : undefined;
  return [{ code: 'CFG010', path, what: `must be ${listed(expected)}, not ${typeof value === 'string' ? JSON.stringify(value) : kindOf(value)}`, fix: near === undefined ? `for instance ${typeof path.at(-1) === 'string' ? `${path.at(-1)}: ` : ''}${exampleOf(forms)}` : `did you mean ${near}?` }];
}

/** The shortest way of writing one of the forms. */
function exampleOf(forms: readonly z.ZodType[]): string {
  const all = forms.map(definition);
  const { type, values, shape = {}, element } = ['literal', 'boolean', 'object', 'array'].map((kind) => all.find((one) => one.type === kind)).find((one) => one !== undefined) ?? all[0]!;
  if (values !== undefined) return String(values[0]);
  if (type === 'boolean') return 'true';
  if (element !== undefined) return '[…]';
  const needed = Object.entries(shape).filter(([, below]) => !['optional', 'default'].includes(definition(below).type)).map(([key]) => key);
  return `{ ${(needed.length > 0 ? needed : Object.keys(shape).slice(0, 1)).map((key) => `${key}: …`).join(', ')} }`;
}

function optionsOf(form: z.ZodType, part: string | number | undefined): readonly z.ZodType[] {
  const { shape, valueType, element } = definition(form);
  const below = typeof part === 'string' ? (shape?.[part] ?? valueType) : element;
  return below === undefined ? [] : variants(below);
}

function sourceMistakes(forms: readonly z.ZodType[], branches: readonly (readonly Issue[])[], path: Path, value: unknown, root: unknown, written: (path: Path) => string | undefined): Translated[] {
  const providers = Object.keys(sourceForms);
  if (!isDictionary(value)) return [{ code: 'CFG010', path, what: `must be an object that names one of ${providers.join(', ')}`, fix: '{ codecommit: REPOSITORY, branch: main }' }];
  const provider = providerOf(value);
  if (provider === undefined) {
    const near = Object.keys(value).map((key) => [key, nearest(key, providers)] as const).find(([, meant]) => meant !== undefined);
    return [{ code: 'CFG010', path, what: `must name one of ${providers.join(', ')}`, fix: near === undefined ? 'the first key says the provider: { codecommit: REPOSITORY }' : `did you mean ${near[1]} for ${near[0]}?` }];
  }
  const index = forms.indexOf(sourceForms[provider]);
  return (branches[index] ?? []).flatMap((issue) => translate(issue, path, root, written));
}

/** The branch with the fewest unknown and missing keys. */
function leastWrong(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const weight = (issues: readonly Issue[]): number => issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length * 3 : issue.code === 'invalid_type' ? 2 : 1), 0);
  return branches.reduce((best, issues) => (weight(issues) < weight(best) ? issues : best));
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => (isDictionary(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[part] : undefined), root);
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? 'something else') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
