import { announce } from '../../kernel/announce.js';
import type { Runtime } from '../../kernel/service.js';
import { buildArn, type Build } from '../../build/record.js';

/** `CodeBuild Build State Change` (CodeBuild user guide, "Build notifications input format reference"). */
export function announceBuild(runtime: Runtime, build: Build): void {
  announce(runtime, {
    service: 'codebuild', account: build.account, region: build.region, arn: buildArn(build), detailType: 'CodeBuild Build State Change',
    detail: {
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
    },
  });
}
