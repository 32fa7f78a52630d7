const ADMINISTRATOR = /^arn:[a-z-]+:iam::aws:policy\/AdministratorAccess$/;

/** Whether a managed policy allows everything on everything: AWS's own of that name, or a customer's with such a statement. */
export function isAdministrator(arn: string, documents: Readonly<Record<string, string>>): boolean {
  if (ADMINISTRATOR.test(arn)) return true;
  const document = documents[arn];
  if (document === undefined) return false;
  const { Statement = [] } = JSON.parse(document) as { Statement?: unknown };
  const list = (Array.isArray(Statement) ? Statement : [Statement]) as { Effect?: string; Action?: string | string[]; Resource?: string | string[]; Condition?: unknown }[];
  const all = (value: string | string[] | undefined): boolean => (Array.isArray(value) ? value : [value]).some((text) => text === '*' || text === '*:*');
  return list.some(({ Effect, Action, Resource, Condition }) => Effect === 'Allow' && all(Action) && all(Resource) && Condition === undefined);
}
