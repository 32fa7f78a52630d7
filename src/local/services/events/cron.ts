/** When a schedule comes next (EventBridge user guide, "Creating a rule that runs on a schedule"): UTC, to the minute. */
export type Schedule = { readonly kind: 'rate'; readonly ms: number } | { readonly kind: 'cron'; readonly next: (after: number) => number | undefined };

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** A schedule that has no time within so many days has none. */
const HORIZON_DAYS = 366 * 8;

/** `rate(5 minutes)` or `cron(minutes hours day-of-month month day-of-week year)`; undefined when it is neither. */
export function parseSchedule(text: string): Schedule | undefined {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(text);
  if (rate) {
    const count = Number(rate[1]);
    return count >= 1 && (count === 1) === (rate[3] === '') ? { kind: 'rate', ms: count * UNITS[rate[2]!]! } : undefined;
  }
  const fields = /^cron\((.+)\)$/.exec(text)?.[1]?.trim().split(/\s+/);
  return fields?.length === 6 ? cron(fields as [string, string, string, string, string, string]) : undefined;
}

function cron([minute, hour, dayOfMonth, month, dayOfWeek, year]: [string, string, string, string, string, string]): Schedule | undefined {
  // One of the two must leave the choice to the other.
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) return undefined;
  const minutes = values(minute, 0, 59);
  const hours = values(hour, 0, 23);
  const months = values(month, 1, 12, MONTHS, 1);
  const years = values(year, 1970, 2199);
  const dayMatches = dayOfMonth === '?' ? weekDay(dayOfWeek) : monthDay(dayOfMonth);
  if (!minutes || !hours || !months || !years || !dayMatches) return undefined;
  return {
    kind: 'cron',
    next(after) {
      const day = new Date(after);
      day.setUTCHours(0, 0, 0, 0);
      for (let i = 0; i < HORIZON_DAYS; i++, day.setUTCDate(day.getUTCDate() + 1)) {
        if (!months.has(day.getUTCMonth() + 1) || !years.has(day.getUTCFullYear()) || !dayMatches(day)) continue;
        for (const h of hours) for (const m of minutes) {
          const at = day.getTime() + h * 3_600_000 + m * 60_000;
          if (at > after) return at;
        }
      }
      return undefined;
    },
  };
}

/** Numbers of a field, in order: `*`, `5`, `1-5`, `1,2`, `0/15`, `MON-FRI`. */
function values(field: string, low: number, high: number, names: readonly string[] = [], offset = 0): Set<number> | undefined {
  const found = new Set<number>();
  const number = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    return named >= 0 ? named + offset : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  };
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const [from = '', to] = range.split('-');
    const first = range === '*' ? low : number(from);
    const last = range === '*' ? high : to !== undefined ? number(to) : step === undefined ? first : high;
    const by = step === undefined ? 1 : Number(step);
    if (!(first >= low && last <= high && first <= last && by >= 1)) return undefined;
    for (let value = first; value <= last; value += by) found.add(value);
  }
  return new Set([...found].sort((a, b) => a - b));
}

type DayTest = (day: Date) => boolean;
const lastDay = (day: Date): number => new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();

function monthDay(field: string): DayTest | undefined {
  if (field === 'L') return (day) => day.getUTCDate() === lastDay(day);
  const nearest = /^(\d+)W$/.exec(field);
  if (nearest) return (day) => day.getUTCDate() === weekdayNear(day, Number(nearest[1]));
  const days = values(field, 1, 31);
  return days && ((day) => days.has(day.getUTCDate()));
}

/** The working day nearest to a day of the month, without leaving the month. */
function weekdayNear(day: Date, wanted: number): number {
  const last = lastDay(day);
  const target = Math.min(wanted, last);
  const weekday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), target)).getUTCDay();
  if (weekday === 6) return target > 1 ? target - 1 : target + 2;
  if (weekday === 0) return target < last ? target + 1 : target - 2;
  return target;
}

function weekDay(field: string): DayTest | undefined {
  const nth = /^([1-7]|[A-Z]{3})#([1-5])$/i.exec(field);
  const last = /^([1-7]|[A-Z]{3})L$/i.exec(field);
  const one = (text: string): number => [...(values(text, 1, 7, DAYS, 1) ?? [Number.NaN])][0]!;
  if (nth) return (day) => day.getUTCDay() + 1 === one(nth[1]!) && Math.ceil(day.getUTCDate() / 7) === Number(nth[2]);
  if (last) return (day) => day.getUTCDay() + 1 === one(last[1]!) && day.getUTCDate() + 7 > lastDay(day);
  if (field === 'L') return (day) => day.getUTCDay() === 6;
  const days = values(field, 1, 7, DAYS, 1);
  return days && ((day) => days.has(day.getUTCDay() + 1));
}
