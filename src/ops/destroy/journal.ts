import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Item } from './items.js';
import type { Teardown } from './plan.js';

/**
 * What a teardown has begun to take away. It is written before the first deletion, because what is gone tells no more what belonged to it: a
 * pipeline's buckets are found through the pipeline.
 */
export interface Journal {
  readonly plan: Teardown;
  readonly done: ReadonlySet<string>;
  note(item: Item): void;
  /** The teardown is complete: nothing is to be taken up. */
  close(): void;
}

export function openJournal(folder: string, plan: Teardown): Journal {
  const file = fileOf(folder, plan.name);
  const before = read(file);
  // What was found before and what is found now: an interrupted teardown may find less, a changed fleet more.
  const items = new Map([...(before?.plan.items ?? []), ...plan.items].map((item) => [item.key, item]));
  // A stack that was deleted and made anew has another ID: it is to be deleted again.
  const same = (key: string): boolean => JSON.stringify(idOf(before?.plan.items, key)) === JSON.stringify(idOf([...items.values()], key));
  const done = new Set((before?.done ?? []).filter(same));
  const whole: Teardown = { ...plan, items: [...items.values()], pipelines: [...new Map([...(before?.plan.pipelines ?? []), ...plan.pipelines].map((one) => [`${one.account}/${one.region}/${one.name}`, one])).values()] };
  const write = (): void => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const incoming = `${file}.${process.pid}.tmp`;
    writeFileSync(incoming, JSON.stringify({ plan: whole, done: [...done] }), { mode: 0o600 });
    renameSync(incoming, file);
  };
  write();
  return {
    plan: whole,
    done,
    note: (item) => {
      done.add(item.key);
      write();
    },
    close: () => rmSync(file, { force: true }),
  };
}

function idOf(items: readonly Item[] | undefined, key: string): string | undefined {
  const item = items?.find((one) => one.key === key);
  return item?.kind === 'stack' ? item.id : item?.name;
}

/** Teardowns that were begun and not ended, newest knowledge of each. */
export function unfinished(folder: string): Teardown[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^destroy-.*\.json$/.test(name))
    .flatMap((name) => read(join(folder, name))?.plan ?? []);
}

function fileOf(folder: string, name: string): string {
  return join(folder, `destroy-${name.replace(/[^A-Za-z0-9_-]+/g, '_')}.json`);
}

function read(file: string): { plan: Teardown; done: string[] } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { plan: Teardown; done: string[] };
  } catch {
    return undefined;
  }
}
