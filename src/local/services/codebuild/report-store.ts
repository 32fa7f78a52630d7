import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as CodeBuild from '../../models/types/codebuild.js';
import { table } from '../../state/state.js';

const groupTable = table<CodeBuild.ReportGroup>('codebuild', 'report-groups');
const reportTable = table<CodeBuild.Report>('codebuild', 'reports');
const caseTable = table<readonly CodeBuild.TestCase[]>('codebuild', 'test-cases');
const coverageTable = table<readonly CodeBuild.CodeCoverage[]>('codebuild', 'code-coverages');

/** Groups by name; reports, and what is in them, by group and ID. */
export function reportStore({ state, account, region }: RequestContext) {
  return { groups: groupTable(state, account, region), reports: reportTable(state, account, region), cases: caseTable(state, account, region), covered: coverageTable(state, account, region) };
}

/** Name of a group by its ARN. */
export function groupName(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** Group and ID of `…:report/GROUP:ID`. */
export function reportKey(arn: string): [string, string] {
  const [group = '', id = ''] = arn.slice(arn.indexOf(':report/') + ':report/'.length).split(':');
  return [group, id];
}

/** The group of an ARN; raises ResourceNotFoundException. */
export function groupOf(arn: string, context: RequestContext): CodeBuild.ReportGroup {
  const found = reportStore(context).groups.get(groupName(arn));
  if (!found || found.arn !== arn) throw new AwsError('ResourceNotFoundException', `Report group cannot be found: ${arn}`, { status: 400 });
  return found;
}

/** Removes a report with what is in it. */
export function removeReport(arn: string, context: RequestContext): void {
  const { reports, cases, covered } = reportStore(context);
  for (const of of [reports, cases, covered]) of.delete(...reportKey(arn));
}
