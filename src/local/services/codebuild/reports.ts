import { AwsError } from '../../kernel/error.js';
import type { Authorization, Operation, RequestContext } from '../../kernel/service.js';
import type * as CodeBuild from '../../models/types/codebuild.js';
import { pageOf } from './pages.js';
import { groupName, groupOf, removeReport, reportKey, reportStore } from './report-store.js';

/** "A test report can have a maximum of 500 test case results." */
const MOST_CASES = 500;
/** A report expires 30 days after it was made (user guide, "Working with test reports"). */
const KEPT_MS = 30 * 24 * 3_600_000;

function groupArnOf(reportArn: string): string {
  return reportArn.slice(0, reportArn.lastIndexOf(':')).replace(':report/', ':report-group/');
}

/** A report that has expired is none any more. */
function reportOf(arn: string, context: RequestContext): CodeBuild.Report {
  const found = reportStore(context).reports.get(...reportKey(arn));
  if (!found || found.arn !== arn || found.expired! <= context.now()) throw new AwsError('ResourceNotFoundException', `Report cannot be found: ${arn}`, { status: 400 });
  return found;
}

function listed(group: string | undefined, input: { sortOrder?: string; filter?: CodeBuild.ReportFilter; nextToken?: string; maxResults?: number }, context: RequestContext): { reports: string[]; nextToken?: string } {
  const { reports } = reportStore(context);
  const found = (group === undefined ? reports.list() : reports.list(group)).filter(({ status, expired }) => expired! > context.now() && (input.filter?.status === undefined || input.filter.status === status));
  found.sort((a, b) => a.created!.getTime() - b.created!.getTime());
  const { items, nextToken } = pageOf(input.sortOrder === 'ASCENDING' ? found : found.reverse(), input);
  return { reports: items.map(({ arn }) => arn!), ...nextToken };
}

export const reportOperations: Readonly<Record<string, Operation>> = {
  BatchGetReports: (input: { reportArns: string[] }, context: RequestContext) => {
    const found = input.reportArns.map((arn) => reportStore(context).reports.get(...reportKey(arn))).filter((report) => report !== undefined && report.expired! > context.now());
    return { reports: found, reportsNotFound: input.reportArns.filter((arn) => !found.some((report) => report!.arn === arn)) };
  },
  ListReports: (input: CodeBuild.ListReportsInput, context: RequestContext) => listed(undefined, input, context),
  ListReportsForReportGroup: (input: CodeBuild.ListReportsForReportGroupInput, context: RequestContext) => {
    groupOf(input.reportGroupArn, context);
    return listed(groupName(input.reportGroupArn), input, context);
  },
  DeleteReport: ({ arn }: { arn: string }, context: RequestContext) => {
    removeReport(arn, context);
    return {};
  },
  DescribeTestCases: (input: CodeBuild.DescribeTestCasesInput, context: RequestContext) => {
    reportOf(input.reportArn, context);
    const { status, keyword } = input.filter ?? {};
    const found = (reportStore(context).cases.get(...reportKey(input.reportArn)) ?? []).filter((test) => (status === undefined || test.status === status) && (keyword === undefined || [test.name, test.prefix, test.testSuiteName].some((text) => text?.includes(keyword))));
    const { items, nextToken } = pageOf(found, input);
    return { testCases: items, ...nextToken };
  },
  DescribeCodeCoverages: (input: CodeBuild.DescribeCodeCoveragesInput, context: RequestContext) => {
    reportOf(input.reportArn, context);
    const { minLineCoveragePercentage: least = 0, maxLineCoveragePercentage: most = 100 } = input;
    const found = (reportStore(context).covered.get(...reportKey(input.reportArn)) ?? []).filter(({ lineCoveragePercentage: lines = 0 }) => lines >= least && lines <= most);
    const by = input.sortBy === 'LINE_COVERAGE_PERCENTAGE' ? (a: CodeBuild.CodeCoverage, b: CodeBuild.CodeCoverage) => a.lineCoveragePercentage! - b.lineCoveragePercentage! : (a: CodeBuild.CodeCoverage, b: CodeBuild.CodeCoverage) => (a.filePath! < b.filePath! ? -1 : 1);
    found.sort(by);
    const { items, nextToken } = pageOf(input.sortOrder === 'DESCENDING' ? found.reverse() : found, input);
    return { codeCoverages: items, ...nextToken };
  },
};

interface Written {
  readonly reportGroupArn: string;
  readonly reportArn: string;
}

