import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AwsError } from '../../kernel/error.js';
import type { Authorization, HttpAnswer, HttpRequest, RequestContext, Runtime, Service } from '../../kernel/service.js';
import { serveRepository } from '../../repositories/backend.js';
import { Repository, type RefChange } from '../../repositories/repositories.js';
import { GLOBAL, table } from '../../state/state.js';

interface Connection {
  readonly arn: string;
  readonly name: string;
  readonly provider: string;
  readonly account: string;
  readonly status: 'PENDING' | 'AVAILABLE' | 'ERROR';
  readonly hostArn?: string;
  readonly tags: Readonly<Record<string, string>>;
}

const connections = table<Connection>('codeconnections', 'connections');
/** Repositories of the world outside AWS that the local cloud stands in for, by `owner/name`. */
const outside = table<{ readonly fullName: string; readonly id: string }>('codeconnections', 'repositories');

interface CreateInput {
  readonly ProviderType?: string;
  readonly ConnectionName: string;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
  readonly HostArn?: string;
}

const onConnection: Authorization = { resource: (input: { ConnectionArn: string }) => input.ConnectionArn };

/** AWS CodeConnections, under both its names; its actions keep the prefix a request was made with. */
function connectionService(name: 'codeconnections' | 'codestar-connections'): Service {
  return {
    name,
    operations: {
      CreateConnection: (input: CreateInput, context: RequestContext) => createConnection(name, input, context),
      GetConnection: (input: { ConnectionArn: string }, context: RequestContext) => ({ Connection: shown(find(input.ConnectionArn, context)) }),
      ListConnections: listConnections,
      DeleteConnection: (input: { ConnectionArn: string }, context: RequestContext) => {
        find(input.ConnectionArn, context);
        connections(context.state, context.account, context.region).delete(idOf(input.ConnectionArn));
        return {};
      },
      TagResource: (input: { ResourceArn: string; Tags: { Key: string; Value: string }[] }, context: RequestContext) => {
        const found = find(input.ResourceArn, context);
        save({ ...found, tags: { ...found.tags, ...Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value])) } }, context);
        return {};
      },
      UntagResource: (input: { ResourceArn: string; TagKeys: string[] }, context: RequestContext) => {
        const found = find(input.ResourceArn, context);
        save({ ...found, tags: Object.fromEntries(Object.entries(found.tags).filter(([key]) => !input.TagKeys.includes(key))) }, context);
        return {};
      },
      ListTagsForResource: (input: { ResourceArn: string }, context: RequestContext) => ({ Tags: Object.entries(find(input.ResourceArn, context).tags).map(([Key, Value]) => ({ Key, Value })) }),
    },
    internal: { UseConnection: useConnection, ReadGitHub: readGitHub, Serve: serveOutside },
    authorization: {
      CreateConnection: {},
      ListConnections: {},
      GetConnection: onConnection,
      DeleteConnection: onConnection,
      TagResource: { resource: (input: { ResourceArn: string }) => input.ResourceArn },
      UntagResource: { resource: (input: { ResourceArn: string }) => input.ResourceArn },
      ListTagsForResource: { resource: (input: { ResourceArn: string }) => input.ResourceArn },
      // The prefix of the permission is the one of the ARN: connections made before March 2024 are codestar-connections.
      UseConnection: {
        action: (input: { ConnectionArn: string }) => `${input.ConnectionArn.split(':')[2]}:UseConnection`,
        resource: (input: { ConnectionArn: string }) => input.ConnectionArn,
        context: (input: { ConnectionArn: string; FullRepositoryId: string; BranchName: string }) => {
          const prefix = input.ConnectionArn.split(':')[2];
          return { [`${prefix}:FullRepositoryId`]: input.FullRepositoryId, [`${prefix}:BranchName`]: input.BranchName, [`${prefix}:ProviderAction`]: 'GetBranch' };
        },
      },
      ReadGitHub: 'none',
      Serve: 'none',
    },
    resourceTags: (arn, context) => {
      const [, , , region, account] = arn.split(':');
      return connections(context.state, account!, region!).get(idOf(arn))?.tags;
    },
    ...(name === 'codeconnections' ? { http: serveGit } : {}),
  };
}

