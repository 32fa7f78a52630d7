import { AwsError } from '../../kernel/error.js';
import type { Authorization, Operation, RequestContext } from '../../kernel/service.js';
import type * as CodeBuild from '../../models/types/codebuild.js';
import { table } from '../../state/state.js';

/** Report groups exist as things of their own; what builds report into them isn't kept (the build's log says so). */
const groups = table<CodeBuild.ReportGroup>('codebuild', 'report-groups');

function arnOf(name: string, context: RequestContext): string {
  return `arn:aws:codebuild:${context.region}:${context.account}:report-group/${name}`;
}

const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

export const reportGroupOperations: Readonly<Record<string, Operation>> = {
  CreateReportGroup: (input: CodeBuild.CreateReportGroupInput, context: RequestContext) => {
    const all = groups(context.state, context.account, context.region);
    if (all.get(input.name)) throw new AwsError('ResourceAlreadyExistsException', `Report group already exists: ${arnOf(input.name, context)}`, { status: 400 });
    const group: CodeBuild.ReportGroup = { arn: arnOf(input.name, context), name: input.name, type: input.type, exportConfig: input.exportConfig, created: context.now(), lastModified: context.now(), tags: input.tags ?? [], status: 'ACTIVE' };
    all.put(input.name, group);
    return { reportGroup: group };
  },
  UpdateReportGroup: (input: CodeBuild.UpdateReportGroupInput, context: RequestContext) => {
    const all = groups(context.state, context.account, context.region);
    const before = all.get(nameOf(input.arn));
    if (!before) throw new AwsError('ResourceNotFoundException', `Report group cannot be found: ${input.arn}`, { status: 400 });
    const group = { ...before, ...(input.exportConfig ? { exportConfig: input.exportConfig } : {}), ...(input.tags ? { tags: input.tags } : {}), lastModified: context.now() };
    all.put(group.name!, group);
    return { reportGroup: group };
  },
  DeleteReportGroup: (input: { arn: string }, context: RequestContext) => {
    groups(context.state, context.account, context.region).delete(nameOf(input.arn));
    return {};
  },
  BatchGetReportGroups: (input: { reportGroupArns: string[] }, context: RequestContext) => {
    const all = groups(context.state, context.account, context.region);
    const found = input.reportGroupArns.map((arn) => all.get(nameOf(arn))).filter((group) => group !== undefined);
    return { reportGroups: found, reportGroupsNotFound: input.reportGroupArns.filter((arn) => !all.get(nameOf(arn))) };
  },
  ListReportGroups: (_input: unknown, context: RequestContext) => ({ reportGroups: groups(context.state, context.account, context.region).list().map(({ arn }) => arn!) }),
};

export const reportGroupRules: Readonly<Record<string, Authorization>> = {
  CreateReportGroup: { resource: (input: { name: string }, context: RequestContext) => arnOf(input.name, context) },
  UpdateReportGroup: { resource: (input: { arn: string }) => input.arn },
  DeleteReportGroup: { resource: (input: { arn: string }) => input.arn },
  BatchGetReportGroups: { resource: (input: { reportGroupArns: string[] }) => input.reportGroupArns },
  ListReportGroups: {},
};
