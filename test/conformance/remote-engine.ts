import {mkdir, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {tableFromIPC} from 'apache-arrow';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import type {Engine, StagedFile, Table} from '../../src/engines/engine.ts';
import type {NativeQuery, RemoteEngine} from '../../src/engines/remote-engine.ts';
import {identifier} from '../../src/engines/sql-text.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import type {DataType, Field, Schema} from '../../src/schemas/schema.ts';
import {createRandom} from '../support/random.ts';
import type {Random} from '../support/random.ts';

/** What the suite has to say in the words of the engine. */
export interface RemoteDialect {
  /** A column's name, quoted. */
  readonly quoted: (name: string) => string;
  /** A statement that takes minutes, over nothing. */
  readonly endless: string;
  /** Numbers from 0, in a column `id`. */
  readonly numbers: (count: number) => string;
  /** A statement with the column `x` that fails at the row where `v` of `t` is no number. */
  readonly failing: string;
  /** Types that the engine can neither read nor write. */
  readonly without?: readonly DataType['kind'][];
  /** Rows of the large tests. Default: 1,000,000 */
  readonly many?: number;
}

/** Values at the edges of each type, as the embedded engine writes them. */
const extremes: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int8: ['-128', '127', '0'],
  int16: ['-32768', '32767'],
  int32: ['-2147483648', '2147483647'],
  int64: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
  float32: ["'NaN'", "'-Infinity'", "'-0.0'", '3.4028235e38', '1e-45'],
  float64: ["'NaN'", "'Infinity'", "'-0.0'", '1.7976931348623157e308', '5e-324', '0.1'],
  'decimal(38,9)': ['-99999999999999999999999999999.999999999', '99999999999999999999999999999.999999999', '0.000000001'],
  'decimal(18,4)': ['-99999999999999.9999', '0.0001'],
  'decimal(5,2)': ['-999.99', '999.99'],
  utf8: ["''", "'NULL'", "'žluťoučký 漢字 😀 \u0301'", "'line\nbreak, \"quotes\" \\ and ''apostrophes'''", "' '"],
  binary: ["'\\x00\\xFF\\x00'", "''"],
  date: ["'0001-01-01'", "'1582-10-10'", "'1900-02-28'", "'1969-12-31'", "'9999-12-31'"],
  timestamp: ["'0001-01-01 00:00:00'", "'1582-10-10 12:34:56.789012'", "'1969-12-31 23:59:59.999999'", "'2024-03-31 02:30:00'", "'9999-12-31 23:59:59.999999'"],
  timestamptz: ["'1900-01-01 00:00:00.000001+00'", "'1969-12-31 23:59:59.999999-05'", "'2024-10-27 02:30:00+02'", "'2024-10-27 02:30:00+01'", "'9999-12-31 23:59:59.999999+00'"],
  'list<int64>': ['[]', '[9223372036854775807, NULL, -1]'],
  'list<utf8>': ["['', NULL, 'a,b', '[]']"],
  'struct<a: int64, b: utf8>': ["{'a': -9223372036854775808, 'b': ''}", "{'a': NULL, 'b': NULL}"],
  'list<struct<a: int64, b: list<decimal(38,9)>>>': ["[{'a': 1, 'b': [0.000000001, NULL]}, NULL, {'a': NULL, 'b': []}]", '[]'],
  'struct<x: struct<y: timestamp, z: list<binary>>>': ["{'x': {'y': '1969-12-31 23:59:59.999999', 'z': ['\\x00', NULL]}}", "{'x': NULL}"],
  'map<utf8, int64>': ["MAP {'a': 1, '': NULL}", 'MAP {}'],
};

const kindsIn = (type: DataType): DataType['kind'][] => [
  type.kind, ...(type.kind === 'list' ? kindsIn(type.element.type) : type.kind === 'struct' ? type.fields.flatMap(field => kindsIn(field.type)) : type.kind === 'map' ? [...kindsIn(type.key.type), ...kindsIn(type.value.type)] : []),
];

