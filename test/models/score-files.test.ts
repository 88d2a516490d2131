import {spawnSync} from 'node:child_process';
import {appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {MillraceError} from '../../src/core/errors.ts';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import type {Column, ColumnBatch, Engine, SqlValue, Table} from '../../src/engines/engine.ts';
import {ScoreFiles} from '../../src/models/score-files.ts';
import type {TableScoring} from '../../src/models/score-files.ts';
import type {DataType, Field} from '../../src/schemas/schema.ts';

const float32: DataType = {kind: 'float', bits: 32};
const int64: DataType = {kind: 'int', bits: 64, signed: true};

let folder: string;
let engine: Engine;
let table: Table;
let scored = 0;
/** What a batch waits for. */
let gate: Promise<void> = Promise.resolve();
let kept: ScoreFiles;

const score = async ({rowCount, columns}: ColumnBatch): Promise<readonly Column[]> => {
  scored += rowCount;
  await gate;
  const [x] = columns as Extract<Column, {kind: 'numbers'}>[];
  return [{kind: 'numbers', type: float32, values: Float32Array.from(x!.values as Float32Array, value => value * 2), validity: x!.validity}];
};
const scoring = (change: Partial<TableScoring> = {}): TableScoring => ({
  dataset: 'numbers', table, features: ['"a"::FLOAT'], params: [], outputs: [{id: 0, name: 'twice', type: float32, nullable: false}], fingerprint: 'v1', batchRows: 16, score, ...change,
});
const files = (bytes = 2 ** 30) => new ScoreFiles({folder: join(folder, 'scores'), warehouse: join(folder, 'data'), bytes, runtime: 'test', concurrency: 2}, engine);
const everyFile = async (path = join(folder, 'scores')): Promise<string[]> =>
  (await Promise.all((await readdir(path, {withFileTypes: true}).catch(() => [])).map(entry => (entry.isDirectory() ? everyFile(join(path, entry.name)) : [join(path, entry.name)])))).flat();
const values = async (paths: readonly string[], of = scoring()): Promise<readonly Readonly<Record<string, SqlValue>>[]> =>
  engine.rows({sql: 'SELECT count(*) AS rows, count(*) FILTER (twice = 2 * a OR (twice IS NULL AND a IS NULL)) AS right FROM numbers', relations: {numbers: {...of.table, rowIds: true, beside: [{kind: 'files', files: paths, columns: [{name: 'twice', from: 'twice', type: float32}]}]}}});
const right = (rows: number) => [{rows: BigInt(rows), right: BigInt(rows)}];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-scores-'));
  engine = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'temp'), maxQueries: 4});
  await engine.start();
});
afterAll(async () => {
  await engine.stop();
  await rm(folder, {recursive: true});
});

/** A table of 250 rows in three files. */
beforeEach(async () => {
  await rm(join(folder, 'data'), {recursive: true, force: true});
  await rm(join(folder, 'scores'), {recursive: true, force: true});
  const home = join(folder, 'data', 'numbers');
  await mkdir(home, {recursive: true});
  const fields: Field[] = [{id: 1, name: 'a', type: int64, nullable: true}, {id: 2, name: 'other', type: int64, nullable: true}];
  const made = await engine.materialize({sql: 'SELECT CASE WHEN i % 7 > 0 THEN i END AS a, i AS other FROM range(250) t(i)', relations: {}}, {folder: home, schema: {fields}, rowsPerFile: 100});
  let firstRowId = 0;
  table = {kind: 'table', schema: {fields}, uniform: true, files: made.map(({path, rowCount, bytes}) => ({path, rowCount, bytes, rowIds: 'positional', firstRowId: (firstRowId += rowCount) - rowCount}))};
  [scored, gate, kept] = [0, Promise.resolve(), files()];
});

test('every file is scored once, whoever asks, and again only where what decides the outputs is another', async () => {
  expect(await kept.kept(scoring())).toBeNull();
  const paths = await kept.of(scoring());
  expect(await values(paths)).toEqual(right(250));
  expect(scored).toBe(250);
  expect(await files().of(scoring())).toEqual(paths);
  expect(await kept.kept(scoring({table: {...table, files: table.files.slice(1)}}))).toEqual(paths.slice(1));
  const fields = table.schema.fields;
  expect(await kept.kept(scoring({table: {...table, schema: {fields: [fields[0]!, {...fields[1]!, id: 9, name: 'others'}]}}}))).toEqual(paths);
  expect(scored).toBe(250);
  for (const change of [{fingerprint: 'v2'}, {features: ['("a" + 0)::FLOAT']}, {features: ['$1::FLOAT'], params: [5]}, {features: ['$1::FLOAT'], params: ['5']}, {table: {...table, schema: {fields: [{...fields[0]!, id: 7}]}}}]) {
    expect(await kept.kept(scoring(change))).toBeNull();
  }
});

test('a new file is scored alone', async () => {
  await kept.of(scoring({table: {...table, files: table.files.slice(0, 2)}}));
  expect(scored).toBe(200);
  expect(await values(await kept.of(scoring()))).toEqual(right(250));
  expect(scored).toBe(250);
});

test('damaged, cut and lost files are made again, those alone', async () => {
  const [first, second, third] = await kept.of(scoring());
  const bytes = await readFile(first!);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(first!, bytes);
  await appendFile(second!, 'x');
  await rm(third!);
  for (const reader of [kept, files()]) expect(await reader.kept(scoring())).toBeNull();
  const again = await kept.of(scoring());
  expect(again.some(path => [first, second, third].includes(path))).toBe(false);
  expect(await values(again)).toEqual(right(250));
  expect(scored).toBe(500);
  await rename(again[0]!, `${again[0]!}.away`);
  expect(await kept.recheck(again)).toBe(true);
  expect(await values(await kept.of(scoring()))).toEqual(right(250));
  expect(scored).toBe(600);
});

