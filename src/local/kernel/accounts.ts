import { table } from '../state/state.js';

/** An account somebody named; others exist as soon as somebody uses them. */
export interface DeclaredAccount {
  readonly id: string;
  /** Profile name. */
  readonly name: string;
  readonly region: string;
}

const accounts = table<DeclaredAccount>('flotilla', 'accounts');

/** Accounts that were named, by their ID. */
export const declaredAccounts = (state: Parameters<typeof accounts>[0]): ReturnType<typeof accounts> => accounts(state, 'cloud', 'global');
