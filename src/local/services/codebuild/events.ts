import type { Runtime } from '../../kernel/service.js';
import { buildArn, type Build } from '../../build/record.js';

/** `CodeBuild Build State Change` (CodeBuild user guide, "Build notifications input format reference"). */
export function announceBuild(runtime: Runtime, build: Build): void {
  runtime
    .client({ principal: { kind: 'service', service: 'codebuild.amazonaws.com', account: build.account, sourceArn: buildArn(build) }, region: build.region })
    .call('events', 'PutEvents', {
      Entries: [
        {
          Source: 'aws.codebuild',
          DetailType: 'CodeBuild Build State Change',
          Resources: [buildArn(build)],
          Detail: JSON.stringify({
            'build-status': build.status,
            'project-name': build.project.name,
            'build-id': buildArn(build),
            'current-phase': build.phase,
            'additional-information': {
              'build-complete': build.status !== 'IN_PROGRESS',
              initiator: build.initiator,
              'build-start-time': build.started,
              logs: { 'group-name': build.logs.groupName, 'stream-name': build.logs.streamName },
            },
            version: '1',
          }),
        },
      ],
    })
    .catch((error: unknown) => runtime.log(`codebuild: an event was not delivered: ${error instanceof Error ? error.message : String(error)}`));
}
