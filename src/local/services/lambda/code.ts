import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Body, HttpAnswer, HttpRequest, RequestContext, Runtime } from '../../kernel/service.js';
import { entries, extract } from '../../process/zip.js';
import { GLOBAL, table } from '../../state/state.js';
import { invalid, type CodeRecord } from './store.js';

/** Lambda quotas: "Deployment package (.zip file archive) size". */
const MAX_DIRECT = 50 * 1024 * 1024;
const MAX_UNZIPPED = 250 * 1024 * 1024;

export interface CodeInput {
  readonly ZipFile?: Uint8Array;
  readonly S3Bucket?: string;
  readonly S3Key?: string;
  readonly S3ObjectVersion?: string;
  readonly ImageUri?: string;
}

/** Takes code from where the caller says, with the caller's rights, and checks that it can be unfolded safely. */
export async function takeCode(input: CodeInput, context: RequestContext): Promise<CodeRecord> {
  if (input.ImageUri !== undefined) return { image: input.ImageUri, size: 0, sha256: createHash('sha256').update(input.ImageUri).digest('hex') };
  const bytes = await bytesOf(input, context);
  if (bytes.byteLength === 0) throw invalid('Uploaded file must be a non-empty zip');
  const files = await entries(bytes).catch((error: unknown) => {
    if (isAwsError(error) && /leads out of it|unfolds to more/.test(error.message)) throw invalid(`Could not unzip uploaded file. Please check your file, then try to upload again. ${error.message}`);
    throw invalid('Could not unzip uploaded file. Please check your file, then try to upload again.');
  });
  if (files.reduce((sum, file) => sum + file.data.byteLength, 0) > MAX_UNZIPPED) throw invalid(`Unzipped size must be smaller than ${MAX_UNZIPPED} bytes`);
  const { id, size } = await context.runtime.blobs.write(bytes);
  return { blob: id, size, sha256: createHash('sha256').update(bytes).digest('base64') };
}

async function bytesOf(input: CodeInput, context: RequestContext): Promise<Uint8Array> {
  if (input.ZipFile !== undefined) {
    if (input.ZipFile.byteLength > MAX_DIRECT) throw new AwsError('RequestEntityTooLargeException', `Request must be smaller than ${MAX_DIRECT} bytes for the UpdateFunctionCode operation`, { status: 413 });
    return input.ZipFile;
  }
  if (!input.S3Bucket || !input.S3Key) throw invalid('Please provide a source for function code.');
  const key = { Bucket: input.S3Bucket, Key: input.S3Key, ...(input.S3ObjectVersion ? { VersionId: input.S3ObjectVersion } : {}) };
  try {
    const { Body } = await context.onBehalf.call<{ Body: Body }>('s3', 'GetObject', key);
    return await Body.bytes();
  } catch (error) {
    if (!isAwsError(error)) throw error;
    if (error.code === 'AccessDenied') throw new AwsError('AccessDeniedException', `Your access has been denied by S3, please make sure your request credentials have permission to GetObject for ${key.Bucket}/${key.Key}. S3 Error Code: AccessDenied. S3 Error Message: ${error.message}`, { status: 403 });
    throw invalid(`Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`);
  }
}

/** Folder of everything Lambda keeps in the file system. */
export const lambdaFolder = (runtime: Runtime): string => join(runtime.directory, 'lambda');

/** The folder a package lies unfolded in; made once. The folder above offers the AWS SDK, as AWS's runtimes do. */
export async function unfolded(runtime: Runtime, blob: string): Promise<string> {
  const parent = join(lambdaFolder(runtime), 'code');
  const folder = join(parent, blob);
  offerSdk(join(parent, 'node_modules'));
  if (existsSync(folder)) return folder;
  const incoming = join(parent, `incoming-${randomBytes(8).toString('hex')}`);
  mkdirSync(incoming);
  await extract(runtime.blobs.bytes(blob), incoming);
  settle(incoming, folder);
  return folder;
}

