import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AwsError } from '../../kernel/error.js';
import { REGIONS } from '../../kernel/regions.js';
import type { Authorization, HttpAnswer, HttpRequest, RequestContext, Runtime, Service } from '../../kernel/service.js';
import type * as CodeCommit from '../../models/types/codecommit.js';
import { serveRepository } from '../../repositories/backend.js';
import { Repository, type Commit, type RefChange } from '../../repositories/repositories.js';
import { table } from '../../state/state.js';
import { gitCaller } from './credentials.js';

interface StoredRepository {
  readonly name: string;
  readonly id: string;
  readonly description?: string;
  readonly created: Date;
  readonly modified: Date;
  readonly defaultBranch?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kmsKeyId?: string;
  readonly triggers?: readonly CodeCommit.RepositoryTrigger[];
}

const repositories = table<StoredRepository>('codecommit', 'repositories');

const onRepository: Authorization = {
  resource: (input: { repositoryName: string }, context: RequestContext) => repositoryArn(input.repositoryName, context),
  context: (input: { branchName?: string }) => (input.branchName ? { 'codecommit:References': [`refs/heads/${input.branchName}`] } : {}),
};

/** AWS CodeCommit: repositories by its API, and by git over HTTP. */
export const codecommit: Service = {
  name: 'codecommit',
  operations: {
    CreateRepository: createRepository,
    GetRepository: (input: { repositoryName: string }, context: RequestContext) => ({ repositoryMetadata: metadata(stored(input.repositoryName, context), context) }),
    BatchGetRepositories: batchGetRepositories,
    ListRepositories: (_input: unknown, context: RequestContext) => ({ repositories: repositories(context.state, context.account, context.region).list().map(({ name, id }) => ({ repositoryName: name, repositoryId: id })) }),
    DeleteRepository: deleteRepository,
    UpdateRepositoryName: updateRepositoryName,
    UpdateRepositoryDescription: (input: { repositoryName: string; repositoryDescription?: string }, context: RequestContext) => change(input.repositoryName, { description: input.repositoryDescription }, context),
    UpdateDefaultBranch: updateDefaultBranch,
    GetBranch: getBranch,
    ListBranches: listBranches,
    CreateBranch: createBranch,
    DeleteBranch: deleteBranch,
    GetCommit: getCommit,
    GetFile: getFile,
    GetFolder: getFolder,
    GetBlob: getBlob,
    GetDifferences: getDifferences,
    PutFile: putFile,
    CreateCommit: createCommit,
    PutRepositoryTriggers: (input: { repositoryName: string; triggers: CodeCommit.RepositoryTrigger[] }, context: RequestContext) => {
      change(input.repositoryName, { triggers: input.triggers }, context);
      return { configurationId: randomUUID() };
    },
    GetRepositoryTriggers: (input: { repositoryName: string }, context: RequestContext) => ({ configurationId: randomUUID(), triggers: [...(stored(input.repositoryName, context).triggers ?? [])] }),
    TagResource: (input: { resourceArn: string; tags: Record<string, string> }, context: RequestContext) => {
      const found = stored(nameOfArn(input.resourceArn), context);
      change(found.name, { tags: { ...found.tags, ...input.tags } }, context);
      return {};
    },
    UntagResource: (input: { resourceArn: string; tagKeys: string[] }, context: RequestContext) => {
      const found = stored(nameOfArn(input.resourceArn), context);
      change(found.name, { tags: Object.fromEntries(Object.entries(found.tags).filter(([key]) => !input.tagKeys.includes(key))) }, context);
      return {};
    },
    ListTagsForResource: (input: { resourceArn: string }, context: RequestContext) => ({ tags: { ...stored(nameOfArn(input.resourceArn), context).tags } }),
  },
  internal: { UploadArchive: uploadArchive, GitPull: () => ({}), GitPush: () => ({}), Pushed: pushedInternally },
  authorization: {
    ListRepositories: {},
    BatchGetRepositories: { resource: (input: { repositoryNames: string[] }, context: RequestContext) => input.repositoryNames.map((name) => repositoryArn(name, context)) },
    UpdateRepositoryName: { resource: (input: { oldName: string }, context: RequestContext) => repositoryArn(input.oldName, context) },
    TagResource: { resource: (input: { resourceArn: string }) => input.resourceArn },
    UntagResource: { resource: (input: { resourceArn: string }) => input.resourceArn },
    ListTagsForResource: { resource: (input: { resourceArn: string }) => input.resourceArn },
    Pushed: 'none',
    ...Object.fromEntries(
      [
        'CreateRepository', 'GetRepository', 'DeleteRepository', 'UpdateRepositoryDescription', 'UpdateDefaultBranch', 'GetBranch', 'ListBranches', 'CreateBranch', 'DeleteBranch', 'GetCommit', 'GetFile', 'GetFolder',
        'GetBlob', 'GetDifferences', 'PutFile', 'CreateCommit', 'PutRepositoryTriggers', 'GetRepositoryTriggers', 'UploadArchive', 'GitPull', 'GitPush',
      ].map((operation): [string, Authorization] => [operation, onRepository]),
    ),
  },
  resourceTags: (arn, context) => {
    const [, , , region, account, name] = arn.split(':');
    return repositories(context.state, account!, region!).get(name!)?.tags;
  },
  http: serveGit,
};

