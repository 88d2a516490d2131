import {setTimeout as sleep} from 'node:timers/promises';
import {nextRange} from '../../../src/api/graphql/row-stream-position.ts';
import type {App} from '../../../src/compose.ts';
import type {SnapshotRecord} from '../../../src/warehouse/warehouse.ts';
import {createDatabase} from '../../support/postgres.ts';
import {createProject, startApp, useApp} from '../../support/project.ts';
import {createRandom} from '../../support/random.ts';
import {Subscriber} from '../../support/subscriber.ts';
import {writeRows} from '../../support/warehouse-world.ts';
import type {WriteOptions} from '../../support/warehouse-world.ts';

const values = (rows: readonly (readonly [number, number])[]) => `SELECT k::INT AS k, v::INT AS v FROM (VALUES ${rows.map(([k, v]) => `(${k}, ${v})`).join(', ')}) t(k, v)`;

describe('streams of rows', () => {
  let app: App;
  let url: string;
  useApp(started => ({app, url} = started));
  const write = async (dataset: string, sql: string, options?: WriteOptions) => {
    await writeRows(app.services, dataset, sql, options);
    await app.services.graphModel.refresh();
  };

  test('give what there is, then what each commit brings', async () => {
    await write('sightings', values([[1, 10], [2, 20], [3, 30]]), {contract: {key: ['k']}});
    const all = new Subscriber(url, 'subscription { e: sightings_stream(batch_size: 2) { __typename c: cursor rows { _row_id k v } ks: rows { k } } }');
    const first = (await all.next()).data!.e;
    expect(first).toEqual({__typename: 'sightings_batch', c: expect.any(String), rows: [{_row_id: '0', k: 1, v: 10}, {_row_id: '1', k: 2, v: 20}], ks: [{k: 1}, {k: 2}]});
    expect((await all.next()).data!.e.rows).toEqual([{_row_id: '2', k: 3, v: 30}]);

    const latest = new Subscriber(url, 'subscription { sightings_stream(cursor: "latest", batch_size: 10, where: {v: {_gt: 100}}) { cursor rows { k v } } }');
    expect((await latest.next()).data!.sightings_stream.rows).toEqual([]);
    // A row that is written over does not come again, and neither does what is compacted or deleted.
    await write('sightings', values([[2, 200], [4, 400]]), {mode: 'merge'});
    await write('sightings', 'SELECT 1::INT AS k', {mode: 'delete'});
    await app.services.warehouse.compact('sightings');
    await write('sightings', values([[5, 50], [6, 600]]), {mode: 'append'});
    expect(await rowsOf(all, 3)).toEqual([{_row_id: '3', k: 4, v: 400}, {_row_id: '4', k: 5, v: 50}, {_row_id: '5', k: 6, v: 600}]);
    expect(await rowsOf(latest, 2)).toEqual([{k: 4, v: 400}, {k: 6, v: 600}]);

    // Of the same cursor the same rows come again, as they were when they came.
    const again = new Subscriber(url, 'subscription ($c: String) { sightings_stream(cursor: $c, batch_size: 2) { rows { k v } } }', {c: first.c});
    expect(await rowsOf(again, 4)).toEqual([{k: 3, v: 30}, {k: 4, v: 400}, {k: 5, v: 50}, {k: 6, v: 600}]);
    await Promise.all([all, latest, again].map(subscriber => subscriber.leave()));
  });

  test('refuse what they cannot go on from', async () => {
    await write('few', values([[1, 1]]));
    const refusal = async (args: string) => {
      const subscriber = new Subscriber(url, `subscription { few_stream(${args}) { cursor rows { k } } }`);
      const {errors} = await subscriber.next();
      await subscriber.leave();
      return errors![0]!.extensions!.code;
    };
    const cursor = (...content: unknown[]) => Buffer.from(JSON.stringify(content)).toString('base64url');
    const {datasetId} = await app.services.warehouse.resolve('few');
    expect(await refusal('batch_size: 0')).toBe('ARGUMENT_INVALID');
    expect(await refusal('batch_size: 5, cursor: "nonsense"')).toBe('CURSOR_INVALID');
    expect(await refusal(`batch_size: 5, cursor: "${cursor(1, (await app.services.warehouse.resolve('sightings')).datasetId, 1, '0')}"`)).toBe('CURSOR_INVALID');
    expect(await refusal(`batch_size: 5, cursor: "${cursor(1, datasetId, 99, '0')}"`)).toBe('CURSOR_INVALID');
    expect(await refusal('batch_size: 5, where: {k: {_in: null}}')).toBe('ARGUMENT_INVALID');
  });

  test('go past expired snapshots where nothing is lost by it, and say so where something may be', async () => {
    await write('kept', values([[1, 1]]), {contract: {key: ['k'], retention: {snapshots: 1}}});
    const first = new Subscriber(url, 'subscription { kept_stream(batch_size: 10) { cursor rows { k } } }');
    const {cursor} = (await first.next()).data!.kept_stream;
    await first.leave();
    for (const k of [2, 3, 4]) await write('kept', values([[k, k]]), {mode: 'append'});
    await app.services.maintenance.collectGarbage();
    expect((await app.services.datasets.snapshotsFrom(app.services.system, (await app.services.warehouse.resolve('kept')).datasetId, 0, 10)).filter(({expiredAt}) => expiredAt)).toHaveLength(3);
    const query = 'subscription ($c: String) { kept_stream(cursor: $c, batch_size: 10) { cursor rows { k } } }';
    const past = new Subscriber(url, query, {c: cursor});
    expect(await rowsOf(past, 3)).toEqual([{k: 2}, {k: 3}, {k: 4}]);
    await past.leave();
    await write('kept', 'SELECT 3::INT AS k', {mode: 'delete'});
    await app.services.maintenance.collectGarbage();
    const lost = new Subscriber(url, query, {c: cursor});
    expect((await lost.next()).errors![0]!.extensions).toMatchObject({code: 'CURSOR_EXPIRED', hint: expect.stringContaining('latest')});
    await lost.leave();
  });
});

