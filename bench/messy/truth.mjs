/** What a file really holds: its fields as they stand there, read by the dialect that a person wrote down. */
import {readFileSync} from 'node:fs';
import {gunzipSync} from 'node:zlib';

/** @returns {{columns: unknown[][], records: number}} by column; texts of a CSV file, values of a JSON file; undefined where a record has no such field */
export function truthOf(file, /** @type {string} */ path) {
  const bytes = readFileSync(path);
  const text = new TextDecoder(file.dialect?.encoding ?? 'utf-8').decode(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  if (file.format === 'json') {
    const records = JSON.parse(text);
    return {records: records.length, columns: file.columns.map(({name}) => records.map((record) => record[name]))};
  }
  const records = recordsOf(text, file.dialect);
  return {records: records.length, columns: file.columns.map((_, index) => records.map((record) => record[index]))};
}

/** The records of a delimited text, without header, comments and empty lines. */
export function recordsOf(/** @type {string} */ text, {delimiter, quote = '"', escape, header = true, skipLines = 0, comment, initialSpace = false}) {
  let at = 0;
  for (let line = 0; line < skipLines; line++) at = text.indexOf('\n', at) + 1;
  const records = [];
  let record = [];
  let field = '';
  const endField = () => {
    record.push(field);
    field = '';
  };
  const endRecord = () => {
    endField();
    if ((record.length > 1 || record[0] !== '') && !(comment && record[0].startsWith(comment))) records.push(record);
    record = [];
  };
  while (at < text.length) {
    const char = text[at];
    if (quote && char === quote && field === '') {
      for (at++; at < text.length && !(text[at] === quote && (escape || text[at + 1] !== quote)); at++) {
        if (text[at] === escape || text[at] === quote) at++;
        field += text[at];
      }
      at++;
      // What follows the closing quote belongs to the field.
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') field += text[at++];
    } else if (char === delimiter) {
      endField();
      at++;
      while (initialSpace && text[at] === ' ') at++;
    } else if (char === '\n' || char === '\r') {
      endRecord();
      at += char === '\r' && text[at + 1] === '\n' ? 2 : 1;
    } else {
      field += char === escape ? text[++at] : char;
      at++;
    }
  }
  if (field !== '' || record.length > 0) endRecord();
  return header ? records.slice(1) : records;
}
