import { AwsError } from './error.js';

export interface PageRequest {
  readonly NextToken?: string | undefined;
  readonly MaxResults?: number | undefined;
}

/** One page of a list that has an order of its own; the token says how many items came before. Raises `code` for a token that nobody gave. */
export function pageOf<T>(all: readonly T[], { NextToken, MaxResults }: PageRequest, most: number, code = 'InvalidInputException'): { readonly items: T[]; readonly NextToken?: string } {
  const begin = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64url').toString());
  if (!Number.isInteger(begin) || begin < 0) throw new AwsError(code, 'The provided pagination token is not valid.', { status: 400 });
  const end = begin + Math.min(MaxResults ?? most, most);
  return { items: all.slice(begin, end), ...(end < all.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}
