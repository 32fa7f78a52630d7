import type { FleetInput } from './schema/fleet.js';

/** Types a fleet that is written in code, as `flotilla.config.ts` has it; checks nothing. */
export function defineFleet(fleet: FleetInput): FleetInput {
  return fleet;
}
