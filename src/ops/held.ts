import { each, type Limiter } from './concurrency.js';
import { describeStack } from './stacks.js';
import type { Target } from './target.js';
import type { Held, WhereReport, WhereRow } from './where.js';

/** CloudFormation notes the start of an update, CodePipeline the end of its action: a later update was somebody else's. */
const SLACK_MS = 5_000;

/** Asks the accounts what they hold: the pipeline only knows what it did. A target nobody may read is unknown. */
export async function withHeld(target: Target, reports: readonly WhereReport[], limit: Limiter): Promise<WhereReport[]> {
  return Promise.all(reports.map(async (report) => ({ ...report, rows: await each(limit, report.rows, async (row) => withAnswer(row, await held(target, row))) })));
}

function withAnswer(row: WhereRow, answer: Held | undefined): WhereRow {
  return answer === undefined ? row : { ...row, held: answer };
}

async function held(target: Target, row: WhereRow): Promise<Held | undefined> {
  const problems: Held[] = [];
  let standing = 0;
  try {
    for (const stackName of row.stacks) {
      const stack = await describeStack(target, { account: row.account, region: row.region, stackName });
      const status = stack?.StackStatus ?? '';
      const changed = stack?.LastUpdatedTime ?? stack?.CreationTime;
      if (stack) standing++;
      if (!stack) problems.push({ state: 'missing', detail: `${stackName} is not there` });
      else if (/FAILED$|ROLLBACK_COMPLETE$/.test(status)) problems.push({ state: 'failed', detail: `${stackName} is in ${status}` });
      else if (row.state === 'deployed' && row.since && changed && changed.getTime() > row.since.getTime() + SLACK_MS) problems.push({ state: 'changed', detail: `${stackName} was changed ${changed.toISOString()} by something else` });
      else if (row.state === 'never' && row.unreadBefore === undefined) problems.push({ state: 'changed', detail: `${stackName} is there, and this pipeline never deployed it` });
    }
  } catch (error) {
    return { state: 'unknown', detail: error instanceof Error ? error.message : String(error) };
  }
  if (row.since !== undefined) return problems[0] ?? { state: 'as deployed' };
  // What never was deployed isn't missing; what a first deployment has made so far is as nobody said it would be.
  return problems.find(({ state }) => state !== 'missing') ?? (standing === 0 ? { state: 'nothing' } : undefined);
}
