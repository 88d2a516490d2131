/** Upserts and deletes by key on immutable files: who wins, which ids survive, which files stay. */
import {readdir} from 'node:fs/promises';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld, WriteOptions} from '../support/warehouse-world.ts';
import type {RowOutcome, SnapshotRecord} from '../../src/warehouse/warehouse.ts';

let world: WarehouseWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

let count = 0;
const fresh = (): string => `m${++count}`;
const contract = {key: ['id']};
/** Rows as [id, value, _row_id], by id. */
const rows = async (name: string): Promise<unknown[][]> =>
  (await world.rows(name, `SELECT id, v, _row_id FROM ${name} ORDER BY id`)).map(row => Object.values(row).map(value => (typeof value === 'bigint' ? Number(value) : value)));
const write = async (name: string, sql: string, options: WriteOptions): Promise<{snapshot: SnapshotRecord; outcome: RowOutcome}> => {
  const prepared = await world.prepare(name, sql, {contract, ...options});
  return {snapshot: await world.commit(prepared), outcome: prepared.outcome};
};
const merge = (name: string, values: string, mergeBy: WriteOptions['mergeBy'] = {}) => write(name, `SELECT * FROM (VALUES ${values}) AS t(id, v, seen, gone)`, {mode: 'merge', mergeBy});
const paths = async (snapshot: SnapshotRecord): Promise<string[]> => (await world.catalog.read(stores => stores.datasets.files(snapshot))).map(file => file.path);

