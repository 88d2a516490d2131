/** The rules of detection on small texts; that an engine keeps to them over whole files is in test/engines. */
import {readRecords} from '../../src/schemas/detection/csv-text.ts';
import {inferColumn} from '../../src/schemas/detection/infer-column.ts';
import {inferDialect} from '../../src/schemas/detection/infer-dialect.ts';

const rules = (values: string[], hints = {}): [type: string, ...rules: string[]] => {
  const {reading, evidence} = inferColumn(values, hints);
  return [reading.type, ...evidence.map(({rule, ambiguous}) => (ambiguous ? `${rule}?` : rule))];
};

describe('a column', () => {
  test.each<[what: string, values: string[], ...expected: string[]]>([
    ['integers', ['1', '-2', '300'], 'int64'],
    ['codes', ['00501', '10001'], 'utf8', 'leading_zeros'],
    ['ids of 19 digits', ['9223372036854775807', '1234567890123456789'], 'int64'],
    ['ids of 20 digits', ['12345678901234567890', '1'], 'decimal(38,0)', 'wide_integer'],
    ['fractions', ['1.5', '2', '.5', '1e5'], 'float64'],
    ['fractions as a float is printed', ['0.30000000000000004', '1.1'], 'float64'],
    ['fractions with more digits than a float has', ['0.12345678901234567', '1.1'], 'decimal(38,17)', 'exact_decimal'],
    ['long whole numbers among fractions', ['9007199254740993', '0.5'], 'decimal(38,1)', 'exact_decimal'],
    ['minus nothing', ['-0', '1'], 'utf8'],
    ['telephones', ['+4912345', '+4367'], 'utf8', 'plus_sign?'],
    ['signed numbers', ['+5', '-3'], 'int64'],
    ['money', ['$1,234.50', '$12'], 'utf8', 'formatted_number?'],
    ['decimal commas', ['1,5', '22,75'], 'utf8', 'formatted_number?'],
    ['nulls among numbers', ['1', 'NA', '-', 'n/a', 'None', 'null', ''], 'int64', 'null_words'],
    ['None among text', ['None', 'Minor', 'Substantial'], 'utf8', 'null_categories'],
    ['only null words', ['NA', 'NA'], 'utf8', 'null_categories'],
    ['nothing', [], 'utf8', 'no_values'],
    ['few others among numbers', [...Array.from({length: 30}, (_, index) => String(index)), 'x'], 'utf8', 'mixed_types?'],
    ['zero and one', ['0', '1', '1'], 'int64', 'zero_one'],
    ['true and false', ['true', 'False', 'TRUE'], 'bool'],
    ['yes and no', ['Yes', 'no', 'NA'], 'bool', 'boolean_words', 'null_words'],
    ['one letter of two', ['y', 'y'], 'utf8'],
    ['two spellings', ['yes', 'false'], 'utf8'],
    ['days', ['2001-02-03', '1999-12-31'], 'date'],
    ['days that do not exist', ['2001-02-30', '1999-12-31'], 'utf8'],
    ['times of days', ['2001-02-03 04:05', '2001-02-03T04:05:06.123456'], 'timestamp'],
    ['days with and without times', ['2001-02-03', '2001-02-03 04:05:06'], 'timestamp', 'dates_without_time'],
    ['seconds with more digits than are kept', ['2001-02-03 04:05:06.1234567'], 'utf8'],
    ['instants', ['2001-02-03T04:05:06Z', '2001-02-03T04:05:06+02:00'], 'timestamptz', 'offsets_to_utc'],
    ['clocks', ['23:59', '00:00:01'], 'time'],
    ['clocks past the day', ['25:00'], 'utf8'],
    ['day before month', ['31/12/2001', '01/02/2001'], 'date', 'date_format'],
    ['month before day', ['12/31/2001', '01/02/2001'], 'date', 'date_format'],
    ['day or month', ['01/02/2001', '03/04/2002'], 'utf8', 'ambiguous_dates?'],
    ['two years', ['31/12/46', '01/02/99'], 'date', 'date_format', 'two_digit_years?'],
    ['months by name', ['Jun 12 1998', 'May 1 2001'], 'date', 'date_format'],
    ['several forms', ['2001-02-03', '31/12/2001'], 'utf8', 'mixed_dates?'],
    ['eight digits', ['20010203', '19991231'], 'int64', 'digits_as_date?'],
    ['spaces', [' 1', '2 '], 'int64', 'spaces_trimmed'],
  ])('%s', (_, values, ...expected) => {
    expect(rules(values)).toEqual(expected);
  });

  test('day or month as another column proves it, or as is said', () => {
    expect(rules(['01/02/2001'], {order: 'mdy'})).toEqual(['date', 'date_format?']);
    expect(inferColumn(['01/02/2001'], {order: 'mdy'}).reading.format).toBe('%m/%d/%Y');
    expect(inferColumn(['01/02/2001'], {dateFormat: '%d/%m/%Y'}).reading).toEqual({type: 'date', format: '%d/%m/%Y'});
  });

  test('words that were said are the only nulls', () => {
    expect(rules(['1', 'NA'], {nulls: ['x']})).toEqual(['utf8']);
  });
});