/** The layers of a function, one over the other in their order, as they appear in /opt. */
export async function unfoldedLayers(runtime: Runtime, blobs: readonly string[]): Promise<string> {
  const parent = join(lambdaFolder(runtime), 'layers');
  const folder = join(parent, createHash('sha256').update(blobs.join()).digest('hex'));
  if (existsSync(folder)) return folder;
  const incoming = join(parent, `incoming-${randomBytes(8).toString('hex')}`);
  mkdirSync(incoming, { recursive: true, mode: 0o700 });
  for (const blob of blobs) await extract(runtime.blobs.bytes(blob), incoming);
  settle(incoming, folder);
  return folder;
}

/** Two who unfold the same at once both succeed. */
function settle(incoming: string, folder: string): void {
  try {
    renameSync(incoming, folder);
  } catch (error) {
    rmSync(incoming, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

const SCOPES = ['@aws-sdk', '@smithy'];

/** Links to the SDK packages that lie beside Flotilla: `import '@aws-sdk/client-s3'` finds them from any function's folder. */
function offerSdk(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const scope of SCOPES) {
    const source = sdkFolder(scope);
    const link = join(folder, scope);
    // State outlives an installation: a link may still lead to where Flotilla lay before.
    if (!source || linkTarget(link) === source) continue;
    rmSync(link, { force: true });
    try {
      symlinkSync(source, link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

/** Folder of a scope's packages: those that came with the build, else those installed beside it. */
export function sdkFolder(scope = '@aws-sdk'): string | undefined {
  const built = fileURLToPath(new URL('./data/lambda-sdk/', import.meta.url));
  if (existsSync(join(built, scope))) return join(built, scope);
  const searched = createRequire(import.meta.url).resolve.paths(scope) ?? [];
  return searched.map((path) => join(path, scope)).find((path) => existsSync(path) && readdirSync(path).length > 0);
}

/** What a function under bubblewrap must see of Flotilla: the SDK's packages and the runtimes' programs. */
export function runtimeFolders(): string[] {
  const sdk = sdkFolder();
  return [...(sdk ? [dirname(sdk)] : []), fileURLToPath(new URL('./data/', import.meta.url))];
}

const secrets = table<string>('lambda', 'secret');
const CODE_PATH = '/_aws/lambda-code/';
/** GetFunction: the link "is valid for 10 minutes". */
const LINK_VALID = 10 * 60 * 1000;

function signature(runtime: Runtime, blob: string, expires: number): string {
  const kept = secrets(runtime.state, GLOBAL, GLOBAL);
  let secret = kept.get('code');
  if (secret === undefined) kept.put('code', (secret = randomBytes(32).toString('hex')));
  return createHmac('sha256', secret).update(`${blob}\n${expires}`).digest('hex');
}

/** A link to a package's bytes that works without credentials for ten minutes. */
export function codeLocation(runtime: Runtime, blob: string): string {
  const expires = runtime.clock.now() + LINK_VALID;
  return `${runtime.endpoint}${CODE_PATH}${blob}?expires=${expires}&signature=${signature(runtime, blob, expires)}`;
}

export function codeAnswer(request: HttpRequest, runtime: Runtime): HttpAnswer | undefined {
  if (!request.path.startsWith(CODE_PATH)) return undefined;
  const blob = request.path.slice(CODE_PATH.length);
  const query = new URLSearchParams(request.search);
  const expires = Number(query.get('expires'));
  const given = Buffer.from(query.get('signature') ?? '');
  const expected = Buffer.from(/^[0-9a-f]{64}$/.test(blob) ? signature(runtime, blob, expires) : '');
  if (expected.length === 0 || given.length !== expected.length || !timingSafeEqual(given, expected) || !(expires >= runtime.clock.now()))
    return { status: 403, headers: { 'content-type': 'text/plain' }, body: 'Request has expired or its signature does not match\n' };
  return { status: 200, headers: { 'content-type': 'application/zip' }, body: runtime.blobs.read(blob) };
}