/** A schema with ids: top-level columns first, then the parts of nested ones. */
export function numbered(columns: Readonly<Record<string, string>>): Schema {
  let next = 1;
  const top = Object.entries(columns).map(([name, type]) => ({id: next++, name, type: parseTypeName(type)!, nullable: true}));
  const inner = (type: DataType): DataType => {
    const part = (field: Field): Field => ({...field, id: next++});
    const deep = (field: Field): Field => ({...field, type: inner(field.type)});
    switch (type.kind) {
      case 'list': return {...type, element: deep(part(type.element))};
      case 'struct': return {...type, fields: type.fields.map(part).map(deep)};
      case 'map': { const [key, value] = [part(type.key), part(type.value)]; return {...type, key: deep(key), value: deep(value)}; }
      default: return type;
    }
  };
  return {fields: top.map(field => ({...field, type: inner(field.type)}))};
}

/**
 * What every engine past this process must do, over the real servers. Files are written and read beside it by the embedded engine.
 * @param create makes one; the suite starts and stops it
 * @param shared a folder that the servers can read and write; default: one for temporary files
 */
export function remoteEngineConformance(name: string, create: () => Promise<RemoteEngine>, dialect: RemoteDialect, shared = tmpdir): void {
  const {quoted, without = [], many = 1_000_000} = dialect;

  describe(`remote engine ${name}`, () => {
    let folder: string;
    let engine: RemoteEngine;
    let duck: Engine;
    let folders = 0;

    beforeAll(async () => {
      folder = await mkdtemp(join(shared(), 'remote-'));
      duck = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 3});
      await duck.start();
      engine = await create();
      await engine.start();
    }, 300_000);
    afterAll(async () => {
      await engine?.stop();
      await duck?.stop();
      await rm(folder, {recursive: true, force: true});
    });

    const newFolder = async (): Promise<string> => {
      const path = join(folder, `out-${++folders}`);
      await mkdir(path);
      return path;
    };
    const tableOf = (schema: Schema, files: readonly StagedFile[] | readonly string[]): Table => ({
      kind: 'table', schema, files: files.map(file => ({rowCount: 0, bytes: 0, firstRowId: 0, rowIds: 'positional', ...(typeof file === 'string' ? {path: file} : file)})),
    });
    /** Files that the embedded engine writes; columns are taken by place. */
    const filesOf = async (schema: Schema, sql: string, into?: string): Promise<readonly StagedFile[]> =>
      duck.materialize({sql: `FROM (${sql}) AS q(${schema.fields.map(field => identifier(field.name)).join(', ')})`, relations: {}}, {folder: into ?? (await newFolder()), schema});
    const written = async (schema: Schema, sql: string): Promise<Table> => tableOf(schema, await filesOf(schema, sql));
    const run = async (query: NativeQuery, schema: Schema): Promise<Table> => tableOf(schema, await engine.materialize(query, {folder: await newFolder(), schema}));
    /** Each value as text, so that signs of zeros and days before calendars changed count. */
    const texts = (table: Table, order = ''): Promise<unknown> => duck.rows({sql: `SELECT ${table.schema.fields.map(({name}) => `CAST(${identifier(name)} AS VARCHAR) AS ${identifier(name)}`).join(', ')} FROM t ${order}`, relations: {t: table}});
    const one = async (table: Table, sql: string): Promise<unknown> => Object.values((await duck.rows({sql, relations: {t: table}}))[0]!)[0];
    const int64 = numbered({id: 'int64'});

    test('is ready, says its version, and has nothing to do', async () => {
      const status = await engine.status();
      expect(status).toMatchObject({health: 'ready', version: expect.stringMatching(/^\d+\.\d+/), running: []});
      expect(await engine.fingerprint()).toBe(`${engine.name} ${status.version}`);
    });

    describe('types', () => {
      const usable = Object.entries(extremes).filter(([type]) => !kindsIn(parseTypeName(type)!).some(kind => without.includes(kind)));
      const columns = Object.fromEntries(usable.map(([type], index) => [`c${index}`, type]));
      const schema = numbered({place: 'int32', ...columns});
      const rowCount = Math.max(...usable.map(([, values]) => values.length)) + 1;
      const sql = Array.from({length: rowCount}, (_, row) => `SELECT ${row} AS place, ${usable.map(([type, values], index) => `${cell(type, values[row] ?? 'NULL')} AS c${index}`).join(', ')}`).join(' UNION ALL ');

      test('values at the edges of each type come back to the last bit', async () => {
        const given = await written(schema, sql);
        const taken = await run({sql: `SELECT ${schema.fields.map(field => quoted(field.name)).join(', ')} FROM t ORDER BY place`, relations: {t: given}}, schema);
        const [before, after] = [await texts(given), await texts(taken)] as [Record<string, unknown>[], Record<string, unknown>[]];
        expect(after).toEqual(before);
        expect(before).toHaveLength(rowCount);
      });

      test('what it says it writes exactly has the schema that was asked for', async () => {
        const exact = {fields: schema.fields.filter(field => engine.capabilities.writes(field.type))};
        expect(exact.fields.length).toBeGreaterThan(5);
        const given = await written(schema, sql);
        const taken = await run({sql: `SELECT ${exact.fields.map(field => quoted(field.name)).join(', ')} FROM t`, relations: {t: given}}, exact);
        const described = await duck.describe({sql: 'SELECT * FROM t', relations: {t: {kind: 'raw', format: 'parquet', files: taken.files.map(({path}) => path), options: {}}}});
        expect(described.fields.map(({type}) => sqlOf(type))).toEqual(exact.fields.map(({type}) => sqlOf(type)));
      });

      test('random tables survive the way there and back', async () => {
        for (let seed = 1; seed <= 12; seed++) {
          const random = createRandom(seed);
          const {schema, sql} = randomRows(random, usable);
          const given = await written(schema, sql);
          const [a, b] = [await run({sql: 'SELECT * FROM t', relations: {t: given}}, schema), await run({sql: `SELECT * FROM ${quoted('t')} ORDER BY ${quoted(schema.fields[0]!.name)}`, relations: {t: given}}, schema)];
          // Read back there, what it wrote itself is the same as well.
          const again = await run({sql: 'SELECT * FROM t', relations: {t: b}}, schema);
          const before = await texts(given, 'ORDER BY place');
          for (const table of [a, b, again]) expect({seed, rows: await texts(table, 'ORDER BY place')}).toEqual({seed, rows: before});
        }
      });
    });

    describe('what it reads', () => {
      test('columns are found in older files by field id: renamed, added, removed and widened', async () => {
        const field = (id: number, name: string, type: string): Field => ({id, name, type: parseTypeName(type)!, nullable: true});
        const old = await written({fields: [field(1, 'id', 'int32'), field(2, 'was', 'utf8'), field(3, 'gone', 'int64'), field(5, 'size', 'float32')]}, "SELECT 1, 'one', 7, 0.5 UNION ALL SELECT 2, 'two', 8, 1.5");
        const schema = {fields: [field(1, 'id', 'int64'), field(2, 'is', 'utf8'), field(4, 'gone', 'utf8'), field(5, 'size', 'float64')]};
        const fresh = await written(schema, "SELECT 3, 'three', 'new', 2.5");
        const both = await run({sql: 'SELECT * FROM t ORDER BY id', relations: {t: {...old, schema, files: [...old.files, ...fresh.files]}}}, schema);
        expect(await texts(both)).toEqual([{id: '1', is: 'one', gone: null, size: '0.5'}, {id: '2', is: 'two', gone: null, size: '1.5'}, {id: '3', is: 'three', gone: 'new', size: '2.5'}]);
      });

      test('a table without files has no rows, and its columns have their types', async () => {
        const schema = numbered({a: 'int64', s: 'utf8', d: 'decimal(38,9)'});
        const result = await run({sql: 'SELECT a, s, d FROM t', relations: {t: tableOf(schema, [])}}, schema);
        expect(await one(result, 'SELECT count(*) FROM t')).toBe(0n);
      });

      test('files in folders with names of all kinds, and names of tables and columns that are words of SQL', async () => {
        const odd = join(folder, 'a b, [c] {d} %20 #x=1 é漢');
        await mkdir(odd);
        const schema = numbered({select: 'int64', order: 'utf8'});
        const files = await filesOf(schema, "SELECT 1, 'x'", odd);
        const result = await run({sql: `SELECT ${quoted('select')}, ${quoted('order')} FROM ${quoted('group')}`, relations: {group: tableOf(schema, files)}}, schema);
        expect(await texts(result)).toEqual([{select: '1', order: 'x'}]);
      });

      test('a wide table', async () => {
        const schema = numbered(Object.fromEntries(Array.from({length: 400}, (_, index) => [`col${index}`, index % 2 ? 'utf8' : 'int64'])));
        const given = await written(schema, `SELECT ${schema.fields.map((_, index) => (index % 2 ? `'v${index}'` : index)).join(', ')}`);
        expect(await texts(await run({sql: 'SELECT * FROM t', relations: {t: given}}, schema))).toEqual(await texts(given));
      });
    });

    describe('what it writes', () => {
      test('many rows, in their order, in files that nothing else lies beside', async () => {
        const out = await newFolder();
        const paths = await engine.materialize({sql: `SELECT id FROM ${dialect.numbers(many)} ORDER BY id DESC`, relations: {}}, {folder: out, schema: int64});
        expect((await readdir(out)).map(file => join(out, file)).toSorted()).toEqual([...paths].toSorted());
        const table = tableOf(int64, paths);
        expect(await one(table, 'SELECT count(*) FROM t')).toBe(BigInt(many));
        expect(await one(table, 'SELECT bool_and(id < before) IS NOT FALSE FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before FROM (SELECT id, row_number() OVER () AS n FROM t))')).toBe(true);
      });

      test('columns are taken by place and cast to the types that are asked for', async () => {
        const schema = numbered({first: 'utf8', second: 'decimal(18,4)'});
        expect(await texts(await run({sql: `SELECT id, id + 1 FROM ${dialect.numbers(2)} ORDER BY id`, relations: {}}, schema))).toEqual([{first: '0', second: '1.0000'}, {first: '1', second: '2.0000'}]);
      });

      test('a part of nothing', async () => {
        const result = await run({sql: `SELECT id FROM ${dialect.numbers(10)} WHERE id > 100`, relations: {}}, int64);
        expect(await one(result, 'SELECT count(*) FROM t')).toBe(0n);
      });
    });

    describe('rows as Arrow', () => {
      const collect = async (query: NativeQuery): Promise<{rowCount: number; bytes: Buffer}> => {
        const pieces: Uint8Array[] = [];
        let rowCount = 0;
        for await (const piece of engine.arrow(query)) {
          pieces.push(piece.bytes);
          rowCount += piece.rowCount;
        }
        return {rowCount, bytes: Buffer.concat(pieces)};
      };

      test('are one stream', async () => {
        const {rowCount, bytes} = await collect({sql: `SELECT id, CAST(id AS string) AS s FROM ${dialect.numbers(many)}`, relations: {}});
        expect(rowCount).toBe(many);
        const table = tableFromIPC(bytes);
        expect([table.numRows, table.schema.fields.map(field => field.name)]).toEqual([many, ['id', 's']]);
        let sum = 0n;
        for (const batch of table.batches) for (const value of batch.getChildAt(0)!.data[0]!.values as BigInt64Array) sum += value;
        expect(sum).toBe((BigInt(many) * BigInt(many - 1)) / 2n);
      });

      test('without rows they still have columns', async () => {
        const {rowCount, bytes} = await collect({sql: `SELECT id FROM ${dialect.numbers(1)} WHERE id > 5`, relations: {}});
        expect([rowCount, tableFromIPC(bytes).schema.fields.map(field => field.name)]).toEqual([0, ['id']]);
      });

      test('who stops reading stops the statement', async () => {
        for await (const piece of engine.arrow({sql: `SELECT id FROM ${dialect.numbers(many)}`, relations: {}})) if (piece.rowCount > 0) break;
        expect((await engine.status()).running).toEqual([]);
      });
    });

    describe('failures', () => {
      const t = (): Promise<Table> => written(numbered({v: 'utf8'}), "SELECT '1' UNION ALL SELECT 'no number'");

      test.each([['a word too many', 'SELECT 1 AS a FROM FROM'], ['a column that is not there', 'SELECT\n  nothing FROM t'], ['a table that is not there', 'SELECT * FROM nowhere']])('%s is told before anything runs', async (_what, sql) => {
        await expect(engine.check({sql, relations: {t: await t()}})).rejects.toMatchObject({code: 'SQL_INVALID'});
      });

      test('a row that cannot be computed fails the statement, and nothing is left behind', async () => {
        const out = await newFolder();
        const failed = engine.materialize({sql: dialect.failing, relations: {t: await t()}}, {folder: out, schema: numbered({x: 'int64'})});
        await expect(failed).rejects.toMatchObject({code: 'SQL_FAILED', message: expect.stringContaining('no number')});
        expect(await readdir(out)).toEqual([]);
      });

      test('files that are not there are told as such', async () => {
        const missing = tableOf(int64, [join(folder, 'nowhere.parquet')]);
        const query = {sql: 'SELECT id FROM t', relations: {t: missing}};
        await expect(engine.check(query)).rejects.toMatchObject({code: 'ENGINE_FILES_UNREACHABLE'});
        await expect(run(query, int64)).rejects.toMatchObject({code: 'ENGINE_FILES_UNREACHABLE'});
      });

      test('it goes on after failures', async () => {
        expect(await texts(await run({sql: `SELECT id FROM ${dialect.numbers(1)}`, relations: {}}, int64))).toEqual([{id: '0'}]);
      });
    });

    describe('while it works', () => {
      const endless = (signal: AbortSignal, more: object = {}): Promise<readonly string[]> =>
        newFolder().then(out => engine.materialize({sql: dialect.endless, relations: {}}, {folder: out, schema: int64}, {signal, label: 'a long one', ...more}));

      test('a statement is shown, tells how far it is, and is cancelled', async () => {
        const cancel = new AbortController();
        const fractions: number[] = [];
        const work = endless(cancel.signal, {onProgress: (fraction: number) => fractions.push(fraction)});
        const settled = work.catch((error: unknown) => error);
        while (engine.capabilities.progress && fractions.length === 0) await sleep(50);
        while ((await engine.status()).running.length === 0) await sleep(50);
        expect((await engine.status()).running).toEqual([expect.objectContaining({label: 'a long one'})]);
        const reason = new Error('enough');
        cancel.abort(reason);
        expect(await settled).toBe(reason);
        expect((await engine.status()).running).toEqual([]);
        expect(fractions.every((fraction, index) => fraction >= (fractions[index - 1] ?? 0) && fraction < 1)).toBe(true);
      });

      test('a time-out ends it', async () => {
        await expect(endless(AbortSignal.timeout(1_500))).rejects.toMatchObject({name: 'TimeoutError'});
      });

      test('a signal that was given before it began', async () => {
        await expect(endless(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
      });

      test('20 at once', async () => {
        const results = await Promise.all(Array.from({length: 20}, (_, index) => run({sql: `SELECT id + ${index} AS id FROM ${dialect.numbers(100)}`, relations: {}}, int64)));
        expect(await Promise.all(results.map(table => one(table, 'SELECT sum(id) FROM t')))).toEqual(results.map((_, index) => BigInt(4950 + 100 * index)));
        expect((await engine.status()).running).toEqual([]);
      });
    });
  });
}

