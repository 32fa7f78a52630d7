import { describe, expect, it } from 'vitest';
import { COVERAGE_FORMATS } from '../../../src/local/build/reports/coverage.js';
import { TEST_FORMATS, type TestResult } from '../../../src/local/build/reports/tests.js';

/** Samples in the shape of the tools' own output, by `file-format` (CodeBuild user guide, "Reports syntax in the buildspec file"). */

const short = ({ suite, prefix, name, status, durationInNanoSeconds, message }: TestResult): string => [suite, prefix, name, status, durationInNanoSeconds / 1e6, message.split('\n')[0]].join('|');

describe('a test report', () => {
  it.each<[format: string, text: string, expected: string[]]>([
    ['JUNITXML', `\uFEFF<?xml version="1.0"?><testsuites><testsuite name="s"><testsuite name="inner"><testcase name="a" classname="c" time="0.25"/></testsuite>
      <testcase name="b" classname="c" time="1,001.5"><failure message="no &lt;way&gt;">at x</failure></testcase><testcase name="e"><error>boom</error></testcase><testcase name="k"><skipped/></testcase></testsuite></testsuites>`,
    ['s|c|b|FAILED|1001500|no <way>', 's||e|ERROR|0|boom', 's||k|SKIPPED|0|', 'inner|c|a|SUCCEEDED|250|']],
    ['CUCUMBERJSON', JSON.stringify([{ name: 'F', elements: [
      { type: 'background', name: 'given', steps: [{ result: { status: 'passed' } }] },
      { type: 'scenario', name: 'ok', steps: [{ result: { status: 'passed', duration: 2e6 } }, { result: { status: 'passed', duration: 1e6 } }] },
      { type: 'scenario', name: 'bad', steps: [{ result: { status: 'failed', error_message: 'nope' } }, { result: { status: 'skipped' } }] },
      { type: 'scenario', name: 'later', steps: [{ result: { status: 'undefined' } }] }] }]),
    ['F|F|ok|SUCCEEDED|3|', 'F|F|bad|FAILED|0|nope', 'F|F|later|SKIPPED|0|']],
    ['TESTNGXML', `<testng-results><suite name="S"><test name="t"><class name="C"><test-method is-config="true" name="setUp" status="PASS"/><test-method name="a" status="PASS" duration-ms="7"/>
      <test-method name="b" status="FAIL" duration-ms="0"><exception class="E"><message><![CDATA[ expected ]]></message></exception></test-method><test-method name="c" status="SKIP"/></class></test></suite></testng-results>`,
    ['S|C|a|SUCCEEDED|7|', 'S|C|b|FAILED|0|expected', 'S|C|c|SKIPPED|0|']],
    ['NUNITXML', `<test-results name="x.dll"><test-suite name="all"><results><test-suite name="Fix"><results><test-case name="N.a" executed="True" result="Success" success="True" time="0.010"/>
      <test-case name="N.b" executed="True" result="Error" time="0"><failure><message>broke</message></failure></test-case><test-case name="N.c" executed="False"/></results></test-suite></results></test-suite></test-results>`,
    ['Fix|Fix|N.a|SUCCEEDED|10|', 'Fix|Fix|N.b|ERROR|0|broke', 'Fix|Fix|N.c|SKIPPED|0|']],
    ['NUNIT3XML', `<test-run><test-suite name="Fix"><test-case fullname="N.a" classname="N" result="Passed" duration="0.5"/><test-case fullname="N.b" classname="N" result="Failed" label="Error"><failure><message>broke</message></failure></test-case>
      <test-case fullname="N.c" classname="N" result="Inconclusive"/></test-suite></test-run>`,
    ['Fix|N|N.a|SUCCEEDED|500|', 'Fix|N|N.b|ERROR|0|broke', 'Fix|N|N.c|UNKNOWN|0|']],
    ['VISUALSTUDIOTRX', `<TestRun name="run" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results><UnitTestResult testId="1" testName="a" outcome="Passed" duration="00:01:02.5000000"/>
      <UnitTestResult testId="2" testName="b" outcome="Failed"><Output><ErrorInfo><Message>off</Message></ErrorInfo></Output></UnitTestResult></Results><TestDefinitions><UnitTest id="1"><TestMethod className="K"/></UnitTest></TestDefinitions></TestRun>`,
    ['run|K|a|SUCCEEDED|62500|', 'run||b|FAILED|0|off']],
  ])('in %s is read', (format, text, expected) => {
    expect(TEST_FORMATS[format]!(text).map(short)).toEqual(expected);
  });

  it.each<[format: string, text: string, why: RegExp]>([
    ['JUNITXML', '<html/>', /the root element is <html>/],
    ['JUNITXML', 'plain text', /content is not allowed in prolog/],
    ['JUNITXML', '<!DOCTYPE x [<!ENTITY a "aa">]><testsuite/>', /document type declaration/],
    ['CUCUMBERJSON', '{"a":', /JSON/],
    ['CUCUMBERJSON', '{}', /list of features/],
  ])('of another kind is refused as %s: %s', (format, text, why) => {
    expect(() => TEST_FORMATS[format]!(text)).toThrow(why);
  });
});

describe('a coverage report', () => {
  it.each<[format: string, text: string, expected: unknown[]]>([
    ['CLOVERXML', '<coverage><project><package name="p"><file name="a.ts" path="/src/a.ts"><metrics statements="10" coveredstatements="7" conditionals="4" coveredconditionals="1"/></file></package></project></coverage>',
    [['/src/a.ts', 7, 3, 1, 3]]],
    ['COBERTURAXML', `<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd"><coverage><packages><package><classes>
      <class filename="a.py"><methods><method><lines><line number="1" hits="0"/></lines></method></methods><lines><line number="1" hits="0"/><line number="2" hits="3" branch="true" condition-coverage="50% (1/2)"/></lines></class>
      <class filename="a.py"><lines><line number="1" hits="2"/><line number="3" hits="0"/></lines></class></classes></package></packages></coverage>`,
    [['a.py', 2, 1, 1, 1]]],
    ['JACOCOXML', `<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="r"><group name="g"><package name="org/x"><sourcefile name="A.java"><line nr="1"/><counter type="LINE" missed="2" covered="8"/><counter type="BRANCH" missed="1" covered="3"/></sourcefile></package></group></report>`,
    [['org/x/A.java', 8, 2, 3, 1]]],
    ['SIMPLECOV', JSON.stringify({ RSpec: { coverage: { '/a.rb': { lines: [1, null, 0, 0], branches: { '[:if, 0]': { '[:then, 1]': 1, '[:else, 2]': 0 } } } } }, Cucumber: { coverage: { '/a.rb': [0, null, 5, 0] } } }),
    [['/a.rb', 2, 1, 1, 1]]],
  ])('in %s is read', (format, text, expected) => {
    expect(COVERAGE_FORMATS[format]!(text).map(({ file, linesCovered, linesMissed, branchesCovered, branchesMissed }) => [file, linesCovered, linesMissed, branchesCovered, branchesMissed])).toEqual(expected);
  });
});
