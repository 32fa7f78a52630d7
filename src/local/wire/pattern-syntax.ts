/** A regular expression as a tree. Sets are kept as the source of a JavaScript class. */
export type Pattern =
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly items: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly item: Pattern; readonly min: number; readonly max: number }
  | { readonly kind: 'look'; readonly opening: string; readonly item: Pattern }
  | { readonly kind: 'start' | 'end' | 'boundary' };

export interface ParsedPattern {
  readonly pattern: Pattern;
  readonly ignoreCase: boolean;
}

/**
 * Parses what AWS's models use of Java's regular expressions; undefined for anything beyond it (back references, class intersection).
 * Its meaning differs from JavaScript's in small things: `\w-.` inside a class, POSIX classes, possessive quantifiers, `\s`.
 */
export function parsePattern(text: string): ParsedPattern | undefined {
  const flags = /^\(\?([a-z]+)\)/.exec(text);
  const parser = new Parser(flags ? text.slice(flags[0].length) : text);
  const pattern = parser.choice();
  return pattern && parser.done ? { pattern, ignoreCase: flags?.[1]?.includes('i') ?? false } : undefined;
}

/** The tree as JavaScript source, for the flag `u`. */
export function patternSource(pattern: Pattern): string {
  switch (pattern.kind) {
    case 'set':
      return pattern.source;
    case 'sequence':
      return pattern.items.map(patternSource).join('');
    case 'choice':
      return `(?:${pattern.options.map(patternSource).join('|')})`;
    case 'repeat':
      return `(?:${patternSource(pattern.item)}){${pattern.min},${pattern.max === Infinity ? '' : pattern.max}}`;
    case 'look':
      return `${pattern.opening}${patternSource(pattern.item)})`;
    default:
      return { start: '^', end: '$', boundary: '\\b' }[pattern.kind];
  }
}

/** Java's classes in JavaScript's terms, as the inside of a class. */
const CLASSES: Readonly<Record<string, string>> = { d: '0-9', w: 'A-Za-z0-9_', s: ' \\t\\n\\v\\f\\r', h: ' \\t\\u{a0}' };
const NEGATED: Readonly<Record<string, string>> = {
  D: '\\u{0}-\\u{2f}\\u{3a}-\\u{10ffff}',
  W: '\\u{0}-\\u{2f}\\u{3a}-\\u{40}\\u{5b}-\\u{5e}\\u{60}\\u{7b}-\\u{10ffff}',
  S: '\\u{0}-\\u{8}\\u{e}-\\u{1f}\\u{21}-\\u{10ffff}',
};
const POSIX: Readonly<Record<string, string>> = {
  ASCII: '\\u{0}-\\u{7f}', Alnum: 'A-Za-z0-9', Alpha: 'A-Za-z', Cntrl: '\\u{0}-\\u{1f}\\u{7f}', Digit: '0-9', Graph: '\\u{21}-\\u{7e}', Lower: 'a-z',
  Print: '\\u{20}-\\u{7e}', Punct: '\\u{21}-\\u{2f}\\u{3a}-\\u{40}\\u{5b}-\\u{60}\\u{7b}-\\u{7e}', Space: ' \\t\\n\\v\\f\\r', Upper: 'A-Z', XDigit: '0-9A-Fa-f',
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, v: 11, a: 7, e: 27, 0: 0 };

/** One character, or the inside of a class that stands for many. */
type Atom = { readonly point: number } | { readonly inside: string };

const codePoint = (point: number): string => `\\u{${point.toString(16)}}`;

class Parser {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  choice(): Pattern | undefined {
    const options: Pattern[] = [];
    do {
      const option = this.#sequence();
      if (!option) return undefined;
      options.push(option);
    } while (this.#eat('|'));
    return options.length === 1 ? options[0] : { kind: 'choice', options };
  }

  #sequence(): Pattern | undefined {
    const items: Pattern[] = [];
    while (!this.done && this.#peek() !== '|' && this.#peek() !== ')') {
      const item = this.#repeated();
      if (!item) return undefined;
      items.push(item);
    }
    return items.length === 1 ? items[0] : { kind: 'sequence', items };
  }

