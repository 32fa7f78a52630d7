/** A policy document as far as the checks look into it. */
interface Statement {
  readonly Effect?: string;
  readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
  readonly Action?: string | readonly string[];
}

const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] => (value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]);

function statements(document: string | null): readonly Statement[] {
  if (!document) return [];
  const parsed = JSON.parse(document) as { Statement?: Statement | Statement[] };
  return listOf(parsed.Statement);
}

function awsPrincipals({ Principal }: Statement): readonly string[] {
  if (Principal === undefined) return [];
  return typeof Principal === 'string' ? [Principal] : listOf(Principal['AWS']);
}

/** Unique IDs where ARNs once stood: the role or user was deleted, and one made anew under its name is somebody else (IAM User Guide, "AWS JSON policy elements: Principal"). */
export function stalePrincipals(document: string | null): string[] {
  return statements(document).flatMap((statement) => awsPrincipals(statement).filter((principal) => /^A(?:ROA|IDA)[A-Z0-9]{12,}$/.test(principal)));
}

/** Accounts whose root, or whose principals, a trust document lets assume the role. */
export function trustedAccounts(document: string): string[] {
  const allowed = statements(document).filter(({ Effect, Action }) => Effect === 'Allow' && listOf(Action).some((action) => /^(sts:(AssumeRole|\*)|\*)$/i.test(action)));
  return [...new Set(allowed.flatMap(awsPrincipals).map((principal) => (principal === '*' ? '*' : /^\d{12}$/.test(principal) ? principal : (principal.split(':')[4] ?? ''))))].filter((account) => account !== '');
}

/** Whether a trust document lets a service assume the role. */
export function trustsService(document: string, service: string): boolean {
  return statements(document).some(({ Effect, Principal }) => Effect === 'Allow' && typeof Principal === 'object' && listOf(Principal['Service']).includes(service));
}

/** A trust document that lets these accounts assume the role besides. */
export function withTrust(document: string, accounts: readonly string[]): string {
  const parsed = JSON.parse(document) as { Statement?: Statement | Statement[] };
  const added: Statement[] = accounts.map((account) => ({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }));
  return JSON.stringify({ ...parsed, Statement: [...listOf(parsed.Statement), ...added] });
}
