/** Records of delimited text, as RFC 4180 has them, from a piece of a file. */

export interface Marks {
  readonly delimiter: string;
  /** Empty: nothing is quoted. */
  readonly quote: string;
  /** What stands before a quote within quotes; the quote itself, or a backslash. */
  readonly escape: string;
}

export interface Records {
  /** A field with nothing in it, not even quotes, is null. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** The line, from 1, on which each row begins. */
  readonly lines: readonly number[];
  readonly quotedFields: number;
  /** Quotes that are not closed, or with something after them. */
  readonly errors: number;
}

/** @param whole the text ends where the file does; otherwise its last record may be cut off and is left out */
export function readRecords(text: string, {delimiter, quote, escape}: Marks, whole: boolean, most = Infinity): Records {
  const rows: (string | null)[][] = [];
  const lines: number[] = [];
  let quotedFields = 0;
  let errors = 0;
  let row: (string | null)[] = [];
  let at = 0;
  let line = 1;
  let began = 1;
  const end = text.length;
  const isNewline = (index: number): boolean => text[index] === '\n' || text[index] === '\r';
  const endRow = (): void => {
    // A line with nothing on it is no record, unless records have one field.
    if (!(row.length === 1 && row[0] === null)) {
      rows.push(row);
      lines.push(began);
    }
    row = [];
  };
  while (at < end && rows.length < most) {
    let value: string | null;
    if (quote !== '' && text[at] === quote) {
      let content = '';
      let closed = false;
      at++;
      while (at < end) {
        const next = escape === quote ? text.indexOf(quote, at) : nextOf(text, at, quote, escape);
        if (next < 0) {
          content += text.slice(at);
          at = end;
          break;
        }
        content += text.slice(at, next);
        if (text[next] === escape && (text[next + 1] === quote || (escape !== quote && text[next + 1] === escape))) {
          content += text[next + 1];
          at = next + 2;
        } else if (text[next] === quote) {
          at = next + 1;
          closed = true;
          break;
        } else {
          content += text[next];
          at = next + 1;
        }
      }
      for (let place = content.indexOf('\n'); place >= 0; place = content.indexOf('\n', place + 1)) line++;
      if (!closed) {
        if (whole) errors++;
        // A piece of a file may end within quotes.
        else return {rows, lines, quotedFields, errors};
      } else if (at < end && !isNewline(at) && !text.startsWith(delimiter, at)) {
        errors++;
        while (at < end && !isNewline(at) && !text.startsWith(delimiter, at)) content += text[at++];
      }
      quotedFields++;
      value = content;
    } else {
      const start = at;
      while (at < end && !isNewline(at) && !(text[at] === delimiter[0] && text.startsWith(delimiter, at))) at++;
      value = at === start ? null : text.slice(start, at);
    }
    row.push(value);
    if (at >= end) {
      if (whole) endRow();
      return {rows, lines, quotedFields, errors};
    }
    if (isNewline(at)) {
      if (text[at] === '\r' && text[at + 1] === '\n') at++;
      at++;
      line++;
      endRow();
      began = line;
    } else {
      at += delimiter.length;
      // A delimiter as the last character has a field with nothing in it after it.
      if (at >= end && whole) {
        row.push(null);
        endRow();
      }
    }
  }
  return {rows, lines, quotedFields, errors};
}

function nextOf(text: string, from: number, quote: string, escape: string): number {
  for (let at = from; at < text.length; at++) if (text[at] === quote || text[at] === escape) return at;
  return -1;
}

/** The text without its first lines. */
export function afterLines(text: string, count: number): string {
  let at = 0;
  for (let n = 0; n < count; n++) {
    const next = /\r\n|\n|\r/g;
    next.lastIndex = at;
    const match = next.exec(text);
    if (!match) return '';
    at = next.lastIndex;
  }
  return text.slice(at);
}
