/**
 * Random tables in random dialects come back through sources and engine. Nothing differs in silence: a column is what was written, or it
 * is the text that was written, or the file is refused. Sixty tables, always the same; MILLRACE_PROPERTY_SECONDS tries others for as long, MILLRACE_PROPERTY_SHOW=1 tells what
 * is not identical.
 */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import {createHiveEngine} from '../../src/engines/hive/engine.ts';
import type {Engine, SqlValue} from '../../src/engines/engine.ts';
import {typeName} from '../../src/schemas/schema.ts';
import {sourceKinds} from '../../src/sources/kinds.ts';
import type {Sources} from '../../src/sources/source.ts';
import {createSources} from '../../src/sources/sources.ts';
import {randomTable} from '../support/random-tables.ts';
import type {RandomColumn, RandomTable, Value} from '../support/random-tables.ts';

const seconds = Number(process.env.MILLRACE_PROPERTY_SECONDS ?? 0);

let folder: string;
let engine: Engine;
let sources: Sources;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-property-'));
  await mkdir(join(folder, 'scratch'));
  engine = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 2});
  await engine.start();
  sources = createSources(sourceKinds({projectFolder: folder, roots: [], maxExpansion: 200, importArrow: (path, out) => engine.importArrow(path, out), metastore: createHiveEngine({url: null, sessions: 1, scratchFolder: ''}).metastore, findUpload: async () => null}));
});
afterAll(async () => {
  await engine.stop();
  await rm(folder, {recursive: true});
});

interface Outcome {
  readonly identical: number;
  /** Columns that are text instead, each text as it was written; or of a file that was refused. */
  readonly told: readonly string[];
  /** What differs, and nothing tells of it. */
  readonly silent: readonly string[];
}

async function outcome(table: RandomTable): Promise<Outcome> {
  await writeFile(join(folder, table.file), table.content);
  const refused = ({code, message}: {code?: string; message: string}): Outcome => {
    // A code of the sources' own, told to the user; anything else is a defect.
    if (!code?.startsWith('SOURCE_')) throw new Error(`${table.dialect}: ${code}: ${message}`);
    return {identical: 0, told: table.columns.map(() => `${code}: ${message}`), silent: []};
  };
  const opened = await sources.open({path: table.file}, join(folder, 'scratch')).catch((error: {code?: string; message: string}) => error);
  if (!('raw' in opened)) return refused(opened);
  try {
    const detection = await engine.sniff(opened.raw).catch((error: {code?: string; message: string}) => error);
    if (!('raw' in detection)) return refused(detection);
    const rows = await engine.rows({sql: 'FROM r', relations: {r: detection.raw}});
    const result = {identical: 0, told: [] as string[], silent: [] as string[]};
    if (rows.length !== table.rowCount || detection.rowCount !== table.rowCount || detection.schema.fields.length !== table.columns.length) {
      return {...result, silent: [`${rows.length} rows (${detection.rowCount} counted) of ${detection.schema.fields.length} columns instead of ${table.rowCount} of ${table.columns.length}`]};
    }
    table.columns.forEach((column, index) => {
      const field = detection.schema.fields[index]!;
      const source = field.sourceName ?? field.name;
      const type = typeName(field.type);
      const values = rows.map(row => row[source]!);
      const named = !table.header || source === column.name;
      if (named && isType(type, column) && values.every((value, row) => same(value, column.values[row]!))) result.identical++;
      else if (named && type === 'utf8' && values.every((value, row) => value === column.texts[row])) result.told.push(`${column.kind} as text: ${detection.evidence[index]!.evidence.map(({detail}) => detail).join('; ')}`);
      else {
        const at = values.findIndex((value, row) => !same(value, column.values[row]!));
        result.silent.push(`${column.name} (${column.kind}) is '${source}' ${type}: ${JSON.stringify(column.texts[at])} became ${String(values[at])}`);
      }
    });
    return result;
  } finally {
    await opened.close();
    await rm(join(folder, table.file));
  }
}

/** A column of one or two values may be of a narrower type than its kind; that is as right. */
const isType = (type: string, {type: expected, kind}: RandomColumn): boolean =>
  type === expected || (expected === 'decimal' && type.startsWith('decimal(')) || (kind === 'exponent' && type === 'float64');

function same(found: SqlValue, written: Value): boolean {
  if (found === null || written === null) return found === written;
  if (typeof written === 'number') return Number(found) === written;
  if (typeof written === 'bigint') return BigInt(found as bigint) === written;
  return String(found).replace(/\.0+$/, '') === String(written) || String(found).replace(/(\.\d*?)0+$/, '$1') === String(written).replace(/(\.\d*?)0+$/, '$1');
}

test('tables come back as they were written', async () => {
  const totals = {columns: 0, identical: 0, tables: 0};
  const told: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.nat(), async seed => {
      const table = randomTable(seed);
      const found = await outcome(table);
      if (found.silent.length > 0) throw new Error(`seed ${seed}, ${table.dialect}: ${found.silent.join('; ')}`);
      totals.tables++;
      totals.columns += table.columns.length;
      totals.identical += found.identical;
      told.push(...found.told.map(reason => `seed ${seed}, ${table.dialect}: ${reason}`));
    }),
    {endOnFailure: true, ...(seconds === 0 ? {numRuns: 60, seed: 1} : {numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false})},
  );
  const share = totals.identical / totals.columns;
  process.stdout.write(`${(share * 100).toFixed(2)} % of ${totals.columns} columns of ${totals.tables} random tables are identical\n`);
  if (process.env.MILLRACE_PROPERTY_SHOW) process.stdout.write(`${told.join('\n')}\n`);
  expect({share, told: share < 0.98 ? told.slice(0, 10) : []}).toEqual({share: expect.any(Number), told: []});
}, seconds * 1000 + 60_000);

test('of a file that is sampled too', async () => {
  for (const seed of [1, 2]) {
    const table = randomTable(seed, 6_000);
    const {silent, told} = await outcome(table);
    expect({seed, silent, told}).toEqual({seed, silent: [], told: []});
  }
}, 60_000);

test('what only the last row has decides as well', async () => {
  const file = join(folder, 'late.csv');
  const lines = Array.from({length: 60_000}, (_, index) => `${index},${index},${index % 90 + 10},2001-02-03,x`);
  await writeFile(file, `a,b,c,d,e\n${lines.join('\n')}\n3000000000,1.5,007,NA,\n`);
  const {schema, profile, evidence} = await engine.sniff({kind: 'raw', format: 'csv', files: [file], options: {}});
  expect(schema.fields.map(({name, type, nullable}) => `${name} ${typeName(type)}${nullable ? '?' : ''}`)).toEqual(['a int64', 'b float64', 'c utf8', 'd date?', 'e utf8?']);
  expect(profile.map(({nulls}) => nulls)).toEqual([0, 0, 0, 1, 1]);
  expect(evidence.map(({evidence: all}) => all.map(({rule, count}) => `${rule} ${count}`))).toEqual([['wide_integer null'], [], ['leading_zeros 1'], ['null_words 1'], []]);
}, 60_000);
