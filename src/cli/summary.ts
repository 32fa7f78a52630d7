import { FlotillaError } from '../shared/errors.js';
import type { RunResult } from '../ops/run/run.js';
import type { WhereReport } from '../ops/where.js';

/** What a run did, for a CI job: `markdown` for its page, `junit` for its test report. */
export function summaryText(form: string, result: RunResult, reports: readonly WhereReport[]): string {
  if (form === 'markdown') return markdown(result, reports);
  if (form === 'junit') return junit(result, reports);
  throw new FlotillaError('CLI003', `--summary '${form}' is not known`, { fix: 'markdown or junit', exitCode: 2 });
}

function markdown(result: RunResult, reports: readonly WhereReport[]): string {
  const lines = [`## Rehearsal of ${result.commit.id.slice(0, 7)} "${result.commit.subject}"`, ''];
  for (const report of reports) {
    const run = result.pipelines.find(({ name }) => name === report.pipeline.name);
    lines.push(`**${report.pipeline.name}**: ${run?.status ?? 'not run'}`, '', '| Stage | Account | Region | Commit | State |', '| --- | --- | --- | --- | --- |');
    for (const row of report.rows) lines.push(`| ${row.stage} | ${row.account} | ${row.region} | ${row.live?.slice(0, 7) ?? '–'} | ${row.state}${row.detail ? `: ${cell(row.detail)}` : ''} |`);
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

function cell(text: string): string {
  return (text.split('\n')[0] ?? '').replaceAll('|', '\\|');
}

function junit(result: RunResult, reports: readonly WhereReport[]): string {
  const suites = reports.map((report) => {
    const cases = report.rows.map((row) => {
      const name = escape(`${row.stage} ${row.account}/${row.region}`);
      if (row.state === 'deployed') return `    <testcase classname="${escape(report.pipeline.name)}" name="${name}"/>`;
      const body = row.state === 'failed' ? `<failure message="${escape(cell(row.detail ?? 'failed'))}"/>` : `<skipped message="${row.state}"/>`;
      return `    <testcase classname="${escape(report.pipeline.name)}" name="${name}">${body}</testcase>`;
    });
    const failed = report.rows.filter(({ state }) => state === 'failed').length;
    return `  <testsuite name="${escape(report.pipeline.name)}" tests="${report.rows.length}" failures="${failed}">\n${cases.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escape(result.commit.id)}">\n${suites.join('\n')}\n</testsuites>\n`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
