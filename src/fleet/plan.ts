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
  /** Dollars a month more than before. */
  readonly dollars: number;
}

export function planOf(fleet: Fleet, assumptions: CostAssumptions, before?: { readonly name: string; readonly fleet: Fleet }): Plan {
  const cost = costOf(fleet, assumptions);
  const since = before && { name: before.name, changes: compareFleets(before.fleet, fleet), dollars: Math.round((cost.dollars - costOf(before.fleet, assumptions).dollars) * 100) / 100 };
  return { fleet, quotas: quotaUses(fleet, assumptions), cost, assumptions, since };
}

export function printPlan({ fleet, quotas, cost, assumptions, since }: Plan): string {
  const money = since === undefined || since.dollars === 0 ? '' : `\n  ${since.dollars > 0 ? '+' : '-'} $${Math.abs(since.dollars).toFixed(2)} a month`;
  return [printFleet(fleet), printQuotas(quotas), printCost(cost, assumptions), ...(since === undefined ? [] : [printChanges(since.changes, since.name) + money])].join('\n\n');
}
