import { FlotillaError } from '../../shared/errors.js';
import { isAbsent } from '../aws/absent.js';
import type { Known } from './facts.js';

/** The answer, or the reason why there is none: what may not be read is unknown, never guessed. */
export async function ask<T>(question: () => Promise<T>): Promise<Known<T>> {
  try {
    return { known: true, value: await question() };
  } catch (error) {
    return unknown(error instanceof FlotillaError ? `${error.message}: ${error.why ?? ''}` : error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

export function unknown(why: string): { known: false; why: string } {
  return { known: false, why };
}

/** The same, with null where AWS says that there is none. */
export function askFor<T>(question: () => Promise<T | null>): Promise<Known<T | null>> {
  return ask(async () => {
    try {
      return await question();
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  });
}

export function valueOf<T>(fact: Known<T>): T | undefined {
  return fact.known ? fact.value : undefined;
}
