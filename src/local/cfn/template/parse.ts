import { isScalar, LineCounter, parseDocument, visit, type Document, type ScalarTag, type CollectionTag, type YAMLMap, type YAMLSeq } from 'yaml';
import { isObject, type Json, type JsonObject } from '../json.js';
import { formatError, templateError, validationError } from './error.js';

/** Deepest nesting a template may have; AWS has its own limit, ours keeps the walkers off the end of the stack. */
const MAX_DEPTH = 200;

/**
 * Template text (JSON or YAML, short forms included) to plain data in long form. Errors are AWS's `Template format error: … not
 * well-formed. (line L, column C)`, columns counted from 1.
 */
export function parseTemplateText(text: string): JsonObject {
  const document = text.trimStart().startsWith('{') ? parseJson(text) : parseYaml(text);
  if (!isObject(document)) throw formatError('unsupported structure.');
  refuseNulls(document, '', 0);
  return document;
}

/** Text of an included snippet (AWS::Include): like a template, but any shape, nulls allowed. */
export function parseSnippet(text: string): Json {
  return text.trimStart().startsWith('{') ? parseJson(text) : parseYaml(text);
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // A YAML flow mapping also starts with a brace; CloudFormation accepts it.
    const lines = new LineCounter();
    const document = load(text, lines);
    if (document.errors.length > 0) throw formatError(`JSON not well-formed. ${position(document, lines)}`);
    return toPlain(document);
  }
}

function parseYaml(text: string): Json {
  const lines = new LineCounter();
  const document = load(text, lines);
  if (document.errors.length > 0) throw formatError(`YAML not well-formed. ${position(document, lines)}`);
  visit(document, {
    Alias: () => {
      throw templateError('YAML aliases are not allowed in CloudFormation templates');
    },
    // Names are names: a parameter called `On` or a mapping key `012` keeps its spelling.
    Pair: (_, pair) => {
      if (isScalar(pair.key) && pair.key.source !== undefined) pair.key.value = pair.key.source;
    },
  });
  return toPlain(document);
}

function load(text: string, lines: LineCounter): Document.Parsed {
  return parseDocument(text, {
    lineCounter: lines,
    version: '1.1',
    uniqueKeys: true,
    merge: false,
    logLevel: 'silent',
    prettyErrors: false,
    // Dates stay text ("2012-10-17" of a policy document): the user guide lists timestamp among the unsupported tags.
    customTags: (tags) => [...tags.filter((tag) => typeof tag === 'string' || !UNSUPPORTED_TAGS.has(tag.tag) && tag.tag !== BOOLEAN), ...TRUTHS, ...SHORT_FORMS],
  });
}

function position(document: Document.Parsed, lines: LineCounter): string {
  const { line, col } = lines.linePos(document.errors[0]!.pos[0]);
  return `(line ${line}, column ${col})`;
}

function toPlain(document: Document.Parsed): Json {
  const unknown = document.warnings.find((warning) => warning.code === 'TAG_RESOLVE_FAILED');
  if (unknown) throw formatError(`Unsupported tag: ${/Unresolved tag: (\S+)/.exec(unknown.message)?.[1] ?? unknown.message}`);
  return plain(document.toJS({ maxAliasCount: 0 }), 0);
}

/** Keys become text, dates that slipped through become text, unresolvable values are refused. */
function plain(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) throw formatError('Template is nested too deeply.');
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), plain(member, depth + 1)]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member, depth + 1)]));
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return (value ?? null) as Json;
}

/** Recorded: cfn-validations-invalid-output-structure-missing-def. */
function refuseNulls(value: Json, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw formatError('Template is nested too deeply.');
  if (value === null) throw validationError(`[${path}] 'null' values are not allowed in templates`);
  if (Array.isArray(value)) value.forEach((item, i) => refuseNulls(item, `${path}/${i}`, depth + 1));
  else if (isObject(value)) for (const [key, member] of Object.entries(value)) refuseNulls(member, `${path}/${key}`, depth + 1);
}

const BOOLEAN = 'tag:yaml.org,2002:bool';

/** YAML 1.1 booleans without its one-letter forms, as CloudFormation's own parser reads them. */
const TRUTHS: ScalarTag[] = [
  { tag: BOOLEAN, default: true, test: /^(?:true|True|TRUE|yes|Yes|YES|on|On|ON)$/, resolve: () => true },
  { tag: BOOLEAN, default: true, test: /^(?:false|False|FALSE|no|No|NO|off|Off|OFF)$/, resolve: () => false },
];

const UNSUPPORTED_TAGS = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
  'tag:yaml.org,2002:merge',
]);

const FUNCTIONS = [
  'And', 'Base64', 'Cidr', 'Contains', 'EachMemberEquals', 'EachMemberIn', 'Equals', 'FindInMap', 'GetAZs', 'GetStackOutput', 'If',
  'ImportValue', 'Join', 'Length', 'Not', 'Or', 'RefAll', 'Select', 'Split', 'Sub', 'ToJsonString', 'Transform', 'ValueOf', 'ValueOfAll',
] as const;

/** `!Sub x` is `{"Fn::Sub": x}`, `!Ref` and `!Condition` keep their names, `!GetAtt A.B` is split at its first dot. */
const SHORT_FORMS: (ScalarTag | CollectionTag)[] = [
  ...['Ref', 'Condition'].flatMap((name) => tagFor(name, name)),
  ...FUNCTIONS.flatMap((name) => tagFor(name, `Fn::${name}`)),
  ...tagFor('GetAtt', 'Fn::GetAtt', (value) => {
    if (typeof value !== 'string') return value;
    const dot = value.indexOf('.');
    return dot < 0 ? value : [value.slice(0, dot), value.slice(dot + 1)];
  }),
];

function tagFor(name: string, long: string, convert: (value: unknown) => unknown = (value) => value): (ScalarTag | CollectionTag)[] {
  const tag = `!${name}`;
  const collection = (kind: 'seq' | 'map'): CollectionTag => ({
    tag,
    collection: kind,
    resolve: (node: YAMLMap | YAMLSeq) => withJs(node, long, convert),
  });
  return [
    { tag, resolve: (text: string) => ({ [long]: convert(text) }) },
    collection('seq'),
    collection('map'),
  ];
}

/** The node answers its long form when it is turned into plain data, so that nested short forms are handled by the library. */
function withJs(node: YAMLMap | YAMLSeq, long: string, convert: (value: unknown) => unknown): YAMLMap | YAMLSeq {
  const original = node.toJSON.bind(node);
  node.toJSON = (...args: Parameters<typeof original>) => ({ [long]: convert(original(...args)) }) as never;
  return node;
}
