/** Answers of the calls made so far, by label. */
export type Answers = ReadonlyMap<string, unknown>;

type Form = (argument: unknown, answers: Answers) => unknown;

/** Turns the forms of a request (`{"$ref": …}`, `{"$json": …}` …) into values. */
export function resolve(value: unknown, answers: Answers): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, answers));
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  const form = keys.length === 1 ? FORMS[keys[0]!] : undefined;
  if (form) return form((value as Record<string, unknown>)[keys[0]!], answers);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member, answers)]));
}

/** What is at `A.0.B` of a value. */
export function at(value: unknown, path: string): unknown {
  if (path === '' || path === '.') return value;
  return path.split('.').reduce<unknown>((place, part) => (place === undefined || place === null ? undefined : (place as Record<string, unknown>)[part]), value);
}

const FORMS: Readonly<Record<string, Form>> = {
  $ref: (path, answers) => {
    const text = String(path);
    const label = [...answers.keys()].filter((name) => text === name || text.startsWith(`${name}.`)).sort((a, b) => b.length - a.length)[0];
    if (label === undefined) throw new TypeError(`no answer for ${text}`);
    const found = at(answers.get(label), text.slice(label.length + 1));
    if (found === undefined) throw new TypeError(`the answer of ${label} has no ${text.slice(label.length + 1)}`);
    return found;
  },
  $concat: (parts, answers) => (parts as unknown[]).map((part) => String(resolve(part, answers))).join(''),
  $json: (inner, answers) => pythonJson(resolve(inner, answers)),
  $bytes: (text) => new Uint8Array(Buffer.from(String(text), 'base64')),
  $split: (argument, answers) => {
    const [text, separator, index] = (argument as unknown[]).map((part) => resolve(part, answers)) as [string, string, number];
    return text.split(separator).at(index);
  },
  $slice: (argument, answers) => {
    const [value, from, to] = (argument as unknown[]).map((part) => resolve(part, answers)) as [string | unknown[], number | null, number | null];
    return value.slice(from ?? 0, to ?? undefined);
  },
  $before: (argument, answers) => {
    const [text, separator] = (argument as unknown[]).map((part) => resolve(part, answers)) as [string, string];
    return text.slice(0, text.indexOf(separator));
  },
  $after: (argument, answers) => {
    const [text, separator] = (argument as unknown[]).map((part) => resolve(part, answers)) as [string, string];
    return text.slice(text.indexOf(separator) + separator.length);
  },
  $replace: (argument, answers) => {
    const [text, a, b] = (argument as unknown[]).map((part) => resolve(part, answers)) as [string, string, string];
    return text.replaceAll(a, b);
  },
  $lower: (inner, answers) => String(resolve(inner, answers)).toLowerCase(),
  $upper: (inner, answers) => String(resolve(inner, answers)).toUpperCase(),
  $strip: (argument, answers) => strip(argument, answers, true, true),
  $lstrip: (argument, answers) => strip(argument, answers, true, false),
  $rstrip: (argument, answers) => strip(argument, answers, false, true),
  $now: (seconds) => new Date(Math.floor(Date.now() / 1000 + Number(seconds)) * 1000),
  $timeAdd: (argument, answers) => {
    const [time, seconds] = (argument as unknown[]).map((part) => resolve(part, answers)) as [string | Date, number];
    return new Date(new Date(time).getTime() + seconds * 1000);
  },
  $time: (text) => new Date(String(text)),
};

function strip(argument: unknown, answers: Answers, left: boolean, right: boolean): string {
  const [value, characters] = (Array.isArray(argument) ? argument : [argument, ' \t\n\r']).map((part) => resolve(part, answers)) as [string, string];
  let text = value;
  while (left && text !== '' && characters.includes(text[0]!)) text = text.slice(1);
  while (right && text !== '' && characters.includes(text.at(-1)!)) text = text.slice(0, -1);
  return text;
}

/** JSON text as Python's `json.dumps` writes it: with `", "` and `": "`. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return `{${Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${pythonJson(member)}`).join(', ')}}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
