/** `now`, `12m`, `3h`, `5d`. */
export function age(since: Date, now = Date.now()): string {
  const minutes = Math.floor((now - since.getTime()) / 60_000);
  return minutes < 1 ? 'now' : minutes < 60 ? `${minutes}m` : minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / 1440)}d`;
}

/** `6d22h`, `3h`, `12m`; `now` when it is over. */
export function remaining(until: Date, now = Date.now()): string {
  const minutes = Math.floor((until.getTime() - now) / 60_000);
  if (minutes < 1) return 'now';
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  return days > 0 ? `${days}d${hours > 0 ? `${hours}h` : ''}` : hours > 0 ? `${hours}h` : `${minutes}m`;
}
