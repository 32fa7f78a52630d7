/**
 * An error as AWS answers it: a code and a sentence. The wire layer looks up HTTP status and shape in the service's model;
 * `status` is needed only for codes the model doesn't know (AccessDenied, ValidationError …), where the default is 400.
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  /** Further members of the error's shape (S3's `BucketName`, SNS's `Type` …). */
  readonly fields: Readonly<Record<string, unknown>>;

  /** Headers the answer carries besides the service's own. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: { status?: number; fields?: Record<string, unknown>; headers?: Record<string, string> } = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = options.status;
    this.fields = options.fields ?? {};
    this.headers = options.headers ?? {};
  }
}

export function isAwsError(error: unknown, code?: string): error is AwsError {
  return error instanceof AwsError && (code === undefined || error.code === code);
}
