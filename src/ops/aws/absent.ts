/** Names AWS gives the error "there is none", by service. */
const ABSENT = /^(NotFoundException|ResourceNotFoundException|ParameterNotFound|NoSuchEntity|NoSuchEntityException|NoSuchBucket|NotFound|NoSuchBucketPolicy|RepositoryNotFoundException|RepositoryPolicyNotFoundException|PipelineNotFoundException|ServerSideEncryptionConfigurationNotFoundError|ChangeSetNotFound|ChangeSetNotFoundException)$/;

/** Whether an error says that what was asked for isn't there. CloudFormation says it in a ValidationError's sentence. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ABSENT.test(error.name) || (error.name === 'ValidationError' && /does not exist/.test(error.message));
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
