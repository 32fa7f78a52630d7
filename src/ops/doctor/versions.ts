/** Whether every version that a pin allows is older than `minimum`: `2.100.0` below `2.1000.0`; `2`, `^2.100.0` and `~2.1100` are no upper bound below their major or minor. */
export function isOlder(pin: string, minimum: string): boolean {
  const [, operator = '', text = ''] = /^([\^~]?)(\d+(?:\.\d+){0,2})$/.exec(pin) ?? [];
  if (text === '') return false;
  const given = text.split('.').map(Number);
  const needed = minimum.split('.').map(Number);
  // Places that the pin holds fast: all it names, the major for ^, major and minor for ~.
  const fixed = operator === '^' ? 1 : operator === '~' ? Math.min(2, given.length) : given.length;
  for (let place = 0; place < fixed; place++) {
    if (given[place]! < (needed[place] ?? 0)) return true;
    if (given[place]! > (needed[place] ?? 0)) return false;
  }
  return false;
}