export const codeconnections = connectionService('codeconnections');
export const codestarConnections = connectionService('codestar-connections');

function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function save(connection: Connection, context: RequestContext): void {
  connections(context.state, context.account, context.region).put(idOf(connection.arn), connection);
}

/** Made as PENDING on AWS, where its owner must finish it in the console; here the provider is the local cloud itself, so nothing is pending. */
function createConnection(service: string, input: CreateInput, context: RequestContext): Record<string, unknown> {
  if (input.HostArn !== undefined) throw new AwsError('NotImplemented', 'The local cloud has no hosts for self-managed providers (HostArn of CreateConnection)', { status: 501 });
  const arn = `arn:aws:${service}:${context.region}:${context.account}:connection/${randomUUID()}`;
  save({ arn, name: input.ConnectionName, provider: input.ProviderType ?? 'GitHub', account: context.account, status: 'AVAILABLE', tags: Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])) }, context);
  return { ConnectionArn: arn, ...(input.Tags ? { Tags: input.Tags } : {}) };
}

function find(arn: string, context: RequestContext): Connection {
  const found = connections(context.state, context.account, context.region).get(idOf(arn));
  if (!found) throw new AwsError('ResourceNotFoundException', `Connection not found: ${arn}`, { status: 400 });
  return found;
}

function shown({ arn, name, provider, account, status, hostArn }: Connection): Record<string, unknown> {
  return { ConnectionArn: arn, ConnectionName: name, ProviderType: provider, OwnerAccountId: account, ConnectionStatus: status, ...(hostArn ? { HostArn: hostArn } : {}) };
}

function listConnections(input: { ProviderTypeFilter?: string }, context: RequestContext): Record<string, unknown> {
  const all = connections(context.state, context.account, context.region).list().filter(({ provider }) => input.ProviderTypeFilter === undefined || provider === input.ProviderTypeFilter);
  return { Connections: all.map(shown) };
}

interface ReadInput {
  readonly FullRepositoryId: string;
  readonly BranchName: string;
  readonly commitId?: string;
  readonly content: boolean;
}

/**
 * A pipeline reads a repository over a connection. A connection whose ARN stands in a template was made by hand on AWS; here it is taken
 * to exist and be available, as a rehearsal must.
 */
function useConnection(input: ReadInput & { ConnectionArn: string }, context: RequestContext): Promise<Record<string, unknown>> {
  const [, , , region, account] = input.ConnectionArn.split(':');
  const known = connections(context.state, account ?? '', region ?? '').get(idOf(input.ConnectionArn));
  if (known && known.status !== 'AVAILABLE') throw new AwsError('ConnectionUnavailable', `[CodeStar Connections] Unable to use Connection: ${input.ConnectionArn}. The Connection status is ${known.status}`, { status: 400 });
  return read(input, context);
}

function readGitHub(input: ReadInput & { token: string }, context: RequestContext): Promise<Record<string, unknown>> {
  if (!input.token) throw new AwsError('InvalidConfiguration', 'The GitHub action has no OAuth token', { status: 400 });
  return read(input, context);
}

async function read(input: ReadInput, context: RequestContext): Promise<Record<string, unknown>> {
  const git = repositoryOf(context.runtime, input.FullRepositoryId);
  if (!git?.exists)
    throw new AwsError('RepositoryNotServed', `The local cloud does not serve the repository ${input.FullRepositoryId}. Push it to ${context.runtime.endpoint}/git/${input.FullRepositoryId}.git, or start the pipeline with 'flotilla run' in a checkout of it`, { status: 400 });
  const tip = (await git.refs()).get(`refs/heads/${input.BranchName}`);
  if (!tip) throw new AwsError('InvalidBranch', `[CodeStar Connections] No Branch [${input.BranchName}] found for FullRepositoryName [${input.FullRepositoryId}]`, { status: 400 });
  const commit = await git.commit(input.commitId ?? tip);
  const at = (date: string): string => new Date(Number(date.split(' ')[0]) * 1000).toISOString();
  return {
    commitId: commit.id,
    message: commit.message,
    authorDate: at(commit.author.date),
    committerDate: at(commit.committer.date),
    branch: input.BranchName,
    cloneUrl: `${context.runtime.endpoint}/git/${input.FullRepositoryId}.git`,
    ...(input.content ? { content: await git.archive(commit.id) } : {}),
  };
}

