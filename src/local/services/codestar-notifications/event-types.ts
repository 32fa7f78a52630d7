export interface EventType {
  readonly EventTypeId: string;
  readonly ServiceName: string;
  readonly EventTypeName: string;
  readonly ResourceType: string;
}

const of = (ServiceName: string, ResourceType: string, prefix: string, kinds: Readonly<Record<string, readonly string[]>>): EventType[] =>
  Object.entries(kinds).flatMap(([kind, states]) => states.map((state) => ({ EventTypeId: `${prefix}-${kind}-${state}`, ServiceName, EventTypeName: `${title(kind)}: ${title(state)}`, ResourceType })));

const title = (text: string): string => text.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');

/** Developer Tools console user guide, "Events for notification rules". */
export const EVENT_TYPES: readonly EventType[] = [
  ...of('CodePipeline', 'Pipeline', 'codepipeline-pipeline', {
    'action-execution': ['succeeded', 'failed', 'canceled', 'started'], 'stage-execution': ['started', 'succeeded', 'resumed', 'canceled', 'failed'],
    'pipeline-execution': ['failed', 'canceled', 'started', 'resumed', 'succeeded', 'superseded'], 'manual-approval': ['failed', 'needed', 'succeeded'],
  }),
  ...of('CodeBuild', 'Project', 'codebuild-project', { 'build-state': ['failed', 'succeeded', 'in-progress', 'stopped'], 'build-phase': ['failure', 'success'] }),
  ...of('CodeCommit', 'Repository', 'codecommit-repository', {
    'branches-and-tags': ['created', 'deleted', 'updated'], 'pull-request': ['created', 'source-updated', 'status-changed', 'merged'], approvals: ['status-changed', 'rule-override'], comments: ['on-commits', 'on-pull-requests'],
  }),
  ...of('CodeDeploy', 'Application', 'codedeploy-application', { deployment: ['failed', 'succeeded', 'started'] }),
];

const KNOWN = new Set(EVENT_TYPES.map(({ EventTypeId }) => EventTypeId));
export const isEventType = (id: string): boolean => KNOWN.has(id);

interface Event {
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The notification event types that an EventBridge event is. */
export function typesOf({ 'detail-type': type, detail }: Event): string[] {
  const state = String(detail['state'] ?? '').toLowerCase();
  switch (type) {
    case 'CodePipeline Pipeline Execution State Change':
      return [`codepipeline-pipeline-pipeline-execution-${state === 'stopped' ? 'canceled' : state}`];
    case 'CodePipeline Stage Execution State Change':
      return [`codepipeline-pipeline-stage-execution-${state === 'stopped' ? 'canceled' : state}`];
    case 'CodePipeline Action Execution State Change': {
      const approval = (detail['type'] as { category?: string } | undefined)?.category === 'Approval';
      const asked = { started: 'needed', succeeded: 'succeeded', failed: 'failed' }[state];
      return [`codepipeline-pipeline-action-execution-${state === 'abandoned' ? 'canceled' : state}`, ...(approval && asked ? [`codepipeline-pipeline-manual-approval-${asked}`] : [])];
    }
    case 'CodeBuild Build State Change':
      return [`codebuild-project-build-state-${String(detail['build-status'] ?? '').toLowerCase().replace(/_/g, '-')}`];
    case 'CodeBuild Build Phase Change':
      return [`codebuild-project-build-phase-${detail['completed-phase-status'] === 'SUCCEEDED' ? 'success' : 'failure'}`];
    case 'CodeCommit Repository State Change':
      return [`codecommit-repository-branches-and-tags-${String(detail['event'] ?? '').replace('reference', '').toLowerCase()}`];
    default:
      return [];
  }
}