describe('records', () => {
  const marks = {delimiter: ',', quote: '"', escape: '"'};
  test.each([
    ['a,b\n1,2\n', [['a', 'b'], ['1', '2']]],
    ['a,b\r\n1,2', [['a', 'b'], ['1', '2']]],
    ['a,""\n,x\n', [['a', ''], [null, 'x']]],
    ['"a ""q"", b\nc",d\n\n,\n', [['a "q", b\nc', 'd'], [null, null]]],
    ['a,\nb,c,', [['a', null], ['b', 'c', null]]],
  ])('%j', (text, rows) => {
    expect(readRecords(text, marks, true).rows).toEqual(rows);
  });

  test('a piece leaves out what may be cut off, and counts lines', () => {
    expect(readRecords('a,b\n"x\ny",1\nc,d\ne,', marks, false)).toMatchObject({rows: [['a', 'b'], ['x\ny', '1'], ['c', 'd']], lines: [1, 2, 4], quotedFields: 1, errors: 0});
    expect(readRecords('a\n"x', marks, true).errors).toBe(1);
  });
});

describe('a dialect', () => {
  const of = (text: string, said = {}) => {
    const {delimiter, quote, escape, header, skip, names, problem} = inferDialect(text, true, said);
    return {delimiter, quote, escape, header, skip, names, problem};
  };
  const usual = {delimiter: ',', quote: '"', escape: '"', header: true, skip: 0, names: ['a', 'b'], problem: null};

  test.each<[text: string, expected: object]>([
    ['a,b\n1,2\n', {}],
    ['a;b\n1,5;2\n2,5;"x;y"\n', {delimiter: ';'}],
    ['a\tb\n1\tx, y\n', {delimiter: '\t'}],
    ['a|b\n1|2\n', {delimiter: '|'}],
    ["a,b\n1,'x, y'\n2,'z'\n", {quote: "'", escape: "'"}],
    ['a,b\n1,"say \\"hi, you\\""\n2,"x"\n', {escape: '\\'}],
    ['1,x\n2,y\n', {header: false, names: ['', '']}],
    ['a,b\nx,y\nz,w\n', {}],
    ['x,y\nz,w\nx,w\n', {header: false, names: ['', '']}],
    ['# made by hand\n#\na,b\n1,2\n', {skip: 2}],
    ['A title of it\n\na,b\n1,2\n3,4\n', {skip: 2}],
    ['\n\na,b\n1,2\n', {}],
    ['# c\n#code\tname\nAD\tAndorra\nAE\tUnited Arab Emirates\nAF\tAfghanistan\nAG\tAntigua\n', {delimiter: '\t', header: false, skip: 2, names: ['', '']}],
    ['code\tname\nAD\tAndorra\nAE\tUnited Arab Emirates\nAF\tAfghanistan\nAG\tAntigua\n', {delimiter: '\t', names: ['code', 'name']}],
    ['ID,name\nAD,Andorra\nAE,Emirates\nAF,Afghanistan\n', {names: ['ID', 'name']}],
    ['b-7,x y\na-12,z\nb-9,w v\nc-300,u\n', {header: false, names: ['', '']}],
    ['A title of it,,\na,b,c\n1,2,3\n4,5,6\n', {skip: 1, names: ['a', 'b', 'c']}],
    ['A title of it,,\nBerlin,,\na,b,c\n1,2,3\n4,5,6\n', {skip: 2, names: ['a', 'b', 'c']}],
    ['station,7\na,b,c\n1,2,3\n4,5,6\n', {skip: 1, names: ['a', 'b', 'c']}],
    ['Total,,\nx,y,z\nw,v,u\nt,s,r\n', {header: false, names: ['', '', '']}],
    ['only,,\nx,5,2001-02-03\ny,6,2001-02-04\n', {header: false, names: ['', '', '']}],
  ])('%j', (text, expected) => {
    expect(of(text)).toEqual({...usual, ...expected});
  });

  test.each(['id,name\n1,one\n2\n3,three,3\n', 'id,name\n1\n2\n3\n'])('lines of different lengths are told: %j', text => {
    expect(of(text).problem).toMatch(/different numbers of fields/);
  });
});

/** Each of these took minutes or years when a rule went over the same characters again and again: who breaks it sees this file never end. */
describe('hostile texts are looked at in time that grows with their length', () => {
  const long = 200_000;

  test.each<[what: string, value: string]>([
    ['digits and a letter', `${'1'.repeat(long)}x`],
    ['zeros within digits', `1.${'0'.repeat(long)}1`],
    ['a sign and spaces', `-${' '.repeat(long)}x`],
    ['a number of more digits than anything holds', '9'.repeat(long)],
    ['thousands', `${'1,234'.repeat(long / 5)}x`],
    ['a day and spaces', `2001-01-01${' '.repeat(long)}x`],
    ['a fraction of a second', `2001-01-01 00:00:00.1${'0'.repeat(long)}x`],
  ])('%s', (_what, value) => {
    expect(inferColumn([value, value]).reading.type).toBe('utf8');
  });

  test('blank lines before the header', () => {
    expect(inferDialect(`${'\n'.repeat(10_000)}id,name\n1,a\n2,b\n`, true, {})).toMatchObject({names: ['id', 'name'], skip: 0});
  });

  test('blank lines before comments are left out with them', () => {
    expect(inferDialect('\n \n# made by hand\nid,name\n1,a\n2,b\n', true, {})).toMatchObject({names: ['id', 'name'], skip: 3});
  });
});
