import { isAdministrator } from './administrator.js';
import { valueOf } from './ask.js';
import { stalePrincipals, trustedAccounts, trustsService, withTrust } from './documents.js';
import { stackSetOf } from '../bootstrap/standing.js';
import { placeOf, type BootstrapSettings, type FleetPair } from '../fleet/fleet.js';
import { ROLE_KINDS, type PairFacts, type RoleFacts, type RoleKind } from './facts.js';

export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  /** Stable; docs/operator.md lists them. */
  readonly code: string;
  readonly severity: Severity;
  /** `111111111111/eu-west-1`, or the pipeline's name for what is of no pair. */
  readonly place: string;
  readonly what: string;
  readonly why: string;
  /** The exact command, or what to do where none does it. */
  readonly fix: string;
  /** What `--fix` may do about it. */
  readonly safe?: SafeFix;
}

export type SafeFix = { readonly kind: 'bootstrap' } | { readonly kind: 'delete-stack'; readonly stack: string };

interface Found {
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
  readonly severity?: Severity;
  readonly safe?: SafeFix;
}

interface Case {
  readonly pair: FleetPair;
  readonly facts: PairFacts;
  readonly place: string;
  /** Version of the template that the pinned CLI ships. */
  readonly current: number;
  /** Names of the fleet's stacks in the pair. */
  readonly stacks: ReadonlySet<string>;
  /** Quotas that builds of the fleet's pipelines count against; undefined: all. */
  readonly builds: ReadonlySet<string> | undefined;
  readonly flags: string;
}

interface Check {
  readonly code: string;
  readonly severity: Severity;
  readonly why: string;
  readonly fix: (subject: Case) => string;
  look(subject: Case): readonly Found[];
}

const bootstrap = ({ place, pair, flags }: Case): string => `flotilla ${flags}bootstrap --pair ${place}${settings(pair.bootstrap)}`;

function settings({ qualifier, toolkitStackName, trust, executionPolicies }: BootstrapSettings): string {
  return [
    qualifier === 'hnb659fds' ? '' : ` --qualifier ${qualifier} --toolkit-stack-name ${toolkitStackName ?? `CDKToolkit-${qualifier}`}`,
    trust.length > 0 ? ` --trust ${trust.join(',')}` : '',
    executionPolicies ? ` --cloudformation-execution-policies ${executionPolicies.join(',')}` : '',
  ].join('');
}

const one = (problem: boolean, found: Found): readonly Found[] => (problem ? [found] : []);
const standing = ({ facts }: Case): boolean => valueOf(facts.toolkit) !== undefined && (valueOf(facts.toolkit) !== null || (valueOf(facts.version) ?? null) !== null);
/** Roles that a trusted account assumes. */
const ASSUMED: readonly RoleKind[] = ['deploy', 'lookup', 'file-publishing', 'image-publishing'];

