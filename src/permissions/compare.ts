import { BY_DEFAULT, grantsOf, UNREADABLE, type Grant } from './grants.js';
import type { TemplateResource } from './resolve.js';

/** A permission that a deployment adds, or a restriction it takes away. */
export interface Broadening {
  readonly rank: 'admin' | 'public' | 'external' | 'network' | 'pass-role' | 'undecided' | 'other';
  readonly holder: string;
  /** A request that was refused before and would be allowed after, in words. */
  readonly witness: string;
  /** Logical ID of the resource that says it. */
  readonly source: string;
}

export interface Comparison {
  readonly before: Readonly<Record<string, TemplateResource>>;
  readonly after: Readonly<Record<string, TemplateResource>>;
  /** Accounts that belong to the fleet; principals of others are external. */
  readonly accounts: readonly string[];
}

const RANKS = ['admin', 'public', 'external', 'network', 'pass-role', 'undecided', 'other'] as const;

/** Managed policies that only let a service write its own logs: what CDK gives every new function. */
const HARMLESS = /:iam::aws:policy\/service-role\/(AWSLambdaBasicExecutionRole|AWSLambdaVPCAccessExecutionRole)$/;
const POWERFUL = /:iam::aws:policy\/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$/;

/**
 * What a deployment would allow that was not allowed before, the gravest first. Sound, not complete: whatever can't be decided counts as
 * broadened. Something new that may act on something else that is new as well is no broadening, nor is a new role that an AWS service
 * may assume: neither lets anybody do to what stands anything that couldn't be done before.
 */
export function broadenings({ before, after, accounts }: Comparison): Broadening[] {
  const old = grantsOf(before);
  const given = grantsOf(after);
  const isNew = (id: string): boolean => !(id in before);
  // A denial that goes with what it hangs on is lifted for nobody; its own policy may go alone, and a holder outside the template stays.
  const stays = ({ holder }: Grant): boolean => isNew(idOf(holder)) || idOf(holder) in after;
  const found = [
    ...given.filter(({ effect }) => effect === 'Allow').flatMap((grant) => together(atoms(grant).filter((atom) => !old.some((other) => covers(other, atom)) && !harmless(atom, isNew, accounts)), accounts).map((one) => described(one, accounts))),
    ...old.filter((grant) => grant.effect === 'Deny' && stays(grant) && !given.some((other) => other.effect === 'Deny' && stillDenies(other, grant))).map(liftedDeny),
  ];
  return found.toSorted((a, b) => RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank) || (a.holder < b.holder ? -1 : 1));
}

/** A grant for each principal, action and resource; one that speaks by negation stays whole. */
function atoms(grant: Grant): Grant[] {
  if (grant.negated) return [grant];
  const each = (values: readonly string[]): readonly (readonly string[])[] => (values.length === 0 ? [[]] : values.map((value) => [value]));
  return each(grant.principals).flatMap((principals) => each(grant.actions).flatMap((actions) => each(grant.resources).map((resources) => ({ ...grant, principals, actions, resources }))));
}

/** Atoms of one statement, told in as few words as say the same: of one rank, for one principal, the same actions on several resources. */
function together(found: readonly Grant[], accounts: readonly string[]): Grant[] {
  const joined = (grants: readonly Grant[], alike: (grant: Grant) => unknown, field: 'actions' | 'resources'): Grant[] => {
    const groups = new Map<string, Grant>();
    for (const grant of grants) {
      const key = JSON.stringify([rankOf(grant, accounts), grant.principals, alike(grant)]);
      groups.set(key, { ...grant, [field]: [...new Set([...(groups.get(key)?.[field] ?? []), ...grant[field]])] });
    }
    return [...groups.values()];
  };
  return joined(joined(found, ({ resources }) => resources, 'actions'), ({ actions }) => actions, 'resources');
}

/** Whether an older statement allowed all that this one allows. */
function covers(old: Grant, atom: Grant): boolean {
  if (old.effect !== atom.effect || old.holder !== atom.holder) return false;
  if (old.negated || atom.negated) return old.negated === atom.negated && same(old, atom);
  if (old.condition !== '' && old.condition !== atom.condition) return false;
  return [[old.principals, atom.principals] as const, [caseless(old.actions), caseless(atom.actions)] as const, [old.resources, atom.resources] as const].every(([olds, news]) => news.every((pattern) => olds.some((wider) => within(pattern, wider))) && (news.length > 0 || olds.length === 0));
}

function same(a: Grant, b: Grant): boolean {
  const key = ({ principals, actions, resources, condition }: Grant): string => JSON.stringify([principals.toSorted(), caseless(actions).toSorted(), resources.toSorted(), condition]);
  return key(a) === key(b);
}

/** Actions are told as they are written and compared without regard to case (IAM User Guide, "AWS JSON policy elements: Action"). */
function caseless(actions: readonly string[]): string[] {
  return actions.map((action) => action.toLowerCase());
}

/** The logical ID, or the name, of what a grant hangs on. */
function idOf(holder: string): string {
  return holder.split(' ').at(-1)!;
}

/** Whether a newer denial still denies all that an older one did. */
function stillDenies(given: Grant, old: Grant): boolean {
  if (given.holder !== old.holder || given.negated !== old.negated) return false;
  return atoms(old).every((atom) => covers({ ...given, negated: '' }, { ...atom, negated: '' }));
}