test('each row comes once, whatever is committed and wherever readers are cut', async () => {
  const database = await createDatabase();
  const project = createProject();
  const seed = Number(process.env.STREAM_SEED ?? 7);
  const random = createRandom(seed);
  const apps: App[] = [];
  try {
    for (let index = 0; index < 2; index++) apps.push(await startApp(project, {set: [`catalog.url=${database.url}`]}));
    const one = () => apps[random.integer(0, 1)]!;
    /** Inserted rows as `k:v`, in the order in which they were committed, by commit. */
    const inserted: string[][] = [];
    let next = 0;
    const there = new Map<number, number>();
    const fresh = (count: number): [number, number][] => Array.from({length: count}, () => [next, next++ * 10]);
    const note = (rows: readonly (readonly [number, number])[]) => {
      inserted.push(rows.map(([k, v]) => `${k}:${v}`));
      for (const [k, v] of rows) there.set(k, v);
    };
    const begin = fresh(5);
    await writeRows(apps[0]!.services, 'log', values(begin), {contract: {key: ['k']}});
    note(begin);
    await Promise.all(apps.map(app => app.services.graphModel.refresh()));

    const total = () => inserted.flat().length;
    const readers = [3, 7, 100, 1].map(batch => new Reader(batch, () => one().http.url, random.integer(0, 3)));
    const reading = readers.map(reader => reader.read());
    const commits = Number(process.env.STREAM_COMMITS ?? 24);
    for (let commit = 0; commit < commits; commit++) {
      const keys = [...there.keys()];
      const some = keys.filter(() => random.integer(0, 3) === 0);
      const kind = random.integer(0, 9);
      if (kind < 3) {
        const rows = fresh(1 + random.integer(0, 8));
        await writeRows(one().services, 'log', values(rows), {mode: 'append'});
        note(rows);
      } else if (kind < 5) {
        const rows = fresh(random.integer(0, 3));
        const changed = some.map(k => [k, -k - commit] as [number, number]);
        if (rows.length + changed.length === 0) continue;
        await writeRows(one().services, 'log', values([...changed, ...rows]), {mode: 'merge'});
        note(rows);
        for (const [k, v] of changed) there.set(k, v);
      } else if (kind < 6 && some.length > 0) {
        await writeRows(one().services, 'log', `SELECT unnest([${some.join(', ')}])::INT AS k`, {mode: 'delete'});
        for (const k of some) there.delete(k);
      } else if (kind < 7) await one().services.warehouse.compact('log');
      else if (kind < 8 && commit % 3 === 0) {
        const rows = fresh(3);
        await writeRows(one().services, 'log', values(rows));
        there.clear();
        note(rows);
      } else {
        // Two at once: one of them is tried again.
        const both = [fresh(2), fresh(3)];
        const made = await Promise.all(both.map((rows, index) => patientWrite(apps[index]!, rows)));
        for (const index of made[0]! < made[1]! ? [0, 1] : [1, 0]) note(both[index]!);
      }
      if (random.integer(0, 2) === 0) await sleep(random.integer(0, 39));
    }
    const expected = inserted.map(rows => [...rows].sort());
    for (const reader of readers) reader.finish(total());
    await Promise.all(reading);
    for (const {rows, ids} of readers) {
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
      let from = 0;
      expect(inserted.map(commit => rows.slice(from, (from += commit.length)).sort())).toEqual(expected);
      expect(rows).toHaveLength(total());
    }
    expect(readers.reduce((sum, {cuts}) => sum + cuts, 0)).toBeGreaterThan(0);
  } finally {
    await Promise.all(apps.map(app => app.lifecycle.stop()));
    project.remove();
    await database.drop();
  }
}, 120_000);

