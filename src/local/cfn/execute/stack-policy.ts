import { isObject, type Json, type JsonObject } from '../json.js';

export type UpdateAction = 'Update:Modify' | 'Update:Replace' | 'Update:Delete';

/**
 * Whether a stack policy lets an update touch a resource (user guide: "Prevent updates to stack resources"): with a policy in force
 * everything not allowed is denied, and Deny wins. Answers the number of the denying statement, 0 when none allows, undefined when allowed.
 */
export function deniedBy(policy: string | undefined, logicalId: string, type: string, action: UpdateAction): number | undefined {
  if (policy === undefined) return undefined;
  const document = JSON.parse(policy) as JsonObject;
  if (document['Statement'] === undefined) return undefined;
  const statements = (Array.isArray(document['Statement']) ? document['Statement'] : [document['Statement']]) as JsonObject[];
  const applying = statements.map((statement, i) => ({ statement, number: i + 1 })).filter(({ statement }) => applies(statement, logicalId, type, action));
  const denying = applying.find(({ statement }) => statement['Effect'] === 'Deny');
  if (denying) return denying.number;
  return applying.length > 0 ? undefined : 0;
}

function applies(statement: JsonObject, logicalId: string, type: string, action: UpdateAction): boolean {
  return (
    among(statement['Action'], statement['NotAction'], action) &&
    among(statement['Resource'], statement['NotResource'], `LogicalResourceId/${logicalId}`) &&
    typeFits(statement['Condition'], type)
  );
}

function among(own: Json | undefined, not: Json | undefined, value: string): boolean {
  if (own !== undefined) return texts(own).some((pattern) => glob(pattern, value));
  return not !== undefined && !texts(not).some((pattern) => glob(pattern, value));
}

/** The one condition there is: StringEquals or StringLike on ResourceType. */
function typeFits(condition: Json | undefined, type: string): boolean {
  if (!isObject(condition ?? null)) return true;
  for (const [operator, keys] of Object.entries(condition as JsonObject)) {
    const wanted = isObject(keys) ? texts(keys['ResourceType'] ?? []) : [];
    if (!wanted.some((pattern) => (operator === 'StringLike' ? glob(pattern, type) : pattern === type))) return false;
  }
  return true;
}

function texts(value: Json): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

/** `*` stands for anything; linear: each piece is looked for once, left to right. */
function glob(pattern: string, value: string): boolean {
  const pieces = pattern.split('*');
  if (pieces.length === 1) return pattern === value;
  if (!value.startsWith(pieces[0]!)) return false;
  let at = pieces[0]!.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = value.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = pieces[pieces.length - 1]!;
  return value.length - at >= last.length && value.endsWith(last);
}