function repositoryOf(runtime: Runtime, fullName: string): Repository | undefined {
  const known = outside(runtime.state, 'cloud', GLOBAL).get(fullName.toLowerCase());
  return known && new Repository(join(runtime.directory, 'repositories', 'outside', `${known.id}.git`));
}

/** Makes the local cloud stand in for a repository, and tells of changes that were pushed to its files beside the server. */
async function serveOutside(input: { FullRepositoryId: string; changes: RefChange[] }, context: RequestContext): Promise<Record<string, unknown>> {
  const { runtime } = context;
  let git = repositoryOf(runtime, input.FullRepositoryId);
  if (!git) {
    outside(runtime.state, 'cloud', GLOBAL).put(input.FullRepositoryId.toLowerCase(), { fullName: input.FullRepositoryId, id: randomUUID() });
    git = repositoryOf(runtime, input.FullRepositoryId)!;
    await git.create();
  }
  announce(runtime, input.FullRepositoryId, input.changes);
  return { path: git.path };
}

/** Every pipeline of every account that follows the branch hears of it. */
function announce(runtime: Runtime, fullName: string, changes: readonly RefChange[]): void {
  const client = runtime.client({ principal: { kind: 'service', service: 'codeconnections.amazonaws.com', account: '' }, region: 'us-east-1' });
  const git = repositoryOf(runtime, fullName)!;
  for (const { ref, before, after } of changes) {
    const [, kind, ...name] = ref.split('/');
    if (!after || (kind !== 'heads' && kind !== 'tags')) continue;
    git
      .changedPaths(before, after)
      .then((paths) => client.call('codepipeline', 'SourceChanged', { provider: 'outside', repository: fullName, [kind === 'heads' ? 'branch' : 'tag']: name.join('/'), commit: after, paths }))
      .catch((error: unknown) => runtime.log(`codeconnections: a push to ${fullName} started nothing: ${error instanceof Error ? error.message : String(error)}`));
  }
}

const GIT_PATH = /^\/git\/([\w.-]+(?:\/[\w.-]+)+?)\.git(\/info\/refs|\/git-upload-pack|\/git-receive-pack|\/HEAD|\/objects\/.*)$/;

/** `http://127.0.0.1:PORT/git/OWNER/NAME.git`, with any access key of the local cloud and its secret as user and password. */
async function serveGit(request: HttpRequest, runtime: Runtime): Promise<HttpAnswer | undefined> {
  const match = GIT_PATH.exec(request.path);
  if (!match) return undefined;
  const [, fullName = '', suffix = ''] = match;
  const given = Buffer.from(/^Basic (.+)$/i.exec(request.headers['authorization'] ?? '')?.[1] ?? '', 'base64').toString('utf8');
  const [accessKeyId = '', secret = ''] = [given.slice(0, given.indexOf(':')), given.slice(given.indexOf(':') + 1)];
  if (accessKeyId === '' || runtime.credential(accessKeyId)?.secretAccessKey !== secret)
    return { status: 401, headers: { 'www-authenticate': 'Basic realm="flotilla"', 'content-type': 'text/plain' }, body: 'an access key of the local cloud and its secret are needed\n' };
  const repository = repositoryOf(runtime, fullName);
  if (!repository) return { status: 404, headers: { 'content-type': 'text/plain' }, body: `the local cloud does not serve ${fullName}\n` };
  return serveRepository(repository, suffix, request, accessKeyId, (changes) => announce(runtime, fullName, changes));
}