/** A type in the words of the embedded engine. */
function sqlOf(type: DataType): string {
  switch (type.kind) {
    case 'list': return `${sqlOf(type.element.type)}[]`;
    case 'struct': return `STRUCT(${type.fields.map(field => `${field.name} ${sqlOf(field.type)}`).join(', ')})`;
    case 'map': return `MAP(${sqlOf(type.key.type)}, ${sqlOf(type.value.type)})`;
    case 'decimal': return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'timestamp': return type.zoned ? 'TIMESTAMPTZ' : 'TIMESTAMP';
    case 'int': return {8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT'}[type.bits];
    case 'float': return type.bits === 32 ? 'FLOAT' : 'DOUBLE';
    case 'bool': return 'BOOLEAN';
    case 'binary': return 'BLOB';
    case 'date': return 'DATE';
    default: return 'VARCHAR';
  }
}

const cell = (type: string, value: string): string => `CAST(${value} AS ${sqlOf(parseTypeName(type)!)})`;

/** Some columns of random types, with values of each at random, and nulls. */
function randomRows(random: Random, usable: readonly (readonly [type: string, values: readonly string[]])[]): {schema: Schema; sql: string} {
  const chosen = Array.from({length: random.integer(1, 6)}, () => random.pick(usable));
  const schema = numbered({place: 'int64', ...Object.fromEntries(chosen.map(([type], index) => [`v${index}`, type]))});
  const rows = Array.from({length: random.integer(1, 30)}, (_, row) => `SELECT ${row} AS place, ${chosen.map(([type, values], index) => `${cell(type, random.chance(0.2) ? 'NULL' : random.pick(values))} AS v${index}`).join(', ')}`);
  return {schema, sql: rows.join(' UNION ALL ')};
}