/** What doctor looks for in each pair; a check says nothing of what could not be read. */
export const CHECKS: readonly Check[] = [
  { code: 'DOC001', severity: 'error', why: 'without credentials nothing can be said of it', fix: () => 'flotilla --profile-pattern, --role or a profile that leads there (docs/operator.md)', look: ({ facts }) => (facts.identity.known ? [] : [{ what: 'not reachable', why: facts.identity.why }]) },
  { code: 'DOC002', severity: 'error', why: 'services of a region that is not enabled know no credentials', fix: ({ pair }) => `aws account enable-region --region-name ${pair.region} --account-id ${pair.account}`, look: ({ facts }) => one(valueOf(facts.optIn) === 'not-opted-in', { what: 'the account has not opted in to the region' }) },
  { code: 'DOC003', severity: 'error', why: 'nothing can be deployed there', fix: bootstrap, look: (subject) => one(subject.facts.toolkit.known && subject.facts.version.known && !standing(subject), { what: `not bootstrapped (qualifier ${subject.facts.qualifier})`, safe: { kind: 'bootstrap' } }) },
  {
    code: 'DOC004',
    severity: 'note',
    why: 'newer templates close holes and bring what newer apps ask for',
    fix: bootstrap,
    look: (subject) => {
      const version = valueOf(subject.facts.version);
      if (typeof version !== 'number' || version >= subject.current) return [];
      const worst = VERSIONS.find(({ below }) => version < below);
      return [{ what: `bootstrap version ${version}, ${subject.current} is current`, severity: worst?.severity ?? 'note', ...(worst ? { why: worst.why } : {}), safe: { kind: 'bootstrap' } }];
    },
  },
  { code: 'DOC024', severity: 'note', why: 'bootstraps and other CDK tools look for it by name; an instance of a stack set is changed through its stack set alone', fix: ({ facts }) => { const name = valueOf(facts.toolkit)?.stackName ?? ''; return stackSetOf(name) === undefined ? `name it where you bootstrap: --toolkit-stack-name ${name}` : 'nothing is to be done; flotilla bootstrap --emit stackset writes what it has to be'; }, look: ({ facts }) => one(valueOf(facts.toolkit)?.stackName !== undefined, { what: `the bootstrap is the stack ${valueOf(facts.toolkit)?.stackName}, not ${facts.toolkitStackName}` }) },
  { code: 'DOC005', severity: 'error', why: 'CloudFormation changes it no more until that is mended', fix: bootstrap, look: ({ facts }) => one(/ROLLBACK_COMPLETE$|FAILED$|REVIEW_IN_PROGRESS/.test(valueOf(facts.toolkit)?.status ?? '') && valueOf(facts.toolkit)?.status !== 'UPDATE_ROLLBACK_COMPLETE', { what: `${facts.toolkitStackName} is in ${valueOf(facts.toolkit)?.status}`, ...(/^(ROLLBACK_COMPLETE|REVIEW_IN_PROGRESS)$/.test(valueOf(facts.toolkit)?.status ?? '') ? { safe: { kind: 'bootstrap' as const } } : {}) }) },
  { code: 'DOC006', severity: 'error', why: 'the bootstrap makes five roles, and deployments use each of them', fix: bootstrap, look: (subject) => (standing(subject) ? ROLE_KINDS.filter((kind) => valueOf(subject.facts.roles)?.[kind] === null).map((kind) => ({ what: `the ${kind} role is missing` })) : []) },
  {
    code: 'DOC007',
    severity: 'error',
    why: 'the pipeline’s account can’t assume the role: its deployment fails there',
    fix: bootstrap,
    look: (subject) => untrusting(subject),
  },
  { code: 'DOC008', severity: 'error', why: 'CloudFormation can’t assume the role it deploys with', fix: bootstrap, look: ({ facts }) => { const role = valueOf(facts.roles)?.['cfn-exec']; return one(Boolean(role && !trustsService(role.trust, 'cloudformation.amazonaws.com')), { what: 'the cfn-exec role does not trust CloudFormation' }); } },
  {
    code: 'DOC009',
    severity: 'warning',
    why: 'accounts that this fleet does not name may deploy there',
    fix: (subject) => `if nobody else needs it: ${bootstrap(subject)} --drop-trust`,
    look: ({ facts, pair }) => {
      const role = valueOf(facts.roles)?.deploy;
      const extra = role ? trustedAccounts(role.trust).filter((account) => account !== pair.account && !pair.bootstrap.trust.includes(account)) : [];
      return one(extra.length > 0, { what: `the deploy role also trusts ${extra.map((account) => (account === '*' ? 'everybody' : account)).join(', ')}`, ...(extra.includes('*') ? { severity: 'error' as const } : {}) });
    },
  },
  { code: 'DOC010', severity: 'error', why: 'assets have no place to be published to', fix: bootstrap, look: (subject) => one(standing(subject) && subject.facts.bucket.known && subject.facts.bucket.value === null, { what: 'the asset bucket is missing' }) },
  { code: 'DOC011', severity: 'error', why: 'whoever has the bucket could put code into deployments: the name was taken before (template 21 and later refuse to publish to it)', fix: (subject) => `take another qualifier, or name a bucket of your own; do not deploy there. ${bootstrap(subject)}`, look: ({ facts }) => one(valueOf(facts.bucket)?.own === false, { what: `the asset bucket ${valueOf(facts.bucket)?.name} is another account’s` }) },
  { code: 'DOC012', severity: 'error', why: 'images have no place to be published to', fix: bootstrap, look: (subject) => one(standing(subject) && subject.facts.repository.known && subject.facts.repository.value === null, { what: 'the repository of images is missing' }) },
  { code: 'DOC013', severity: 'error', why: 'assets can be neither written nor read', fix: ({ pair, facts }) => `aws kms cancel-key-deletion --key-id ${valueOf(facts.bucket)?.key?.id} --region ${pair.region}; aws kms enable-key --key-id ${valueOf(facts.bucket)?.key?.id} --region ${pair.region}`, look: ({ facts }) => { const key = valueOf(facts.bucket)?.key; return one(key !== undefined && key.state !== 'Enabled', { what: `the key of the asset bucket is ${key?.state}` }); } },
  {
    code: 'DOC014',
    severity: 'error',
    why: 'a role or user was made anew under the same name: to AWS it is somebody else, and access is denied',
    fix: (subject) => `deploy again what writes the policy: the pipeline’s stack (cdk deploy), or ${bootstrap(subject)}`,
    look: ({ facts }) =>
      [
        ...Object.values(valueOf(facts.roles) ?? {}).map((role) => ({ of: `the trust of ${role?.name}`, document: role?.trust ?? null })),
        { of: `the policy of ${valueOf(facts.bucket)?.name}`, document: valueOf(facts.bucket)?.policy ?? null },
        { of: 'the policy of the asset bucket’s key', document: valueOf(facts.bucket)?.key?.policy ?? null },
        { of: `the policy of ${valueOf(facts.repository)?.name}`, document: valueOf(facts.repository)?.policy ?? null },
        ...(valueOf(facts.pipelines) ?? []).flatMap(({ name, policies }) => Object.entries(policies).map(([of, document]) => ({ of: `the policy of ${of} (pipeline ${name})`, document }))),
      ].flatMap(({ of, document }) => one(stalePrincipals(document).length > 0, { what: `${of} names ${stalePrincipals(document).join(', ')}, which is no more` })),
  },
  { code: 'DOC015', severity: 'warning', why: 'a deployment may do anything in the account', fix: (subject) => `${bootstrap({ ...subject, pair: { ...subject.pair, bootstrap: { ...subject.pair.bootstrap, executionPolicies: ['ARN-OF-A-NARROWER-POLICY'] } } })}`, look: ({ facts }) => { const role = valueOf(facts.roles)?.['cfn-exec']; const wide = role && !role.boundary ? role.attached.filter((arn) => isAdministrator(arn, valueOf(facts.policies) ?? {})) : []; return one((wide?.length ?? 0) > 0, { what: `deployments have ${wide?.map((arn) => arn.split('/').at(-1)).join(', ')} and no boundary` }); } },
  { code: 'DOC016', severity: 'error', why: 'a deployment can make a role without the boundary, and act through it', fix: () => 'add to the boundary a Deny of iam:CreateRole and iam:CreateUser where iam:PermissionsBoundary is not its ARN (template of CLI 2.1148.1 and later)', look: ({ facts }) => (valueOf(facts.inertBoundaries) ?? []).map((arn) => ({ what: `the boundary ${arn.split('/').at(-1)} binds nothing that is made under it` })) },
  {
    code: 'DOC017',
    severity: 'error',
    why: 'CloudFormation takes no update of it',
    fix: ({ pair }) => `aws cloudformation describe-stack-events --region ${pair.region}`,
    look: ({ facts, stacks, pair }) =>
      (valueOf(facts.stacks) ?? [])
        .filter(({ name, status }) => name !== facts.toolkitStackName && STUCK[status] !== undefined && (stacks.has(name) || status === 'UPDATE_ROLLBACK_FAILED'))
        .map(({ name, status }) => ({ what: `${name} is in ${status}`, fix: STUCK[status]!(name, pair.region), severity: stacks.has(name) ? 'error' : 'note', ...(stacks.has(name) && /^(ROLLBACK_COMPLETE|REVIEW_IN_PROGRESS)$/.test(status) ? { safe: { kind: 'delete-stack' as const, stack: name } } : {}) })),
  },
  { code: 'DOC018', severity: 'error', why: 'a connection carries nothing before somebody has confirmed it at its provider', fix: () => 'in the console: Developer Tools → Connections → Update pending connection', look: ({ facts }) => (valueOf(facts.connections) ?? []).filter(({ status }) => status === 'PENDING').map(({ name }) => ({ what: `the connection ${name} is pending` })) },
  { code: 'DOC019', severity: 'error', why: 'the pipeline can’t be deployed: CloudFormation resolves the secret', fix: ({ pair }) => `aws secretsmanager create-secret --region ${pair.region} --name NAME --secret-string TOKEN`, look: ({ facts, pair }) => Object.entries(valueOf(facts.secrets) ?? {}).filter(([, there]) => !there).map(([name]) => ({ what: `the secret '${name}' is missing`, fix: `aws secretsmanager create-secret --region ${pair.region} --name ${name} --secret-string TOKEN` })) },
  { code: 'DOC020', severity: 'warning', why: 'the next stacks may not be created', fix: () => 'Service Quotas → AWS CloudFormation → Stack count', look: ({ facts, stacks }) => { const there = valueOf(facts.stacks); const most = valueOf(facts.stackLimit); if (!there || !most) return []; const coming = [...stacks].filter((name) => !there.some((stack) => stack.name === name)).length; return one(there.length + coming > most * 0.9, { what: `${there.length} stacks stand and ${coming} are to come, of ${most}` }); } },
  { code: 'DOC021', severity: 'warning', why: 'asset and build steps wait in line, and fail when the line is full', fix: () => 'Service Quotas → AWS CodeBuild → Concurrently running builds', look: ({ facts, builds }) => (valueOf(facts.quotas) ?? []).filter(({ service, name, value }) => service === 'codebuild' && value < 5 && (builds?.has(name) ?? true)).map(({ name, value }) => ({ what: `${name}: ${value}`, ...(value === 0 ? { severity: 'error' as const, why: 'no build can start' } : {}) })) },
  { code: 'DOC022', severity: 'error', why: 'the version is there without the stack that made it: nothing can update it', fix: ({ facts }) => `find what made it; if nothing uses it: aws ssm delete-parameter --name /cdk-bootstrap/${facts.qualifier}/version`, look: ({ facts }) => one(facts.toolkit.known && facts.toolkit.value === null && typeof valueOf(facts.version) === 'number', { what: `${facts.toolkitStackName} is not there, but the qualifier ${facts.qualifier} has a version`, severity: 'warning' }) },
];

