import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Body, Client, RequestContext } from '../../kernel/service.js';
import { LIMITS } from '../../cfn/template/model.js';
import { validationError } from '../../cfn/template/error.js';

export interface TemplateSource {
  readonly TemplateBody?: string;
  readonly TemplateURL?: string;
  readonly UsePreviousTemplate?: boolean;
}

/** Text of the template that a request names: inline, in S3 (read as the caller) or the stack's own. */
export async function templateText(source: TemplateSource, previous: string | undefined, context: RequestContext): Promise<string> {
  if (source.TemplateBody !== undefined && source.TemplateURL !== undefined) throw validationError('Specify exactly one of TemplateBody or TemplateURL');
  if (source.TemplateBody !== undefined) {
    if (source.TemplateBody === '') throw validationError("1 validation error detected: Value '' at 'templateBody' failed to satisfy constraint: Member must have length greater than or equal to 1");
    if (Buffer.byteLength(source.TemplateBody) > LIMITS.bodyBytes) {
      throw validationError(`1 validation error detected: Value '${source.TemplateBody.slice(0, 1024)}' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${LIMITS.bodyBytes}`);
    }
    return source.TemplateBody;
  }
  if (source.TemplateURL !== undefined) {
    const text = await readUrl(source.TemplateURL, context);
    if (Buffer.byteLength(text) > LIMITS.urlBytes) throw validationError(`Template may not exceed ${LIMITS.urlBytes} bytes in size.`);
    return text;
  }
  if (source.UsePreviousTemplate === true && previous !== undefined) return previous;
  throw validationError('Either Template URL or Template Body must be specified.');
}

/** Text of an S3 object named by one of the URL forms that CloudFormation knows, and by the local cloud's own address. */
export async function readUrl(url: string, context: RequestContext): Promise<string> {
  const place = s3Place(url, context.runtime.endpoint);
  try {
    const { Body } = await context.onBehalf.in(place.region ?? context.region).call<{ Body: Body }>('s3', 'GetObject', { Bucket: place.bucket, Key: place.key, ...(place.version ? { VersionId: place.version } : {}) });
    return Buffer.from(await Body.bytes()).toString('utf8');
  } catch (error) {
    if (!isAwsError(error)) throw error;
    if (error.code === 'AccessDenied') throw validationError('S3 error: Access Denied\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html');
    throw validationError(`S3 error: ${error.message}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html`);
  }
}

interface S3Place {
  readonly bucket: string;
  readonly key: string;
  readonly region: string | undefined;
  readonly version: string | undefined;
}

function s3Place(text: string, endpoint: string): S3Place {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw validationError('TemplateURL must be a supported URL.');
  }
  const version = url.searchParams.get('versionId') ?? undefined;
  const path = decodeURIComponent(url.pathname.slice(1));
  const inPath = (region: string | undefined): S3Place => {
    const slash = path.indexOf('/');
    if (slash <= 0 || slash === path.length - 1) throw validationError('TemplateURL must reference a valid S3 object to which you have access.');
    return { bucket: path.slice(0, slash), key: path.slice(slash + 1), region, version };
  };
  const local = new URL(endpoint);
  if (url.port === local.port && (url.hostname === local.hostname || url.hostname === 'localhost')) return inPath(undefined);
  const own = /^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?([a-z0-9-]+))?\.amazonaws\.com$/.exec(url.hostname);
  if ((url.protocol !== 'https:' && url.protocol !== 'http:') || !own) throw validationError(`S3 error: Domain name specified in ${url.hostname} is not a valid S3 domain`);
  return own[1] === undefined ? inPath(own[2]) : { bucket: own[1], key: path, region: own[2], version };
}

/** Reads the snippet of an AWS::Include; its complaints become those of the transform. */
export function snippetReader(client: Client, fail: (message: string) => AwsError): (bucket: string, key: string) => Promise<string> {
  return async (bucket, key) => {
    try {
      const { Body } = await client.call<{ Body: Body }>('s3', 'GetObject', { Bucket: bucket, Key: key });
      return Buffer.from(await Body.bytes()).toString('utf8');
    } catch (error) {
      if (!isAwsError(error)) throw error;
      // Recorded: cfn-change-sets-describe-failed-change-set.
      if (error.code === 'NoSuchBucket') throw fail(`S3 bucket [${bucket}] does not exist.`);
      if (error.code === 'NoSuchKey') throw fail(`The S3 object key [${key}] does not exist in the bucket [${bucket}].`);
      if (error.code === 'AccessDenied') throw fail(`Access denied to S3 object [${bucket}/${key}].`);
      throw fail(error.message);
    }
  };
}
