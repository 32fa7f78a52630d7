// Writes schema/output.json, the form of what commands print with --output json: `npx tsx scripts/output-schema.mjs`.
import { writeFileSync } from 'node:fs';
import { outputSchema } from '../src/cli/output-schema.ts';

writeFileSync(new URL('../schema/output.json', import.meta.url), `${JSON.stringify(outputSchema(), null, 1)}\n`);
