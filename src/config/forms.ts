import type * as z from 'zod';
import { isDictionary } from './merge.js';
import type { Path } from './mistake.js';
import { sourceForms } from './schema/source.js';

/** A schema as zod keeps it; only what is walked over here. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly valueType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly innerType?: z.ZodType;
  readonly values?: readonly unknown[];
}

/** The forms that may stand at `path`; where a union stands on the way, those that fit `value`. */
export function formsAt(root: z.ZodType, path: Path, value: unknown): readonly z.ZodType[] {
  let forms = fitting(root, value);
  let here = value;
  for (const part of path) {
    here = isDictionary(here) || Array.isArray(here) ? (here as Record<string | number, unknown>)[part] : undefined;
    forms = forms.flatMap((form) => child(form, part)).flatMap((form) => fitting(form, here));
  }
  return forms;
}

/** Keys an object at one of `forms` may have. */
export function keysOf(forms: readonly z.ZodType[]): readonly string[] {
  return [...new Set(forms.flatMap((form) => Object.keys(definition(form).shape ?? {})))];
}

/** Every form a schema has, optional and default taken off and unions taken apart. */
export function variants(schema: z.ZodType): readonly z.ZodType[] {
  const { innerType, options } = definition(schema);
  if (innerType !== undefined) return variants(innerType);
  return options === undefined ? [schema] : options.flatMap(variants);
}

export function definition(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition;
}

/** The provider a mistaken source names, by its first key that is one or nearly one. */
export function providerOf(value: unknown): keyof typeof sourceForms | undefined {
  return isDictionary(value) ? (Object.keys(value).find((key) => key in sourceForms) as keyof typeof sourceForms | undefined) : undefined;
}

function fitting(schema: z.ZodType, value: unknown): readonly z.ZodType[] {
  const all = variants(schema);
  if (all.length === 1) return all;
  const provider = providerOf(value);
  if (provider !== undefined && all.includes(sourceForms[provider])) return [sourceForms[provider]];
  const kind = isDictionary(value) ? ['object', 'record'] : Array.isArray(value) ? ['array'] : undefined;
  return kind === undefined ? all : all.filter((form) => kind.includes(definition(form).type));
}

function child(form: z.ZodType, part: string | number): readonly z.ZodType[] {
  const { type, shape, valueType, element } = definition(form);
  if (type === 'object' && shape && typeof part === 'string' && Object.hasOwn(shape, part)) return [shape[part]!];
  if (type === 'record' && valueType) return [valueType];
  if (type === 'array' && element) return [element];
  return [];
}
