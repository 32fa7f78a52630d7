import { randomUUID } from 'node:crypto';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Client } from '../../kernel/service.js';

/** AWS's classes of handler failures (CloudFormation CLI user guide: "Handler error codes"). */
export type HandlerErrorCode =
  | 'AccessDenied' | 'AlreadyExists' | 'GeneralServiceException' | 'InternalFailure' | 'InvalidRequest' | 'NetworkFailure' | 'NotFound' | 'NotStabilized'
  | 'NotUpdatable' | 'ResourceConflict' | 'ServiceInternalError' | 'ServiceLimitExceeded' | 'Throttling' | 'UnauthorizedTaggingOperation';

/** A provider's own complaint; the engine turns it into AWS's sentence. */
export class HandlerError extends AwsError {
  constructor(readonly handlerCode: HandlerErrorCode, message: string) {
    super(handlerCode, message);
  }
}

/** What handlers say of a name that is taken, where the service itself would take over what stands. */
export function alreadyExists(type: string, identifier: string): HandlerError {
  return new HandlerError('AlreadyExists', `Resource of type '${type}' with identifier '${identifier}' already exists.`);
}

/** A sentence that is shown as it is, without the handler's frame (custom resources, nested stacks, wait conditions, template errors). */
export class PlainFailure extends AwsError {
  constructor(message: string) {
    super('Failed', message);
  }
}

/** A call to a service that went wrong, with the name the SDK for Java gives the service. */
class ServiceFailure extends AwsError {
  constructor(readonly service: string, error: AwsError) {
    super(error.code, error.message, { status: error.status ?? statusOf(error.code), fields: { ...error.fields } });
  }
}

/** A client whose errors remember which service answered them. */
export function tracing(client: Client): Client {
  return {
    call: async (service, operation, input) => {
      try {
        return await client.call(service, operation, input);
      } catch (error) {
        throw isAwsError(error) && !(error instanceof ServiceFailure) ? new ServiceFailure(service, error) : error;
      }
    },
    in: (region) => tracing(client.in(region)),
  };
}

/** `ResourceStatusReason` of a failed resource. */
export function reasonOf(error: unknown, token: string): string {
  if (error instanceof PlainFailure) return error.message;
  if (error instanceof ServiceFailure) {
    const name = SDK_NAMES[error.service] ?? error.service.charAt(0).toUpperCase() + error.service.slice(1);
    return handlerMessage(`${error.message} (Service: ${name}, Status Code: ${error.status ?? 400}, Request ID: ${randomUUID()}) (SDK Attempt Count: 1)`, handlerCodeOf(error), token);
  }
  if (error instanceof HandlerError) return handlerMessage(error.message, error.handlerCode, token);
  // Errors of the template (functions, dynamic references) come without a frame.
  if (isAwsError(error)) return error.message;
  return handlerMessage(error instanceof Error ? error.message : String(error), 'InternalFailure', token);
}

function handlerMessage(message: string, code: HandlerErrorCode, token: string): string {
  return `Resource handler returned message: "${message}" (RequestToken: ${token}, HandlerErrorCode: ${code})`;
}

function handlerCodeOf(error: AwsError): HandlerErrorCode {
  const { code } = error;
  if (/AccessDenied|NotAuthorized|Unauthorized|AuthorizationError|UnauthorizedOperation/i.test(code)) return 'AccessDenied';
  if (/AlreadyExists|ResourceExists|BucketAlready|ResourceInUse|QueueNameExists|RepositoryNameExists/i.test(code)) return 'AlreadyExists';
  if (/NotFound|NoSuch|NonExistent|DoesNotExist/i.test(code)) return 'NotFound';
  if (/Limit|Quota/i.test(code)) return 'ServiceLimitExceeded';
  if (/Throttl/i.test(code)) return 'Throttling';
  if (/Invalid|Validation|Malformed|BadRequest|MissingParameter|Unsupported/i.test(code)) return 'InvalidRequest';
  if (/Conflict|DependencyViolation/i.test(code)) return 'ResourceConflict';
  return 'GeneralServiceException';
}

function statusOf(code: string): number {
  if (/AccessDenied|UnauthorizedOperation|AuthorizationError/.test(code)) return 403;
  if (/NotFound|NoSuch/.test(code)) return 404;
  return /AlreadyExists|Conflict|NotEmpty/.test(code) ? 409 : 400;
}

const SDK_NAMES: Readonly<Record<string, string>> = {
  apigateway: 'ApiGateway', cloudformation: 'CloudFormation', cloudwatch: 'CloudWatch', codebuild: 'CodeBuild', codecommit: 'CodeCommit', codepipeline: 'CodePipeline', dynamodb: 'DynamoDb',
  ec2: 'Ec2', ecr: 'Ecr', eventbridge: 'EventBridge', events: 'EventBridge', iam: 'Iam', kinesis: 'Kinesis', kms: 'Kms', lambda: 'Lambda', logs: 'CloudWatchLogs', s3: 'S3',
  secretsmanager: 'SecretsManager', sns: 'Sns', sqs: 'Sqs', ssm: 'Ssm', stepfunctions: 'Sfn', sts: 'Sts',
};

/** Waits for a call and lets the given errors pass: deleting what is gone has succeeded. */
export async function ignoring<T>(codes: readonly string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isAwsError(error) && codes.some((code) => error.code === code || error.code.endsWith(`.${code}`))) return undefined;
    throw error;
  }
}
