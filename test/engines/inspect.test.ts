/** Files that another engine wrote: what their footers say, and whether the rows must be written once more. */
import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import type {Engine} from '../../src/engines/engine.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import type {DataType, Field, Schema} from '../../src/schemas/schema.ts';

let folder: string;
let engine: Engine;
let folders = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-inspect-'));
  engine = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 2});
  await engine.start();
});
afterAll(async () => {
  await engine.stop();
  await rm(folder, {recursive: true});
});

const newFolder = async (): Promise<string> => {
  const path = join(folder, String(++folders));
  await mkdir(path);
  return path;
};
let ids = 0;
const numbered = (type: DataType): DataType => {
  switch (type.kind) {
    case 'list':
      return {...type, element: withId(type.element)};
    case 'map':
      return {...type, key: withId(type.key), value: withId(type.value)};
    case 'struct':
      return {...type, fields: type.fields.map(withId)};
    default:
      return type;
  }
};
const withId = (field: Field): Field => ({...field, id: ++ids, type: numbered(field.type)});
const schemaOf = (types: Readonly<Record<string, string>>): Schema => ({
  fields: Object.entries(types).map(([name, type]) => withId({id: 0, name, type: parseTypeName(type)!, nullable: true})),
});

const columns = {
  a: ['int64', 'CASE WHEN n % 3 = 0 THEN NULL ELSE 9007199254740993 + n END'],
  b: ['utf8', "'x' || n"],
  c: ['decimal(38,4)', '12345678901234567890.5 + n'],
  d: ['timestamp', "TIMESTAMP '1969-12-31 23:59:59.123456' + n * INTERVAL 1 SECOND"],
  e: ['timestamptz', "TIMESTAMPTZ '2020-01-01 00:00:00+00' - n * INTERVAL 1 DAY"],
  f: ['date', "DATE '2001-01-01' + n::INTEGER"],
  g: ['float64', "CASE WHEN n = 7 THEN 'nan'::DOUBLE ELSE n / 3 END"],
  h: ['float32', '-n / 4'],
  i: ['binary', "encode('y' || n)"],
  j: ['uuid', "'00000000-0000-0000-0000-000000000001'"],
  k: ['json', "'{\"n\": 1}'"],
  l: ['list<int32>', '[n, NULL]'],
  m: ['struct<x: int32, y: list<utf8>>', "{x: n, y: ['z']}"],
  n: ['uint32', 'n'],
  o: ['int16', 'NULL'],
  p: ['int8', '(n % 100)::TINYINT'],
} as const;
const select = `SELECT ${Object.entries(columns).map(([name, [, sql]]) => `${sql} AS "${name}"`).join(', ')} FROM range(300000) t(n)`;
const allTypes = (): Schema => schemaOf(Object.fromEntries(Object.entries(columns).map(([name, [type]]) => [name, type])));

test('statistics of footers are those that the writer tells itself, over several row groups', async () => {
  const schema = allTypes();
  const files = await engine.materialize({sql: select, relations: {}}, {folder: await newFolder(), schema});
  const inspected = await engine.inspect(files.map(file => file.path), schema);
  const plain = (given: typeof files): unknown => given.map(file => ({...file, columns: file.columns.filter(({name}) => !['i', 'g'].includes(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1))}));
  expect(inspected.exact).toBe(true);
  expect(plain(inspected.files)).toEqual(plain(files));
  const floats = inspected.files[0]!.columns.find(({name}) => name === 'g')!;
  expect(floats).toMatchObject({nulls: 0, min: null, max: null}); // a group with NaN tells no bounds
});

test('another type, order, name or id, and a file that lacks ids, are not taken as they are', async () => {
  const schema = schemaOf({a: 'int32', b: 'utf8'});
  const [file] = await engine.materialize({sql: "SELECT 1 AS a, 'x' AS b", relations: {}}, {folder: await newFolder(), schema});
  const exact = async (asked: Schema): Promise<boolean> => (await engine.inspect([file!.path], asked)).exact;
  const [a, b] = schema.fields as [Field, Field];
  expect(await exact(schema)).toBe(true);
  expect(await exact({fields: [b, a]})).toBe(false);
  expect(await exact({fields: [a]})).toBe(false);
  expect(await exact({fields: [{...a, type: {kind: 'int', bits: 64, signed: true}}, b]})).toBe(false);
  expect(await exact({fields: [{...a, name: 'c'}, b]})).toBe(false);
  expect(await exact({fields: [{...a, id: a.id + 100}, b]})).toBe(false);
  const bare = join(await newFolder(), 'bare.parquet');
  await engine.publish({sql: "SELECT 1 AS a, 'x' AS b", relations: {}}, {path: bare, format: 'parquet'});
  expect(await engine.inspect([bare], schema)).toMatchObject({exact: false, files: [{rowCount: 1}]});
});

test('files without rows are left out; no file at all is nothing to look at', async () => {
  const schema = schemaOf({a: 'int32'});
  const empty = join(await newFolder(), 'empty.parquet');
  await engine.publish({sql: 'SELECT 1 AS a WHERE false', relations: {}}, {path: empty, format: 'parquet'});
  expect((await engine.inspect([empty], schema)).files).toEqual([]);
  expect(await engine.inspect([], schema)).toEqual({files: [], exact: true});
  await expect(engine.inspect([join(folder, 'none.parquet')], schema)).rejects.toMatchObject({code: expect.stringMatching(/FILE_DAMAGED|SQL_FAILED/)});
});
