/** Names AWS gives the error "there is none", by service. */
const ABSENT = /^(NotFoundException|ResourceNotFoundException|ParameterNotFound|NoSuchEntity|NoSuchEntityException|NoSuchBucket|NotFound|NoSuchBucketPolicy|RepositoryNotFoundException|RepositoryPolicyNotFoundException|PipelineNotFoundException|ServerSideEncryptionConfigurationNotFoundError|ChangeSetNotFound|ChangeSetNotFoundException)$/;

/** Whether an error says that what was asked for isn't there. CloudFormation says it in a ValidationError's sentence. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ABSENT.test(error.name) || (error.name === 'ValidationError' && /does not exist/.test(error.message));
}

/** Whether an error says that the caller may not. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError|Forbidden|403)$/.test(error.name);
}

/** Whether an error says that the account has not opted in to the region: its own STS does not know the credentials (AWS Account Management, "Enable or disable AWS Regions"). */
export function isNotOptedIn(error: unknown): boolean {
  return error instanceof Error && /^(OptInRequired|InvalidClientTokenId|UnrecognizedClientException|AuthFailure|InvalidAccessKeyId|IllegalLocationConstraintException)$/.test(error.name);
}

/** Whether the service isn't there to be asked: an operation the local cloud has not. */
export function isNotImplemented(error: unknown): boolean {
  return error instanceof Error && /^(NotImplemented|NotImplementedException|UnknownOperationException|InvalidAction|UnknownService|501)$/.test(error.name);
}

/** The answer, or undefined where AWS says that there is none. */
export async function unlessAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
