import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import type { Finding, Severity } from '../ops/doctor/checks.js';
import { diagnose, fixFindings, type Diagnosis, type DoctorOptions, type Fixed, type PairDiagnosis } from '../ops/doctor/doctor.js';
import { placeOf, type OperatedFleet } from '../ops/fleet/fleet.js';
import { writeRecord } from '../ops/rehearse/record.js';
import { confirmed } from './confirm.js';
import { addFleetOptions, readFleet, type FleetOptions } from './fleet.js';
import { wrapped } from './table.js';
import type { Format, Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface DoctorCommandOptions extends FleetOptions {
  readonly fix?: boolean;
  readonly save?: string;
  readonly organization?: string;
  readonly trust?: string;
  readonly cloudformationExecutionPolicies?: string;
  readonly verbose?: boolean;
}

/** Exit code when something is wrong (docs/exit-codes.md: a deployment would fail). */
const WRONG = 4;

export function addDoctorCommand(program: Command): void {
  addFleetOptions(operatorCommand(program, 'doctor', 'examine every account and region of a fleet; changes nothing'))
    .option('--fix', 'do what is safe: bootstrap what is missing or old, remove stacks that never came to be')
    .option('--save <file>', 'record what the accounts are, for flotilla run --accounts FILE')
    .option('--organization <account>', 'the account that may ask AWS Organizations for control policies')
    .option('--trust <accounts>', 'accounts that have to be trusted, by comma (default: those of the pipelines)')
    .option('--cloudformation-execution-policies <arns>', 'policies that --fix gives new bootstraps')
    .option('-v, --verbose', 'say also what could not be read')
    .action(inWorld<DoctorCommandOptions>(doctorCommand));
}

async function doctorCommand(world: World, options: DoctorCommandOptions): Promise<number> {
  const { out, render } = world;
  const fleet = wanted(await readFleet(world, options), options);
  if (options.organization !== undefined && !/^\d{12}$/.test(options.organization)) throw new FlotillaError('CLI008', `'${options.organization}' is not an account ID`, { exitCode: 2 });
  const work: DoctorOptions = { target: world.target, fleet, limit: world.limit, emit: (event) => render.emit(event), organization: options.organization, record: options.save !== undefined };
  let diagnosis = await diagnose(work);
  let fixed: Fixed[] = [];
  const fixable = findingsOf(diagnosis).filter(({ safe }) => safe);
  if (options.fix && fixable.length > 0) {
    printDiagnosis(diagnosis, out, options.verbose ?? false);
    if (await confirmed(options, `${fixable.length} findings can be fixed safely.`)) {
      fixed = await fixFindings(work, diagnosis);
      diagnosis = await diagnose(work);
    }
  }
  if (options.save !== undefined) writeRecord(options.save, { at: new Date().toISOString(), fleet: fleet.name, target: world.target.kind, pairs: diagnosis.pairs.map(({ facts }) => facts) });
  out.data({ ...world.stamp, fleet: fleet.name, pairs: diagnosis.pairs.map(shown), general: diagnosis.general, fixed: fixed.map(({ finding, error }) => ({ code: finding.code, place: finding.place, ...(error ? { error: { code: error.code, message: error.message, fix: error.fix } } : {}) })), ...(options.save === undefined ? {} : { saved: options.save }) });
  for (const { finding, error } of fixed) out.print(error ? `${out.style('red', '✖')} ${finding.place} ${finding.code} not fixed: ${error.message}${error.fix ? `\n    fix  ${error.fix}` : ''}` : `${out.style('green', '✓')} ${finding.place} ${finding.code} fixed`);
  printDiagnosis(diagnosis, out, options.verbose ?? false);
  if (options.save !== undefined) out.print(`recorded in ${options.save}; rehearse with: flotilla run --accounts ${options.save}`);
  return findingsOf(diagnosis).some(({ severity }) => severity === 'error') ? WRONG : 0;
}

function wanted(fleet: OperatedFleet, { trust, cloudformationExecutionPolicies: policies }: DoctorCommandOptions): OperatedFleet {
  if (trust === undefined && policies === undefined) return fleet;
  return {
    ...fleet,
    pairs: fleet.pairs.map((pair) => ({ ...pair, bootstrap: { ...pair.bootstrap, ...(trust === undefined ? {} : { trust: trust.split(',').filter((account) => account !== pair.account) }), ...(policies === undefined ? {} : { executionPolicies: policies.split(',') }) } })),
  };
}

function findingsOf({ pairs, general }: Diagnosis): Finding[] {
  return [...pairs.flatMap(({ findings }) => findings), ...general];
}

function shown({ pair, facts, findings, unknown }: PairDiagnosis): object {
  return { account: pair.account, region: pair.region, environment: pair.environment, qualifier: facts.qualifier, version: facts.version.known ? facts.version.value : null, findings: findings.map(({ safe, ...finding }) => ({ ...finding, fixable: safe !== undefined })), unknown };
}

const MARK: Readonly<Record<Severity | 'ok', readonly [glyph: string, format: Format]>> = { error: ['✖', 'red'], warning: ['▲', 'yellow'], note: ['·', 'cyan'], ok: ['✓', 'green'] };
const ORDER: readonly Severity[] = ['error', 'warning', 'note'];

/** The matrix at a glance, then each kind of finding once with all its places. */
function printDiagnosis(diagnosis: Diagnosis, out: Terminal, verbose: boolean): void {
  printMatrix(diagnosis.pairs, out);
  const groups = new Map<string, Finding[]>();
  for (const finding of findingsOf(diagnosis)) {
    const key = JSON.stringify([ORDER.indexOf(finding.severity), finding.code, finding.what, finding.why]);
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  for (const findings of [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)) {
    const { severity, code, what, why } = findings[0]!;
    const [glyph, format] = MARK[severity];
    out.print(`\n${out.style(format, glyph)} ${out.style('bold', code)} ${what}`);
    for (const [label, text] of [['where', findings.map(({ place }) => place).join(', ')], ['why', why]] as const) out.print(wrapped(text, out.columns - 8).map((line, index) => `  ${index === 0 ? `${out.style('dim', label)}${' '.repeat(6 - label.length)}` : '      '}${line}`).join('\n'));
    for (const fix of merged(findings)) out.print(`  ${out.style('dim', 'fix')}   ${fix.replaceAll('\n', '\n        ')}`);
  }
  const unknown = diagnosis.pairs.flatMap(({ pair, unknown: facts }) => facts.map((fact) => ({ place: placeOf(pair), ...fact })));
  if (unknown.length > 0 && !verbose) out.print(`\n${unknown.length} facts could not be read (${[...new Set(unknown.map(({ fact }) => fact))].join(', ')}); --verbose says why`);
  if (verbose) for (const { place, fact, why } of unknown) out.print(`  ${out.style('dim', `unknown ${place} ${fact}`)}  ${why}`);
}

/** Columns of an account and of a region. */
const [ACCOUNT, REGION] = [14, 16];

/** As many regions beside each other as the terminal has room for. */
function printMatrix(pairs: readonly PairDiagnosis[], out: Terminal): void {
  const accounts = [...new Set(pairs.map(({ pair }) => pair.account))];
  const regions = [...new Set(pairs.map(({ pair }) => pair.region))];
  const room = Math.max(1, Math.min(regions.length, Math.floor((out.columns - ACCOUNT) / REGION)));
  for (let at = 0; at < regions.length; at += room) {
    const some = regions.slice(at, at + room);
    out.print(`${' '.repeat(ACCOUNT)}${some.map((region) => region.padEnd(REGION)).join('')}`.trimEnd());
    for (const account of accounts) out.print(`${account.padEnd(ACCOUNT)}${some.map((region) => cell(pairs.filter(({ pair }) => pair.account === account && pair.region === region), out)).join('')}`.trimEnd());
  }
}

/** Commands that differ in their pair alone are one command for all of them. */
function merged(findings: readonly Finding[]): string[] {
  const commands = new Map<string, string[]>();
  for (const { fix, place } of findings) {
    const key = fix.replace(`--pair ${place}`, '--pair');
    commands.set(key, [...(commands.get(key) ?? []), place]);
  }
  return [...commands].map(([key, places]) => key.replace(/--pair(?= |$)/, [...new Set(places)].map((place) => `--pair ${place}`).join(' ')));
}

function cell(pairs: readonly PairDiagnosis[], out: Terminal): string {
  if (pairs.length === 0) return ''.padEnd(REGION);
  const findings = pairs.flatMap((pair) => pair.findings);
  const worst = ORDER.find((severity) => findings.some((finding) => finding.severity === severity)) ?? 'ok';
  const [glyph, format] = MARK[worst];
  const version = pairs[0]!.facts.version;
  const text = `${glyph} ${version.known && version.value !== null ? `v${version.value}` : '–'}${findings.length > 0 ? ` ${findings.length}` : ''}`;
  return out.style(format, text) + ' '.repeat(Math.max(1, REGION - text.length));
}
