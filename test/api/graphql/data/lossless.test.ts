/** Whatever Parquet holds comes out of the graph in its documented JSON form, and nothing else: random values of random types. */
import fc from 'fast-check';
import {TestGraph} from '../../../support/data-graph.ts';

/** A type of SQL, how its values are written in SQL, and how the graph shows them. */
interface Kind {
  readonly sql: string;
  readonly value: fc.Arbitrary<Value>;
  /** What has to be selected of it; '' for scalars. */
  readonly selection: string;
}

interface Value {
  readonly sql: string;
  readonly json: unknown;
}

let graph: TestGraph;
beforeAll(async () => {
  graph = await TestGraph.start();
});
afterAll(() => graph.stop());

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const scalar = <T>(sql: string, values: fc.Arbitrary<T>, write: (value: T) => string, json: (value: T) => unknown): Kind => ({
  sql, selection: '', value: values.map(value => ({sql: `${quoted(write(value))}::${sql}`, json: json(value)})),
});

const integer = (sql: string, bits: bigint, signed: boolean): Kind => {
  const [min, max] = signed ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n];
  const asText = bits === 64n || (bits === 32n && !signed);
  return scalar(sql, fc.oneof(fc.bigInt({min, max}), fc.constantFrom(min, max)), String, value => (asText ? String(value) : Number(value)));
};

const float = (sql: string, values: fc.Arbitrary<number>): Kind => ({
  sql, selection: '',
  value: values.map(value => ({
    sql: `${quoted(Number.isNaN(value) ? 'nan' : Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf'))}::${sql}`,
    json: Number.isFinite(value) ? value : String(value),
  })),
});

const digits = (count: number) => fc.string({unit: fc.constantFrom(...'0123456789'), minLength: count, maxLength: count});
const decimal = (precision: number, scale: number): Kind => scalar(
  `DECIMAL(${precision},${scale})`,
  fc.tuple(fc.constantFrom('', '-'), digits(precision - scale), digits(scale)),
  ([sign, whole, fraction]) => `${sign}${whole}.${fraction}`,
  ([sign, whole, fraction]) => {
    const text = `${whole.replace(/^0+(?=.)/, '') || '0'}${scale > 0 ? `.${fraction}` : ''}`;
    return /[1-9]/.test(text) ? `${sign}${text}` : text;
  },
);

const two = (value: number): string => String(value).padStart(2, '0');
const day = fc.date({min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true}).map(date => date.toISOString().slice(0, 10));
const clock = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.oneof(fc.constant(0), fc.nat(999_999))).map(([hour, minute, second, micros]) => {
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
  return `${two(hour)}:${two(minute)}:${two(second)}${fraction}`;
});
const moment = fc.tuple(day, clock);
/** Text with everything JSON and SQL have to escape. */
const text = fc.string({unit: fc.oneof(fc.constantFrom('"', '\\', "'", '\n', '\t', '\u007f', '\u2028', '$1', '{', '€', '🦅', '\u0301'), fc.string({unit: 'grapheme', minLength: 1, maxLength: 1}).filter(unit => unit.isWellFormed() && !unit.includes('\0'))), maxLength: 12});

const scalars: readonly Kind[] = [
  scalar('BOOLEAN', fc.boolean(), String, value => value),
  integer('TINYINT', 8n, true), integer('SMALLINT', 16n, true), integer('INTEGER', 32n, true), integer('BIGINT', 64n, true),
  integer('UTINYINT', 8n, false), integer('USMALLINT', 16n, false), integer('UINTEGER', 32n, false), integer('UBIGINT', 64n, false),
  float('DOUBLE', fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 5e-324, Number.MAX_VALUE))),
  float('FLOAT', fc.oneof(fc.float(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0))),
  decimal(4, 1), decimal(18, 4), decimal(38, 9), decimal(38, 0),
  scalar('VARCHAR', text, value => value, value => value),
  {sql: 'BLOB', selection: '', value: fc.uint8Array({maxLength: 20}).map(bytes => ({sql: `from_base64(${quoted(Buffer.from(bytes).toString('base64'))})`, json: Buffer.from(bytes).toString('base64')}))},
  scalar('UUID', fc.uuid(), value => value, value => value),
  scalar('DATE', day, value => value, value => value),
  scalar('TIME', clock, value => value, value => value),
  scalar('TIMESTAMP', moment, ([date, time]) => `${date} ${time}`, ([date, time]) => `${date}T${time}`),
  scalar('TIMESTAMPTZ', moment, ([date, time]) => `${date} ${time}+00`, ([date, time]) => `${date}T${time}Z`),
];