/** Whether everything a pattern matches is matched by a wider one: its wildcards may only meet wildcards. */
export function within(pattern: string, wider: string): boolean {
  let [at, star, from] = [0, -1, 0];
  let i = 0;
  while (i < pattern.length) {
    if (wider[at] === '*') [star, from, at] = [at, i, at + 1];
    else if (at < wider.length && (wider[at] === pattern[i] || (wider[at] === '?' && pattern[i] !== '*'))) [i, at] = [i + 1, at + 1];
    else if (star >= 0) {
      from++;
      [i, at] = [from, star + 1];
    } else return false;
  }
  while (wider[at] === '*') at++;
  return at === wider.length;
}

/** New on new, and roles for AWS services. */
function harmless(atom: Grant, isNew: (id: string) => boolean, accounts: readonly string[]): boolean {
  if (atom.negated) return false;
  const holder = idOf(atom.holder);
  if (!isNew(holder)) return onlyNew(atom.resources, isNew) && atom.resources.length > 0 && !atom.actions.includes('*');
  if (atom.holder.startsWith('trust of ')) return atom.principals.every((principal) => principal.startsWith('Service:'));
  if (atom.holder.startsWith('network of ')) return atom.principals.every((peer) => onlyNew([peer], isNew)) || atom.actions.every((action) => action.startsWith('egress:'));
  if (atom.actions.includes('iam:attached-policy')) return atom.resources.every((arn) => HARMLESS.test(arn));
  if (atom.holder.startsWith('policy of ') || atom.holder.startsWith('URL of ')) return atom.principals.length > 0 && atom.principals.every((principal) => owned(principal, isNew, accounts));
  return atom.resources.length > 0 && onlyNew(atom.resources, isNew);
}

/** A principal that a policy of something new may name without harm: a service, the root of an account of the fleet, something new. */
function owned(principal: string, isNew: (id: string) => boolean, accounts: readonly string[]): boolean {
  return principal.startsWith('Service:') || /^[a-z0-9.-]+\.amazonaws\.com$/.test(principal) || (principal.endsWith(':root') && accounts.includes(accountOf(principal) ?? '')) || onlyNew([principal], isNew);
}

function onlyNew(values: readonly string[], isNew: (id: string) => boolean): boolean {
  return values.every((value) => {
    const ids = [...value.matchAll(/\$\{([A-Za-z0-9]+)(\.[^}]*)?\}/g)].map((match) => match[1]!);
    return ids.length > 0 && ids.every(isNew);
  });
}

function described(grant: Grant, accounts: readonly string[]): Broadening {
  const { holder, principals, actions, resources, condition, negated, source } = grant;
  const who = principals.length > 0 ? principals.join(', ') : holder;
  if (negated.startsWith(UNREADABLE)) return { rank: 'undecided', holder, source, witness: `${who}: nobody knows what its policy allows, which can't be read: ${negated.slice(UNREADABLE.length)}` };
  const what = negated ? `everything but ${negated}` : actions.includes('iam:attached-policy') ? `all that ${resources.join(', ')} allows` : `${actions.join(', ')}${resources.length > 0 ? ` on ${resources.join(', ')}` : principals.length > 0 ? ` (${holder})` : ''}`;
  return { rank: rankOf(grant, accounts), holder, source, witness: `${who} may now ${what}${condition ? ` when ${condition}` : ''}` };
}

function rankOf({ principals, actions, resources, negated, holder }: Grant, accounts: readonly string[]): Broadening['rank'] {
  if ((actions.includes('*') && (resources.length === 0 || resources.includes('*'))) || resources.some((arn) => POWERFUL.test(arn))) return 'admin';
  if (holder.startsWith('network of ')) return principals.some((peer) => peer === '0.0.0.0/0' || peer === '::/0') ? 'network' : 'other';
  if (principals.includes('*')) return 'public';
  if (principals.some((principal) => accountOf(principal) !== undefined && !accounts.includes(accountOf(principal)!))) return 'external';
  if (holder.startsWith('identity provider ') || principals.some((principal) => principal.startsWith('Federated:'))) return 'external';
  if (caseless(actions).some((action) => within('iam:passrole', action))) return 'pass-role';
  return negated ? 'undecided' : 'other';
}

function accountOf(principal: string): string | undefined {
  return /^arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):/.exec(principal)?.[1];
}

function liftedDeny({ holder, source, actions, resources, principals, negated, condition }: Grant): Broadening {
  if (condition === BY_DEFAULT) return { rank: 'public', holder, source, witness: `${holder}: ${actions.join(', ')}, which S3 sets by default, is off` };
  const what = holder.startsWith('boundary of ') ? `the boundary ${negated}` : `the denial of ${actions.join(', ')}${resources.length > 0 ? ` on ${resources.join(', ')}` : ''}${principals.length > 0 ? ` for ${principals.join(', ')}` : ''}${condition ? ` when ${condition}` : ''}`;
  return { rank: holder.startsWith('public access of ') ? 'public' : 'undecided', holder, source, witness: `${holder}: ${what} is gone or narrower` };
}
