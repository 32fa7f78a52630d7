import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { validatePolicy } from '../../iam/index.js';
import type * as Ecr from '../../models/types/ecr.js';
import { invalid, repositoryOf, saveRepository, type Repository } from './store.js';

const names = (repository: Repository): { registryId: string; repositoryName: string } => ({ registryId: repository.registry, repositoryName: repository.name });

export function setRepositoryPolicy(input: Ecr.SetRepositoryPolicyRequest, context: RequestContext): Ecr.SetRepositoryPolicyResponse {
  const repository = repositoryOf(input, context);
  if (!isPolicy(input.policyText)) throw invalid('PolicyText', 'Invalid repository policy provided');
  const bound = context.runtime.principals.bind(input.policyText);
  if ('invalid' in bound) throw invalid('PolicyText', 'Principal not found');
  saveRepository(context.state, { ...repository, policy: bound.document });
  return { ...names(repository), policyText: input.policyText };
}

/** A repository's policy may name no resource: it speaks of the repository (user guide, "Private repository policies"). */
function isPolicy(text: string): boolean {
  try {
    const document = JSON.parse(text) as { Statement?: Record<string, unknown> | Record<string, unknown>[] };
    if (document.Statement === undefined) return false;
    const statements = [document.Statement].flat();
    const whole = { ...document, Statement: statements.map((statement) => ('Resource' in statement || 'NotResource' in statement ? statement : { ...statement, Resource: '*' })) };
    return validatePolicy(JSON.stringify(whole), 'resource') === undefined && statements.every((statement) => 'Principal' in statement || 'NotPrincipal' in statement);
  } catch {
    return false;
  }
}

export function getRepositoryPolicy(input: Ecr.GetRepositoryPolicyRequest, context: RequestContext): Ecr.GetRepositoryPolicyResponse {
  const repository = repositoryOf(input, context);
  if (repository.policy === undefined) throw noPolicy(repository);
  return { ...names(repository), policyText: context.runtime.principals.show(repository.policy) };
}

export function deleteRepositoryPolicy(input: Ecr.DeleteRepositoryPolicyRequest, context: RequestContext): Ecr.DeleteRepositoryPolicyResponse {
  const { policy, ...repository } = repositoryOf(input, context);
  if (policy === undefined) throw noPolicy(repository);
  saveRepository(context.state, repository);
  return { ...names(repository), policyText: context.runtime.principals.show(policy) };
}

function noPolicy(repository: Repository): AwsError {
  return new AwsError('RepositoryPolicyNotFoundException', `Repository policy does not exist for the repository with name '${repository.name}' in the registry with id '${repository.registry}'`, { status: 400 });
}

/** Kept and shown. Images aren't expired by it: on AWS that takes up to 24 hours. */
export function putLifecyclePolicy(input: Ecr.PutLifecyclePolicyRequest, context: RequestContext): Ecr.PutLifecyclePolicyResponse {
  const repository = repositoryOf(input, context);
  const problem = lifecycleProblem(input.lifecyclePolicyText);
  if (problem) throw invalid('LifecyclePolicyText', `Lifecycle policy validation failure:\n${problem}`);
  saveRepository(context.state, { ...repository, lifecycle: input.lifecyclePolicyText });
  return { ...names(repository), lifecyclePolicyText: input.lifecyclePolicyText };
}

interface Rule {
  readonly rulePriority?: unknown;
  readonly selection?: { readonly tagStatus?: unknown; readonly tagPrefixList?: unknown; readonly tagPatternList?: unknown; readonly countType?: unknown; readonly countNumber?: unknown; readonly countUnit?: unknown };
  readonly action?: { readonly type?: unknown };
}

/** User guide, "Lifecycle policy properties". */
function lifecycleProblem(text: string): string | undefined {
  let document: { rules?: Rule[] };
  try {
    document = JSON.parse(text) as typeof document;
  } catch {
    return 'string is not valid JSON';
  }
  if (!Array.isArray(document?.rules) || document.rules.length === 0) return 'object has missing required properties (["rules"])';
  const priorities = new Set<unknown>();
  for (const { rulePriority, selection, action } of document.rules) {
    if (!Number.isInteger(rulePriority) || Number(rulePriority) < 1) return 'rulePriority must be a positive integer';
    if (priorities.has(rulePriority)) return `rulePriority ${String(rulePriority)} is used more than once`;
    priorities.add(rulePriority);
    if (!selection || !['tagged', 'untagged', 'any'].includes(String(selection.tagStatus))) return 'instance value not found in enum (possible values: ["tagged","untagged","any"])';
    if (selection.tagStatus === 'tagged' && !Array.isArray(selection.tagPrefixList) && !Array.isArray(selection.tagPatternList)) return 'tagPrefixList or tagPatternList is required when tagStatus is tagged';
    if (!['imageCountMoreThan', 'sinceImagePushed', 'sinceImagePulled', 'sinceImageTransitioned'].includes(String(selection.countType))) return 'instance value not found in enum (possible values: ["imageCountMoreThan","sinceImagePushed","sinceImagePulled","sinceImageTransitioned"])';
    if (!Number.isInteger(selection.countNumber) || Number(selection.countNumber) < 1) return 'countNumber must be a positive integer';
    if (selection.countType === 'sinceImagePushed' && selection.countUnit !== 'days') return 'countUnit must be days when countType is sinceImagePushed';
    if (action?.type !== 'expire' && action?.type !== 'transition') return 'instance value not found in enum (possible values: ["expire","transition"])';
  }
  return undefined;
}

export function getLifecyclePolicy(input: Ecr.GetLifecyclePolicyRequest, context: RequestContext): Ecr.GetLifecyclePolicyResponse {
  const repository = repositoryOf(input, context);
  if (repository.lifecycle === undefined) throw noLifecycle(repository);
  return { ...names(repository), lifecyclePolicyText: repository.lifecycle, lastEvaluatedAt: new Date(0) };
}

export function deleteLifecyclePolicy(input: Ecr.DeleteLifecyclePolicyRequest, context: RequestContext): Ecr.DeleteLifecyclePolicyResponse {
  const { lifecycle, ...repository } = repositoryOf(input, context);
  if (lifecycle === undefined) throw noLifecycle(repository);
  saveRepository(context.state, repository);
  return { ...names(repository), lifecyclePolicyText: lifecycle, lastEvaluatedAt: new Date(0) };
}

function noLifecycle(repository: Repository): AwsError {
  return new AwsError('LifecyclePolicyNotFoundException', `Lifecycle policy does not exist for the repository with name '${repository.name}' in the registry with id '${repository.registry}'`, { status: 400 });
}
