/** Makes the error for a document that isn't one. */
type Refuse = (detail: string) => Error;

/** An element: its own name without prefix, attributes by full name, child elements, and the text directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const MOST_DEPTH = 64;
const MOST_ELEMENTS = 200_000;
/** Largest XML body: CompleteMultipartUpload with 10,000 parts and DeleteObjects with 1,000 keys stay well below. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * Parses a document into its root element. A small part of XML 1.0 on purpose: no DTD, no entities but the five predefined ones and
 * numeric references, no nesting and no size beyond what any request needs.
 */
export function parseXml(bytes: Uint8Array, refuse: Refuse): XmlElement {
  if (bytes.byteLength > MOST_BYTES) throw refuse('the document is too large');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw refuse('the document is not valid UTF-8');
  }
  return new Parser(text, refuse).document();
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const NAME = /[A-Za-z_:\u0080-\uFFFF][-\w.:\u0080-\uFFFF]*/y;
const SPACE = /[ \t\r\n]*/y;
const ATTRIBUTE = /[ \t\r\n]+([A-Za-z_:\u0080-\uFFFF][-\w.:\u0080-\uFFFF]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y;

class Parser {
  #at = 0;
  #elements = 0;
  readonly #text: string;
  readonly #refuse: Refuse;

  constructor(text: string, refuse: Refuse) {
    this.#text = text;
    this.#refuse = refuse;
  }

  document(): XmlElement {
    this.#misc();
    if (this.#text[this.#at] !== '<') throw this.#refuse('content is not allowed in prolog');
    const root = this.#tree();
    this.#misc();
    if (this.#at < this.#text.length) throw this.#refuse('content is not allowed after the root element');
    return root;
  }

  /** Declarations, comments and space around the root. */
  #misc(): void {
    for (;;) {
      this.#match(SPACE);
      if (this.#starts('<?')) this.#skipPast('?>');
      else if (this.#starts('<!--')) this.#skipPast('-->');
      else if (this.#starts('<!')) throw this.#refuse('a document type declaration is not allowed');
      else return;
    }
  }

  /** The root with everything in it; a stack of its own, so that depth is a limit and not an overflow. */
  #tree(): XmlElement {
    const stack: { element: XmlElement; raw: string }[] = [];
    for (;;) {
      const opened = this.#open();
      if (stack.length > 0) stack.at(-1)!.element.children.push(opened.element);
      if (!opened.closed) {
        stack.push(opened);
        if (stack.length > MOST_DEPTH) throw this.#refuse(`the document is nested more than ${MOST_DEPTH} levels deep`);
      }
      while (stack.length > 0 && this.#content(stack.at(-1)!.element)) {
        const top = stack.pop()!;
        if (!this.#starts(`</${top.raw}`)) throw this.#refuse(`the element type "${top.raw}" must be terminated by its end tag`);
        this.#at += top.raw.length + 2;
        this.#match(SPACE);
        this.#expect('>');
        if (stack.length === 0) return top.element;
      }
      if (stack.length === 0) return opened.element;
    }
  }

  #open(): { element: XmlElement; raw: string; closed: boolean } {
    if (++this.#elements > MOST_ELEMENTS) throw this.#refuse('the document has too many elements');
    this.#expect('<');
    const raw = this.#match(NAME)?.[0];
    if (!raw) throw this.#refuse('an element name was expected');
    const attributes = new Map<string, string>();
    for (let found = this.#match(ATTRIBUTE); found; found = this.#match(ATTRIBUTE)) attributes.set(found[1]!, this.#unescape(found[2] ?? found[3] ?? ''));
    this.#match(SPACE);
    const closed = this.#text[this.#at] === '/';
    if (closed) this.#at++;
    this.#expect('>');
    return { element: { name: raw.slice(raw.indexOf(':') + 1), attributes, children: [], text: '' }, raw, closed };
  }

  /** Reads text up to the next tag into `element`: true when that is an end tag. */
  #content(element: XmlElement): boolean {
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      if (next < 0) throw this.#refuse('XML document structures must start and end within the same entity');
      if (next > this.#at) element.text += this.#unescape(this.#text.slice(this.#at, next));
      this.#at = next;
      if (this.#starts('</')) return true;
      if (this.#starts('<!--')) this.#skipPast('-->');
      else if (this.#starts('<![CDATA[')) {
        const end = this.#text.indexOf(']]>', this.#at);
        if (end < 0) throw this.#refuse('a CDATA section is not terminated');
        element.text += this.#text.slice(this.#at + 9, end);
        this.#at = end + 3;
      } else if (this.#starts('<?')) this.#skipPast('?>');
      else return false;
    }
  }

  #unescape(text: string): string {
    if (!text.includes('&')) return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    return text.replace(/\r\n?/g, '\n').replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
      const plain = whole.endsWith(';') ? ENTITIES[name] : undefined;
      if (plain !== undefined) return plain;
      const code = whole.endsWith(';') ? /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(name) : null;
      const point = code ? (code[1] ? parseInt(code[1], 16) : Number(code[2])) : NaN;
      if (!(point > 0 && point <= 0x10ffff)) throw this.#refuse(`the entity "${name}" was referenced, but not declared`);
      return String.fromCodePoint(point);
    });
  }

  #starts(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #expect(text: string): void {
    if (!this.#starts(text)) throw this.#refuse(`"${text}" was expected`);
    this.#at += text.length;
  }

  #skipPast(text: string): void {
    const end = this.#text.indexOf(text, this.#at);
    if (end < 0) throw this.#refuse(`"${text}" was expected`);
    this.#at = end + text.length;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

// oxlint-disable-next-line no-control-regex -- these are the ones XML 1.0 can't carry plainly
const SPECIAL = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** Text for an element or an attribute. Control characters become numeric references, as S3 answers keys that hold them. */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (char) => ESCAPES[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
