import fc from 'fast-check';
import {facts, fit, table, widthOf} from '../../src/cli/table.ts';
import {bytes, count, duration, rate} from '../../src/cli/units.ts';
import {golden} from './golden.ts';

interface Row {
  readonly name: string;
  readonly rows: string;
  readonly columns: number | null;
  readonly note: string | null;
}

const columns = [
  {title: 'DATASET', value: (row: Row) => row.name},
  {title: 'ROWS', value: (row: Row) => count(row.rows), align: 'right' as const},
  {title: 'COLUMNS', value: (row: Row) => row.columns},
  {title: 'NOTE', value: (row: Row) => row.note},
];

const rows: Row[] = [
  {name: 'flights', rows: '3000000', columns: 10, note: 'January to June\n2001'},
  {name: 'airports', rows: '3376', columns: 7, note: null},
  {name: '空港', rows: '1', columns: null, note: 'wide: 日本, a bell: \u0007, a colour: \u001b[31m'},
];

test('a table for people', () => {
  const text = table(columns, rows);
  expect(text).toBe(golden('table.txt', text));
});

test('a table on a narrow terminal cuts its widest columns', () => {
  const text = table(columns, rows, {width: 44});
  expect(text).toBe(golden('table-narrow.txt', text));
  for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(44);
});

test('a table without rows has its titles, and facts leave out what is empty', () => {
  expect(table(columns, [])).toBe('DATASET  ROWS  COLUMNS  NOTE\n');
  expect(facts([['dataset', 'flights'], ['key', ''], ['rows', 3], ['snapshot', null]])).toBe('dataset  flights\nrows     3\n');
});

test('no cell can break out of its line or speak to the terminal', () => {
  fc.assert(fc.property(fc.array(fc.string({unit: 'binary'}), {maxLength: 5}), (texts) => {
    const lines = table([{title: 'T', value: (text: string) => text}], texts).split('\n');
    expect(lines.length).toBe(texts.length + 2);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  }));
});

test('fitting makes exactly the width', () => {
  fc.assert(fc.property(fc.string({unit: 'grapheme'}), fc.integer({min: 1, max: 30}), fc.boolean(), (text, width, right) => {
    expect(widthOf(fit(text, width, right))).toBe(width);
  }));
});

test.each([[0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [999_999, '1.00 MB'], [12_345_678, '12.3 MB'], [123_456_789, '123 MB'], ['3000000000', '3.00 GB']])('%s bytes are %s', (value, text) => {
  expect(bytes(value)).toBe(text);
});

test.each([[0.4, '0 ms'], [340, '340 ms'], [999.9, '1.0 s'], [3249, '3.2 s'], [59_960, '1 min 0 s'], [125_000, '2 min 5 s'], [11_520_000, '3 h 12 min']])('%s ms are %s', (value, text) => {
  expect(duration(value)).toBe(text);
});

test('counts and rates', () => {
  expect(count('9007199254740993')).toBe('9,007,199,254,740,993');
  expect([rate(12), rate(1234), rate(1_234_567)]).toEqual(['12 rows/s', '1.2 k rows/s', '1.2 M rows/s']);
});
