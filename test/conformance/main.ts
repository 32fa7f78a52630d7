import { report, runVector, summary, type Result } from './runner/run.js';
import { readVectors } from './runner/vector.js';

/** `npm run conformance -- DIR…`: every vector of the folders, `--only TEXT` those whose name holds it, `--quiet` failures only. */
async function main(args: readonly string[]): Promise<number> {
  const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
  const quiet = args.includes('--quiet');
  const verbose = args.includes('--verbose');
  const folders = args.filter((argument, i) => !argument.startsWith('--') && args[i - 1] !== '--only');
  if (folders.length === 0) {
    process.stderr.write('usage: npm run conformance -- DIR [--only TEXT] [--quiet] [--verbose]\n');
    return 2;
  }
  process.env['FLOTILLA_LONG_POLL'] = 'off';
  const results: Result[] = [];
  for (const vector of folders.flatMap(readVectors)) {
    if (only !== undefined && !vector.id.includes(only)) continue;
    const result = await runVector(vector, verbose ? (message) => process.stderr.write(`${message}\n`) : undefined);
    results.push(result);
    if (!quiet || result.outcome === 'failed') process.stdout.write(`${report(result)}\n`);
  }
  process.stdout.write(`${summary(results)}\n`);
  return results.some((result) => result.outcome === 'failed') ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
