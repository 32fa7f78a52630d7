import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';

/** Operations of IAM with the types of the generated model. */
export type Handlers = {
  [K in keyof IAM.Operations]?: (input: IAM.Operations[K]['input'], context: RequestContext) => IAM.Operations[K]['output'];
};