  #repeated(): Pattern | undefined {
    let item = this.#item();
    while (item) {
      const counted = /^\{(\d+)(,)?(\d+)?\}/.exec(this.#text.slice(this.#at, this.#at + 24));
      const sign = this.#peek();
      if (counted) {
        this.#at += counted[0].length;
        const min = Number(counted[1]);
        item = { kind: 'repeat', item, min, max: counted[2] === undefined ? min : counted[3] === undefined ? Infinity : Number(counted[3]) };
      } else if (sign === '*' || sign === '+' || sign === '?') {
        this.#at++;
        item = { kind: 'repeat', item, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity };
      } else return item;
      // Lazy and possessive match the same texts, as long as the whole text must match.
      if (!this.#eat('?')) this.#eat('+');
    }
    return undefined;
  }

  #item(): Pattern | undefined {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    this.#at += char.length;
    switch (char) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'set', source: '.' };
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '\\':
        return this.#escapeItem();
      case '*':
      case '+':
      case '?':
        return undefined;
      default:
        return { kind: 'set', source: codePoint(char.codePointAt(0)!) };
    }
  }

  #group(): Pattern | undefined {
    const opening = /^\?(?::|<?[=!]|<[A-Za-z]\w*>)/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0] ?? '';
    if (opening === '' && this.#peek() === '?') return undefined;
    this.#at += opening.length;
    const item = this.choice();
    if (!item || !this.#eat(')')) return undefined;
    return /[=!]$/.test(opening) ? { kind: 'look', opening: `(${opening}`, item } : item;
  }

  #escapeItem(): Pattern | undefined {
    const next = this.#peek();
    const anchor = next === 'b' ? 'boundary' : next === 'A' ? 'start' : next === 'z' || next === 'Z' ? 'end' : undefined;
    if (anchor) {
      this.#at++;
      return { kind: anchor };
    }
    const atom = this.#escape();
    return atom && { kind: 'set', source: 'point' in atom ? codePoint(atom.point) : `[${atom.inside}]` };
  }

  /** What follows a backslash. */
  #escape(): Atom | undefined {
    const char = this.#text[this.#at++];
    if (char === undefined) return undefined;
    const inside = CLASSES[char] ?? NEGATED[char];
    if (inside !== undefined) return { inside };
    const control = CONTROLS[char];
    if (control !== undefined) return { point: control };
    // A letter or digit that means nothing known here may mean something in Java; everything else stands for itself.
    return /[A-Za-z0-9]/.test(char) ? this.#longEscape(char) : { point: char.charCodeAt(0) };
  }

  #longEscape(char: string): Atom | undefined {
    if (char === 'u' || char === 'x') return this.#number(char === 'u' ? 4 : 2);
    if (char !== 'p' && char !== 'P') return undefined;
    const name = /^(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(this.#text.slice(this.#at, this.#at + 40));
    if (!name) return undefined;
    this.#at += name[0].length;
    const property = (name[2] ?? name[3]!).replace(/^(?:Is|java)(?=[A-Z])/, '');
    const posix = POSIX[property];
    if (posix !== undefined && char === 'p') return { inside: posix };
    try {
      new RegExp(`\\p{${property}}`, 'u');
    } catch {
      return undefined;
    }
    return { inside: `\\${char}{${property}}` };
  }

  #number(digits: number): Atom | undefined {
    const hex = this.#text.slice(this.#at, this.#at + digits);
    if (!/^[0-9A-Fa-f]+$/.test(hex) || hex.length < digits) return undefined;
    this.#at += digits;
    const unit = parseInt(hex, 16);
    // `\uD800\uDC00` is one character.
    const low = unit >= 0xd800 && unit < 0xdc00 ? /^\\u(D[C-F][0-9A-F]{2})/i.exec(this.#text.slice(this.#at, this.#at + 6)) : null;
    if (!low) return { point: unit };
    this.#at += 6;
    return { point: 0x10000 + (unit - 0xd800) * 0x400 + parseInt(low[1]!, 16) - 0xdc00 };
  }

  #class(): Pattern | undefined {
    const negated = this.#eat('^');
    let source = '';
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.done || this.#text.startsWith('&&', this.#at)) return undefined;
      const from = this.#classAtom();
      if (!from) return undefined;
      const ranged = 'point' in from && this.#peek() === '-' && !/^-(?:\]|$)/.test(this.#text.slice(this.#at, this.#at + 2));
      const before = this.#at;
      if (ranged) this.#at++;
      const to = ranged ? this.#classAtom() : undefined;
      if (ranged && to && 'point' in from && 'point' in to && to.point >= from.point) source += `${codePoint(from.point)}-${codePoint(to.point)}`;
      else {
        this.#at = before;
        source += 'point' in from ? codePoint(from.point) : from.inside;
      }
    }
    this.#at++;
    return { kind: 'set', source: `[${negated ? '^' : ''}${source}]` };
  }

  #classAtom(): Atom | undefined {
    const point = this.#text.codePointAt(this.#at);
    if (point === undefined) return undefined;
    this.#at += point > 0xffff ? 2 : 1;
    return point === 0x5c ? this.#escape() : { point };
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #eat(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}
