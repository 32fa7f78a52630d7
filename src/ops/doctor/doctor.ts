import { CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import { FlotillaError } from '../../shared/errors.js';
import { applyBootstraps, planBootstraps } from '../bootstrap/bootstrap.js';
import { bootstrapTemplate } from '../bootstrap/template.js';
import { each, type Limiter } from '../concurrency.js';
import type { Emit } from '../events.js';
import { placeOf, type FleetPair, type OperatedFleet } from '../fleet/fleet.js';
import { describeStack, stackEnd } from '../stacks.js';
import { clientOf, type Target } from '../target.js';
import { explained } from '../explain/explain.js';
import { examine, type Finding } from './checks.js';
import type { PairFacts } from './facts.js';
import { AccountFacts, gatherFacts } from './gather.js';
import { buildQuotas, examineTools } from './tools.js';

export interface DoctorOptions {
  readonly target: Target;
  readonly fleet: OperatedFleet;
  readonly limit: Limiter;
  readonly emit: Emit;
  /** The account that may ask AWS Organizations. */
  readonly organization: string | undefined;
  /** Reads what a record for rehearsals needs. */
  readonly record: boolean;
}

export interface Diagnosis {
  readonly pairs: readonly PairDiagnosis[];
  /** Of no pair: the tools of the builds. */
  readonly general: readonly Finding[];
}

export interface PairDiagnosis {
  readonly pair: FleetPair;
  readonly facts: PairFacts;
  readonly findings: readonly Finding[];
  /** What could not be read, and why. */
  readonly unknown: readonly { readonly fact: string; readonly why: string }[];
}

/** Examines every pair, in parallel; nothing is changed. */
export async function diagnose({ target, fleet, limit, emit, organization, record }: DoctorOptions): Promise<Diagnosis> {
  const accounts = new AccountFacts(target, organization);
  const { version: current } = await bootstrapTemplate();
  const builds = buildQuotas(fleet);
  let done = 0;
  const pairs = await each(limit, fleet.pairs, async (pair) => {
    const start = performance.now();
    const facts = await gatherFacts(target, pair, fleet, accounts, { record });
    const stacks = new Set(fleet.stacks.filter(({ account, region }) => account === pair.account && region === pair.region).map(({ stackName }) => stackName));
    const findings = examine(pair, facts, { current, stacks, builds, flags: target.kind === 'LOCAL' ? '--local ' : '' });
    emit({ type: 'step', name: `doctor ${placeOf(pair)}`, status: 'succeeded', seconds: (performance.now() - start) / 1000, detail: `${++done}/${fleet.pairs.length}` });
    return { pair, facts, findings, unknown: unknowns(facts) };
  });
  return { pairs, general: examineTools(fleet) };
}

function unknowns(facts: PairFacts): { fact: string; why: string }[] {
  return Object.entries(facts).flatMap(([fact, value]) => (typeof value === 'object' && value !== null && 'known' in value && value.known === false ? [{ fact, why: value.why as string }] : []));
}

export interface Fixed {
  readonly finding: Finding;
  readonly error?: FlotillaError;
}

/** Does what is safe: bootstraps what is missing or old, removes stacks of the fleet that never came to be. What it can't do safely it leaves, and says why. */
export async function fixFindings({ target, limit, emit }: DoctorOptions, { pairs }: Diagnosis): Promise<Fixed[]> {
  const fixed: Fixed[] = [];
  const template = await bootstrapTemplate();
  const toBootstrap = pairs.filter(({ findings }) => findings.some(({ safe }) => safe?.kind === 'bootstrap'));
  const plans = await planBootstraps(target, toBootstrap.map(({ pair }) => pair), template, { dropTrust: false }, limit);
  const failures = await applyBootstraps(target, plans, template, limit, emit);
  toBootstrap.forEach(({ pair, findings }, index) => {
    const error = plans[index]!.refusal ?? failures.find((failure) => failure.pair === pair)?.error;
    for (const finding of findings.filter(({ safe }) => safe?.kind === 'bootstrap')) fixed.push({ finding, ...(error ? { error } : {}) });
  });
  const stacks = pairs.flatMap(({ pair, findings }) => findings.flatMap((finding) => (finding.safe?.kind === 'delete-stack' ? [{ pair, finding, stackName: finding.safe.stack }] : [])));
  const removed = await each(limit, stacks, async ({ pair, finding, stackName }): Promise<Fixed> => {
    try {
      await removeStack(target, pair, stackName);
      emit({ type: 'step', name: `delete ${placeOf(pair)} ${stackName}`, status: 'succeeded' });
      return { finding };
    } catch (error) {
      return { finding, error: explained(error, `delete ${stackName} in ${placeOf(pair)}`, { local: target.kind === 'LOCAL', place: placeOf(pair), region: pair.region, stack: stackName }) };
    }
  });
  return [...fixed, ...removed];
}

async function removeStack(target: Target, { account, region }: FleetPair, stackName: string): Promise<void> {
  const found = await describeStack(target, { account, region, stackName });
  // It may have come to life since it was examined.
  if (!found || !/^(ROLLBACK_COMPLETE|REVIEW_IN_PROGRESS)$/.test(found.StackStatus ?? '')) return;
  const client = await clientOf(target, CloudFormationClient, account, region);
  await client.send(new DeleteStackCommand({ StackName: stackName }));
  const end = await stackEnd(target, { account, region, stackName: found.StackId ?? stackName });
  if (end !== 'DELETE_COMPLETE') throw new FlotillaError('DOC030', `${stackName} is in ${end} after its deletion`, { where: `${account}/${region}`, exitCode: 4 });
}
