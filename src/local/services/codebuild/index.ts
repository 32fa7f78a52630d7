import { assumeRole } from '../../kernel/assume.js';
import { AwsError } from '../../kernel/error.js';
import type { Authorization, HttpAnswer, HttpRequest, RequestContext, Runtime, Service } from '../../kernel/service.js';
import { buildArn } from '../../build/record.js';
import { awaitPipelineBuild, batchGetBuilds, builds, idOf, listBuilds, listBuildsForProject, pipelineBuildOutputs, queueOf, retryBuild, startBuild, startCommandsBuild, startPipelineBuild, startQueue, stopBuild } from './builds.js';
import { batchGetProjects, createProject, deleteProject, listProjects, nameOf, projectArn, projects, updateProject } from './projects.js';
import { reportGroupOperations, reportGroupRules } from './report-groups.js';
import { reportOperations, reportRules, reportWriters } from './reports.js';
import { GLOBAL, table } from '../../state/state.js';

/** AWS CodeBuild: builds are processes on this machine. */
export const codebuild: Service = {
  name: 'codebuild',
  operations: {
    CreateProject: createProject,
    UpdateProject: updateProject,
    DeleteProject: deleteProject,
    BatchGetProjects: batchGetProjects,
    ListProjects: listProjects,
    StartBuild: startBuild,
    StopBuild: stopBuild,
    RetryBuild: retryBuild,
    BatchGetBuilds: batchGetBuilds,
    ListBuilds: listBuilds,
    ListBuildsForProject: listBuildsForProject,
    ListSourceCredentials: () => ({ sourceCredentialsInfos: [] }),
    ...reportGroupOperations,
    ...reportOperations,
  },
  internal: { StartPipelineBuild: startPipelineBuild, StartCommandsBuild: startCommandsBuild, AwaitPipelineBuild: awaitPipelineBuild, PipelineBuildOutputs: pipelineBuildOutputs, ...reportWriters },
  authorization: {
    CreateProject: onProject('name'),
    UpdateProject: onProject('name'),
    DeleteProject: onProject('name'),
    BatchGetProjects: { resource: (input: { names: string[] }, context: RequestContext) => input.names.map((name) => projectArn(nameOf(name), context)) },
    ListProjects: {},
    StartBuild: onProject('projectName'),
    StopBuild: onBuild(),
    RetryBuild: onBuild(),
    BatchGetBuilds: { resource: (input: { ids: string[] }, context: RequestContext) => [...new Set(input.ids.map((id) => projectArn(idOf(id).split(':')[0]!, context)))] },
    ListBuilds: {},
    ListBuildsForProject: onProject('projectName'),
    ListSourceCredentials: {},
    // CodePipeline's action needs what its documentation lists: StartBuild and BatchGetBuilds on the project.
    StartPipelineBuild: { action: 'codebuild:StartBuild', resource: (input: { projectName: string }, context: RequestContext) => projectArn(input.projectName, context) },
    AwaitPipelineBuild: { action: 'codebuild:BatchGetBuilds', resource: (input: { projectName: string }, context: RequestContext) => projectArn(input.projectName, context), when: (input: { projectName?: string }) => input.projectName !== undefined },
    PipelineBuildOutputs: 'none',
    StartCommandsBuild: 'none',
    ...reportGroupRules,
    ...reportRules,
  },
  resourceTags: (arn, context) => {
    const [, , , region, account, resource] = arn.split(':');
    const project = resource?.startsWith('project/') ? projects(context.state, account!, region!).get(resource.slice('project/'.length)) : undefined;
    return project && Object.fromEntries(project.tags.map(({ key, value }) => [key, value]));
  },
  http: credentialsEndpoint,
  start: startQueue,
};

function onProject(member: string): Authorization {
  return { resource: (input: Record<string, string>, context: RequestContext) => projectArn(nameOf(input[member] ?? '*'), context) };
}

function onBuild(): Authorization {
  return { resource: (input: { id?: string }, context: RequestContext) => projectArn(idOf(input.id ?? '*').split(':')[0]!, context) };
}

const open = table<{ readonly account: string; readonly region: string; readonly id: string }>('codebuild', 'open-builds');

/** What AWS_CONTAINER_CREDENTIALS_FULL_URI of a build answers: credentials of its role, to whoever has the build's token. */
async function credentialsEndpoint(request: HttpRequest, runtime: Runtime): Promise<HttpAnswer | undefined> {
  if (request.path !== '/_build/credentials') return undefined;
  const id = queueOf(runtime).tokens.get(request.headers['authorization'] ?? '');
  const place = id === undefined ? undefined : open(runtime.state, 'cloud', GLOBAL).get(id);
  const build = place && builds(runtime.state, place.account, place.region).get(place.id);
  if (!build) return { status: 403, headers: { 'content-type': 'text/plain' }, body: 'no running build has this token\n' };
  try {
    const given = build.pipeline?.accessKeyId ? runtime.credential(build.pipeline.accessKeyId) : undefined;
    const credentials = given
      ? { accessKeyId: build.pipeline!.accessKeyId!, secretAccessKey: given.secretAccessKey, sessionToken: given.sessionToken ?? '', expiration: given.expiresAt ?? runtime.clock.now() + 3_600_000 }
      : (await assumeRole(runtime, { roleArn: build.project.serviceRole, sessionName: `AWSCodeBuild-${build.id.split(':')[1]}`, region: build.region, as: { service: 'codebuild.amazonaws.com', account: build.account, sourceArn: buildArn(build) } })).credentials;
    const body = { AccessKeyId: credentials.accessKeyId, SecretAccessKey: credentials.secretAccessKey, Token: credentials.sessionToken, Expiration: new Date(credentials.expiration).toISOString(), RoleArn: build.project.serviceRole };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  } catch (error) {
    return { status: 400, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code: error instanceof AwsError ? error.code : 'InternalFailure', message: error instanceof Error ? error.message : String(error) }) };
  }
}