const orNull = (kind: Kind): fc.Arbitrary<Value> => fc.option(kind.value, {nil: {sql: `NULL::${kind.sql}`, json: null}, freq: 6});

const list = (kind: Kind): Kind => ({
  sql: `${kind.sql}[]`, selection: kind.selection,
  value: fc.array(orNull(kind), {maxLength: 4}).map(items => ({sql: `[${items.map(({sql}) => sql).join(', ')}]::${kind.sql}[]`, json: items.map(({json}) => json)})),
});

const struct = (members: readonly Kind[]): Kind => {
  const sql = `STRUCT(${members.map((kind, index) => `"m${index}" ${kind.sql}`).join(', ')})`;
  return {
    sql,
    selection: `{ ${members.map((kind, index) => `m${index} ${kind.selection}`).join(' ')} }`,
    value: fc.tuple(...members.map(orNull)).map(values => ({
      sql: `struct_pack(${values.map((value, index) => `"m${index}" := ${value.sql}`).join(', ')})::${sql}`,
      json: Object.fromEntries(values.map(({json}, index) => [`m${index}`, json])),
    })),
  };
};

const map = (kind: Kind): Kind => ({
  sql: `MAP(VARCHAR, ${kind.sql})`, selection: `{ key value ${kind.selection} }`,
  value: fc.uniqueArray(fc.tuple(text, orNull(kind)), {maxLength: 4, selector: ([key]) => key}).map(entries => ({
    sql: `map([${entries.map(([key]) => quoted(key)).join(', ')}]::VARCHAR[], [${entries.map(([, {sql}]) => sql).join(', ')}]::${kind.sql}[])`,
    json: entries.map(([key, {json}]) => ({key, value: json})),
  })),
});

const kinds: fc.Arbitrary<Kind> = fc.letrec<{kind: Kind}>(tie => ({
  kind: fc.oneof(
    {maxDepth: 2, depthSize: 'small'},
    {arbitrary: fc.constantFrom(...scalars), weight: 8},
    {arbitrary: tie('kind').map(list), weight: 1},
    {arbitrary: fc.array(tie('kind'), {minLength: 1, maxLength: 3}).map(struct), weight: 1},
    {arbitrary: tie('kind').map(map), weight: 1},
  ),
})).kind;

const tables = fc.array(kinds, {minLength: 1, maxLength: 8}).chain(columns => fc.tuple(fc.constant(columns), fc.array(fc.tuple(...columns.map(orNull)), {minLength: 1, maxLength: 12})));

/** What a table's rows are when they come out, and what they have to be. */
async function roundTrip(columns: readonly Kind[], rows: readonly (readonly Value[])[]): Promise<{actual: unknown; expected: unknown}> {
  const sql = rows.map(row => `SELECT ${row.map((value, index) => `${value.sql} AS c${index}`).join(', ')}`).join(' UNION ALL ');
  await graph.commit('t', sql, {schema: await graph.engine.describe({sql, relations: {}}), filesOf: 5});
  const answer = await graph.ask(`{ t(order_by: [{_row_id: asc}]) { ${columns.map((kind, index) => `c${index} ${kind.selection}`).join(' ')} } }`);
  return {actual: answer.t, expected: rows.map(row => Object.fromEntries(row.map(({json}, index) => [`c${index}`, json])))};
}

test('every scalar keeps its extremes', async () => {
  const samples = scalars.map(kind => fc.sample(kind.value, {numRuns: 40, seed: 7}));
  const {actual, expected} = await roundTrip(scalars, Array.from({length: 40}, (_, row) => samples.map(values => values[row]!)));
  expect(actual).toEqual(expected);
}, 60_000);

test('random values of random types come out as they went in', async () => {
  await fc.assert(fc.asyncProperty(tables, async ([columns, rows]) => {
    const {actual, expected} = await roundTrip(columns, rows);
    expect(actual).toEqual(expected);
  }), {numRuns: Number(process.env.PROPERTY_RUNS ?? 25), ...(process.env.PROPERTY_SEED ? {seed: Number(process.env.PROPERTY_SEED)} : {})});
}, 3_600_000);
