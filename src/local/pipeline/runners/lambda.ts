import { AwsError } from '../../kernel/error.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

/**
 * Invokes a function and waits until it calls PutJobSuccessResult or PutJobFailureResult (user guide, "Invoke an AWS Lambda function in a
 * pipeline"). The service writes that answer into the attempt's memory.
 */
export const lambda: ActionRunner = {
  types: ['Invoke/Lambda'],
  async run(context: ActionContext): Promise<ActionResult> {
    const { configuration, declared, execution } = context;
    context.announce({ id: context.attempt });
    if (!context.memory['invoked']) {
      context.remember({ job: context.attempt });
      await context.client.call('lambda', 'Invoke', {
        FunctionName: configuration['FunctionName'],
        InvocationType: 'Event',
        Payload: Buffer.from(
          JSON.stringify({
            'CodePipeline.job': {
              id: context.attempt,
              accountId: execution.account,
              data: {
                actionConfiguration: { configuration: { FunctionName: configuration['FunctionName'], ...(configuration['UserParameters'] === undefined ? {} : { UserParameters: configuration['UserParameters'] }) } },
                inputArtifacts: context.inputs.map(({ name, bucket, key }) => ({ name, revision: null, location: { type: 'S3', s3Location: { bucketName: bucket, objectKey: key } } })),
                outputArtifacts: (declared.outputArtifacts ?? []).map(({ name }) => {
                  const { bucket, key } = context.outputLocation(name);
                  return { name, revision: null, location: { type: 'S3', s3Location: { bucketName: bucket, objectKey: key } } };
                }),
                artifactCredentials: { accessKeyId: context.credentials.accessKeyId, secretAccessKey: context.credentials.secretAccessKey, sessionToken: context.credentials.sessionToken },
                ...(context.encryptionKey ? { encryptionKey: { id: context.encryptionKey, type: 'KMS' } } : {}),
              },
            },
          }),
        ),
      });
      context.remember({ invoked: true });
    }
    return new Promise((_, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason ?? new AwsError('JobFailed', 'The job was abandoned', { status: 400 })), { once: true });
    });
  },
};
