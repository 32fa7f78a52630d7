import { validatePolicy, type PolicyKind } from '../../iam/index.js';
import { AwsError } from '../../kernel/error.js';
import { tooMany } from './store.js';

/** Policy documents as IAM takes and gives them. */

/** Raises MalformedPolicyDocument with IAM's sentence. */
export function checkDocument(document: string, kind: PolicyKind): void {
  const problem = validatePolicy(document, kind);
  if (problem !== undefined) throw malformed(problem);
}

export function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocument', message, { status: 400 });
}

/** Answers carry documents percent-encoded by RFC 3986 (IAM API reference, GetRolePolicy). */
export function encoded(document: string): string {
  return encodeURIComponent(document).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** "IAM doesn't count white space when calculating the size of a policy against these quotas." */
export function documentSize(document: string): number {
  let size = 0;
  for (const char of document) if (char !== ' ' && char !== '\n' && char !== '\r' && char !== '\t') size++;
  return size;
}

/** Characters all inline policies of one entity may have together. */
export const INLINE_LIMIT = { role: 10_240, user: 2048, group: 5120 } as const;
const MANAGED_LIMIT = 6144;
const TRUST_LIMIT = 2048;

export function checkInlineSize(kind: keyof typeof INLINE_LIMIT, name: string, inline: Readonly<Record<string, string>>): void {
  const total = Object.values(inline).reduce((sum, document) => sum + documentSize(document), 0);
  if (total > INLINE_LIMIT[kind]) tooMany(`Maximum policy size of ${INLINE_LIMIT[kind]} bytes exceeded for ${kind} ${name}`);
}

export function checkManagedSize(document: string): void {
  if (documentSize(document) > MANAGED_LIMIT) tooMany(`Cannot exceed quota for PolicySize: ${MANAGED_LIMIT}`);
}

export function checkTrustSize(document: string): void {
  if (documentSize(document) > TRUST_LIMIT) tooMany(`Cannot exceed quota for ACLSizePerRole: ${TRUST_LIMIT}`);
}