function repositoryArn(name: string, context: { region: string; account: string }): string {
  return `arn:aws:codecommit:${context.region}:${context.account}:${name}`;
}

function nameOfArn(arn: string): string {
  return arn.split(':').slice(5).join(':');
}

function gitOf(runtime: Runtime, account: string, region: string, repository: StoredRepository): Repository {
  return new Repository(join(runtime.directory, 'repositories', 'codecommit', `${account}-${region}-${repository.id}.git`));
}

function stored(name: string, context: RequestContext): StoredRepository {
  const found = repositories(context.state, context.account, context.region).get(name);
  if (!found) throw new AwsError('RepositoryDoesNotExistException', `${name} does not exist`, { status: 400 });
  return found;
}

function open(name: string, context: RequestContext): { repository: StoredRepository; git: Repository } {
  const repository = stored(name, context);
  return { repository, git: gitOf(context.runtime, context.account, context.region, repository) };
}

function change(name: string, values: Partial<StoredRepository>, context: RequestContext): Record<string, never> {
  const found = stored(name, context);
  repositories(context.state, context.account, context.region).put(found.name, { ...found, ...values, modified: context.now() });
  return {};
}

async function createRepository(input: CodeCommit.CreateRepositoryInput, context: RequestContext): Promise<CodeCommit.CreateRepositoryOutput> {
  const all = repositories(context.state, context.account, context.region);
  if (all.get(input.repositoryName)) throw new AwsError('RepositoryNameExistsException', `Repository named ${input.repositoryName} already exists`, { status: 400 });
  if (input.repositoryName.endsWith('.git')) throw new AwsError('InvalidRepositoryNameException', 'A repository name cannot end in .git', { status: 400 });
  const repository: StoredRepository = { name: input.repositoryName, id: randomUUID(), description: input.repositoryDescription, created: context.now(), modified: context.now(), tags: input.tags ?? {}, kmsKeyId: input.kmsKeyId };
  await gitOf(context.runtime, context.account, context.region, repository).create();
  all.put(repository.name, repository);
  return { repositoryMetadata: metadata(repository, context) };
}

function metadata(repository: StoredRepository, context: RequestContext): CodeCommit.RepositoryMetadata {
  return {
    accountId: context.account,
    repositoryId: repository.id,
    repositoryName: repository.name,
    repositoryDescription: repository.description,
    defaultBranch: repository.defaultBranch,
    lastModifiedDate: repository.modified,
    creationDate: repository.created,
    cloneUrlHttp: `https://git-codecommit.${context.region}.amazonaws.com/v1/repos/${repository.name}`,
    cloneUrlSsh: `ssh://git-codecommit.${context.region}.amazonaws.com/v1/repos/${repository.name}`,
    Arn: repositoryArn(repository.name, context),
  };
}

