import { AwsError } from '../../kernel/error.js';
import type { Authorization, Operation, RequestContext } from '../../kernel/service.js';
import type * as CodeBuild from '../../models/types/codebuild.js';
import { pageOf } from './pages.js';
import { groupName, groupOf, removeReport, reportStore } from './report-store.js';

function arnOf(name: string, context: RequestContext): string {
  return `arn:aws:codebuild:${context.region}:${context.account}:report-group/${name}`;
}

export const reportGroupOperations: Readonly<Record<string, Operation>> = {
  CreateReportGroup: (input: CodeBuild.CreateReportGroupInput, context: RequestContext) => {
    const all = reportStore(context).groups;
    if (all.get(input.name)) throw new AwsError('ResourceAlreadyExistsException', `Report group already exists: ${arnOf(input.name, context)}`, { status: 400 });
    const group: CodeBuild.ReportGroup = { arn: arnOf(input.name, context), name: input.name, type: input.type, exportConfig: input.exportConfig, created: context.now(), lastModified: context.now(), tags: input.tags ?? [], status: 'ACTIVE' };
    all.put(input.name, group);
    return { reportGroup: group };
  },
  UpdateReportGroup: (input: CodeBuild.UpdateReportGroupInput, context: RequestContext) => {
    const before = groupOf(input.arn, context);
    const group = { ...before, ...(input.exportConfig ? { exportConfig: input.exportConfig } : {}), ...(input.tags ? { tags: input.tags } : {}), lastModified: context.now() };
    reportStore(context).groups.put(group.name!, group);
    return { reportGroup: group };
  },
  // "deleteReports: … If false, you must delete any reports in the report group" (API reference).
  DeleteReportGroup: (input: CodeBuild.DeleteReportGroupInput, context: RequestContext) => {
    const { groups, reports } = reportStore(context);
    const held = reports.list(groupName(input.arn));
    if (held.length > 0 && !input.deleteReports) throw new AwsError('InvalidInputException', `Report group ${input.arn} has reports: delete them first, or set deleteReports`, { status: 400 });
    for (const { arn } of held) removeReport(arn!, context);
    groups.delete(groupName(input.arn));
    return {};
  },
  BatchGetReportGroups: (input: { reportGroupArns: string[] }, context: RequestContext) => {
    const all = reportStore(context).groups;
    const found = input.reportGroupArns.map((arn) => all.get(groupName(arn))).filter((group) => group !== undefined);
    return { reportGroups: found, reportGroupsNotFound: input.reportGroupArns.filter((arn) => !all.get(groupName(arn))) };
  },
  ListReportGroups: (input: CodeBuild.ListReportGroupsInput, context: RequestContext) => {
    const member = input.sortBy === 'CREATED_TIME' ? 'created' : input.sortBy === 'LAST_MODIFIED_TIME' ? 'lastModified' : 'name';
    const sorted = reportStore(context).groups.list().sort((a, b) => Number(a[member]! > b[member]!) - Number(a[member]! < b[member]!));
    const { items, nextToken } = pageOf(input.sortOrder === 'DESCENDING' ? sorted.reverse() : sorted, input);
    return { reportGroups: items.map(({ arn }) => arn!), ...nextToken };
  },
};

export const reportGroupRules: Readonly<Record<string, Authorization>> = {
  CreateReportGroup: { resource: (input: { name: string }, context: RequestContext) => arnOf(input.name, context) },
  UpdateReportGroup: { resource: (input: { arn: string }) => input.arn },
  DeleteReportGroup: { resource: (input: { arn: string }) => input.arn },
  BatchGetReportGroups: { resource: (input: { reportGroupArns: string[] }) => input.reportGroupArns },
  ListReportGroups: {},
};
