import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as CodeBuild from '../../models/types/codebuild.js';
import type { Project } from '../../build/record.js';
import { table } from '../../state/state.js';

export const projects = table<Project>('codebuild', 'projects');

/** Characters of an inline buildspec (quotas of CodeBuild). */
const MAX_BUILDSPEC = 25_600;
const SOURCES = new Set(['CODECOMMIT', 'CODEPIPELINE', 'GITHUB', 'S3', 'BITBUCKET', 'GITLAB', 'NO_SOURCE']);

export function projectArn(name: string, context: { account: string; region: string }): string {
  return `arn:aws:codebuild:${context.region}:${context.account}:project/${name}`;
}

export function projectOf(name: string, context: RequestContext): Project {
  const found = projects(context.state, context.account, context.region).get(nameOf(name));
  if (!found) throw new AwsError('ResourceNotFoundException', `Project cannot be found: ${name.startsWith('arn:') ? name : projectArn(name, context)}`, { status: 400 });
  return found;
}

export function nameOf(nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn.slice(nameOrArn.indexOf('project/') + 'project/'.length) : nameOrArn;
}

export function createProject(input: CodeBuild.CreateProjectInput, context: RequestContext): CodeBuild.CreateProjectOutput {
  const all = projects(context.state, context.account, context.region);
  if (all.get(input.name)) throw new AwsError('ResourceAlreadyExistsException', `Project already exists: ${projectArn(input.name, context)}`, { status: 400 });
  if (input.serviceRole) context.authorize('iam:PassRole', roleArn(input.serviceRole, context), { 'iam:PassedToService': 'codebuild.amazonaws.com' });
  const project = check({
    ...fields(input as CodeBuild.UpdateProjectInput, context),
    name: input.name,
    arn: projectArn(input.name, context),
    created: context.now(),
    lastModified: context.now(),
  } as Project);
  all.put(project.name, project);
  return { project: shown(project) };
}

export function updateProject(input: CodeBuild.UpdateProjectInput, context: RequestContext): CodeBuild.UpdateProjectOutput {
  const before = projectOf(input.name, context);
  if (input.serviceRole) context.authorize('iam:PassRole', roleArn(input.serviceRole, context), { 'iam:PassedToService': 'codebuild.amazonaws.com' });
  const given = Object.fromEntries(Object.entries(fields(input, context)).filter(([key]) => (input as unknown as Record<string, unknown>)[key] !== undefined));
  const project = check({ ...before, ...given, lastModified: context.now() } as Project);
  projects(context.state, context.account, context.region).put(project.name, project);
  return { project: shown(project) };
}

function roleArn(role: string, context: RequestContext): string {
  return role.startsWith('arn:') ? role : `arn:aws:iam::${context.account}:role/service-role/${role}`;
}

function fields(input: CodeBuild.UpdateProjectInput, context: RequestContext): Omit<Project, 'name' | 'arn' | 'created' | 'lastModified'> {
  return {
    description: input.description,
    source: (input.source ?? { type: 'NO_SOURCE' }) as never,
    secondarySources: (input.secondarySources ?? []) as never,
    sourceVersion: input.sourceVersion,
    artifacts: (input.artifacts ?? { type: 'NO_ARTIFACTS' }) as never,
    secondaryArtifacts: (input.secondaryArtifacts ?? []) as never,
    cache: (input.cache ?? { type: 'NO_CACHE' }) as never,
    environment: { ...(input.environment as never as Project['environment']), environmentVariables: (input.environment?.environmentVariables ?? []).map(({ name, value, type }) => ({ name, value, type: type ?? 'PLAINTEXT' })) },
    serviceRole: roleArn(input.serviceRole ?? '', context),
    timeoutInMinutes: input.timeoutInMinutes ?? 60,
    queuedTimeoutInMinutes: input.queuedTimeoutInMinutes ?? 480,
    concurrentBuildLimit: input.concurrentBuildLimit,
    encryptionKey: input.encryptionKey ?? `arn:aws:kms:${context.region}:${context.account}:alias/aws/s3`,
    tags: (input.tags ?? []).map(({ key = '', value = '' }) => ({ key, value })),
    logsConfig: input.logsConfig as never,
    vpcConfig: input.vpcConfig,
  };
}

function check(project: Project): Project {
  if (!SOURCES.has(project.source.type)) throw new AwsError('InvalidInputException', `The local cloud has no sources of type ${project.source.type}`, { status: 400 });
  if ((project.source.buildspec?.length ?? 0) > MAX_BUILDSPEC) throw invalid(`Max buildspec length is ${MAX_BUILDSPEC}`);
  if (project.source.type === 'NO_SOURCE' && !project.source.buildspec) throw invalid('A buildspec is required for projects without a source');
  if ((project.source.type === 'CODEPIPELINE') !== (project.artifacts.type === 'CODEPIPELINE')) throw invalid('Invalid project source: artifacts and source must both be of type CODEPIPELINE, or neither');
  for (const name of project.environment.environmentVariables.map((variable) => variable.name)) if (/^CODEBUILD_/.test(name)) throw invalid(`Invalid environment variable name: ${name}. Names that start with CODEBUILD_ are reserved`);
  return project;
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidInputException', message, { status: 400 });
}

export function shown(project: Project): CodeBuild.Project {
  const { sourceVersion, concurrentBuildLimit, description, logsConfig, vpcConfig, ...rest } = project;
  return {
    ...rest,
    ...(description === undefined ? {} : { description }),
    ...(sourceVersion === undefined ? {} : { sourceVersion }),
    ...(concurrentBuildLimit === undefined ? {} : { concurrentBuildLimit }),
    ...(logsConfig === undefined ? {} : { logsConfig }),
    ...(vpcConfig === undefined ? {} : { vpcConfig }),
    projectVisibility: 'PRIVATE',
  } as unknown as CodeBuild.Project;
}

export function deleteProject(input: { name: string }, context: RequestContext): Record<string, never> {
  projects(context.state, context.account, context.region).delete(nameOf(input.name));
  return {};
}

export function batchGetProjects(input: { names: string[] }, context: RequestContext): CodeBuild.BatchGetProjectsOutput {
  const all = projects(context.state, context.account, context.region);
  const found = input.names.map((name) => all.get(nameOf(name))).filter((project) => project !== undefined);
  return { projects: found.map(shown), projectsNotFound: input.names.filter((name) => !all.get(nameOf(name))) };
}

export function listProjects(_input: unknown, context: RequestContext): CodeBuild.ListProjectsOutput {
  return { projects: projects(context.state, context.account, context.region).list().map(({ name }) => name) };
}