function batchGetRepositories(input: CodeCommit.BatchGetRepositoriesInput, context: RequestContext): CodeCommit.BatchGetRepositoriesOutput {
  const all = repositories(context.state, context.account, context.region);
  const found = input.repositoryNames.map((name) => all.get(name)).filter((repository) => repository !== undefined);
  return { repositories: found.map((repository) => metadata(repository, context)), repositoriesNotFound: input.repositoryNames.filter((name) => !all.get(name)) };
}

function deleteRepository(input: { repositoryName: string }, context: RequestContext): CodeCommit.DeleteRepositoryOutput {
  const all = repositories(context.state, context.account, context.region);
  const found = all.get(input.repositoryName);
  if (!found) return {};
  all.delete(found.name);
  gitOf(context.runtime, context.account, context.region, found).delete();
  return { repositoryId: found.id };
}

function updateRepositoryName(input: { oldName: string; newName: string }, context: RequestContext): Record<string, never> {
  const all = repositories(context.state, context.account, context.region);
  const found = stored(input.oldName, context);
  if (all.get(input.newName)) throw new AwsError('RepositoryNameExistsException', `Repository named ${input.newName} already exists`, { status: 400 });
  context.state.transaction(() => {
    all.delete(input.oldName);
    all.put(input.newName, { ...found, name: input.newName, modified: context.now() });
  });
  return {};
}

async function updateDefaultBranch(input: { repositoryName: string; defaultBranchName: string }, context: RequestContext): Promise<Record<string, never>> {
  const { git } = open(input.repositoryName, context);
  if (!(await git.refs()).has(`refs/heads/${input.defaultBranchName}`)) throw noBranch(input.defaultBranchName);
  return change(input.repositoryName, { defaultBranch: input.defaultBranchName }, context);
}

function noBranch(name: string): AwsError {
  return new AwsError('BranchDoesNotExistException', `${name}`, { status: 400 });
}

async function getBranch(input: { repositoryName?: string; branchName?: string }, context: RequestContext): Promise<CodeCommit.GetBranchOutput> {
  const { git } = open(input.repositoryName ?? '', context);
  const commitId = (await git.refs()).get(`refs/heads/${input.branchName}`);
  if (!commitId) throw noBranch(input.branchName ?? '');
  return { branch: { branchName: input.branchName, commitId } };
}

async function listBranches(input: { repositoryName: string }, context: RequestContext): Promise<CodeCommit.ListBranchesOutput> {
  const { git } = open(input.repositoryName, context);
  return { branches: [...(await git.refs()).keys()].filter((ref) => ref.startsWith('refs/heads/')).map((ref) => ref.slice('refs/heads/'.length)) };
}

/** What git takes as a branch (git-check-ref-format). */
function checkBranchName(name: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what git refuses
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[/.-]|\/\.|[/.]$|\.lock(\/|$)|^@$/.test(name)) throw new AwsError('InvalidBranchNameException', 'The specified reference name is not valid.', { status: 400 });
}

async function createBranch(input: { repositoryName: string; branchName: string; commitId: string }, context: RequestContext): Promise<Record<string, never>> {
  checkBranchName(input.branchName);
  const { repository, git } = open(input.repositoryName, context);
  if ((await git.refs()).has(`refs/heads/${input.branchName}`)) throw new AwsError('BranchNameExistsException', input.branchName, { status: 400 });
  if (!(await git.resolve(input.commitId))) throw noCommit(input.commitId);
  await git.setRef(`refs/heads/${input.branchName}`, input.commitId);
  announce(context.runtime, context.account, context.region, repository, [{ ref: `refs/heads/${input.branchName}`, before: undefined, after: input.commitId }]);
  return {};
}

async function deleteBranch(input: { repositoryName: string; branchName: string }, context: RequestContext): Promise<CodeCommit.DeleteBranchOutput> {
  const { repository, git } = open(input.repositoryName, context);
  if (repository.defaultBranch === input.branchName) throw new AwsError('DefaultBranchCannotBeDeletedException', `${input.branchName} is the default branch`, { status: 400 });
  const commitId = (await git.refs()).get(`refs/heads/${input.branchName}`);
  if (!commitId) return {};
  await git.setRef(`refs/heads/${input.branchName}`, undefined);
  return { deletedBranch: { branchName: input.branchName, commitId } };
}

