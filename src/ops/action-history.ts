import { paginateListActionExecutions, type ActionExecutionDetail, type CodePipelineClient } from '@aws-sdk/client-codepipeline';

/** An action that a pipeline ran, or runs. */
export interface ActionRun {
  readonly id: string;
  readonly execution: string;
  readonly stage: string;
  readonly action: string;
  readonly status: string;
  readonly at: Date | undefined;
  /** Why it failed, where it did. */
  readonly failure?: string;
}

/** What was read of a history, newest first. */
export interface ReadHistory {
  readonly runs: readonly ActionRun[];
  /** Where older runs were left unread because there were too many: time of the oldest that was read. */
  readonly backTo?: Date;
}

const PAGE = 100;

/** Runs that are read at most: 50 calls. */
const MOST = 5_000;

interface Kept extends ReadHistory {
  /** Whether nothing older is there, or may be read. */
  readonly whole: boolean;
}

/**
 * The actions of one pipeline. Read no further than is needed and never beyond the newest 5,000; what has ended changes no more and is kept,
 * so that the next look reads what is newer alone.
 */
export class ActionHistory {
  private kept: Kept = { runs: [], whole: false };

  /** Reads until `enough` holds of what was read. */
  async read(client: CodePipelineClient, pipelineName: string, enough: (runs: readonly ActionRun[]) => boolean): Promise<ReadHistory> {
    const all = await this.readTo(client, pipelineName, enough);
    const found = all.runs.length > MOST ? cut(all.runs) : all;
    const running = found.runs.findLastIndex(({ status }) => status === 'InProgress');
    this.kept = { ...found, runs: found.runs.slice(running + 1) };
    return found;
  }

  private async readTo(client: CodePipelineClient, pipelineName: string, enough: (runs: readonly ActionRun[]) => boolean): Promise<Kept> {
    const runs: ActionRun[] = [];
    for await (const { actionExecutionDetails = [], nextToken } of paginateListActionExecutions({ client, pageSize: PAGE }, { pipelineName })) {
      const page = actionExecutionDetails.map(runOf);
      const met = page.findIndex(({ id }) => id === this.kept.runs[0]?.id);
      const joined = met < 0 ? undefined : { ...this.kept, runs: [...runs, ...page.slice(0, met), ...this.kept.runs] };
      if (joined && (joined.whole || enough(joined.runs))) return joined;
      runs.push(...page);
      if (nextToken !== undefined && enough(runs)) return { runs, whole: false };
      if (nextToken !== undefined && runs.length >= MOST) return cut(runs);
    }
    return { runs, whole: true };
  }
}

/** Of runs that are more than may be read, the newest. */
function cut(runs: readonly ActionRun[]): Kept {
  const newest = runs.slice(0, MOST);
  const backTo = newest.at(-1)?.at;
  return { runs: newest, whole: true, ...(backTo ? { backTo } : {}) };
}

function runOf({ actionExecutionId = '', pipelineExecutionId = '', stageName = '', actionName = '', status, lastUpdateTime, output }: ActionExecutionDetail): ActionRun {
  return { id: actionExecutionId, execution: pipelineExecutionId, stage: stageName, action: actionName, status: status ?? '', at: lastUpdateTime, ...(status === 'Failed' ? { failure: output?.executionResult?.errorDetails?.message ?? 'no reason was given' } : {}) };
}
