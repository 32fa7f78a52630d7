import * as z from 'zod';
import { fleetFile } from './schema/fleet.js';

/**
 * The JSON schema of the fleet file, for editors and other programs: everything its form says. What parts say about each other is checked
 * by `flotilla validate` alone.
 */
export function fleetSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(fleetFile, { io: 'input', target: 'draft-7', reused: 'ref' }) as Record<string, unknown>;
  return { $schema, title: 'Flotilla fleet file', ...schema };
}
