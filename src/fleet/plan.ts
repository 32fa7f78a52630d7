import { costOf, type Cost, type CostAssumptions } from './cost.js';
import { compareFleets, type Change } from './delta.js';
import type { Fleet } from './model.js';
import { printChanges, printCost, printFleet, printQuotas } from './print.js';
import { quotaUses, type QuotaUse } from './quotas.js';

/** Everything that can be said of a fleet before anything runs. */
export interface Plan {
  readonly fleet: Fleet;
  readonly quotas: readonly QuotaUse[];
  readonly cost: Cost;
  readonly assumptions: CostAssumptions;
  readonly since: PlanDelta | undefined;
}

export interface PlanDelta {
  /** What it is compared with: `HEAD (3f9c1a2)`. */
  readonly name: string;
  readonly changes: readonly Change[];
  /** Quotas of which more or less is used than before. */
  readonly quotas: readonly QuotaChange[];
  /** Dollars a month more than before. */
  readonly dollars: number;
}

export interface QuotaChange {
  readonly quota: string;
  readonly pipeline: string;
  readonly before: number;
  readonly after: number;
}

export function planOf(fleet: Fleet, assumptions: CostAssumptions, before?: { readonly name: string; readonly fleet: Fleet }): Plan {
  const [cost, quotas] = [costOf(fleet, assumptions), quotaUses(fleet, assumptions)];
  const since = before && {
    name: before.name,
    changes: compareFleets(before.fleet, fleet),
    quotas: quotaChanges(quotaUses(before.fleet, assumptions), quotas),
    dollars: Math.round((cost.dollars - costOf(before.fleet, assumptions).dollars) * 100) / 100,
  };
  return { fleet, quotas, cost, assumptions, since };
}

export function printPlan({ fleet, quotas, cost, assumptions, since }: Plan): string {
  return [printFleet(fleet), printQuotas(quotas), printCost(cost, assumptions), ...(since === undefined ? [] : [printDelta(since)])].join('\n\n');
}

function printDelta({ name, changes, quotas, dollars }: PlanDelta): string {
  const money = dollars === 0 ? [] : [`  ${dollars > 0 ? '+' : '-'} $${Math.abs(dollars).toFixed(2)} a month`];
  return [printChanges(changes, name), ...quotas.map(({ quota, pipeline, before, after }) => `  ~ ${quota} of ${pipeline}: ${before} → ${after}`), ...money].join('\n');
}

/** Of pipelines that were there before and still are. */
function quotaChanges(before: readonly QuotaUse[], after: readonly QuotaUse[]): readonly QuotaChange[] {
  return after.flatMap(({ quota, pipeline, used }) => {
    const was = before.find((use) => use.quota === quota && use.pipeline === pipeline);
    return was === undefined || was.used === used ? [] : [{ quota, pipeline, before: was.used, after: used }];
  });
}
