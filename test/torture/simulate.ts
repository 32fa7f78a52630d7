import { torture } from './simulation.js';

/** `tsx test/torture/simulate.ts [--seeds N] [--from SEED] [--no-crashes]`: each seed can be run again by itself. */
const value = (name: string, otherwise: number): number => {
  const index = process.argv.indexOf(name);
  return index < 0 ? otherwise : Number(process.argv[index + 1]);
};
const from = value('--from', 1);
const count = value('--seeds', 40);
const crashes = process.argv.includes('--no-crashes') ? 'none' : 'every';
let commits = 0;
let executions = 0;
const started = Date.now();
for (let seed = from; seed < from + count; seed++) {
  try {
    const done = await torture(seed, crashes);
    commits += done.commits;
    executions += done.executions;
  } catch (error) {
    process.stderr.write(`✖ ${error instanceof Error ? error.message : String(error)}\n  again: npm run torture -- --simulation --from ${seed} --seeds 1\n`);
    process.exit(1);
  }
}
process.stdout.write(`simulation: seeds ${from} to ${from + count - 1}, ${executions} executions, ${crashes === 'every' ? `a death before each of ${commits} commits` : `${commits} commits`}: all ends are right (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