function noCommit(id: string): AwsError {
  return new AwsError('CommitIdDoesNotExistException', `${id}`, { status: 400 });
}

async function getCommit(input: { repositoryName: string; commitId: string }, context: RequestContext): Promise<CodeCommit.GetCommitOutput> {
  const { git } = open(input.repositoryName, context);
  const id = await git.resolve(input.commitId);
  if (!id) throw noCommit(input.commitId);
  const commit = await git.commit(id);
  return { commit: { commitId: commit.id, treeId: commit.tree, parents: [...commit.parents], message: commit.message, author: commit.author, committer: commit.committer, additionalData: '' } };
}

async function commitOf(git: Repository, repository: StoredRepository, specifier: string | undefined): Promise<string> {
  const id = await git.resolve(specifier ?? repository.defaultBranch ?? 'main');
  if (!id) throw new AwsError('CommitDoesNotExistException', `${specifier ?? ''}`, { status: 400 });
  return id;
}

async function getFile(input: CodeCommit.GetFileInput, context: RequestContext): Promise<CodeCommit.GetFileOutput> {
  const { repository, git } = open(input.repositoryName, context);
  const commitId = await commitOf(git, repository, input.commitSpecifier);
  const path = input.filePath.replace(/^\//, '');
  const content = await git.fileAt(commitId, path);
  if (!content) throw new AwsError('FileDoesNotExistException', input.filePath, { status: 400 });
  return { commitId, blobId: blobId(content), filePath: path, fileMode: 'NORMAL', fileSize: content.byteLength, fileContent: content };
}

function blobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

async function getFolder(input: CodeCommit.GetFolderInput, context: RequestContext): Promise<CodeCommit.GetFolderOutput> {
  const { repository, git } = open(input.repositoryName, context);
  const commitId = await commitOf(git, repository, input.commitSpecifier);
  const path = input.folderPath.replace(/^\/|\/$/g, '');
  const entries = await git.list(commitId, path);
  if (entries.length === 0) throw new AwsError('FolderDoesNotExistException', input.folderPath, { status: 400 });
  const shown = (entry: { path: string; id: string }) => ({ absolutePath: entry.path, relativePath: path === '' ? entry.path : entry.path.slice(path.length + 1) });
  return {
    commitId,
    folderPath: path,
    subFolders: entries.filter(({ type }) => type === 'tree').map((entry) => ({ treeId: entry.id, ...shown(entry) })),
    files: entries.filter(({ type, mode }) => type === 'blob' && mode !== '120000').map((entry) => ({ blobId: entry.id, fileMode: entry.mode === '100755' ? ('EXECUTABLE' as const) : ('NORMAL' as const), ...shown(entry) })),
    symbolicLinks: entries.filter(({ mode }) => mode === '120000').map((entry) => ({ blobId: entry.id, fileMode: 'SYMLINK' as const, ...shown(entry) })),
    subModules: entries.filter(({ type }) => type === 'commit').map((entry) => ({ commitId: entry.id, ...shown(entry) })),
  };
}

async function getBlob(input: { repositoryName: string; blobId: string }, context: RequestContext): Promise<CodeCommit.GetBlobOutput> {
  const { git } = open(input.repositoryName, context);
  const text = await git.git('cat-file', 'blob', input.blobId).catch(() => {
    throw new AwsError('BlobIdDoesNotExistException', input.blobId, { status: 400 });
  });
  return { content: Buffer.from(text) };
}

async function getDifferences(input: CodeCommit.GetDifferencesInput, context: RequestContext): Promise<CodeCommit.GetDifferencesOutput> {
  const { repository, git } = open(input.repositoryName, context);
  const after = await commitOf(git, repository, input.afterCommitSpecifier);
  const before = input.beforeCommitSpecifier === undefined ? undefined : await commitOf(git, repository, input.beforeCommitSpecifier);
  const paths = await git.changedPaths(before, after);
  const differences: CodeCommit.Difference[] = [];
  for (const path of paths) {
    const old = before === undefined ? undefined : await git.fileAt(before, path);
    const now = await git.fileAt(after, path);
    differences.push({
      ...(old ? { beforeBlob: { blobId: blobId(old), path, mode: '100644' } } : {}),
      ...(now ? { afterBlob: { blobId: blobId(now), path, mode: '100644' } } : {}),
      changeType: old ? (now ? 'M' : 'D') : 'A',
    });
  }
  return { differences };
}

async function putFile(input: CodeCommit.PutFileInput, context: RequestContext): Promise<CodeCommit.PutFileOutput> {
  const made = await commit(input.repositoryName, input.branchName, input.parentCommitId, { put: [{ path: input.filePath.replace(/^\//, ''), data: input.fileContent }], remove: [] }, input.name, input.email, input.commitMessage ?? `Edited ${input.filePath}`, context);
  return { commitId: made.id, blobId: blobId(input.fileContent), treeId: made.tree };
}

async function createCommit(input: CodeCommit.CreateCommitInput, context: RequestContext): Promise<CodeCommit.CreateCommitOutput> {
  const put = (input.putFiles ?? []).map(({ filePath, fileContent, fileMode }) => ({ path: filePath.replace(/^\//, ''), data: fileContent ?? new Uint8Array(), ...(fileMode === 'EXECUTABLE' ? { mode: '100755' } : {}) }));
  const remove = (input.deleteFiles ?? []).map(({ filePath }) => filePath.replace(/^\//, ''));
  if (put.length + remove.length === 0) throw new AwsError('FileEntryRequiredException', 'At least one file must be put or deleted', { status: 400 });
  const made = await commit(input.repositoryName, input.branchName, input.parentCommitId, { put, remove }, input.authorName, input.email, input.commitMessage ?? '', context);
  return { commitId: made.id, treeId: made.tree, filesAdded: put.map(({ path, data }) => ({ absolutePath: path, blobId: blobId(data) })), filesUpdated: [], filesDeleted: remove.map((path) => ({ absolutePath: path })) };
}

async function commit(name: string, branch: string, parent: string | undefined, changes: Parameters<Repository['commitFiles']>[2], author: string | undefined, email: string | undefined, message: string, context: RequestContext): Promise<Commit> {
  checkBranchName(branch);
  const { repository, git } = open(name, context);
  const before = (await git.refs()).get(`refs/heads/${branch}`);
  if (before === undefined && repository.defaultBranch !== undefined) throw noBranch(branch);
  if (before !== undefined && parent === undefined) throw new AwsError('ParentCommitIdRequiredException', 'A parent commit ID is required', { status: 400 });
  if (before !== undefined && parent !== before) throw new AwsError('ParentCommitIdOutdatedException', `The specified parent commit ID ${parent} is outdated. The current tip is ${before}`, { status: 400 });
  const who = { name: author ?? ('userName' in context.principal ? context.principal.userName : 'AWS CodeCommit'), email: email ?? '' };
  const id = await git.commitFiles(branch, before, changes, who, message);
  announce(context.runtime, context.account, context.region, repository, [{ ref: `refs/heads/${branch}`, before, after: id }]);
  return git.commit(id);
}

/** What CodePipeline's source action does with the permission codecommit:UploadArchive: the files of a commit. */
async function uploadArchive(input: { repositoryName: string; commitId: string; content: boolean }, context: RequestContext): Promise<Record<string, unknown>> {
  const { git } = open(input.repositoryName, context);
  const commit = await git.commit(input.commitId);
  const [authored, committed] = [commit.author.date, commit.committer.date].map((date) => new Date(Number(date.split(' ')[0]) * 1000).toISOString());
  return {
    commitId: commit.id,
    message: commit.message,
    authorDate: authored,
    committerDate: committed,
    cloneUrl: `${context.runtime.endpoint}/v1/repos/${input.repositoryName}`,
    ...(input.content ? { content: await git.archive(commit.id) } : {}),
  };
}

/** A push that reached the repository's files beside the server (`flotilla run` on this machine). */
async function pushedInternally(input: { repositoryName: string; changes: RefChange[] }, context: RequestContext): Promise<Record<string, unknown>> {
  const { repository, git } = open(input.repositoryName, context);
  if (input.changes.length > 0) announce(context.runtime, context.account, context.region, repository, input.changes);
  return { path: git.path };
}

/** First pushed branch becomes the default one; each change of a ref is an EventBridge event. */
function announce(runtime: Runtime, account: string, region: string, repository: StoredRepository, changes: readonly RefChange[]): void {
  const all = repositories(runtime.state, account, region);
  const standing = all.get(repository.name);
  const branch = changes.find(({ ref, after }) => ref.startsWith('refs/heads/') && after)?.ref.slice('refs/heads/'.length);
  if (standing && !standing.defaultBranch && branch) all.put(standing.name, { ...standing, defaultBranch: branch, modified: new Date(runtime.clock.now()) });
  const arn = `arn:aws:codecommit:${region}:${account}:${repository.name}`;
  const client = runtime.client({ principal: { kind: 'service', service: 'codecommit.amazonaws.com', account, sourceArn: arn }, region });
  const entries = changes.map(({ ref, before, after }) => {
    const [, kind, ...name] = ref.split('/');
    return {
      Source: 'aws.codecommit',
      DetailType: 'CodeCommit Repository State Change',
      Resources: [arn],
      Detail: JSON.stringify({
        event: after === undefined ? 'referenceDeleted' : before === undefined ? 'referenceCreated' : 'referenceUpdated',
        repositoryName: repository.name,
        repositoryId: repository.id,
        referenceType: kind === 'heads' ? 'branch' : 'tag',
        referenceName: name.join('/'),
        referenceFullName: ref,
        commitId: after ?? before,
        ...(before && after ? { oldCommitId: before } : {}),
      }),
    };
  });
  const failed = (error: unknown): void => runtime.log(`codecommit: an event of ${repository.name} was not delivered: ${error instanceof Error ? error.message : String(error)}`);
  client.call('events', 'PutEvents', { Entries: entries }).catch(failed);
  for (const { ref, after } of changes)
    if (after && ref.startsWith('refs/heads/')) client.call('codepipeline', 'SourceChanged', { provider: 'CodeCommit', repository: repository.name, branch: ref.slice('refs/heads/'.length), commit: after, account }).catch(failed);
}

const GIT_PATH = /^\/v1\/repos\/([\w.-]+?)(\/info\/refs|\/git-upload-pack|\/git-receive-pack|\/HEAD|\/objects\/.*)$/;

/** `https://git-codecommit.REGION.amazonaws.com/v1/repos/NAME`, or the same path at the local endpoint. */
async function serveGit(request: HttpRequest, runtime: Runtime): Promise<HttpAnswer | undefined> {
  const match = GIT_PATH.exec(request.path);
  if (!match) return undefined;
  const [, name = '', suffix = ''] = match;
  const caller = gitCaller(request, runtime);
  if (!caller) return { status: 401, headers: { 'www-authenticate': 'Basic realm="CodeCommit"', 'content-type': 'text/plain' }, body: 'credentials are needed\n' };
  const writes = suffix === '/git-receive-pack' || request.search.includes('service=git-receive-pack');
  const { principal } = caller;
  const region = caller.region ?? REGIONS.find((candidate) => repositories(runtime.state, principal.account, candidate).get(name) !== undefined) ?? 'us-east-1';
  try {
    await runtime.client({ principal, region }).call('codecommit', writes ? 'GitPush' : 'GitPull', { repositoryName: name });
  } catch (error) {
    return { status: 403, headers: { 'content-type': 'text/plain' }, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
  const repository = repositories(runtime.state, principal.account, region).get(name);
  if (!repository) return { status: 404, headers: { 'content-type': 'text/plain' }, body: `repository '${name}' does not exist in ${principal.account}/${region}\n` };
  return serveRepository(gitOf(runtime, principal.account, region, repository), suffix, request, 'arn' in principal ? principal.arn : principal.kind, (changes) => announce(runtime, principal.account, region, repository, changes));
}
