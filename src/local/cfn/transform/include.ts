import { isObject, type Json, type JsonObject } from '../json.js';
import { parseSnippet } from '../template/parse.js';
import { TransformError } from './error.js';

export interface IncludeContext {
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  readonly pseudo: Readonly<Record<string, Json>>;
  /** Text of an object; raises TransformError when it can't be read. */
  readonly readObject: (bucket: string, key: string) => Promise<string>;
}

/** Names of the `Fn::Transform` calls in a document. */
export function findIncludes(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(findIncludes);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === 'Fn::Transform' ? (Array.isArray(member) ? member : [member]).map((call) => (isObject(call) && typeof call['Name'] === 'string' ? call['Name'] : 'Fn::Transform')) : findIncludes(member),
  );
}

/** Replaces `Fn::Transform` of AWS::Include by the snippet, whose members win over their siblings (user guide: "AWS::Include transform"). */
export async function applyIncludes(document: JsonObject, context: IncludeContext): Promise<JsonObject> {
  const top = (Array.isArray(document['Transform']) ? document['Transform'] : [document['Transform']]).filter((entry) => isObject(entry ?? null) && (entry as JsonObject)['Name'] === 'AWS::Include');
  let result = document;
  for (const call of top) result = { ...result, ...(await snippet(call as JsonObject, context) as JsonObject) };
  return (await expand(result, context, 0)) as JsonObject;
}

async function expand(value: Json, context: IncludeContext, depth: number): Promise<Json> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => expand(item, context, depth)));
  if (!isObject(value)) return value;
  if (depth > 10) throw new TransformError('AWS::Include', 'The snippets are nested too deeply.');
  const result: JsonObject = {};
  for (const [key, member] of Object.entries(value)) if (key !== 'Fn::Transform') result[key] = await expand(member, context, depth);
  const calls = value['Fn::Transform'];
  if (calls === undefined) return result;
  for (const call of Array.isArray(calls) ? calls : [calls]) {
    if (!isObject(call)) throw new TransformError('AWS::Include', 'The transform must have a Name and Parameters.');
    const content = await expand(await snippet(call, context), context, depth + 1);
    if (!isObject(content)) {
      if (Object.keys(result).length > 0) throw new TransformError('AWS::Include', 'The snippet must be a map to be merged with its siblings.');
      return content;
    }
    Object.assign(result, content);
  }
  return result;
}

async function snippet(call: JsonObject, context: IncludeContext): Promise<Json> {
  const parameters = call['Parameters'];
  const location = isObject(parameters ?? null) ? text((parameters as JsonObject)['Location']!, context) : undefined;
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(location ?? '');
  if (!match) throw new TransformError('AWS::Include', 'The location parameter is not a valid S3 uri.');
  return parseSnippet(await context.readObject(match[1]!, match[2]!));
}

/** The location may name parameters by Ref, Sub and Join. */
function text(value: Json, context: IncludeContext): string {
  const known = (name: string): string => String(context.parameters[name] ?? context.pseudo[name] ?? '');
  if (typeof value === 'string') return value;
  if (isObject(value)) {
    if (typeof value['Ref'] === 'string') return known(value['Ref']);
    const sub = value['Fn::Sub'];
    if (typeof sub === 'string') return sub.replace(/\$\{([^}!]+)\}/g, (_, name: string) => known(name.trim()));
    const join = value['Fn::Join'];
    if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map((item) => text(item, context)).join(String(join[0]));
  }
  throw new TransformError('AWS::Include', 'The location parameter is not a valid S3 uri.');
}
