import { declaredAccounts } from '../../kernel/accounts.js';
import { AwsError } from '../../kernel/error.js';
import { pageOf, type PageRequest } from '../../kernel/page.js';
import type { Authorization, RequestContext, Service } from '../../kernel/service.js';
import type { NamedPolicy } from '../../iam/index.js';
import type * as Organizations from '../../models/types/organizations.js';
import { attachedControls, organizationOf, type ControlKind, type Organization } from '../iam/identity.js';

/** The one root; there are no organizational units: every account is right below it. */
const ROOT = 'r-root';

/** Policies that are enforced here, by their type. */
const KINDS: Readonly<Record<string, ControlKind>> = { SERVICE_CONTROL_POLICY: 'scps', RESOURCE_CONTROL_POLICY: 'rcps' };
/** Most items of a page (Organizations API reference, `MaxResults`). */
const MOST = 20;

const onTarget: Authorization = { resource: ({ TargetId }: { TargetId: string }, context: RequestContext) => arnOf(TargetId, context) };
const onChild: Authorization = { resource: ({ ChildId }: { ChildId: string }, context: RequestContext) => arnOf(ChildId, context) };
const onParent: Authorization = { resource: ({ ParentId }: { ParentId: string }, context: RequestContext) => arnOf(ParentId, context) };
const onPolicy: Authorization = { resource: ({ PolicyId }: { PolicyId: string }, context: RequestContext) => policies(context).find(({ policy }) => idOf(policy) === PolicyId)?.policy.arn ?? '*' };

/**
 * AWS Organizations, to read: the organization that `POST /_flotilla/organization` makes of all accounts, and the control policies that IAM
 * enforces. All but DescribeOrganization is the management account's (Organizations API reference). Nothing is changed through it: such operations
 * are refused by name.
 */
export const organizations: Service = {
  name: 'organizations',
  operations: {
    DescribeOrganization: (_input: unknown, context: RequestContext): Organizations.DescribeOrganizationResponse => ({ Organization: shownOrganization(inUse(context)) }),
    ListRoots: (input: PageRequest, context: RequestContext): Organizations.ListRootsResponse => listed('Roots', [root(managed(context))], input),
    ListAccounts: (input: PageRequest, context: RequestContext): Organizations.ListAccountsResponse => listed('Accounts', accounts(managed(context), context), input),
    DescribeAccount: ({ AccountId }: Organizations.DescribeAccountRequest, context: RequestContext): Organizations.DescribeAccountResponse => ({ Account: accountOf(AccountId, context) }),
    ListParents: ({ ChildId, ...input }: Organizations.ListParentsRequest, context: RequestContext): Organizations.ListParentsResponse => {
      accountOf(ChildId, context, 'ChildNotFoundException', "You specified a child that doesn't exist.");
      return listed('Parents', [{ Id: ROOT, Type: 'ROOT' as const }], input);
    },
    ListAccountsForParent: ({ ParentId, ...input }: Organizations.ListAccountsForParentRequest, context: RequestContext): Organizations.ListAccountsForParentResponse => listed('Accounts', accounts(below(ParentId, context), context), input),
    ListOrganizationalUnitsForParent: ({ ParentId, ...input }: Organizations.ListOrganizationalUnitsForParentRequest, context: RequestContext): Organizations.ListOrganizationalUnitsForParentResponse => {
      below(ParentId, context);
      return listed('OrganizationalUnits', [], input);
    },
    ListChildren: ({ ParentId, ChildType, ...input }: Organizations.ListChildrenRequest, context: RequestContext): Organizations.ListChildrenResponse =>
      listed('Children', ChildType === 'ACCOUNT' ? accounts(below(ParentId, context), context).map(({ Id }) => ({ Id, Type: 'ACCOUNT' as const })) : [], input),
    ListPolicies: ({ Filter, ...input }: Organizations.ListPoliciesRequest, context: RequestContext): Organizations.ListPoliciesResponse => {
      managed(context);
      return listed('Policies', summaries(policies(context).filter(({ kind }) => kind === KINDS[Filter])), input);
    },
    ListPoliciesForTarget: ({ TargetId, Filter, ...input }: Organizations.ListPoliciesForTargetRequest, context: RequestContext): Organizations.ListPoliciesForTargetResponse => {
      const kind = KINDS[Filter];
      return listed('Policies', kind === undefined ? [] : summaries(attached(TargetId, kind, context).map((policy) => ({ kind, policy }))), input);
    },
    ListTargetsForPolicy: ({ PolicyId, ...input }: Organizations.ListTargetsForPolicyRequest, context: RequestContext): Organizations.ListTargetsForPolicyResponse => {
      const { kind } = policyOf(PolicyId, context);
      const bound = accounts(managed(context), context).filter(({ Id = '' }) => attached(Id, kind, context).some((policy) => idOf(policy) === PolicyId));
      return listed('Targets', bound.map(({ Id, Arn, Name }) => ({ TargetId: Id, Arn, Name, Type: 'ACCOUNT' as const })), input);
    },
    DescribePolicy: ({ PolicyId }: Organizations.DescribePolicyRequest, context: RequestContext): Organizations.DescribePolicyResponse => {
      const found = policyOf(PolicyId, context);
      return { Policy: { PolicySummary: summaries([found])[0]!, Content: found.policy.document } };
    },
    ListDelegatedAdministrators: (input: PageRequest, context: RequestContext): Organizations.ListDelegatedAdministratorsResponse => {
      managed(context);
      return listed('DelegatedAdministrators', [], input);
    },
  },
  authorization: {
    DescribeOrganization: {},
    ListRoots: {},
    ListAccounts: {},
    DescribeAccount: { resource: ({ AccountId }: { AccountId: string }, context: RequestContext) => arnOf(AccountId, context) },
    ListParents: onChild,
    ListAccountsForParent: onParent,
    ListOrganizationalUnitsForParent: onParent,
    ListChildren: onParent,
    ListPolicies: {},
    ListPoliciesForTarget: onTarget,
    ListTargetsForPolicy: onPolicy,
    DescribePolicy: onPolicy,
    ListDelegatedAdministrators: {},
  },
  // Whose organization it is the operations decide; FullAWSAccess is AWS's own.
  resourceAccount: (_arn, context) => context.account,
};

