/**
 * JSON text as SNS's parser reads it: the value, or its complaint in Jackson's words with line and column
 * (recorded: "Unexpected character ('i' (code 105)): was expecting double-quote to start field name").
 */
export function parseJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: complaint(text) };
  }
}

const SOURCE = 'REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)';

class Stop extends Error {}

/** Reads until the first offence. */
function complaint(text: string): string {
  let at = 0;
  let found = `Unrecognized token at [Source: ${SOURCE}; line: 1, column: 1]`;
  const fail = (message: string, index: number): never => {
    const before = text.slice(0, index).split('\n');
    found = `${message}\n at [Source: ${SOURCE}; line: ${before.length}, column: ${before.at(-1)!.length + 1}]`;
    throw new Stop();
  };
  const unexpected = (expecting: string): never => {
    if (at >= text.length) return fail(`Unexpected end-of-input${expecting === '' ? '' : ` ${expecting}`}`, at);
    return fail(`Unexpected character ('${text[at]}' (code ${text.charCodeAt(at)})): ${expecting}`, at);
  };
  const space = (): void => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  const string = (): void => {
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) fail('Unexpected end-of-input: was expecting closing quote for a string value', at);
      if (text[at] === '\\') at++;
    }
    at++;
  };
  const members = (close: string, item: () => void): void => {
    at++;
    space();
    if (text[at] === close) return void at++;
    for (;;) {
      space();
      item();
      space();
      if (text[at] === close) return void at++;
      if (text[at] !== ',') unexpected(`was expecting comma to separate ${close === '}' ? 'Object' : 'Array'} entries`);
      at++;
    }
  };
  const field = (): void => {
    if (text[at] !== '"') unexpected('was expecting double-quote to start field name');
    string();
    space();
    if (text[at] !== ':') unexpected('was expecting a colon to separate field name and value');
    at++;
    value();
  };
  const value = (): void => {
    space();
    const rest = text.slice(at, at + 64);
    const literal = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/.exec(rest)?.[0];
    if (text[at] === '{') return members('}', field);
    if (text[at] === '[') return members(']', value);
    if (text[at] === '"') return string();
    if (literal !== undefined) return void (at += literal.length);
    const token = /^\w+/.exec(rest)?.[0];
    if (token) return fail(`Unrecognized token '${token}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`, at + token.length);
    return unexpected("expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')");
  };
  try {
    value();
    space();
    if (at < text.length) unexpected('expected end of content');
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return found;
}