/** What the build's agent calls with the rights of the build's role; AWS has actions for it and no public operations ("Test report permissions"). */
export const reportWriters: Readonly<Record<string, Operation>> = {
  CreateReport: (input: { reportGroupArn: string; type: CodeBuild.ReportType; executionId: string }, context: RequestContext) => {
    const group = groupOf(input.reportGroupArn, context);
    if (group.type !== input.type) throw new AwsError('InvalidInputException', `Report group ${input.reportGroupArn} is of type ${group.type}: it takes no report of type ${input.type}`, { status: 400 });
    // The build's own ID, so that a build begun anew after a crash writes the report it had begun.
    const id = input.executionId.slice(input.executionId.lastIndexOf(':') + 1);
    const now = context.now();
    const arn = input.reportGroupArn.replace(':report-group/', ':report/') + `:${id}`;
    const report: CodeBuild.Report = { arn, type: input.type, name: group.name, reportGroupArn: input.reportGroupArn, executionId: input.executionId, status: 'GENERATING', created: now, expired: new Date(now.getTime() + KEPT_MS), exportConfig: group.exportConfig, truncated: false };
    reportStore(context).reports.put(reportKey(arn), report);
    return { reportArn: arn, exportConfig: group.exportConfig };
  },
  BatchPutTestCases: ({ reportArn, results }: Written & { results: readonly (Omit<CodeBuild.TestCase, 'testSuiteName'> & { suite: string; rawDataPath: string })[] }, context: RequestContext) => {
    const report = reportOf(reportArn, context);
    const statusCounts: Record<string, number> = { SUCCEEDED: 0, FAILED: 0, ERROR: 0, SKIPPED: 0, UNKNOWN: 0 };
    for (const { status } of results) statusCounts[status!]! += 1;
    // "… CodeBuild prioritizes tests with the status FAILED and truncates the test case results."
    const kept = results.length <= MOST_CASES ? results : [...results.filter(({ status }) => status === 'FAILED'), ...results.filter(({ status }) => status !== 'FAILED')].slice(0, MOST_CASES);
    const { reports, cases } = reportStore(context);
    cases.put(reportKey(reportArn), kept.map(({ suite, rawDataPath, ...test }) => ({ reportArn, testRawDataPath: rawDataPath, testSuiteName: suite, expired: report.expired, ...test })));
    const durationInNanoSeconds = results.reduce((sum, test) => sum + (test.durationInNanoSeconds ?? 0), 0);
    reports.put(reportKey(reportArn), { ...report, truncated: kept.length < results.length, testSummary: { total: results.length, statusCounts, durationInNanoSeconds } });
    return {};
  },
  BatchPutCodeCoverages: ({ reportArn, results }: Written & { results: readonly Counts[] }, context: RequestContext) => {
    const report = reportOf(reportArn, context);
    const { reports, covered } = reportStore(context);
    covered.put(reportKey(reportArn), results.map((counts, index) => ({ id: `${reportKey(reportArn)[1]}-${index}`, reportARN: reportArn, filePath: counts.file, ...summary([counts]), expired: report.expired })));
    reports.put(reportKey(reportArn), { ...report, codeCoverageSummary: summary(results) });
    return {};
  },
  UpdateReport: ({ reportArn, status }: Written & { status: CodeBuild.ReportStatusType }, context: RequestContext) => {
    reportStore(context).reports.put(reportKey(reportArn), { ...reportOf(reportArn, context), status });
    return {};
  },
};

interface Counts {
  readonly file: string;
  readonly linesCovered: number;
  readonly linesMissed: number;
  readonly branchesCovered: number;
  readonly branchesMissed: number;
}

/** Counts and percentages; a report without branches (or lines) has 0 % of them. */
function summary(all: readonly Counts[]): CodeBuild.CodeCoverageReportSummary {
  const sum = (member: Exclude<keyof Counts, 'file'>): number => all.reduce((total, counts) => total + counts[member], 0);
  const [linesCovered, linesMissed, branchesCovered, branchesMissed] = [sum('linesCovered'), sum('linesMissed'), sum('branchesCovered'), sum('branchesMissed')];
  return { lineCoveragePercentage: percentage(linesCovered, linesMissed), linesCovered, linesMissed, branchCoveragePercentage: percentage(branchesCovered, branchesMissed), branchesCovered, branchesMissed };
}

function percentage(covered: number, missed: number): number {
  return covered + missed === 0 ? 0 : (covered / (covered + missed)) * 100;
}

const onGroup: Authorization = { resource: (input: Written) => input.reportGroupArn };

/** Reports have no ARN of their own to IAM: the group stands for them (service authorization reference). */
export const reportRules: Readonly<Record<string, Authorization>> = {
  BatchGetReports: { resource: (input: { reportArns: string[] }) => [...new Set(input.reportArns.map(groupArnOf))] },
  ListReports: {},
  ListReportsForReportGroup: onGroup,
  DeleteReport: { resource: (input: { arn: string }) => groupArnOf(input.arn) },
  DescribeTestCases: { resource: (input: { reportArn: string }) => groupArnOf(input.reportArn) },
  DescribeCodeCoverages: { resource: (input: { reportArn: string }) => groupArnOf(input.reportArn) },
  CreateReport: onGroup,
  BatchPutTestCases: onGroup,
  BatchPutCodeCoverages: onGroup,
  UpdateReport: onGroup,
};
