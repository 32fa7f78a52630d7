// Writes schema/fleet.json from the zod schema of the fleet file: node --import tsx scripts/fleet-schema.mjs
import { writeFileSync } from 'node:fs';
import { fleetSchema } from '../src/config/json-schema.ts';

writeFileSync(new URL('../schema/fleet.json', import.meta.url), `${JSON.stringify(fleetSchema(), null, 1)}\n`);
