/** Random writes of clients that write at once, by two services that know nothing of each other, against rows in memory. */
import {Turns} from '../../src/core/async.ts';
import type {MillraceError} from '../../src/core/errors.ts';
import {createLogger} from '../../src/core/logging.ts';
import {Metrics} from '../../src/core/metrics.ts';
import type {Viewer} from '../../src/core/viewer.ts';
import type {Contract} from '../../src/schemas/contract.ts';
import {WriteService} from '../../src/writes/write-service.ts';
import type {WriteAnswer} from '../../src/writes/writes.ts';
import {databases} from '../support/catalog-places.ts';
import {createRandom} from '../support/random.ts';
import type {Random} from '../support/random.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';
import {contract, expected, writeOf} from './oracle.ts';
import type {Change, Row, Which} from './oracle.ts';

/** More seeds and longer sequences: WRITE_SEEDS=50. */
const seeds = Number(process.env.WRITE_SEEDS ?? 1);
const clients = 4;
const changesOfClient = seeds > 1 ? 20 : 8;
const viewer: Viewer = {name: 'test', roles: ['admin'], limits: {depth: 1, fields: 1, rows: 1, bytes: 1, cost: 1, seconds: 1, scanBytes: 1e12, queries: 100, streamSeconds: 1, streamRows: 1}};

/** Ids of a client lie in a range of its own, as do owners, so that what it is answered does not depend on the others. */
function randomChange(random: Random, client: number, known: ReadonlyMap<number, Row>): Change {
  const id = (): number => client * 100 + random.integer(0, 12);
  const row = (): Row => ({
    id: id(), owner: random.chance(0.97) ? client : 9, name: random.pick([null, 'a', 'b', 'c', 'dd', 'ee', 'ff', 'gg', 'hh', 'ii', 'too long']), amount: random.pick([null, 1.25, 10, 999.99, 2000]),
    score: random.chance(0.05) ? random.pick([-1, 101]) : random.pick([null, 0, 5, 50, 99, 100]),
  });
  const which = (): Which => (random.chance(0.6) ? {ids: [...new Set(Array.from({length: random.integer(1, 3)}, () => (random.chance(0.7) && known.size > 0 ? random.pick([...known.keys()]) : id())))]} : {owner: client, atLeast: random.integer(0, 100)});
  const dice = random.next();
  if (dice < 0.55) {
    const rows = Array.from({length: random.integer(1, 4)}, row);
    const update = random.pick([[], ['name'], ['amount', 'score']]);
    return {kind: 'insert', rows, ...(random.chance(0.5) ? {onConflict: {update, ...(update.length > 0 && random.chance(0.3) ? {atLeast: 50} : {})}} : {})};
  }
  if (dice < 0.85) {
    const increase = random.chance(0.4) ? {score: random.integer(-3, 3)} : {};
    const set = random.pick<Partial<Row>>([{name: random.pick([null, 'a', 'zz'])}, {amount: 1500}, {amount: null, name: null}, ...('score' in increase ? [] : [{score: random.pick([7, 101])}, {id: id(), amount: 3}])]);
    return {kind: 'update', which: which(), set, increase};
  }
  return {kind: 'delete', which: which()};
}

