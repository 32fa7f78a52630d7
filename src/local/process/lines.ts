import { StringDecoder } from 'node:string_decoder';
import type { Masker } from './mask.js';

/** A line longer than this is handed over in pieces, so that a program without line ends can't fill the memory. */
const LONGEST = 64 * 1024;

export interface LineSplitter {
  write(chunk: Buffer): void;
  /** Hands over what came behind the last line end. */
  end(): void;
}

/** Bytes to masked lines without their line ends; ANSI sequences stay. */
export function lineSplitter(masker: Masker, onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string): void => {
    rest += text;
    let start = 0;
    for (let end = rest.indexOf('\n', start); end >= 0; end = rest.indexOf('\n', start)) {
      onLine(rest.slice(start, rest[end - 1] === '\r' ? end - 1 : end));
      start = end + 1;
    }
    rest = rest.slice(start);
    while (rest.length > LONGEST) {
      onLine(rest.slice(0, LONGEST));
      rest = rest.slice(LONGEST);
    }
  };
  return {
    write: (chunk) => take(masker.push(decoder.write(chunk))),
    end() {
      take(masker.push(decoder.end()) + masker.flush());
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
