import type { Json, JsonObject } from '../json.js';
import { AwsError } from '../../kernel/error.js';
import { transformNames } from '../template/read.js';
import { applyIncludes, findIncludes, type IncludeContext } from './include.js';
import { applyLanguageExtensions } from './language-extensions.js';

export interface TransformContext extends IncludeContext {
  /** Value of a parameter reference while transforming: given values and defaults, SSM values not yet read. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  readonly pseudo: Readonly<Record<string, Json>>;
}

/** Transforms a document names, those inside it (`Fn::Transform`) included. */
export function declaredTransforms(document: JsonObject): string[] {
  return [...new Set([...transformNames(document['Transform']), ...findIncludes(document)])];
}

/**
 * Applies the transforms of a document: includes first, then the language extensions (user guide: "Template transforms", order of
 * processing). Macros and SAM are refused by name.
 */
export async function applyTransforms(document: JsonObject, context: TransformContext): Promise<JsonObject> {
  const declared = declaredTransforms(document);
  for (const name of declared) {
    if (name !== 'AWS::Include' && name !== 'AWS::LanguageExtensions') throw refused(name);
  }
  if (declared.length === 0) return document;
  let result = await applyIncludes(document, context);
  if (declared.includes('AWS::LanguageExtensions')) result = applyLanguageExtensions(result, context);
  const { Transform: _, ...rest } = result;
  return rest;
}

function refused(name: string): AwsError {
  if (name.startsWith('AWS::')) return new AwsError('ValidationError', `Transform ${name} is not implemented by the local cloud.`, { status: 400 });
  return new AwsError('ValidationError', `No transform named ${name} found.`, { status: 400 });
}
