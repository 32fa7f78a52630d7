import { invalid, type StateValue } from './store.js';

export type Rule =
  | { readonly kind: 'state'; readonly state: StateValue; readonly alarm: string }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly rule: Rule }
  | { readonly kind: 'and' | 'or'; readonly left: Rule; readonly right: Rule };

/** The rule of a composite alarm (API reference, PutCompositeAlarm): `ALARM("a") AND NOT (OK(b) OR FALSE)`. */
export function parseRule(text: string): Rule {
  const tokens = text.match(/"[^"]*"|[()]|[^\s()"]+/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw invalid(`Invalid AlarmRule: error near '${tokens[at] ?? '<EOF>'}'`);
  };
  const keyword = (word: string): boolean => tokens[at]?.toUpperCase() === word && ++at > 0;
  const expect = (mark: string): void => {
    if (tokens[at] !== mark) fail();
    at++;
  };
  const unit = (): Rule => {
    if (keyword('NOT')) return { kind: 'not', rule: unit() };
    if (keyword('TRUE')) return { kind: 'constant', value: true };
    if (keyword('FALSE')) return { kind: 'constant', value: false };
    if (tokens[at] === '(') {
      at++;
      const inner = or();
      expect(')');
      return inner;
    }
    const state = tokens[at++]?.toUpperCase();
    if (state !== 'ALARM' && state !== 'OK' && state !== 'INSUFFICIENT_DATA') {
      at--;
      return fail();
    }
    expect('(');
    const words: string[] = [];
    while (at < tokens.length && tokens[at] !== ')') words.push(tokens[at++]!);
    expect(')');
    const name = words.join(' ').replace(/^"|"$/g, '');
    if (name === '') fail();
    return { kind: 'state', state, alarm: name.startsWith('arn:') ? name.split(':').slice(6).join(':') : name };
  };
  const and = (): Rule => {
    let left = unit();
    while (keyword('AND')) left = { kind: 'and', left, right: unit() };
    return left;
  };
  const or = (): Rule => {
    let left = and();
    while (keyword('OR')) left = { kind: 'or', left, right: and() };
    return left;
  };
  const rule = or();
  if (at < tokens.length) fail();
  return rule;
}

export function holds(rule: Rule, stateOf: (alarm: string) => StateValue | undefined): boolean {
  switch (rule.kind) {
    case 'constant':
      return rule.value;
    case 'not':
      return !holds(rule.rule, stateOf);
    case 'and':
      return holds(rule.left, stateOf) && holds(rule.right, stateOf);
    case 'or':
      return holds(rule.left, stateOf) || holds(rule.right, stateOf);
    case 'state':
      return stateOf(rule.alarm) === rule.state;
  }
}

export function alarmsOf(rule: Rule): string[] {
  switch (rule.kind) {
    case 'state':
      return [rule.alarm];
    case 'not':
      return alarmsOf(rule.rule);
    case 'and':
    case 'or':
      return [...new Set([...alarmsOf(rule.left), ...alarmsOf(rule.right)])];
    default:
      return [];
  }
}
