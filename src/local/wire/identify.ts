import { AwsError } from '../kernel/error.js';
import { loadModel, modelsOfQueryVersion, modelsOfTarget, modelsSigningAs, type ModelHead, type ServiceModel } from '../models/model.js';
import { matchRoute } from './routes.js';
import { s3Operation } from './s3-routes.js';
import type { Identified, WireRequest } from './types.js';

/**
 * Tells which operation of which service a request asks for, and in which protocol: by `X-Amz-Target`, by `Action` and `Version`, or by
 * method and path. `signingName` is the service of the SigV4 scope, when the request is signed; several services may sign by one name.
 * Reads the body only where the operation's name stands in it. Raises AWS's error for what no service of that name knows.
 */
export async function identify(request: WireRequest, signingName: string | undefined): Promise<Identified> {
  const heads = signingName === undefined ? undefined : modelsSigningAs(signingName);
  if (heads?.length === 0) throw new AwsError('UnknownService', `The local cloud knows no service that signs as '${signingName}'.`, { status: 400 });
  if (request.headers['smithy-protocol'] !== undefined) return identifyRpc(request, heads);
  const target = request.headers['x-amz-target'];
  if (target !== undefined) return identifyTarget(target, heads);
  if (heads === undefined || heads.some(speaksQuery)) {
    const action = await actionOf(request);
    if (action) return identifyAction(action, heads);
    if (heads && speaksQuery(heads[0]!) && request.path === '/') throw new AwsError('MissingAction', 'The request is missing an action parameter.', { status: 400 });
  }
  return identifyPath(request, heads);
}

const speaksQuery = (head: ModelHead): boolean => head.protocols.includes('query') || head.protocols.includes('ec2');

function identifyTarget(target: string, heads: readonly ModelHead[] | undefined): Identified {
  const dot = target.lastIndexOf('.');
  const prefix = target.slice(0, Math.max(dot, 0));
  const name = target.slice(dot + 1);
  const candidates = modelsOfTarget(prefix);
  // A client may sign under another of a service's names (codestar-connections for codeconnections): the target says more.
  const signed = candidates.filter((head) => heads?.some(({ signingName }) => signingName === head.signingName));
  const found = pick(signed.length > 0 ? signed : candidates, name);
  if (!found) throw new AwsError('UnknownOperationException', `The operation ${target} is not known.`, { status: 400 });
  return { model: found, operation: name, protocol: 'json' };
}

/** smithy-rpc-v2-cbor: `POST /service/SERVICE/operation/OPERATION`. */
function identifyRpc(request: WireRequest, heads: readonly ModelHead[] | undefined): Identified {
  const [, service, operation] = /^\/service\/([^/]+)\/operation\/([^/]+)$/.exec(request.path) ?? [];
  if (request.headers['smithy-protocol'] !== 'rpc-v2-cbor' || request.method !== 'POST' || !service || !operation)
    throw new AwsError('UnknownOperationException', `No operation answers to ${request.method} ${request.path} in the protocol ${request.headers['smithy-protocol']}.`, { status: 404 });
  const names = decodeURIComponentOr(service);
  const candidates = [...modelsOfTarget(names), ...(heads ?? []).filter((head) => head.targetPrefix?.split('.').at(-1) === names || head.serviceId === names)];
  const found = pick(candidates.filter((head) => head.protocols.includes('smithy-rpc-v2-cbor')), operation);
  if (!found) throw new AwsError('UnknownOperationException', `The operation ${names}.${operation} is not known.`, { status: 404 });
  return { model: found, operation, protocol: 'smithy-rpc-v2-cbor' };
}

interface Action {
  readonly name: string;
  readonly version: string | undefined;
}

async function actionOf(request: WireRequest): Promise<Action | undefined> {
  const query = (key: string): string | undefined => request.query.find(([name]) => name === key)?.[1];
  const inQuery = query('Action');
  if (inQuery !== undefined) return { name: inQuery, version: query('Version') };
  if (!(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return undefined;
  const form = Buffer.from(await request.body.bytes()).toString('latin1');
  const name = /(?:^|&)Action=([^&]*)/.exec(form)?.[1];
  const version = /(?:^|&)Version=([^&]*)/.exec(form)?.[1];
  return name === undefined ? undefined : { name: decodeURIComponentOr(name), version: version ?? query('Version') };
}

function identifyAction({ name, version }: Action, heads: readonly ModelHead[] | undefined): Identified {
  const candidates = (heads ?? modelsOfQueryVersion(version ?? '')).filter(speaksQuery);
  const ofVersion = candidates.filter((head) => version === undefined || head.apiVersion === version);
  const found = pick(ofVersion, name);
  if (found) return { model: found, operation: name, protocol: found.head.protocols.includes('ec2') ? 'ec2' : 'query' };
  const ec2 = candidates.some((head) => head.protocols.includes('ec2'));
  const message = ec2 ? `The action ${name} is not valid for this web service.` : `Could not find operation ${name} for version ${version ?? 'NO_VERSION_SPECIFIED'}`;
  throw new AwsError('InvalidAction', message, { status: 400 });
}

function identifyPath(request: WireRequest, heads: readonly ModelHead[] | undefined): Identified {
  const candidates = heads ?? unsignedCandidates(request);
  for (const head of candidates) {
    if (head.name === 's3') {
      if (isS3Control(request)) continue;
      return { model: loadModel('s3')!, operation: s3Operation(request), protocol: 'rest-xml' };
    }
    const protocol = head.protocols.find((one) => one === 'rest-json' || one === 'rest-xml');
    const model = protocol && loadModel(head.name);
    const operation = model && matchRoute(model, request);
    if (operation !== undefined) return { model: model!, operation, protocol: protocol! };
  }
  const known = candidates.map(({ name }) => name).join(', ');
  throw new AwsError('UnknownOperationException', `No operation of ${known} answers to ${request.method} ${request.path}.`, { status: 404 });
}

/** Who takes REST requests without a signature: the sign-in services, which speak JSON, and S3. */
function unsignedCandidates(request: WireRequest): readonly ModelHead[] {
  const s3 = modelsSigningAs('s3');
  if (request.headers['x-amz-sso_bearer_token'] !== undefined) return modelsSigningAs('awsssoportal');
  return request.method === 'POST' && request.headers['content-type'] === 'application/json' ? [...modelsSigningAs('sso-oauth'), ...s3] : s3;
}

/** S3's control API shares S3's signing name; its host name isn't there to tell it, its version in the path is. */
function isS3Control(request: WireRequest): boolean {
  return request.path.startsWith('/v20180820/') && request.headers['x-amz-account-id'] !== undefined;
}

function pick(heads: readonly ModelHead[], operation: string): ServiceModel | undefined {
  for (const head of heads) {
    const model = loadModel(head.name);
    if (model?.operation(operation)) return model;
  }
  return undefined;
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
