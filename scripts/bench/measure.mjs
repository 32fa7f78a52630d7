// Numbers and how they are shown.
import { loadavg } from 'node:os';

/** Milliseconds of each of `count` calls, one after another, after a warm-up. */
export async function series(count, work, warmUp = Math.ceil(count / 10)) {
  for (let i = 0; i < warmUp; i++) await work(i);
  const times = [];
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    await work(i);
    times.push(performance.now() - begin);
  }
  return times;
}

export function percentile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const spread = (times) => ({ p50: round(percentile(times, 0.5)), p99: round(percentile(times, 0.99)) });

export const median = (times) => percentile(times, 0.5);

export const round = (value) => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

/** Collects rows: what, how much, the aim where there is one and whether it is met. */
export function report() {
  const rows = [];
  return {
    rows,
    /** `most` and `least` are the aim's bound. */
    add(what, value, unit, { most, least, note } = {}) {
      const met = most !== undefined ? value <= most : least !== undefined ? value >= least : undefined;
      const aim = most !== undefined ? `≤ ${most}` : least !== undefined ? `≥ ${least}` : '';
      const row = { what, value: round(value), unit, aim, ...(met === undefined ? {} : { met }), ...(note ? { note } : {}) };
      rows.push(row);
      process.stderr.write(`${what}: ${row.value} ${unit}${aim ? ` (aim ${aim}: ${met ? 'met' : 'MISSED'})` : ''}${note ? ` — ${note}` : ''}\n`);
    },
    print(json) {
      const machine = { node: process.version, date: new Date().toISOString(), load: loadavg().map(round) };
      if (json) return void process.stdout.write(`${JSON.stringify({ machine, rows }, null, 2)}\n`);
      const cells = rows.map(({ what, value, unit, aim, met, note = '' }) => [what, `${value} ${unit}`.trim(), aim, met === undefined ? '' : met ? 'met' : 'missed', note]);
      const head = ['what', 'measured', 'aim', '', 'how'];
      const width = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)));
      const line = (row) => `| ${row.map((cell, i) => cell.padEnd(width[i])).join(' | ')} |`;
      process.stdout.write(`${[line(head), line(width.map((n) => '-'.repeat(n))), ...cells.map(line)].join('\n')}\n`);
    },
  };
}
