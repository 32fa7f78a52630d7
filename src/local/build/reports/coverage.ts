import type { XmlElement } from '../../../shared/xml.js';
import { all, attribute, children, jsonReport, number, unreadable, xmlReport } from './document.js';

/** What tests reached of one file. */
export interface Coverage {
  readonly file: string;
  readonly linesCovered: number;
  readonly linesMissed: number;
  readonly branchesCovered: number;
  readonly branchesMissed: number;
}

/** Readers of the coverage formats that CodeBuild knows, by `file-format`. Each raises for a file of another kind. */
export const COVERAGE_FORMATS: Readonly<Record<string, (text: string) => Coverage[]>> = { CLOVERXML: clover, COBERTURAXML: cobertura, JACOCOXML: jacoco, SIMPLECOV: simplecov };

function clover(text: string): Coverage[] {
  return all(xmlReport(text, 'coverage'), 'file').map((file) => {
    const of = (name: string): number => number(attribute(children(file, 'metrics')[0] ?? file, name));
    return { file: attribute(file, 'path') ?? attribute(file, 'name') ?? '', linesCovered: of('coveredstatements'), linesMissed: of('statements') - of('coveredstatements'), branchesCovered: of('coveredconditionals'), branchesMissed: of('conditionals') - of('coveredconditionals') };
  });
}

/** Classes of one file are one file; a line that two of them have counts once. */
function cobertura(text: string): Coverage[] {
  const files = new Map<string, Map<string, XmlElement>>();
  for (const of of all(xmlReport(text, 'coverage'), 'class')) {
    const name = attribute(of, 'filename') ?? '';
    const lines = files.get(name) ?? new Map<string, XmlElement>();
    files.set(name, lines);
    for (const line of all(of, 'line')) {
      const at = attribute(line, 'number') ?? '';
      const known = lines.get(at);
      if (!known || number(attribute(known, 'hits')) === 0) lines.set(at, line);
    }
  }
  return [...files].map(([file, lines]) => {
    const found = [...lines.values()];
    const linesCovered = found.filter((line) => number(attribute(line, 'hits')) > 0).length;
    const branches = found.map((line) => /\((\d+)\/(\d+)\)/.exec(attribute(line, 'condition-coverage') ?? '')).filter((match) => match !== null);
    const branchesCovered = branches.reduce((sum, [, covered]) => sum + Number(covered), 0);
    return { file, linesCovered, linesMissed: found.length - linesCovered, branchesCovered, branchesMissed: branches.reduce((sum, [, , total]) => sum + Number(total), 0) - branchesCovered };
  });
}

function jacoco(text: string): Coverage[] {
  return all(xmlReport(text, 'report'), 'package').flatMap((folder) =>
    children(folder, 'sourcefile').map((source) => {
      const counter = (type: string, which: string): number => number(attribute(children(source, 'counter').find((found) => attribute(found, 'type') === type) ?? source, which));
      return { file: [attribute(folder, 'name'), attribute(source, 'name')].filter(Boolean).join('/'), linesCovered: counter('LINE', 'covered'), linesMissed: counter('LINE', 'missed'), branchesCovered: counter('BRANCH', 'covered'), branchesMissed: counter('BRANCH', 'missed') };
    }),
  );
}

interface SimpleCovFile {
  readonly lines?: readonly (number | null | 'ignored')[];
  readonly branches?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** `.resultset.json` of SimpleCov, before 0.18 (a list of lines) and since. Several runs of one file count as one. */
function simplecov(text: string): Coverage[] {
  const runs = jsonReport(text);
  if (typeof runs !== 'object' || runs === null || Array.isArray(runs)) throw unreadable('a SimpleCov result set is a mapping of runs');
  const files = new Map<string, { lines: Map<number, boolean>; branches: Map<string, boolean> }>();
  for (const { coverage } of Object.values(runs as Record<string, { coverage?: Record<string, SimpleCovFile | SimpleCovFile['lines']> }>)) {
    if (typeof coverage !== 'object') throw unreadable("a run has no 'coverage'");
    for (const [name, entry] of Object.entries(coverage)) {
      const file = files.get(name) ?? { lines: new Map<number, boolean>(), branches: new Map<string, boolean>() };
      files.set(name, file);
      const { lines = [], branches = {} }: SimpleCovFile = Array.isArray(entry) ? { lines: entry } : ((entry ?? {}) as SimpleCovFile);
      for (const [at, hits] of lines.entries()) if (typeof hits === 'number') file.lines.set(at, hits > 0 || file.lines.get(at) === true);
      for (const [condition, ways] of Object.entries(branches)) for (const [way, hits] of Object.entries(ways)) file.branches.set(`${condition} ${way}`, hits > 0 || file.branches.get(`${condition} ${way}`) === true);
    }
  }
  return [...files].map(([file, { lines, branches }]) => {
    const [linesCovered, branchesCovered] = [lines, branches].map((found) => [...found.values()].filter(Boolean).length) as [number, number];
    return { file, linesCovered, linesMissed: lines.size - linesCovered, branchesCovered, branchesMissed: branches.size - branchesCovered };
  });
}
