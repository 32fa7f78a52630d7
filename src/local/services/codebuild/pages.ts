/** A page of at most `maxResults` (100 where nothing is said) items; the token is the place where the next one begins. */
export function pageOf<T>(all: readonly T[], { nextToken, maxResults = 100 }: { readonly nextToken?: string; readonly maxResults?: number }): { items: T[]; nextToken: { nextToken?: string } } {
  const from = nextToken === undefined ? 0 : Number(nextToken);
  const to = from + maxResults;
  return { items: all.slice(from, to), nextToken: to < all.length ? { nextToken: String(to) } : {} };
}
