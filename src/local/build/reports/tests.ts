import type { XmlElement } from '../../../shared/xml.js';
import { all, attribute, child, children, jsonReport, number, unreadable, xmlReport } from './document.js';

/** One result, as DescribeTestCases shows it. */
export interface TestResult {
  readonly name: string;
  /** Test suite. */
  readonly suite: string;
  /** What a series of tests has in common: class, package or feature. */
  readonly prefix: string;
  /** "Test report statuses" of the CodeBuild user guide. */
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ERROR' | 'SKIPPED' | 'UNKNOWN';
  readonly durationInNanoSeconds: number;
  readonly message: string;
}

type Status = TestResult['status'];

/** Readers of the test formats that CodeBuild knows, by `file-format`. Each raises for a file of another kind. */
export const TEST_FORMATS: Readonly<Record<string, (text: string) => TestResult[]>> = {
  JUNITXML: junit,
  CUCUMBERJSON: cucumber,
  TESTNGXML: testng,
  NUNITXML: nunit2,
  NUNIT3XML: nunit3,
  VISUALSTUDIOTRX: trx,
};

const seconds = (text: string | undefined): number => Math.round(number(text) * 1e9);
const said = (element: XmlElement | undefined): string => (element ? [attribute(element, 'message'), element.text.trim()].filter(Boolean).join('\n') : '');

function junit(text: string): TestResult[] {
  const root = xmlReport(text, 'testsuites', 'testsuite');
  const suites = [...(root.name === 'testsuite' ? [root] : []), ...all(root, 'testsuite')];
  return suites.flatMap((suite) =>
    children(suite, 'testcase').map((test) => {
      const [failure, error, skipped] = [child(test, 'failure'), child(test, 'error'), child(test, 'skipped')];
      const status: Status = error ? 'ERROR' : failure ? 'FAILED' : skipped ? 'SKIPPED' : 'SUCCEEDED';
      return { name: attribute(test, 'name') ?? '', suite: attribute(suite, 'name') ?? '', prefix: attribute(test, 'classname') ?? '', status, durationInNanoSeconds: seconds(attribute(test, 'time')), message: said(error ?? failure ?? skipped) };
    }),
  );
}

interface CucumberStep {
  readonly name?: string;
  readonly result?: { readonly status?: string; readonly duration?: number; readonly error_message?: string };
}

interface CucumberFeature {
  readonly name?: string;
  readonly elements?: readonly { readonly type?: string; readonly name?: string; readonly before?: readonly CucumberStep[]; readonly steps?: readonly CucumberStep[]; readonly after?: readonly CucumberStep[] }[];
}

/** A scenario is a test; it is what the worst of its steps is. Durations are nanoseconds already. */
function cucumber(text: string): TestResult[] {
  const features = jsonReport(text);
  if (!Array.isArray(features)) throw unreadable('a Cucumber report is a list of features');
  return (features as CucumberFeature[]).flatMap((feature) =>
    (feature.elements ?? [])
      .filter(({ type }) => type !== 'background')
      .map((scenario) => {
        const steps = [...(scenario.before ?? []), ...(scenario.steps ?? []), ...(scenario.after ?? [])];
        const states = steps.map(({ result }) => result?.status ?? 'unknown');
        const failed = steps.find(({ result }) => result?.status === 'failed');
        const status: Status = failed ? 'FAILED' : states.every((state) => state === 'passed') ? 'SUCCEEDED' : states.some((state) => state === 'skipped' || state === 'pending' || state === 'undefined') ? 'SKIPPED' : 'UNKNOWN';
        const suite = feature.name ?? '';
        return { name: scenario.name ?? '', suite, prefix: suite, status, durationInNanoSeconds: steps.reduce((sum, { result }) => sum + (result?.duration ?? 0), 0), message: failed?.result?.error_message ?? '' };
      }),
  );
}

