import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {putPipeline, runToEnd, useApp} from '../../../support/project.ts';

// Plain JavaScript without declarations.
const {python}: {python: (requirements: readonly string[]) => Promise<string>} = await import(new URL('../../../../bench/lib/packages.mjs', import.meta.url).href);

let url: string;

useApp(async ({url: started, project, app}) => {
  url = started;
  project.write('seeds.csv', `id\n${Array.from({length: 100}, (_, id) => id).join('\n')}\n`);
  await putPipeline(url, 'make', [
    {kind: 'ingest', name: 'seeds', source: {path: 'seeds.csv'}, into: 'seeds'},
    {
      kind: 'sql', name: 'types', into: 'types',
      sql: `SELECT id::BIGINT * 100000000000 + 9007199254740993 AS big, (id / 8)::DOUBLE AS x, (id * 12345.678)::DECIMAL(20, 3) AS exact, CASE WHEN id % 3 > 0 THEN repeat('ü', id) END AS txt, ('bytes' || id)::BLOB AS bin,
        TIMESTAMPTZ '2001-03-25 01:59:59.123456+00' + INTERVAL (id) HOUR AS at, TIMESTAMP '2001-01-01 00:00:00.000001' + INTERVAL (id) DAY AS wall, DATE '2000-02-28' + id::INTEGER AS day, TIME '01:02:03.000004' AS clock, id % 2 = 0 AS even,
        CASE WHEN id % 5 > 0 THEN {'a': id, 'b': [id::VARCHAR, NULL]} END AS s, [id::BIGINT, NULL] AS l FROM seeds ORDER BY id`,
    },
  ]);
  await runToEnd(url, 'make');
  await app.services.graphModel.refresh();
});

test('pyarrow and polars read the types and values that were written', async () => {
  const program = await python(['pyarrow==21.0.0', 'polars==1.31.0']);
  const query = '{ types { big x exact txt bin at wall day clock even s { b A: a } l _row_id } }';
  const {stdout} = await promisify(execFile)(program, [join(import.meta.dirname, 'read_stream.py'), `${url}/graphql`, query]);
  const read = JSON.parse(stdout) as {types: object; rows: Record<string, unknown>[]; polars: {types: string[]; rows: unknown[]}; lines: object};
  expect(read.types).toEqual({
    big: 'int64', x: 'double', exact: 'decimal128(20, 3)', txt: 'string', bin: 'binary', at: 'timestamp[us, tz=UTC]', wall: 'timestamp[us]', day: 'date32[day]', clock: 'time64[us]', even: 'bool',
    s: 'struct<b: list<item: string>, A: int32>', l: 'list<item: int64>', _row_id: 'int64',
  });
  expect(read.rows).toHaveLength(100);
  // 64 bits, beyond what JSON's numbers hold, would be rounded by this reading alone: Python's are exact.
  expect(stdout.includes('"big": 9007299254740993,')).toBe(true);
  expect(read.rows[10]).toMatchObject({
    x: 1.25, exact: '123456.780', txt: 'ü'.repeat(10), bin: Buffer.from('bytes10').toString('base64'), at: '2001-03-25T11:59:59.123456Z', wall: '2001-01-11T00:00:00.000001', day: '2000-03-09', clock: '01:02:03.000004', even: true,
    s: null, l: [10, null], _row_id: 10,
  });
  expect(read.rows[11]).toMatchObject({txt: 'ü'.repeat(11), s: {b: ['11', null], A: 11}});
  expect(read.rows[12]).toMatchObject({txt: null});
  expect(read.polars.types).toEqual([
    'Int64', 'Float64', 'Decimal(precision=20, scale=3)', 'String', 'Binary', "Datetime(time_unit='us', time_zone='UTC')", "Datetime(time_unit='us', time_zone=None)", 'Date', 'Time', 'Boolean',
    "Struct({'b': List(String), 'A': Int32})", 'List(Int64)', 'Int64',
  ]);
  expect(read.polars.rows).toEqual(read.rows);
  expect(read.lines).toEqual({columns: ['big', 'x', 'exact', 'txt', 'bin', 'at', 'wall', 'day', 'clock', 'even', 's', 'l', '_row_id'], rows: 100});
}, 300_000);
