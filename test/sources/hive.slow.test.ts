/** Tables of a real Hive as sources. */
import {mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {App} from '../../src/compose.ts';
import {startTestHive} from '../support/hive.ts';
import type {TestHive} from '../support/hive.ts';
import {ask, createProject, data, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {runner} from '../support/runs.ts';

let hive: TestHive;
let project: Project;
let app: App;
const {put, run, plan, rows} = runner(() => app);

beforeAll(async () => {
  hive = await startTestHive();
  project = createProject();
  app = await startApp(project, {set: [`hive.url=${hive.url}`]});
  const folder = join(project.folder, 'shop');
  await hive.run(
    `create database shop location 'file:${folder}'`,
    "create table shop.sales (id bigint, price decimal(20,4), `größe` string, at_moment timestamp) partitioned by (day date, hour int) stored as parquet",
    "insert into shop.sales partition (day = '2001-01-01', hour = 1) values (9223372036854775807, 1.5, 'ß', '2001-01-01 01:00:00.123456'), (2, null, '', null)",
    "insert into shop.sales partition (day = '2001-01-02', hour = 2) values (3, -0.0001, null, '1969-12-31 23:59:59.999999')",
    'create view shop.expensive as select id from shop.sales where price > 1',
    "create external table shop.lines (a int, b string) row format delimited fields terminated by ',' stored as textfile",
    "insert into shop.lines values (1, 'x')",
  );
}, 300_000);
afterAll(async () => {
  await app?.lifecycle.stop();
  await hive?.close();
  project?.remove();
});

const step = (into: string, hivePlace: object, more: object = {}): object => ({kind: 'ingest', name: into, into, source: {hive: hivePlace}, ...more});

test('a partition whose folder is gone fails, where Hive takes it for empty', async () => {
  await hive.run('create table shop.lost (id int) partitioned by (p int) stored as parquet', 'insert into shop.lost partition (p = 1) values (1)', 'insert into shop.lost partition (p = 2) values (2)', 'insert into shop.lost partition (p = 3) values (3)');
  rmSync(join(project.folder, 'shop/lost/p=2'), {recursive: true});
  await put('losing', [step('lost', {table: 'shop.lost'}), step('less', {table: 'shop.lost', where: 'id > 0'}), step('kept', {table: 'shop.lost', where: 'p = 1'})]);
  const {steps} = await run('losing');
  for (const name of ['lost', 'less']) expect(steps[name]).toMatchObject({status: 'failed', error: {code: 'SOURCE_UNREADABLE', message: expect.stringContaining('p=2')}});
  expect(steps.kept).toMatchObject({status: 'succeeded'});
  rmSync(join(project.folder, 'shop/lost/p=3'), {recursive: true});
  mkdirSync(join(project.folder, 'shop/lost/p=3'));
  await put('emptied', [step('lost', {table: 'shop.lost', where: 'p = 3'})]);
  expect((await run('emptied')).steps.lost).toMatchObject({status: 'failed', error: {code: 'SOURCE_UNREADABLE', message: expect.stringMatching(/p=3.*its folder is empty, though the metastore tells of 1 file/)}});
});

test('a table is ingested exactly, and the plan says how', async () => {
  await put('take', [step('sales', {table: 'shop.sales'})]);
  expect(await plan('take')).toMatchObject([{action: 'execute', notices: [expect.stringMatching(/come through HiveServer2: the table is small/)]}]);
  expect(await run('take')).toMatchObject({run: {status: 'succeeded'}});
  expect(await rows('sales', 'SELECT id::VARCHAR AS id, price, grosse, at_moment, day, hour FROM sales ORDER BY sales.id')).toEqual([
    {id: '2', price: null, grosse: '', at_moment: null, day: '2001-01-01', hour: 1},
    {id: '3', price: '-0.0001', grosse: null, at_moment: '1969-12-31 23:59:59.999999', day: '2001-01-02', hour: 2},
    {id: '9223372036854775807', price: '1.5000', grosse: 'ß', at_moment: '2001-01-01 01:00:00.123456', day: '2001-01-01', hour: 1},
  ]);
});

test('a condition over partitions, one over rows, a view, a text table and a query', async () => {
  await put('parts', [
    step('second_day', {table: 'shop.sales', where: "day = date '2001-01-02'"}), step('cheap', {table: 'shop.sales', where: 'price < 1'}), step('expensive', {table: 'shop.expensive'}),
    step('text_lines', {table: 'shop.lines'}), step('counted', {query: 'select day, count(*) as n from shop.sales group by day'}),
  ]);
  expect(await run('parts')).toMatchObject({run: {status: 'succeeded'}});
  expect(await rows('second_day', 'SELECT id FROM second_day')).toEqual([{id: 3}]);
  expect(await rows('cheap', 'SELECT id FROM cheap')).toEqual([{id: 3}]);
  expect(await rows('expensive', 'SELECT id::VARCHAR AS id FROM expensive')).toEqual([{id: '9223372036854775807'}]);
  expect(await rows('text_lines', 'SELECT a, b FROM text_lines')).toEqual([{a: 1, b: 'x'}]);
  expect(await rows('counted', 'SELECT day, n FROM counted ORDER BY day')).toEqual([{day: '2001-01-01', n: 2}, {day: '2001-01-02', n: 1}]);
});

test('partitions are read once each', async () => {
  await put('daily', [step('arrived', {table: 'shop.sales'}, {incremental: true, mode: 'append'})]);
  expect((await run('daily')).steps.arrived).toMatchObject({status: 'succeeded', rowsWritten: 3n});
  expect((await run('daily')).steps.arrived).toMatchObject({reused: true});
  await hive.run("insert into shop.sales partition (day = '2001-01-03', hour = 3) values (4, 4, 'd', null)");
  expect((await run('daily')).steps.arrived).toMatchObject({status: 'succeeded', reason: '1 of 3 files is new', rowsWritten: 1n});
  expect(await rows('arrived', 'SELECT price FROM arrived ORDER BY id')).toEqual([{price: null}, {price: '-0.0001'}, {price: '4.0000'}, {price: '1.5000'}]);
  await hive.run("insert into shop.sales partition (day = '2001-01-03', hour = 3) values (5, 5, 'e', null)");
  expect((await run('daily')).steps.arrived).toMatchObject({status: 'failed', error: {code: 'SOURCE_REWRITTEN', message: expect.stringContaining('day=2001-01-03/hour=3')}});
});

test.each([
  [{table: 'shop.nothing'}, 'SOURCE_NOT_FOUND', 'shop.nothing'],
  [{table: 'nowhere.nothing'}, 'SOURCE_NOT_FOUND', 'nowhere.nothing'],
  [{query: 'select nothing from shop.sales'}, 'SQL_INVALID', 'nothing'],
  [{table: 'shop.sales', where: 'nothing = 1'}, 'SOURCE_UNREADABLE', 'nothing'],
])('%j is %s', async (place, code, message) => {
  await put('bad', [step('broken', place)]);
  expect((await run('bad')).steps.broken).toMatchObject({status: 'failed', error: {code, message: expect.stringContaining(message)}});
});

test('databases, tables, columns, partitions and statistics are in the graph', async () => {
  const {hive: {databases, database}} = await data(app.http.url, `{ hive {
    databases { name }
    database(name: "shop") {
      tables { name }
      sales: table(name: "sales") { view format transactional columns { name type } partitionedBy { name type } location partitions(first: 10) { name statistics { rows } } one: partitions(where: "day = date '2001-01-02'") { name } }
      expensive: table(name: "expensive") { view format location columns { name } partitions { name } }
      lines: table(name: "lines") { format statistics { rows } }
    }
  } }`);
  expect(databases).toContainEqual({name: 'shop'});
  expect(database.tables.map(({name}: {name: string}) => name)).toEqual(expect.arrayContaining(['expensive', 'lines', 'sales']));
  expect(database.sales).toEqual({
    view: false, format: 'parquet', transactional: false, partitionedBy: [{name: 'day', type: 'date'}, {name: 'hour', type: 'int'}], location: expect.stringContaining('/shop/sales'),
    columns: [{name: 'id', type: 'bigint'}, {name: 'price', type: 'decimal(20,4)'}, {name: 'größe', type: 'string'}, {name: 'at_moment', type: 'timestamp'}],
    partitions: expect.arrayContaining([{name: 'day=2001-01-01/hour=1', statistics: {rows: '2'}}, {name: 'day=2001-01-02/hour=2', statistics: {rows: '1'}}]),
    one: [{name: 'day=2001-01-02/hour=2'}],
  });
  expect(database.expensive).toEqual({view: true, format: null, location: null, columns: [{name: 'id'}], partitions: []});
  expect(database.lines).toMatchObject({format: 'text', statistics: {rows: '1'}});
  const missing = await ask(app.http.url, '{ hive { database(name: "shop") { table(name: "none") { format } } } }');
  expect(missing.errors).toMatchObject([{extensions: {code: 'SOURCE_NOT_FOUND'}}]);
});