function listed<T, N extends string>(name: N, all: readonly T[], input: PageRequest): { readonly NextToken?: string } & Record<N, T[]> {
  const { items, ...rest } = pageOf(all, input, MOST);
  return { [name]: items, ...rest } as { readonly NextToken?: string } & Record<N, T[]>;
}

function inUse(context: RequestContext): Organization {
  const organization = organizationOf(context.state);
  if (!organization) throw new AwsError('AWSOrganizationsNotInUseException', 'Your account is not a member of an organization.', { status: 400 });
  return organization;
}

function managed(context: RequestContext): Organization {
  const organization = inUse(context);
  if (organization.management !== context.account) throw new AwsError('AccessDeniedException', "You don't have permissions to access this resource.", { status: 400 });
  return organization;
}

/** The organization, where the parent is its root. */
function below(parent: string, context: RequestContext): Organization {
  const organization = managed(context);
  if (parent !== ROOT) throw new AwsError('ParentNotFoundException', "You specified parent that doesn't exist.", { status: 400 });
  return organization;
}

function arnOf(id: string, context: RequestContext): string {
  const organization = organizationOf(context.state);
  const [kind, path] = id === ROOT ? ['root', ROOT] : ['account', id];
  return organization ? `arn:aws:organizations::${organization.management}:${kind}/${organization.id}/${path}` : '*';
}

function shownOrganization({ id, management }: Organization): Organizations.Organization {
  return {
    Id: id,
    Arn: `arn:aws:organizations::${management}:organization/${id}`,
    FeatureSet: 'ALL',
    MasterAccountArn: `arn:aws:organizations::${management}:account/${id}/${management}`,
    MasterAccountId: management,
    MasterAccountEmail: `${management}@example.com`,
    AvailablePolicyTypes: Object.keys(KINDS).map((Type) => ({ Type: Type as Organizations.PolicyType, Status: 'ENABLED' as const })),
  };
}

function root({ id, management }: Organization): Organizations.Root {
  return { Id: ROOT, Arn: `arn:aws:organizations::${management}:root/${id}/${ROOT}`, Name: 'Root', PolicyTypes: Object.keys(KINDS).map((Type) => ({ Type: Type as Organizations.PolicyType, Status: 'ENABLED' as const })) };
}

/** Accounts that were named, and the management account. */
function accounts({ id, management }: Organization, context: RequestContext): Organizations.Account[] {
  const known = new Map([[management, management], ...declaredAccounts(context.state).list().map((account) => [account.id, account.name] as const)]);
  return [...known].sort().map(([Id, Name]) => ({ Id, Arn: `arn:aws:organizations::${management}:account/${id}/${Id}`, Email: `${Id}@example.com`, Name, Status: 'ACTIVE' as const, State: 'ACTIVE' as const, JoinedMethod: 'CREATED' as const }));
}

function accountOf(id: string, context: RequestContext, code = 'AccountNotFoundException', message = "You specified an account that doesn't exist."): Organizations.Account {
  const found = accounts(managed(context), context).find(({ Id }) => Id === id);
  if (!found) throw new AwsError(code, message, { status: 400 });
  return found;
}

function attached(target: string, kind: ControlKind, context: RequestContext): readonly NamedPolicy[] {
  if (target !== ROOT) accountOf(target, context, 'TargetNotFoundException', "You specified a target that doesn't exist.");
  managed(context);
  // What is everybody's hangs on the root, and nothing else does.
  return attachedControls(context.state, kind, target === ROOT ? '' : target);
}

interface KnownPolicy {
  readonly kind: ControlKind;
  readonly policy: NamedPolicy;
}

/** Every policy that is attached anywhere, once. */
function policies(context: RequestContext): KnownPolicy[] {
  const organization = organizationOf(context.state);
  const ids = organization ? ['', ...accounts(organization, context).map(({ Id = '' }) => Id)] : [];
  const all = Object.values(KINDS).flatMap((kind) => ids.flatMap((id) => attachedControls(context.state, kind, id).map((policy) => ({ kind, policy }))));
  return [...new Map(all.map((one) => [one.policy.arn, one])).values()];
}

function policyOf(id: string, context: RequestContext): KnownPolicy {
  managed(context);
  const found = policies(context).find(({ policy }) => idOf(policy) === id);
  if (!found) throw new AwsError('PolicyNotFoundException', "You specified a policy that doesn't exist.", { status: 400 });
  return found;
}

const idOf = ({ arn }: NamedPolicy): string => arn!.split('/').at(-1)!;

function summaries(found: readonly KnownPolicy[]): Organizations.PolicySummary[] {
  return found.map(({ kind, policy }) => ({ Id: idOf(policy), Arn: policy.arn!, Name: policy.name, Description: '', Type: Object.keys(KINDS).find((type) => KINDS[type] === kind) as Organizations.PolicyType, AwsManaged: policy.arn!.includes('::aws:') }));
}