/** Roles that don't trust who has to deploy, together by whom they don't trust. Where the toolkit stack says that they do, somebody changed them by hand, and a bootstrap changes nothing. */
function untrusting(subject: Case): readonly Found[] {
  const { facts, pair } = subject;
  const groups = new Map<string, { accounts: string[]; roles: RoleFacts[]; kinds: RoleKind[] }>();
  for (const kind of ASSUMED) {
    const role = valueOf(facts.roles)?.[kind];
    if (!role) continue;
    const trusted = trustedAccounts(role.trust);
    const accounts = [...pair.bootstrap.trust, pair.account].filter((account) => !trusted.includes(account) && !trusted.includes('*'));
    if (accounts.length === 0) continue;
    const group = groups.get(accounts.join()) ?? { accounts, roles: [], kinds: [] };
    group.roles.push(role);
    group.kinds.push(kind);
    groups.set(accounts.join(), group);
  }
  const declared = (valueOf(facts.toolkit)?.parameters['TrustedAccounts'] ?? '').split(',');
  return [...groups.values()].map(({ accounts, roles, kinds }) => {
    const byHand = accounts.every((account) => declared.includes(account) || account === pair.account);
    const what = `${kinds.length === 1 ? `the ${kinds[0]} role does` : `the roles ${kinds.join(', ')} do`} not trust ${accounts.join(', ')}`;
    if (!byHand) return { what };
    return { what, why: `${facts.toolkitStackName} says they do: they were changed by hand since, and a bootstrap changes nothing`, fix: roles.map((role) => `aws iam update-assume-role-policy --role-name ${role.name} --policy-document '${withTrust(role.trust, accounts)}'`).join('\n') };
  });
}

