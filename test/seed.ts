import fc from 'fast-check';

/**
 * Properties take the same samples on every run of `npm test`, so that a change is judged by itself. New samples are taken by
 * `npm run torture -- --properties`, which sets FLOTILLA_SEED for each round and prints it.
 */
fc.configureGlobal({ seed: Number(process.env['FLOTILLA_SEED'] ?? 20_261_121) });
