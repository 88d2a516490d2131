/** The same statement on the embedded engine and on another, over the same files. */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createDuckDbEngine} from '../../../src/engines/duckdb/engine.ts';
import type {Engine, Query, Table} from '../../../src/engines/engine.ts';
import {translate} from '../../../src/engines/portable/translate.ts';
import type {RemoteEngine} from '../../../src/engines/remote-engine.ts';
import {identifier, literal, sqlType} from '../../../src/engines/sql-text.ts';
import type {Schema} from '../../../src/schemas/schema.ts';

export interface Bench {
  readonly duck: Engine;
  readonly folder: string;
  table(sql: string, schema: Schema): Promise<Table>;
  /** The rows that are not in both, as text; empty: the answers are equal as multisets, floating-point numbers to 10 digits. */
  differences(sql: string, relations: Query['relations'], remote: RemoteEngine): Promise<string[]>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-portable-'));
  const duck = createDuckDbEngine({allowedFolders: [folder, process.cwd()], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 3});
  await duck.start();
  let made = 0;
  const newFolder = async () => {
    const path = join(folder, `${++made}`);
    await mkdir(path);
    return path;
  };
  return {
    duck,
    folder,
    async table(sql, schema) {
      const columns = schema.fields.map(({name, type}) => `CAST(${identifier(name)} AS ${sqlType(type)}) AS ${identifier(name)}`);
      const named = `SELECT ${columns.join(', ')} FROM (${sql}) AS r(${schema.fields.map(field => identifier(field.name)).join(', ')})`;
      const files = await duck.materialize({sql: named, relations: {}}, {folder: await newFolder(), schema});
      return {kind: 'table', schema, files: files.map(file => ({...file, firstRowId: 0, rowIds: 'positional'}))};
    },
    async differences(sql, relations, remote) {
      const query: Query = {sql, relations};
      const described = await duck.describe(query);
      const native = translate(await duck.syntax(sql), query, described, remote.name);
      const theirs = await outcome(async () => {
        const pieces: Uint8Array[] = [];
        for await (const {bytes} of remote.arrow(native)) pieces.push(bytes);
        const path = join(await newFolder(), 'theirs');
        await writeFile(`${path}.arrow`, Buffer.concat(pieces));
        await duck.importArrow(`${path}.arrow`, `${path}.parquet`);
        return `${path}.parquet`;
      });
      const ours = await outcome(async () => {
        const [file] = await duck.materialize(query, {folder: await newFolder(), schema: {fields: described.fields.map((field, index) => ({...field, id: index + 1}))}});
        return file!.path;
      });
      // What fails here may fail there; that it fails is the same.
      if (ours.error !== undefined && theirs.error !== undefined) return [];
      if (ours.error !== undefined || theirs.error !== undefined) return [`here ${ours.error ?? 'it has rows'}`, `there ${theirs.error ?? 'it has rows'}`, native.sql];
      const [a, b] = await Promise.all([ours.value, theirs.value].map(file => comparable(duck, file, described)));
      const lines = differing(a!, b!);
      return lines.length === 0 ? [] : [...lines, native.sql];
    },
    async close() {
      await duck.stop();
      await rm(folder, {recursive: true, force: true});
    },
  };
}

type Outcome = {readonly value: string; readonly error?: undefined} | {readonly value?: undefined; readonly error: string};

const outcome = (work: () => Promise<string>): Promise<Outcome> => work().then(value => ({value}), error => ({error: String(error instanceof Error ? error.message : error).slice(0, 600)}));

/** Each row as a text, the columns by their place and of the types of the schema. */
async function comparable(duck: Engine, file: string, schema: Schema): Promise<string[]> {
  const names = schema.fields.map((_, index) => identifier(`c${index}`));
  const columns = schema.fields.map(({type}, index) => {
    const value = `CAST(${names[index]} AS ${sqlType(type)})`;
    return type.kind === 'float' ? `CASE WHEN isnan(${value}) THEN 'nan' WHEN isfinite(${value}) THEN printf('%.9e', ${value} + 0.0) ELSE CAST(${value} AS VARCHAR) END` : `CAST(${value} AS VARCHAR)`;
  });
  const rows = await duck.rows({sql: `SELECT [${columns.join(', ')}]::VARCHAR AS line FROM read_parquet(${literal(file)}) AS r(${names.join(', ')})`, relations: {}});
  return rows.map(row => String(row.line)).sort();
}

function differing(ours: readonly string[], theirs: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of ours) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of theirs) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts].filter(([, count]) => count !== 0).slice(0, 8).map(([line, count]) => `${count > 0 ? 'only here' : 'only there'}: ${line}`);
}