describe('merge', () => {
  test('inserts what is new, updates what is there, and a row keeps its id', async () => {
    const name = fresh();
    await merge(name, "(1, 'a', 1, false), (2, 'b', 1, false), (3, 'c', 1, false)");
    const {snapshot, outcome} = await merge(name, "(2, 'B', 2, false), (4, 'd', 2, false)");
    expect(await rows(name)).toEqual([[1, 'a', 0], [2, 'B', 1], [3, 'c', 2], [4, 'd', 3]]);
    expect(outcome).toEqual({written: 2, superseded: 0, deleted: 0});
    expect(snapshot).toMatchObject({operation: 'merge', rowCount: 4n, nextRowId: 4n});
    expect((await readdir(world.warehouse.pathOf(`data/${name}/${snapshot.id}`))).sort()).toEqual(['manifest.json', 'rows-00000.parquet', 'rows-00001.parquet']);
    // Ids survive the next rewriting and a compaction.
    await merge(name, "(1, 'A', 3, false), (4, 'D', 3, false)");
    await world.warehouse.compact(name);
    expect(await rows(name)).toEqual([[1, 'A', 0], [2, 'B', 1], [3, 'c', 2], [4, 'D', 3]]);
    expect((await world.rows(name, `SELECT count(*) AS n FROM ${name}`, {snapshot: snapshot.id}))[0]!.n).toBe(4n);
  });

  test('the greatest of a column wins, in the input and against what is there; null is the least; of equals the last', async () => {
    const name = fresh();
    const latest = {latestBy: 'seen'};
    expect((await merge(name, "(1, 'new', 2, false), (1, 'old', 1, false), (2, 'x', NULL, false), (2, 'y', NULL, false), (3, 'z', 5, false), (3, 'null', NULL, false)", latest)).outcome)
      .toEqual({written: 3, superseded: 3, deleted: 0});
    expect((await rows(name)).map(([id, v]) => [id, v])).toEqual([[1, 'new'], [2, 'y'], [3, 'z']]);
    // 1 is older, 2 beats null, 3 ties, 4 is new.
    expect((await merge(name, "(1, 'late', 1, false), (2, 'dated', 0, false), (3, 'tie', 5, false), (4, 'n', NULL, false)", latest)).outcome)
      .toEqual({written: 3, superseded: 1, deleted: 0});
    expect(await rows(name)).toEqual([[1, 'new', 0], [2, 'dated', 1], [3, 'tie', 2], [4, 'n', 3]]);
    expect((await merge(name, "(3, 'null', NULL, false), (4, 'null again', NULL, false)", latest)).outcome).toEqual({written: 1, superseded: 1, deleted: 0});
    expect((await rows(name)).slice(2)).toEqual([[3, 'tie', 2], [4, 'null again', 3]]);
  });

  test('tombstones delete, unless something later says otherwise', async () => {
    const name = fresh();
    const by = {latestBy: 'seen', deletedWhen: 'gone'};
    await merge(name, "(1, 'a', 1, false), (2, 'b', 5, false), (3, 'c', 1, NULL)", by);
    const {outcome, snapshot} = await merge(name, "(1, NULL, 2, true), (2, NULL, 2, true), (3, NULL, 2, true), (3, 'back', 3, false), (9, NULL, 1, true)", by);
    expect(outcome).toEqual({written: 1, superseded: 2, deleted: 2});
    expect(await rows(name)).toEqual([[2, 'b', 1], [3, 'back', 2]]);
    expect(snapshot.rowCount).toBe(2n);
    await merge(name, "(2, NULL::VARCHAR, 9, true), (3, NULL, 9, true)", by);
    expect(await rows(name)).toEqual([]);
    await expect(merge(name, "(1, 'a', 1, false)", {deletedWhen: 'sum(seen) > 1'})).rejects.toMatchObject({code: 'SQL_NOT_ALLOWED'});
  });

  test('files without a row that changes stay, found by their bounds without being read', async () => {
    const name = fresh();
    await write(name, "SELECT range AS id, 'v' AS v, 1 AS seen, false AS gone FROM range(100)", {mode: 'merge'});
    await write(name, "SELECT range + 100 AS id, 'v' AS v, 1 AS seen, false AS gone FROM range(100)", {mode: 'merge'});
    const {snapshot: third} = await write(name, "SELECT range + 200 AS id, 'v' AS v, 1 AS seen, false AS gone FROM range(100)", {mode: 'merge'});
    const before = await paths(third);
    expect(before).toHaveLength(3);
    const {snapshot} = await write(name, "SELECT 150 AS id, 'changed' AS v, 2 AS seen, false AS gone", {mode: 'merge'});
    const after = await paths(snapshot);
    expect(after.filter(path => before.includes(path))).toEqual([before[0], before[2]]);
    expect(after).toHaveLength(3);
    expect((await rows(name)).filter(([, v]) => v === 'changed')).toEqual([[150, 'changed', 150]]);
    expect((await rows(name)).map(([id, , row]) => id === row)).not.toContain(false);
  });

  test('columns that the input lacks keep their values, new ones are null in old rows', async () => {
    const name = fresh();
    await merge(name, "(1, 'a', 7, false), (2, 'b', 8, false)");
    await write(name, "SELECT 1 AS id, 'A' AS v, 'x' AS extra UNION ALL SELECT 3, 'c', 'y'", {mode: 'merge'});
    expect((await world.rows(name, `SELECT id, v, seen, extra FROM ${name} ORDER BY id`)).map(row => Object.values(row))).toEqual([[1, 'A', 7, 'x'], [2, 'b', 8, null], [3, 'c', null, 'y']]);
  });

  test('needs a key whose values are there', async () => {
    const name = fresh();
    await merge(name, "(1, 'a', 1, false)");
    await expect(merge(name, "(NULL, 'a', 1, false)")).rejects.toMatchObject({code: 'KEY_NULL'});
    await expect(write(name, "SELECT 'a' AS v", {mode: 'merge'})).rejects.toMatchObject({code: 'CONTRACT_INVALID'});
    await expect(write(fresh(), 'SELECT 1 AS id', {mode: 'merge', contract: {}})).rejects.toMatchObject({code: 'CONTRACT_INVALID'});
    expect(await rows(name)).toEqual([[1, 'a', 0]]);
    expect(await readdir(world.warehouse.pathOf('staging'))).toEqual([]);
  });

  test('random merges come to the same as a map', async () => {
    const name = fresh();
    const model = new Map<number, {v: string; at: number | null; row: number}>();
    let [seed, next] = [7, 0];
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 15; round++) {
      const input = Array.from({length: 1 + random(20)}, (_, index) => ({id: random(30), v: `${round}.${index}`, at: random(6) === 0 ? null : random(50), gone: random(5) === 0}));
      const {outcome} = await merge(name, input.map(({id, v, at, gone}) => `(${id}, '${v}', ${at === null ? 'NULL::INTEGER' : at}, ${gone})`).join(', '), {latestBy: 'seen', deletedWhen: 'gone'});
      const expected = {written: 0, superseded: 0, deleted: 0};
      const inserted: number[] = [];
      for (const [id, of] of Map.groupBy(input.map((row, index) => ({...row, index})), row => row.id)) {
        const best = of.reduce((one, other) => ((other.at ?? -1) >= (one.at ?? -1) ? other : one));
        expected.superseded += of.length - 1;
        const there = model.get(id);
        if (there && (best.at ?? -1) < (there.at ?? -1)) expected.superseded++;
        else if (best.gone) {
          expected.deleted++;
          model.delete(id);
        } else {
          expected.written++;
          if (!there) inserted.push(best.index);
          model.set(id, {v: best.v, at: best.at, row: there?.row ?? -best.index - 1});
        }
      }
      inserted.sort((a, b) => a - b).forEach((index, place) => {
        for (const one of model.values()) if (one.row === -index - 1) one.row = next + place;
      });
      next += inserted.length;
      expect([round, outcome]).toEqual([round, expected]);
      expect(await rows(name)).toEqual([...model].sort(([a], [b]) => a - b).map(([id, {v, row}]) => [id, v, row]));
      if (round === 9) await world.warehouse.compact(name);
    }
  }, 120_000);
});

describe('delete', () => {
  test('takes away the rows of the keys given, whatever else the input has', async () => {
    const name = fresh();
    await merge(name, "(1, 'a', 1, false), (2, 'b', 1, false), (3, 'c', 1, false)");
    const {outcome, snapshot} = await write(name, "SELECT * FROM (VALUES (2::BIGINT, 'why'), (2, 'twice'), (7, 'not there')) AS t(id, reason)", {mode: 'delete'});
    expect(outcome).toEqual({written: 0, superseded: 1, deleted: 2});
    expect(snapshot).toMatchObject({operation: 'delete', rowCount: 2n});
    expect(snapshot.schema.fields.map(field => field.name)).toEqual(['id', 'v', 'seen', 'gone']);
    expect(await rows(name)).toEqual([[1, 'a', 0], [3, 'c', 2]]);
    await expect(write('not_there', 'SELECT 1 AS id', {mode: 'delete'})).rejects.toMatchObject({code: 'DATASET_NOT_FOUND'});
  });
});