test('several who wait share the work, which ends when the last of them leaves', async () => {
  let open = () => {};
  gate = new Promise(resolve => (open = resolve));
  const [one, two] = [new AbortController(), new AbortController()];
  const asked = [kept.of(scoring(), one.signal), kept.of(scoring(), two.signal)];
  asked.forEach(answer => answer.catch(() => undefined));
  while (scored === 0) await new Promise(resolve => setTimeout(resolve, 5));
  one.abort(new Error('left'));
  await expect(asked[0]).rejects.toThrow('left');
  open();
  expect(await values(await asked[1]!)).toEqual(right(250));
  expect(scored).toBe(250);

  gate = new Promise(resolve => (open = resolve));
  const alone = new AbortController();
  const left = kept.of(scoring({fingerprint: 'v2', batchRows: 1}), alone.signal);
  left.catch(() => undefined);
  while (scored === 250) await new Promise(resolve => setTimeout(resolve, 5));
  alone.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  open();
  while ((await readdir(join(folder, 'scores', 'drafts'))).length > 0) await new Promise(resolve => setTimeout(resolve, 5));
  expect(scored).toBeLessThan(500);
  expect(await kept.kept(scoring({fingerprint: 'v2'}))).toBeNull();
  expect(await values(await kept.of(scoring({fingerprint: 'v2'})))).toEqual(right(250));
});

test('what runs out of time goes on, one at a time', async () => {
  let open = () => {};
  gate = new Promise(resolve => (open = resolve));
  const time = new AbortController();
  const asked = ['v1', 'v2'].map(fingerprint => kept.of(scoring({fingerprint, batchRows: 1}), time.signal));
  asked.forEach(answer => answer.catch(() => undefined));
  while (scored < 3 * 32) await new Promise(resolve => setTimeout(resolve, 5));
  time.abort(new MillraceError('QUERY_TIMEOUT', {seconds: 30}));
  for (const answer of asked) await expect(answer).rejects.toMatchObject({code: 'QUERY_TIMEOUT'});
  open();
  while ((await readdir(join(folder, 'scores', 'drafts'))).length > 0) await new Promise(resolve => setTimeout(resolve, 5));
  const found = await Promise.all(['v1', 'v2'].map(fingerprint => kept.kept(scoring({fingerprint}))));
  expect(found.filter(paths => paths !== null)).toHaveLength(1);
});

test('a model that fails leaves nothing', async () => {
  const failing = scoring({score: () => Promise.reject(new Error('no answer'))});
  await expect(kept.of(failing)).rejects.toThrow();
  expect(await everyFile()).toEqual([]);
  expect(await values(await kept.of(scoring()))).toEqual(right(250));
});

test('a sweep removes what belongs to no file, what is left of killed processes, and what was unused longest', async () => {
  const paths = await kept.of(scoring());
  await rm(table.files[0]!.path);
  await mkdir(join(folder, 'scores', 'drafts', 'scores-dead'), {recursive: true});
  await writeFile(join(folder, 'scores', 'drafts', 'scores-dead', 'part-00000.parquet'), 'half');
  await kept.sweep(0);
  expect((await everyFile()).toSorted()).toEqual(paths.slice(1).toSorted());
  expect(await readdir(dirname(dirname(paths[0]!)))).not.toContain(dirname(paths[0]!).split('/').at(-1));

  await utimes(paths[2]!, 1, 1);
  await files(600).sweep(0);
  expect(await everyFile()).not.toContain(paths[2]);
  await files(1).sweep(0);
  expect(await everyFile()).toEqual([]);
  const rest = scoring({table: {...table, files: table.files.slice(1)}});
  expect(await values(await kept.of(rest), rest)).toEqual(right(150));
});

test('outputs of a file that is removed while it is scored are not kept', async () => {
  let open = () => {};
  gate = new Promise(resolve => (open = resolve));
  const one = scoring({table: {...table, files: table.files.slice(2)}});
  const answer = kept.of(one);
  answer.catch(() => undefined);
  while (scored === 0) await new Promise(resolve => setTimeout(resolve, 5));
  await rm(one.table.files[0]!.path);
  await kept.sweep(0);
  open();
  await expect(answer).rejects.toThrow();
  expect(await everyFile()).toEqual([]);
});

const mayMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
// A disk of our own can be made by root only.
(mayMount ? test : test.skip)('a disk that fills fails with its code and leaves nothing half written', async () => {
  const scores = join(folder, 'scores');
  await mkdir(scores);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', scores]).status).toBe(0);
  try {
    const rows = 1_000_000;
    const home = join(folder, 'data', 'large');
    await mkdir(home);
    const [made] = await engine.materialize({sql: `SELECT (i * 7919) % 1000003 AS a, i AS other FROM range(${rows}) t(i)`, relations: {}}, {folder: home, schema: table.schema});
    const {path, bytes} = made!;
    const large = scoring({table: {...table, files: [{path, bytes, rowCount: rows, firstRowId: 0, rowIds: 'positional'}]}, batchRows: 4096});
    await expect(kept.of(large)).rejects.toMatchObject({code: 'DISK_FULL'});
    expect(await everyFile()).toEqual([]);
    expect(await values(await kept.of(scoring()))).toEqual(right(250));
  } finally {
    spawnSync('umount', ['--lazy', scores]);
  }
});
