import { AwsError } from '../../kernel/error.js';

export interface TemplateInput {
  readonly body: string;
  readonly params: { readonly path: Readonly<Record<string, string>>; readonly querystring: Readonly<Record<string, string>>; readonly header: Readonly<Record<string, string>> };
  readonly context: Readonly<Record<string, unknown>>;
  readonly stageVariables: Readonly<Record<string, string>>;
}

/**
 * Fills a mapping template: variables and their usual functions (user guide, "Mapping template variable reference"). Directives (`#set`,
 * `#if`, `#foreach`) are refused by name: a template that would be half understood is worse than none.
 */
export function fillTemplate(template: string, input: TemplateInput): string {
  const directive = /(?:^|[^\\&])#(set|if|foreach|else|end|macro|parse|include)\b/.exec(template)?.[1];
  if (directive) throw new AwsError('NotImplemented', `The local cloud's mapping templates don't know #${directive}`, { status: 501 });
  return template.replace(/\$(?:(util)\.(\w+)\((.*?\))\)|(input)\.(\w+)(?:\(([^)]*)\))?|\{?(context|stageVariables)((?:\.\w+)+)\}?)/g, (whole, util, utility, argument, isInput, member, given, root, path) => {
    if (util) return applyUtility(utility as string, fillTemplate(argument as string, input), whole);
    if (isInput) return inputOf(member as string, (given as string | undefined)?.trim(), input, whole);
    const from = root === 'context' ? input.context : input.stageVariables;
    return shown((path as string).slice(1).split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], from));
  });
}

function applyUtility(name: string, value: string, whole: string): string {
  if (name === 'escapeJavaScript') return JSON.stringify(value).slice(1, -1);
  if (name === 'urlEncode') return encodeURIComponent(value);
  if (name === 'urlDecode') return decodeURIComponent(value);
  if (name === 'base64Encode') return Buffer.from(value).toString('base64');
  if (name === 'base64Decode') return Buffer.from(value, 'base64').toString('utf8');
  throw unknown(whole);
}

function inputOf(member: string, argument: string | undefined, input: TemplateInput, whole: string): string {
  const path = argument?.replace(/^["']|["']$/g, '');
  if (member === 'body') return input.body;
  if (member === 'json') return JSON.stringify(select(parsed(input.body), path ?? '$') ?? '');
  if (member === 'path') return shown(select(parsed(input.body), path ?? '$'));
  if (member === 'params') {
    if (path === undefined || path === '') return shown(input.params);
    const { path: inPath, querystring, header } = input.params;
    return inPath[path] ?? querystring[path] ?? header[path] ?? header[path.toLowerCase()] ?? '';
  }
  throw unknown(whole);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function select(value: unknown, path: string): unknown {
  return [...path.replace(/^\$/, '').matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['([^']+)'\]/g)].reduce<unknown>((from, [, member, index, quoted]) => (typeof from === 'object' && from !== null ? (from as Record<string, unknown>)[member ?? index ?? quoted!] : undefined), value);
}

function shown(value: unknown): string {
  return value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}

function unknown(whole: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud's mapping templates don't know ${whole}`, { status: 501 });
}
