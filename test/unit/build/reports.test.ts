import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as CodeBuild from '../../../src/local/models/types/codebuild.js';
import { A, eventually, functionCloud, REGION, type FunctionCloud } from '../services/function-cloud.js';

/** Reports of builds: groups, reports and what is in them (CodeBuild user guide, "Test reporting"). */

const GROUPS = `arn:aws:codebuild:${REGION}:${A}:report-group/`;
let cloud: FunctionCloud;
let role: string;
let projects = 0;
beforeAll(async () => {
  process.env['FLOTILLA_ISOLATION'] = 'process';
  cloud = await functionCloud();
  role = await cloud.role('builder', ['*'], 'codebuild.amazonaws.com');
});
afterAll(async () => {
  delete process.env['FLOTILLA_ISOLATION'];
  await cloud.stop();
});

const call = <O>(operation: string, input: Record<string, unknown>): Promise<O> => cloud.admin.call<O>('codebuild', operation, input);

async function build(reports: object, commands: readonly string[], more: { serviceRole?: string; variables?: object } = {}): Promise<CodeBuild.Build> {
  const name = `p${++projects}`;
  const buildspec = JSON.stringify({ version: '0.2', env: { variables: more.variables ?? {} }, phases: { build: { commands } }, reports }, undefined, 1);
  await call('CreateProject', { name, serviceRole: more.serviceRole ?? role, artifacts: { type: 'NO_ARTIFACTS' }, environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' }, source: { type: 'NO_SOURCE', buildspec } });
  const { build: started } = await call<{ build: CodeBuild.Build }>('StartBuild', { projectName: name });
  return eventually(async () => {
    const [found] = (await call<{ builds: CodeBuild.Build[] }>('BatchGetBuilds', { ids: [started.id!] })).builds;
    return found!.buildStatus === 'IN_PROGRESS' ? undefined : found;
  });
}

const reportsOf = async (done: CodeBuild.Build): Promise<CodeBuild.Report[]> => (await call<{ reports: CodeBuild.Report[] }>('BatchGetReports', { reportArns: done.reportArns ?? [] })).reports;
const uploaded = (done: CodeBuild.Build) => done.phases!.find(({ phaseType }) => phaseType === 'UPLOAD_ARTIFACTS');

async function logOf(done: CodeBuild.Build): Promise<string> {
  const { events } = await cloud.admin.call<{ events: { message: string }[] }>('logs', 'GetLogEvents', { logGroupName: done.logs!.groupName, logStreamName: done.logs!.streamName, startFromHead: true });
  return events.map(({ message }) => message).join('');
}

const JUNIT = `<testsuite name="s"><testcase name="good" time="1"/><testcase name="bad" time="0.5"><failure message="why"/></testcase></testsuite>`;
const write = (file: string, text: string): string => `mkdir -p "$(dirname ${file})"; printf '%s' '${text}' > ${file}`;

describe('a build with reports', () => {
  it('keeps them in a group named after the project, which the first build makes', async () => {
    const done = await build({ unit: { files: ['**/*'], 'base-directory': 'out' } }, [write('out/a/r.xml', JUNIT), write('out/notes.txt', 'no report')]);
    expect([done.buildStatus, done.reportArns]).toEqual(['SUCCEEDED', [`arn:aws:codebuild:${REGION}:${A}:report/${done.projectName}-unit:${done.id!.split(':')[1]}`]]);
    const [report] = await reportsOf(done);
    expect(report).toMatchObject({ type: 'TEST', status: 'FAILED', truncated: false, executionId: done.arn, reportGroupArn: `${GROUPS}${done.projectName}-unit`, testSummary: { total: 2, statusCounts: { SUCCEEDED: 1, FAILED: 1, ERROR: 0, SKIPPED: 0, UNKNOWN: 0 }, durationInNanoSeconds: 1.5e9 } });
    expect(await call('ListReportsForReportGroup', { reportGroupArn: report!.reportGroupArn! })).toEqual({ reports: done.reportArns });
    const failed = await call<CodeBuild.DescribeTestCasesOutput>('DescribeTestCases', { reportArn: report!.arn!, filter: { status: 'FAILED' } });
    expect(failed.testCases).toEqual([expect.objectContaining({ name: 'bad', testSuiteName: 's', message: 'why', testRawDataPath: 'a/r.xml', durationInNanoSeconds: 5e8 })]);
    expect(await logOf(done)).toMatch(/Report unit is without notes\.txt: /);
  });

  it('keeps coverage, and takes formats in any case and names from variables', async () => {
    const done = await build({ '$GROUP': { files: ['c.xml'], 'file-format': 'CloverXml' } }, [write('c.xml', '<coverage><project><file name="a"><metrics statements="4" coveredstatements="3"/></file></project></coverage>')], { variables: { GROUP: 'cover' } });
    const [report] = await reportsOf(done);
    expect(report).toMatchObject({ type: 'CODE_COVERAGE', status: 'SUCCEEDED', reportGroupArn: `${GROUPS}${done.projectName}-cover`, codeCoverageSummary: { lineCoveragePercentage: 75, linesCovered: 3, linesMissed: 1 } });
    const { codeCoverages } = await call<CodeBuild.DescribeCodeCoveragesOutput>('DescribeCodeCoverages', { reportArn: report!.arn!, maxLineCoveragePercentage: 80 });
    expect(codeCoverages).toEqual([expect.objectContaining({ filePath: 'a', lineCoveragePercentage: 75, branchCoveragePercentage: 0 })]);
    expect((await call<CodeBuild.DescribeCodeCoveragesOutput>('DescribeCodeCoverages', { reportArn: report!.arn!, minLineCoveragePercentage: 80 })).codeCoverages).toEqual([]);
  });

  it.each<[what: string, report: object, says: RegExp]>([
    ['has no files', { files: ['none.xml'] }, /no file matches none\.xml/],
    ['has no base directory', { files: ['*'], 'base-directory': 'nowhere' }, /no matching base directory path found for nowhere/],
    ['has a format nobody knows', { files: ['r.xml'], 'file-format': 'TAP' }, /file format TAP is not one of JUNITXML/],
    ['has files of another format only', { files: ['r.xml'], 'file-format': 'TESTNGXML' }, /none of its 1 file\(s\) is TESTNGXML/],
  ])('goes on where one %s: that one is INCOMPLETE', async (_what, report, says) => {
    const done = await build({ r: report }, [write('r.xml', JUNIT)]);
    expect([done.buildStatus, (await reportsOf(done)).map(({ status }) => status)]).toEqual(['SUCCEEDED', ['INCOMPLETE']]);
    expect(await logOf(done)).toMatch(says);
  });

  it('keeps 500 test cases, failed ones first, and counts all', async () => {
    const done = await build({ many: { files: ['m.xml'] } }, [`node -e 'require("fs").writeFileSync("m.xml", "<testsuite>" + "<testcase/>".repeat(600) + "<testcase name=\\"last\\"><failure/></testcase></testsuite>")'`]);
    const [report] = await reportsOf(done);
    expect([report!.truncated, report!.testSummary!.total]).toEqual([true, 601]);
    const pages: CodeBuild.DescribeTestCasesOutput[] = [];
    do pages.push(await call<CodeBuild.DescribeTestCasesOutput>('DescribeTestCases', { reportArn: report!.arn!, nextToken: pages.at(-1)?.nextToken }));
    while (pages.at(-1)!.nextToken);
    expect([pages[0]!.testCases![0]!.name, ...pages.map(({ testCases }) => testCases!.length)]).toEqual(['last', 100, 100, 100, 100, 100]);
  });

  it('reports after a failed build phase too', async () => {
    const done = await build({ unit: { files: ['r.xml'] } }, [write('r.xml', JUNIT), 'false']);
    expect([done.buildStatus, (await reportsOf(done)).map(({ status }) => status)]).toEqual(['FAILED', ['FAILED']]);
  });

  it('writes to a group that stands, of its own type, and exports the raw files as the group says', async () => {
    await cloud.admin.call('s3', 'CreateBucket', { Bucket: 'raw', CreateBucketConfiguration: { LocationConstraint: REGION } });
    await call('CreateReportGroup', { name: 'mine', type: 'TEST', exportConfig: { exportConfigType: 'S3', s3Destination: { bucket: 'raw', path: 'kept', encryptionDisabled: true } } });
    const done = await build({ [`${GROUPS}mine`]: { files: ['d/r.xml'], 'discard-paths': 'yes' } }, [write('d/r.xml', JUNIT)]);
    expect([done.buildStatus, (await reportsOf(done))[0]!.status]).toEqual(['SUCCEEDED', 'FAILED']);
    const { Contents } = await cloud.admin.call<{ Contents: { Key: string }[] }>('s3', 'ListObjectsV2', { Bucket: 'raw' });
    expect(Contents.map(({ Key }) => Key)).toEqual([`kept/${done.id!.split(':')[1]}/r.xml`]);
    const other = await build({ [`${GROUPS}mine`]: { files: ['c.xml'], 'file-format': 'CLOVERXML' } }, [write('c.xml', '<coverage/>')]);
    expect([other.buildStatus, uploaded(other)!.contexts![0]!.message]).toEqual(['FAILED', expect.stringContaining('of type TEST: it takes no report of type CODE_COVERAGE')]);
  });

  it.each<[allowed: string[], says: RegExp]>([
    [[], /^Error in UPLOAD_ARTIFACTS phase: \[unit: \[error creating report group: AccessDeniedException: User: \S+ is not authorized to perform: codebuild:CreateReportGroup on resource: \S+:report-group\/p\d+-unit /],
    [['codebuild:CreateReportGroup'], /error creating report: AccessDeniedException: .*codebuild:CreateReport on/],
    [['codebuild:CreateReportGroup', 'codebuild:CreateReport'], /codebuild:BatchPutTestCases on/],
    [['codebuild:CreateReportGroup', 'codebuild:CreateReport', 'codebuild:BatchPutTestCases'], /codebuild:UpdateReport on/],
  ])('fails where its role may do no more than %j', async (allowed, says) => {
    const serviceRole = await cloud.role(`limited-${allowed.length}`, ['logs:*', ...allowed], 'codebuild.amazonaws.com');
    const done = await build({ unit: { files: ['r.xml'] } }, [write('r.xml', JUNIT)], { serviceRole });
    expect([done.buildStatus, uploaded(done)!.contexts![0]]).toEqual(['FAILED', { statusCode: 'CLIENT_ERROR', message: expect.stringMatching(says) }]);
  });

  it('lets a group go only with its reports', async () => {
    const done = await build({ unit: { files: ['r.xml'] } }, [write('r.xml', JUNIT)]);
    const [report] = await reportsOf(done);
    const arn = report!.reportGroupArn!;
    await expect(call('DeleteReportGroup', { arn })).rejects.toThrow(/has reports/);
    await call('DeleteReportGroup', { arn, deleteReports: true });
    expect(await call('BatchGetReports', { reportArns: done.reportArns! })).toEqual({ reports: [], reportsNotFound: done.reportArns });
    await expect(call('DescribeTestCases', { reportArn: report!.arn! })).rejects.toThrow('Report cannot be found');
    await expect(call('ListReportsForReportGroup', { reportGroupArn: arn })).rejects.toThrow('Report group cannot be found');
  });
});
