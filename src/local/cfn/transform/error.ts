import { AwsError } from '../../kernel/error.js';

/** Error of a transform: a change set fails with this text, a direct operation raises it. */
export class TransformError extends AwsError {
  constructor(name: string, message: string) {
    super('ValidationError', `Transform ${name} failed with: ${message}`, { status: 400 });
  }
}
