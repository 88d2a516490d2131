/** Files of one partition each: written so, replaced alone, compacted apart. */
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld, WriteOptions} from '../support/warehouse-world.ts';
import type {SnapshotRecord} from '../../src/warehouse/warehouse.ts';

let world: WarehouseWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

let count = 0;
const fresh = (): string => `p${++count}`;
const byDay: WriteOptions = {partitionBy: {column: 'day', grain: 'day'}};
const replacing: WriteOptions = {...byDay, mode: 'overwrite_partitions'};
/** Some rows of days of January 2001: the number of the day, and a value. */
const days = (...rows: (readonly [day: number, v: string])[]): string => `SELECT DATE '2001-01-01' + n - 1 AS day, v FROM (VALUES ${rows.map(([n, v]) => `(${n}, '${v}')`).join(', ')}) AS t(n, v)`;
const filesOf = (snapshot: SnapshotRecord) => world.catalog.read(stores => stores.datasets.files(snapshot));
const parts = async (snapshot: SnapshotRecord): Promise<(readonly [string | null, number])[]> =>
  (await filesOf(snapshot)).map(file => [file.partition, Number(file.rowCount)] as const).sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1));
/** [day of the month, value, row id], by id. */
const rows = async (name: string): Promise<unknown[][]> =>
  (await world.rows(name, `SELECT day(day)::INTEGER AS d, v, _row_id::INTEGER AS r FROM ${name} ORDER BY r`)).map(row => Object.values(row));

test('each file is of one day, in the order of days', async () => {
  const name = fresh();
  const snapshot = await world.write(name, days([2, 'a'], [1, 'b'], [2, 'c'], [3, 'd']), byDay);
  expect(await parts(snapshot)).toEqual([['day_day=2001-01-01', 1], ['day_day=2001-01-02', 2], ['day_day=2001-01-03', 1]]);
  expect(await rows(name)).toEqual([[1, 'b', 0], [2, 'a', 1], [2, 'c', 2], [3, 'd', 3]]);
});

test('months and values, and rows without one', async () => {
  const name = fresh();
  const sql = "SELECT * FROM (VALUES (TIMESTAMP '2001-01-31 23:59:00', 'x'), (TIMESTAMP '2001-02-01', NULL), (NULL, 'x')) AS t(t, v)";
  expect(await parts(await world.write(name, sql, {partitionBy: {column: 't', grain: 'month'}}))).toEqual([['t_month=2001-01', 1], ['t_month=2001-02', 1], ['t_month=__HIVE_DEFAULT_PARTITION__', 1]]);
  expect(await parts(await world.write(name, sql, {partitionBy: {column: 'v', grain: 'value'}}))).toEqual([['v=__HIVE_DEFAULT_PARTITION__', 1], ['v=x', 2]]);
  await expect(world.write(name, sql, {partitionBy: {column: 'v', grain: 'day'}})).rejects.toMatchObject({code: 'PARTITION_INVALID'});
  await expect(world.write(name, sql, {partitionBy: {column: 'w', grain: 'value'}})).rejects.toMatchObject({code: 'PARTITION_INVALID'});
  await expect(world.write(name, 'SELECT range AS n FROM range(6000)', {partitionBy: {column: 'n', grain: 'value'}})).rejects.toMatchObject({code: 'PARTITION_INVALID'});
});

test('only the partitions that have new rows are replaced; the files and ids of the others stay', async () => {
  const name = fresh();
  const first = await world.write(name, days([1, 'a'], [2, 'b'], [3, 'c']), byDay);
  const second = await world.write(name, days([2, 'B'], [2, 'late'], [4, 'd']), replacing);
  expect(second.operation).toBe('overwrite_partitions');
  expect(await rows(name)).toEqual([[1, 'a', 0], [3, 'c', 2], [2, 'B', 3], [2, 'late', 4], [4, 'd', 5]]);
  const before = (await filesOf(first)).map(file => file.path);
  expect((await filesOf(second)).map(file => file.path).filter(path => before.includes(path))).toEqual([before[0], before[2]]);
});

test('a run for one partition replaces it even by nothing, and nothing else', async () => {
  const name = fresh();
  await world.write(name, days([1, 'a'], [2, 'b']), byDay);
  await expect(world.write(name, days([1, 'x'], [2, 'y']), {...replacing, partition: '2001-01-02'})).rejects.toMatchObject({
    code: 'PARTITION_OUTSIDE', message: "1 of the rows for 'p4' lie outside, for example in 'day_day=2001-01-01': the run is for 'day_day=2001-01-02' only.",
  });
  await world.write(name, `${days([2, 'y'])} WHERE false`, {...replacing, partition: '2001-01-02'});
  expect(await rows(name)).toEqual([[1, 'a', 0]]);
});

test('rows of files that were not parted so are found, and keep their ids', async () => {
  const name = fresh();
  await world.write(name, days([1, 'a'], [2, 'b'], [3, 'c']));
  await world.write(name, days([2, 'b2'], [5, 'e']), {mode: 'append', partitionBy: {column: 'day', grain: 'month'}});
  const snapshot = await world.write(name, days([2, 'new']), replacing);
  expect(await rows(name)).toEqual([[1, 'a', 0], [3, 'c', 2], [5, 'e', 4], [2, 'new', 5]]);
  expect(await parts(snapshot)).toEqual([['day_day=2001-01-01', 1], ['day_day=2001-01-02', 1], ['day_day=2001-01-03', 1], ['day_day=2001-01-05', 1]]);
});

test('a merge moves a row to its new partition, with its id', async () => {
  const name = fresh();
  const contract = {key: ['v']};
  await world.write(name, days([1, 'a'], [1, 'b'], [2, 'c']), {...byDay, contract});
  const snapshot = await world.write(name, days([3, 'b'], [2, 'd']), {...byDay, mode: 'merge', contract});
  expect(await rows(name)).toEqual([[1, 'a', 0], [3, 'b', 1], [2, 'c', 2], [2, 'd', 3]]);
  expect(await parts(snapshot)).toEqual([['day_day=2001-01-01', 1], ['day_day=2001-01-02', 1], ['day_day=2001-01-02', 1], ['day_day=2001-01-03', 1]]);
});

test('compaction merges files of the same partition only', async () => {
  const name = fresh();
  for (const v of ['a', 'b', 'c']) await world.write(name, days([1, v], [2, v]), {...byDay, mode: 'append'});
  await world.write(name, days([3, 'alone']), {...byDay, mode: 'append'});
  const before = await rows(name);
  const snapshot = (await world.warehouse.compact(name))!;
  expect(await parts(snapshot)).toEqual([['day_day=2001-01-01', 3], ['day_day=2001-01-02', 3], ['day_day=2001-01-03', 1]]);
  expect(await rows(name)).toEqual(before);
  expect(await world.warehouse.compact(name)).toBeNull();
  // What was compacted is still replaced alone.
  await world.write(name, days([1, 'only']), replacing);
  expect((await rows(name)).filter(([day]) => day === 1)).toEqual([[1, 'only', 7]]);
});
