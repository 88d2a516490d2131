/** The judge of the comparison of readers decides who is wrong: it has to be right. */
type Judge = (file: object, truth: object, read: object) => {verdict: string; why?: string}[];
type RecordsOf = (text: string, dialect: object) => string[][];

// Plain JavaScript without declarations.
const {judge}: {judge: Judge} = await import(new URL('../../bench/messy/judge.mjs', import.meta.url).href);
const {recordsOf}: {recordsOf: RecordsOf} = await import(new URL('../../bench/messy/truth.mjs', import.meta.url).href);

const verdict = (column: object, held: unknown[], kind: string, values: unknown[]): string =>
  judge({columns: [{name: 'a', ...column}]}, {columns: [held], records: held.length}, {columns: [{name: 'a', kind, values}], records: values.length})[0]!.verdict;

describe('a column', () => {
  it.each([
    ['a lost leading zero', {type: 'text'}, ['01', '20'], 'integer', ['1', '20'], 'wrong'],
    ['a code without leading zeros as a number', {type: 'text|integer'}, ['10', '20'], 'integer', ['10', '20'], 'right'],
    ['a code as a number that can be undone', {type: 'text'}, ['10', '20'], 'integer', ['10', '20'], 'typed'],
    ['a rounded id', {type: 'integer'}, ['1234567890123456789'], 'decimal', ['1.2345678901234568e+18'], 'wrong'],
    ['an exact id', {type: 'integer'}, ['1234567890123456789'], 'integer', ['1234567890123456789'], 'right'],
    ['integers as floating-point numbers', {type: 'integer'}, ['5', ''], 'decimal', ['5.0', null], 'typed'],
    ['a category taken for no value', {type: 'text'}, ['NA', 'DE'], 'text', [null, 'DE'], 'wrong'],
    ['a word for no value that is kept', {type: 'decimal', nullWords: ['NA']}, ['NA', '1.5'], 'text', ['NA', '1.5'], 'typed'],
    ['a word for no value', {type: 'decimal', nullWords: ['NA']}, ['NA', '1.5'], 'decimal', [null, '1.5'], 'right'],
    ['day and month in the wrong order', {type: 'date', format: 'M/D/YYYY'}, ['2/1/1919'], 'date', ['1919-01-02'], 'wrong'],
    ['day and month in order', {type: 'date', format: 'M/D/YYYY'}, ['2/1/1919'], 'timestamp', ['1919-02-01T00:00:00'], 'right'],
    ['a month by its name', {type: 'date', format: 'MMM D YYYY'}, ['Jun 12 1998'], 'date', ['1998-06-12'], 'right'],
    ['a date left as text', {type: 'date', format: 'M/D/YYYY'}, ['2/1/1919'], 'text', ['2/1/1919'], 'typed'],
    ['a time of a timestamp that is lost', {type: 'timestamp'}, ['2020-01-01 10:00:00'], 'date', ['2020-01-01'], 'wrong'],
    ['a point for thousands taken for a decimal point', {type: 'integer', thousands: '.'}, ['2.644'], 'decimal', ['2.644'], 'wrong'],
    ['thousands', {type: 'integer', thousands: ','}, ['2,644'], 'integer', ['2644'], 'right'],
    ['spaces that went', {type: 'text'}, [' a '], 'text', ['a'], 'right'],
    ['a record moved by one', {type: 'text'}, ['a', 'b'], 'text', ['b', 'a'], 'wrong'],
    ['a nested value with keys filled up', {type: 'nested'}, [{a: [1]}, {b: '01'}], 'nested', [{a: [1], b: null}, {a: null, b: '01'}], 'right'],
    ['a code in a nested value', {type: 'nested'}, [{b: '01'}], 'nested', [{b: 1}], 'wrong'],
    ['a number among texts', {type: 'mixed'}, [300, 'Up'], 'text', ['300', 'Up'], 'right'],
  ])('%s', (_, column, held, kind, values, expected) => {
    expect(verdict(column, held, kind, values)).toBe(expected);
  });
});

it('counts a header taken for a record against every column', () => {
  expect(judge({columns: [{name: 'a', type: 'text'}]}, {columns: [['x']], records: 1}, {columns: [{name: 'a', kind: 'text', values: ['a', 'x']}], records: 2})).toEqual([{verdict: 'wrong', why: '2 of 1 records'}]);
});

it('forgives a record of nothing where that is said', () => {
  const file = {emptyRecordsMayGo: true, columns: [{name: 'a', type: 'text'}]};
  expect(judge(file, {columns: [['x', '']], records: 2}, {columns: [{name: 'a', kind: 'text', values: ['x']}], records: 1})).toEqual([{verdict: 'right'}]);
});

it.each([
  ['quotes, doubled quotes and line breaks', 'a,b\r\n"x ""y""\nz",2\r\n', {delimiter: ','}, [['x "y"\nz', '2']]],
  ['escapes and spaces before fields', 'a, b\n"x \\"y\\"",   "z"\n', {delimiter: ',', escape: '\\', initialSpace: true}, [['x "y"', 'z']]],
  ['comments, lines before the header, no last newline', 'title\n#c\na|b\n1|\n2|"3', {delimiter: '|', comment: '#', skipLines: 1, quote: ''}, [['1', ''], ['2', '"3']]],
  ['lines that end with CR, no header', '1;2\r3;4\r', {delimiter: ';', header: false}, [['1', '2'], ['3', '4']]],
])('reads %s', (_, text, dialect, expected) => {
  expect(recordsOf(text, dialect)).toEqual(expected);
});
