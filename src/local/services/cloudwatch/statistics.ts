import type { Sample } from './store.js';

/** Why a statistic can't be computed here: no statistic at all, or one the local cloud doesn't have. */
export function statisticProblem(stat: string): 'unknown' | 'unsupported' | undefined {
  if (/^(SampleCount|Average|Sum|Minimum|Maximum)$/.test(stat) || /^p(\d{1,2}(\.\d+)?|100)$/.test(stat)) return undefined;
  return /^(tm|wm|tc|ts|PR|TM|WM|TC|TS)[\d(]|^IQM$/.test(stat) ? 'unsupported' : 'unknown';
}

/** A statistic over what came in one period (user guide, "CloudWatch statistics definitions"). */
export function statistic(samples: readonly Sample[], stat: string): number {
  const count = samples.reduce((sum, sample) => sum + sample.count, 0);
  const total = samples.reduce((sum, sample) => sum + sample.sum, 0);
  switch (stat) {
    case 'SampleCount':
      return count;
    case 'Sum':
      return total;
    case 'Minimum':
      return Math.min(...samples.map(({ min }) => min));
    case 'Maximum':
      return Math.max(...samples.map(({ max }) => max));
    case 'Average':
      return total / count;
    default:
      return percentile(samples, Number(stat.slice(1)), count);
  }
}

/** Statistic sets have lost their single values: their average stands for each. */
function percentile(samples: readonly Sample[], rank: number, count: number): number {
  const values = samples.flatMap((sample) => sample.values ?? [[sample.sum / sample.count, sample.count] as const]).sort(([a], [b]) => a - b);
  const wanted = Math.max(1, Math.ceil((rank / 100) * count));
  let seen = 0;
  for (const [value, times] of values) if ((seen += times) >= wanted) return value;
  return values.at(-1)?.[0] ?? 0;
}