/** Versions of the template by what is missing before them (aws-cdk-cli, bootstrap-template.yaml). */
const VERSIONS: readonly { below: number; severity: Severity; why: string }[] = [
  { below: 6, severity: 'error', why: 'apps of today deploy to version 6 and later' },
  { below: 8, severity: 'error', why: 'lookups need version 8' },
  { below: 21, severity: 'warning', why: 'before 21 assets could be published to a bucket that somebody else took (bucket takeover)' },
];

/** Statuses in which a stack is stuck, with the way out. */
const STUCK: Readonly<Record<string, (name: string, region: string) => string>> = {
  ROLLBACK_COMPLETE: (name, region) => `aws cloudformation delete-stack --stack-name ${name} --region ${region}`,
  ROLLBACK_FAILED: (name, region) => `aws cloudformation delete-stack --stack-name ${name} --region ${region}`,
  REVIEW_IN_PROGRESS: (name, region) => `aws cloudformation delete-stack --stack-name ${name} --region ${region}`,
  DELETE_FAILED: (name, region) => `aws cloudformation delete-stack --stack-name ${name} --region ${region}`,
  UPDATE_ROLLBACK_FAILED: (name, region) => `aws cloudformation continue-update-rollback --stack-name ${name} --region ${region}`,
};

/** Every check over one pair. */
export function examine(pair: FleetPair, facts: PairFacts, options: Pick<Case, 'current' | 'stacks' | 'builds' | 'flags'>): Finding[] {
  const subject: Case = { pair, facts, place: placeOf(pair), ...options };
  return CHECKS.flatMap((check) => check.look(subject).map((found) => ({ code: check.code, severity: found.severity ?? check.severity, place: subject.place, what: found.what, why: found.why ?? check.why, fix: found.fix ?? check.fix(subject), ...(found.safe ? { safe: found.safe } : {}) })));
}