/** The sequence of an append, tried until it does not meet another one. */
async function patientWrite(app: App, rows: readonly (readonly [number, number])[]): Promise<number> {
  for (;;) {
    try {
      return (await writeRows(app.services, 'log', values(rows), {mode: 'append'})).sequence;
    } catch (error) {
      if ((error as {code?: string}).code !== 'COMMIT_CONFLICT') throw error;
    }
  }
}

/** Reads the stream, and is cut off every so often. */
class Reader {
  readonly rows: string[] = [];
  readonly ids: number[] = [];
  cuts = 0;
  private wanted = Infinity;

  constructor(
    private readonly batch: number,
    private readonly url: () => string,
    private readonly patience: number,
  ) {}

  finish(rows: number): void {
    this.wanted = rows;
  }

  async read(): Promise<void> {
    let cursor: string | null = null;
    while (this.rows.length < this.wanted) {
      const subscriber: Subscriber = new Subscriber(this.url(), 'subscription ($c: String, $n: Int!) { log_stream(cursor: $c, batch_size: $n) { cursor rows { _row_id k v } } }', {c: cursor, n: this.batch});
      for (let batch = 0; batch < 3 + this.patience * 3 && this.rows.length < this.wanted; batch++) {
        const deadline = Date.now() + 15_000;
        while (subscriber.results.length <= batch && this.rows.length < this.wanted && Date.now() < deadline) await sleep(5);
        const result = subscriber.results[batch];
        if (!result) break;
        if (result.errors) throw new Error(JSON.stringify(result.errors));
        ({cursor} = result.data!.log_stream);
        for (const {_row_id, k, v} of result.data!.log_stream.rows) {
          this.ids.push(Number(_row_id));
          this.rows.push(`${k}:${v}`);
        }
      }
      // What it was sent beyond its last cursor is lost to it, and comes again.
      await subscriber.leave();
      this.cuts++;
    }
  }
}

async function rowsOf(subscriber: Subscriber, count: number): Promise<unknown[]> {
  const rows: unknown[] = [];
  while (rows.length < count) {
    const {data, errors} = await subscriber.next();
    if (errors) throw new Error(JSON.stringify(errors));
    rows.push(...Object.values(data!)[0].rows);
  }
  return rows;
}

describe('what is read next', () => {
  const at = (sequence: number, operation: SnapshotRecord['operation'], nextRowId: number, expired = false) =>
    ({id: `s${sequence}`, sequence, operation, nextRowId: BigInt(nextRowId), datasetName: 'd', expiredAt: expired ? new Date(0) : null}) as SnapshotRecord;
  const from = (rowId: number) => ({datasetId: 'd', sequence: 0, rowId: BigInt(rowId)});

  test('many appends at once, and what is before a merge apart from it', () => {
    const history = [at(0, 'overwrite', 5), at(1, 'append', 7), at(2, 'append', 9), at(3, 'replace', 9), at(4, 'merge', 12), at(5, 'append', 13)];
    expect(nextRange(from(-1), history, true)).toEqual({snapshot: history[2], through: 8n, settled: 7n});
    expect(nextRange(from(8), history, true)).toEqual({snapshot: history[5], through: 12n, settled: 12n});
    expect(nextRange(from(12), history, true)).toBeNull();
  });

  test('expired ones are passed over, or end it', () => {
    expect(nextRange(from(4), [at(0, 'overwrite', 5, true), at(1, 'append', 7, true), at(2, 'replace', 7)], true)).toMatchObject({snapshot: {id: 's2'}, through: 6n});
    expect(() => nextRange(from(4), [at(0, 'overwrite', 5, true), at(1, 'append', 7, true), at(2, 'delete', 7)], true)).toThrow('kept');
    expect(nextRange(from(4), [at(0, 'overwrite', 5, true), at(1, 'append', 7, true)], false)).toBe('unknown');
  });
});
