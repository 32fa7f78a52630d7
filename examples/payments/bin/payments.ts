import { App } from 'aws-cdk-lib';
import { PipelineStack } from '../lib/pipeline-stack.js';

const app = new App();

new PipelineStack(app, 'PaymentsPipeline', {
  env: { account: '999999999999', region: 'us-east-1' },
  repository: 'payments',
  branch: 'main',
});
