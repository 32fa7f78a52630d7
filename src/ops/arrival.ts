import type { History } from './history.js';
import type { WhereReport } from './where.js';

/** How far a commit has come. */
export interface Arrival {
  readonly commit: string | undefined;
  /** Targets of each stage that have it, or something that contains it. */
  readonly stages: readonly { readonly pipeline: string; readonly stage: string; readonly there: number; readonly of: number }[];
  /** Undefined while it is under way, or not yet taken up. */
  readonly end: 'everywhere' | 'failed' | 'waiting' | undefined;
  /** A gate that waits, for this commit or another. */
  readonly gate: string | undefined;
}

/**
 * How far the commit, or the newest one of each pipeline, has come. Only what an execution with it met counts as its end: a target may show
 * the failure of an older commit, and a gate hold one, while this one is still being built.
 */
export async function arrival(reports: readonly WhereReport[], commit: string | undefined, commits: History): Promise<Arrival> {
  const carries = async (there: string | undefined, wanted: string | undefined): Promise<boolean> => there !== undefined && wanted !== undefined && (there === wanted || (await commits.contains(there, wanted)) === true);
  const stages = new Map<string, { pipeline: string; stage: string; there: number; of: number }>();
  const [ends, gates] = [new Set<string>(), [] as string[]];
  for (const { pipeline, head, headStatus, rows, latest, heldStages } of reports) {
    const wanted = commit ?? head;
    // It waits for whoever holds the stage, as it would at a gate.
    if (latest?.status === 'InProgress' && heldStages.some(({ stage }) => stage === latest.stage) && (await carries(latest.commit, wanted))) ends.add('waiting');
    // What fails before the first target, a build for instance, no target shows.
    if (/^(Failed|Stopped)$/.test(headStatus ?? '') && (await carries(head, wanted))) ends.add('failed');
    for (const { stage, live, state, attempted, gate } of rows) {
      const counted = stages.get(`${pipeline.name}/${stage}`) ?? { pipeline: pipeline.name, stage, there: 0, of: 0 };
      stages.set(`${pipeline.name}/${stage}`, { ...counted, there: counted.there + ((await carries(live, wanted)) ? 1 : 0), of: counted.of + 1 });
      if (gate) gates.push(gate.action);
      if (state === 'deploying' || (await carries(state === 'waiting' ? gate?.commit : attempted, wanted))) ends.add(state);
    }
  }
  const counts = [...stages.values()];
  const everywhere = counts.length > 0 && counts.every(({ there, of }) => there === of);
  const end = everywhere ? 'everywhere' : ends.has('deploying') ? undefined : ends.has('failed') ? 'failed' : ends.has('waiting') ? 'waiting' : undefined;
  return { commit: commit ?? reports[0]?.head, stages: counts, end, gate: gates[0] };
}
