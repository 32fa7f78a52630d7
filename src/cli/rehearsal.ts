import { join } from 'node:path';
import { limiter } from '../ops/concurrency.js';
import type { QuotaFacts } from '../ops/doctor/facts.js';
import type { OpsEvent } from '../ops/events.js';
import { fleetFromAssembly } from '../ops/fleet/from-assembly.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { readRecord, type AccountsRecord } from '../ops/rehearse/record.js';
import { isRecorded, restoreAccounts, wasMissing, type Basis, type Conditions } from '../ops/rehearse/rehearse.js';
import type { RecordedAccounts } from '../ops/run/run.js';
import { control, removeState, stopCloudProcess } from './cloud/connection.js';
import type { LocalWorld } from './cloud/local.js';
import type { Terminal } from './terminal.js';

/** A run on accounts as a record says they are; its cloud is a new one each time, beside the usual one. */
export interface Rehearsal {
  readonly folder: string;
  readonly bases: readonly Basis[];
  accounts(world: LocalWorld, emit: (event: OpsEvent) => void): RecordedAccounts;
}

export async function prepareRehearsal(file: string, folder: string, app: string): Promise<Rehearsal> {
  const record = readRecord(file);
  const own = join(folder, 'rehearsal');
  await stopCloudProcess(own);
  removeState(own);
  const bases: Basis[] = [];
  return { folder: own, bases, accounts: (world, emit) => recorded(record, world, app, emit, bases) };
}

function recorded(record: AccountsRecord, world: LocalWorld, app: string, emit: (event: OpsEvent) => void, bases: Basis[]): RecordedAccounts {
  return {
    restore: async (assembly) => {
      const fleet = fleetFromAssembly(assembly.directory, { app, fallback: { account: '999999999999', region: 'us-east-1' } });
      const conditions: Conditions = {
        closeRegions: async (account, closed) => void (await control(world.connection, 'regions', { account, closed })),
        controlPolicies: async (account, levels) => void (await control(world.connection, 'scps', { account, levels })),
        quotas: async ({ account, region }, values) => (await control<{ unknown: QuotaFacts[] }>(world.connection, 'quotas', { account, region, quotas: values })).unknown,
      };
      emit({ type: 'note', text: `accounts as of ${record.at} (${record.target})` });
      bases.push(...(await restoreAccounts({ target: world.target, record, fleet, conditions, limit: limiter(4), emit })));
    },
    has: (pair) => isRecorded(record, pair),
    missing: (pair, secret) => wasMissing(record, pair, secret),
  };
}

/** For each target, what was known of it and what was assumed. */
export function printBases(bases: readonly Basis[], out: Terminal): void {
  for (const basis of bases) {
    out.message(`${out.style('bold', placeOf(basis))}  known: ${basis.known.join(', ') || 'nothing'}`);
    for (const text of basis.assumed) out.message(`  ${out.style('yellow', 'assumed')}  ${text}`);
  }
}