describe.each(databases)('on %s', database => {
  let world: WarehouseWorld;
  let services: WriteService[];
  beforeAll(async () => {
    world = await openWorld({database});
    const logger = createLogger({level: 'silent'});
    services = [1, 2].map(() => new WriteService(world.catalog, world.warehouse, new Turns(), {maxRows: 1000, compactFiles: 12}, logger, new Metrics({version: 'test'})));
  }, 60_000);
  afterAll(() => world.close());

  test.each(Array.from({length: seeds}, (_, index) => 17 + index))('with seed %d', async seed => {
    // A compaction may go on after the last answer.
    await Promise.all(services.map(service => service.drain()));
    await world.write('rows_written', "SELECT 0::INTEGER AS id, 0::INTEGER AS owner, NULL::VARCHAR AS name, NULL::DECIMAL(9, 2) AS amount, NULL::SMALLINT AS score", {contract: contract as unknown as Contract});
    const before = await world.warehouse.resolve('rows_written');
    const all = new Map<number, Row>([[0, {id: 0, owner: 0, name: null, amount: null, score: null}]]);
    const rowIds = new Map<number, number>();
    let aside = 0;
    const asideBefore = await quarantined();
    // All end before one that failed is told: the next seed's rows are in the same dataset.
    const ends = await Promise.allSettled(Array.from({length: clients}, async (_, index) => {
      const client = index + 1;
      const random = createRandom(seed * 100 + client);
      const rows = new Map<number, Row>();
      for (let number = 0; number < changesOfClient; number++) {
        const change = randomChange(random, client, rows);
        const idsBefore = new Map(rowIds);
        const want = expected(rows, change);
        const answer = await random.pick(services).write(viewer, {dataset: 'rows_written', write: writeOf(change)}).catch((error: unknown) => error as MillraceError);
        const shown = JSON.stringify({client, number, change, message: answer instanceof Error ? answer.message : ''});
        expect([shown, told(answer)]).toEqual([shown, want.refused ?? {affected: want.affected, quarantined: want.quarantined, dropped: want.dropped, superseded: want.superseded}]);
        if (answer instanceof Error) continue;
        aside += answer.quarantined.length;
        const {kept, now} = idsOf(change, want.ids, answer, idsBefore);
        expect([shown, now]).toEqual([shown, kept]);
        for (const [id, rowId] of now) rowIds.set(id, rowId);
        for (const id of idsBefore.keys()) if (Math.floor(id / 100) === client && !rows.has(id)) rowIds.delete(id);
      }
      for (const [id, row] of rows) all.set(id, row);
    }));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const rows = await world.rows('rows_written', 'SELECT id, owner, name, amount::DOUBLE AS amount, score, _row_id FROM rows_written ORDER BY id');
    expect(rows.map(({_row_id: _, ...row}) => row)).toEqual([...all.values()].sort((a, b) => a.id - b.id));
    // A row that was updated is the row it was.
    expect(rows.slice(1).map(row => [row.id, Number(row._row_id)])).toEqual(rows.slice(1).map(row => [row.id, rowIds.get(row.id as number)]));
    expect((await quarantined()) - asideBefore).toBe(aside);
    await expectAccounts(before.sequence, aside, all.size - 1);
  }, 120_000);

  const quarantined = async (): Promise<number> => Number((await world.rows('rows_written_quarantine', 'SELECT count(*) AS n FROM rows_written_quarantine').catch(() => [{n: 0n}]))[0]!.n);

  /** The snapshots tell what became of every row. */
  async function expectAccounts(after: number, aside: number, left: number): Promise<void> {
    const head = await world.warehouse.resolve('rows_written');
    const snapshots = (await world.catalog.read(stores => stores.datasets.snapshots(head.datasetId, 10_000))).filter(one => one.sequence > after);
    let rows = 1;
    for (const {operation, lineage: {writes}, rowCount} of snapshots.toReversed()) {
      // Compaction changes no row.
      expect([writes?.by ?? 'compaction', Number(rowCount)]).toEqual(operation === 'replace' ? ['compaction', rows] : [['test'], Number(rowCount)]);
      rows = Number(rowCount);
    }
    expect(rows).toBe(left + 1);
    expect(snapshots.reduce((sum, {lineage: {writes}}) => sum + (writes?.rows.quarantined ?? 0), 0)).toBeLessThanOrEqual(aside);
    expect(head.fileCount).toBeLessThanOrEqual(14);
  }
});

const told = (answer: WriteAnswer | MillraceError): unknown =>
  answer instanceof Error ? (answer.code as string | undefined) ?? answer : {affected: answer.affected, quarantined: answer.quarantined.map(one => one.index), dropped: answer.dropped, superseded: answer.superseded};

/** The ids of the rows that were written, as answered and, where a row was there before, as they were. Rows that a condition chose and whose key changed are not told apart. */
function idsOf(change: Change, ids: readonly number[], {rowIds}: WriteAnswer, before: ReadonlyMap<number, number>): {kept: [number, number][]; now: [number, number][]} {
  if (change.kind === 'delete') return {kept: [], now: []};
  const isByCondition = change.kind === 'update' && !('ids' in change.which);
  const inOrder = isByCondition ? ids.toSorted((a, b) => before.get(a)! - before.get(b)!) : ids;
  const now = inOrder.map((id, index): [number, number] => [id, rowIds[index]!]);
  const movesKeys = change.kind === 'update' && change.set.id !== undefined;
  return {now, kept: movesKeys ? now : now.map(([id, rowId]): [number, number] => [id, before.get(id) ?? rowId])};
}
