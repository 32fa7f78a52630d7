import { AwsError } from '../../kernel/error.js';

/** CloudFormation refuses what the caller sent: HTTP 400 `ValidationError`. */
export function validationError(message: string): AwsError {
  return new AwsError('ValidationError', message, { status: 400 });
}

export function formatError(message: string): AwsError {
  return validationError(`Template format error: ${message}`);
}

export function templateError(message: string): AwsError {
  return validationError(`Template error: ${message}`);
}
