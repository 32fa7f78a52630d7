import { randomUUID } from 'node:crypto';
import type { ResourceProvider } from './provider.js';

/** `AWS::CDK::Metadata`: a note about the constructs used; CloudFormation itself does nothing with it but give it an ID. */
const metadata: ResourceProvider = {
  type: 'AWS::CDK::Metadata',
  create: async () => ({ physicalId: randomUUID() }),
  update: async () => undefined,
  delete: async () => undefined,
};

export const cdk = [metadata];
