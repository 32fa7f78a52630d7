import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Client } from '../../kernel/service.js';
import { archive, type ArchiveFile } from '../../process/zip.js';
import type { Report } from '../buildspec.js';
import { chooseFiles } from '../files.js';
import { buildArn, type Build } from '../record.js';
import { COVERAGE_FORMATS, type Coverage } from './coverage.js';
import { TEST_FORMATS, type TestResult } from './tests.js';

export interface ReportsOptions {
  readonly build: Build;
  readonly reports: Readonly<Record<string, Report>>;
  /** Folder of the primary source: patterns and base directories start there. */
  readonly source: string;
  /** Variables a group's name may hold. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls with the rights of the build's role. */
  readonly client: Client;
  readonly note: (text: string) => void;
  /** Told of each report as soon as it is there. */
  readonly made: (arn: string) => void;
}

/**
 * Keeps what the buildspec's `reports` name (CodeBuild user guide, "Test reporting"). A report whose files are missing or aren't of their format is INCOMPLETE, and
 * the build goes on. Raises what the build's role may not do, in CodeBuild's form, after every group was tried.
 */
export async function keepReports(options: ReportsOptions): Promise<void> {
  const refused: string[] = [];
  for (const [given, report] of Object.entries(options.reports)) {
    const name = given.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_whole, braced?: string, plain?: string) => options.env[braced ?? plain ?? ''] ?? '');
    try {
      await keepReport(name, report, options);
    } catch (error) {
      if (!isAwsError(error)) throw error;
      refused.push(`${name}: [${error.message}]`);
    }
  }
  if (refused.length > 0) throw new AwsError('CLIENT_ERROR', `Error in UPLOAD_ARTIFACTS phase: [${refused.join(', ')}]`, { status: 400 });
}

async function keepReport(name: string, report: Report, { build, client, source, note, made }: ReportsOptions): Promise<void> {
  const type = report.format in COVERAGE_FORMATS ? 'CODE_COVERAGE' : 'TEST';
  const reportGroupArn = name.startsWith('arn:') ? name : await groupOf(`${build.project.name}-${name}`, type, client, build);
  const { reportArn, exportConfig } = await saying('error creating report', () => client.call<{ reportArn: string; exportConfig?: ExportConfig }>('codebuild', 'CreateReport', { reportGroupArn, type, executionId: buildArn(build) }));
  made(reportArn);
  const call = (operation: string, input: Record<string, unknown>): Promise<unknown> => saying('error updating report', () => client.call('codebuild', operation, { reportGroupArn, reportArn, ...input }));
  const incomplete = async (why: string): Promise<void> => {
    note(`Report ${name} is incomplete: ${why}`);
    await call('UpdateReport', { status: 'INCOMPLETE' });
  };
  const read = TEST_FORMATS[report.format] ?? COVERAGE_FORMATS[report.format];
  if (!read) return incomplete(`the file format ${report.format} is not one of ${[...Object.keys(TEST_FORMATS), ...Object.keys(COVERAGE_FORMATS)].join(', ')}`);
  let files: ArchiveFile[];
  try {
    files = chooseFiles({ files: report.files, excludePaths: [], baseDirectory: report.baseDirectory, discardPaths: report.discardPaths, name: undefined, followLinks: true }, source);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return incomplete(error.message === 'no matching artifact paths found' ? `no file matches ${report.files.join(', ')}` : error.message);
  }
  const { results, unread } = readAll<TestResult | Coverage>(files, read);
  for (const why of unread) note(`Report ${name} is without ${why}`);
  await exportRaw(exportConfig, reportArn, files, client);
  if (unread.length === files.length) return incomplete(`none of its ${files.length} file(s) is ${report.format}`);
  if (type === 'TEST') {
    await call('BatchPutTestCases', { results });
    await call('UpdateReport', { status: results.some((result) => 'status' in result && (result.status === 'FAILED' || result.status === 'ERROR')) ? 'FAILED' : 'SUCCEEDED' });
  } else {
    await call('BatchPutCodeCoverages', { results });
    await call('UpdateReport', { status: 'SUCCEEDED' });
  }
  note(`Report ${name}: ${results.length} ${type === 'TEST' ? 'test case(s)' : 'covered file(s)'} of ${files.length} file(s) kept as ${reportArn}`);
}

/** The group of a name, made on first use; it keeps no raw files ("Create a report group (buildspec)"). */
async function groupOf(name: string, type: string, client: Client, build: Build): Promise<string> {
  try {
    const { reportGroup } = await client.call<{ reportGroup: { arn: string } }>('codebuild', 'CreateReportGroup', { name, type, exportConfig: { exportConfigType: 'NO_EXPORT' } });
    return reportGroup.arn;
  } catch (error) {
    if (!isAwsError(error)) throw error;
    if (error.code === 'ResourceAlreadyExistsException') return `arn:aws:codebuild:${build.region}:${build.account}:report-group/${name}`;
    throw described('error creating report group', error);
  }
}

async function saying<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isAwsError(error) ? described(what, error) : error;
  }
}

/** As in aws/aws-cdk#7367: `error creating report group: AccessDeniedException: User: … is not authorized …`. */
function described(what: string, error: AwsError): AwsError {
  return new AwsError('CLIENT_ERROR', `${what}: ${error.code}: ${error.message}`, { status: 400 });
}

/** Patterns as wide as `**` choose more than reports: a file of another kind is named and passed over. */
function readAll<T>(files: readonly ArchiveFile[], read: (text: string) => readonly T[]): { results: (T & { readonly rawDataPath: string })[]; unread: string[] } {
  const results: (T & { readonly rawDataPath: string })[] = [];
  const unread: string[] = [];
  for (const { name, data } of files) {
    try {
      results.push(...read(Buffer.from(data).toString('utf8')).map((result) => ({ ...result, rawDataPath: name })));
    } catch (error) {
      if (!isAwsError(error)) throw error;
      unread.push(`${name}: ${error.message}`);
    }
  }
  return { results, unread };
}

interface ExportConfig {
  readonly exportConfigType?: string;
  readonly s3Destination?: { readonly bucket?: string; readonly path?: string; readonly packaging?: string; readonly encryptionKey?: string; readonly encryptionDisabled?: boolean };
}

/** Raw files of a group that exports them. Where below the group's path a report's files lie isn't documented: here it is the report's own ID. */
async function exportRaw(config: ExportConfig | undefined, reportArn: string, files: readonly ArchiveFile[], client: Client): Promise<void> {
  const to = config?.exportConfigType === 'S3' ? config.s3Destination : undefined;
  if (!to?.bucket) return;
  const folder = [to.path?.replace(/^\/+|\/+$/g, ''), reportArn.slice(reportArn.lastIndexOf(':') + 1)].filter(Boolean).join('/');
  const objects = to.packaging === 'ZIP' ? [{ Key: `${folder}.zip`, Body: await archive(files) }] : files.map(({ name, data }) => ({ Key: `${folder}/${name}`, Body: data }));
  const encryption = to.encryptionDisabled ? {} : to.encryptionKey ? { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: to.encryptionKey } : { ServerSideEncryption: 'aws:kms' };
  for (const object of objects) await saying('error exporting report', () => client.call('s3', 'PutObject', { Bucket: to.bucket, ...object, ...encryption }));
}