function testng(text: string): TestResult[] {
  const status: Readonly<Record<string, Status>> = { PASS: 'SUCCEEDED', FAIL: 'FAILED', SKIP: 'SKIPPED' };
  return children(xmlReport(text, 'testng-results'), 'suite').flatMap((suite) =>
    all(suite, 'class').flatMap((of) =>
      children(of, 'test-method')
        .filter((method) => attribute(method, 'is-config') !== 'true')
        .map((method) => {
          const thrown = child(method, 'exception');
          const message = [child(thrown, 'message')?.text.trim(), child(thrown, 'full-stacktrace')?.text.trim()].filter(Boolean).join('\n');
          return { name: attribute(method, 'name') ?? '', suite: attribute(suite, 'name') ?? '', prefix: attribute(of, 'name') ?? '', status: status[attribute(method, 'status') ?? ''] ?? 'UNKNOWN', durationInNanoSeconds: Math.round(number(attribute(method, 'duration-ms')) * 1e6), message };
        }),
    ),
  );
}

const NUNIT2: Readonly<Record<string, Status>> = { Success: 'SUCCEEDED', Failure: 'FAILED', Error: 'ERROR', Ignored: 'SKIPPED', Skipped: 'SKIPPED', NotRunnable: 'ERROR', Cancelled: 'ERROR' };

function nunit2(text: string): TestResult[] {
  return nunit(xmlReport(text, 'test-results'), '', (test) => ({
    status: NUNIT2[attribute(test, 'result') ?? ''] ?? (attribute(test, 'executed') === 'False' ? 'SKIPPED' : attribute(test, 'success') === 'True' ? 'SUCCEEDED' : 'UNKNOWN'),
    durationInNanoSeconds: seconds(attribute(test, 'time')),
  }));
}

const NUNIT3: Readonly<Record<string, Status>> = { Passed: 'SUCCEEDED', Warning: 'SUCCEEDED', Failed: 'FAILED', Skipped: 'SKIPPED' };

function nunit3(text: string): TestResult[] {
  return nunit(xmlReport(text, 'test-run'), '', (test) => ({
    status: attribute(test, 'label') === 'Error' ? 'ERROR' : (NUNIT3[attribute(test, 'result') ?? ''] ?? 'UNKNOWN'),
    durationInNanoSeconds: seconds(attribute(test, 'duration')),
  }));
}

function nunit(element: XmlElement, suite: string, read: (test: XmlElement) => Pick<TestResult, 'status' | 'durationInNanoSeconds'>): TestResult[] {
  return element.children.flatMap((next) => {
    if (next.name !== 'test-case') return nunit(next, next.name === 'test-suite' ? (attribute(next, 'name') ?? suite) : suite, read);
    const name = attribute(next, 'fullname') ?? attribute(next, 'name') ?? '';
    const message = [child(next, 'failure', 'message') ?? child(next, 'reason', 'message'), child(next, 'failure', 'stack-trace')].map((found) => found?.text.trim()).filter(Boolean).join('\n');
    return [{ name, suite, prefix: attribute(next, 'classname') ?? suite, message, ...read(next) }];
  });
}

const TRX: Readonly<Record<string, Status>> = { Passed: 'SUCCEEDED', PassedButRunAborted: 'SUCCEEDED', Warning: 'SUCCEEDED', Completed: 'SUCCEEDED', Failed: 'FAILED', Error: 'ERROR', Timeout: 'ERROR', Aborted: 'ERROR', NotExecuted: 'SKIPPED', NotRunnable: 'SKIPPED', Inconclusive: 'SKIPPED' };

function trx(text: string): TestResult[] {
  const root = xmlReport(text, 'TestRun');
  const classes = new Map(all(root, 'UnitTest').map((test) => [attribute(test, 'id'), attribute(child(test, 'TestMethod') ?? test, 'className') ?? '']));
  const suite = attribute(root, 'name') ?? '';
  return all(root, 'UnitTestResult').map((result) => {
    const [hours = '0', minutes = '0', rest = '0'] = (attribute(result, 'duration') ?? '').split(':');
    const message = [child(result, 'Output', 'ErrorInfo', 'Message'), child(result, 'Output', 'ErrorInfo', 'StackTrace')].map((found) => found?.text.trim()).filter(Boolean).join('\n');
    return {
      name: attribute(result, 'testName') ?? '', suite, prefix: classes.get(attribute(result, 'testId')) ?? '', status: TRX[attribute(result, 'outcome') ?? ''] ?? 'UNKNOWN',
      durationInNanoSeconds: Math.round((number(hours) * 3600 + number(minutes) * 60 + number(rest)) * 1e9), message,
    };
  });
}
