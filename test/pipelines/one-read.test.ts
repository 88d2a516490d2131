/** A file is staged while its columns are proven; where its sample was wrong about a row it is read again, and the result is the same. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {App} from '../../src/compose.ts';
import {typeName} from '../../src/schemas/schema.ts';
import {useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';
import {runner} from '../support/runs.ts';

let project: Project;
let app: App;
let sniffed = 0;
const {put, run, rows, plan} = runner(() => app);
useApp(started => {
  ({project, app} = started);
  const {engine} = app.services;
  const {sniff} = engine;
  engine.sniff = (...given) => {
    sniffed++;
    return sniff(...given);
  };
});

/** Rows of which the sample sees a part. */
const many = 40_000;
const odd = 31_234;
const filler = 'x'.repeat(20);

/** Ingests a file of many rows; `value` of the one at `odd` is what only a look at every row tells. */
async function load(name: string, value: (index: number) => string, more: object = {}) {
  project.write(`${name}.csv`, `id,v,filler\n${Array.from({length: many}, (_, index) => `${index},${value(index)},${filler}`).join('\n')}\n`);
  await put(`load_${name}`, [{kind: 'ingest', name: 'load', source: {path: `${name}.csv`}, into: name, ...more}]);
  const before = sniffed;
  const ended = await run(`load_${name}`);
  expect([ended.run.status, ended.run.error?.message]).toEqual(['succeeded', undefined]);
  const {schema, id} = await app.services.warehouse.resolve(name);
  const {type, nullable} = schema.fields.find(field => field.name === 'v')!;
  return {
    reads: 1 + sniffed - before, v: `${typeName(type)}${nullable ? ' or null' : ''}`, logs: ended.logs,
    at: (await rows(name, `SELECT count(*) AS n, count(v) AS present, max(v::VARCHAR) FILTER (id = ${odd}) AS v FROM ${name}`))[0]!,
    files: readdirSync(app.services.warehouse.pathOf(`data/${name}/${id}`)).filter(file => !file.startsWith('manifest')),
  };
}

const all = {n: many, present: many};
const files = ['part-00000.parquet'];

test('what the sample says of all rows is read once', async () => {
  expect(await load('whole', String)).toEqual({reads: 1, v: 'int32', logs: [], at: {...all, v: String(odd)}, files});
  expect(await load('exact', index => `${100_000 + index}.12345678901`)).toMatchObject({reads: 1, v: 'decimal(18,11)', at: {...all, v: `${100_000 + odd}.12345678901`}});
  expect(await load('zero', index => (index % 2 === 0 ? `${index}.25` : '0.00'))).toMatchObject({reads: 1, v: 'float64', at: {...all}});
  expect(await load('gaps', index => (index === odd ? '' : '2001-01-01'))).toMatchObject({reads: 1, v: 'date or null', at: {n: many, present: many - 1, v: null}});
  expect(await load('codes', index => String(index).padStart(9, '0'))).toMatchObject({reads: 1, v: 'utf8', at: {...all, v: String(odd).padStart(9, '0')}});
  expect(await load('missing', index => (index % 50 === 0 ? 'NA' : String(index)))).toMatchObject({reads: 1, v: 'int32 or null', at: {n: many, present: many - many / 50}});
}, 180_000);

test('a row that shows otherwise has it read again', async () => {
  const at = (index: number, value: string): string => (index === odd ? value : String(index));
  expect(await load('wide', index => at(index, '9999999999'))).toMatchObject({reads: 2, v: 'int64', at: {...all, v: '9999999999'}, files});
  expect(await load('code', index => at(index, '007'))).toMatchObject({reads: 2, v: 'utf8', at: {...all, v: '007'}});
  expect(await load('zeros', index => (index === odd ? '00' : index % 2 === 0 ? `${index}.25` : '0'))).toMatchObject({reads: 2, v: 'utf8', at: {...all, v: '00'}});
  expect(await load('floating', index => (index === odd ? '007' : `${index}.5`))).toMatchObject({reads: 2, v: 'utf8', at: {...all, v: '007'}});
  const {logs, ...mixed} = await load('mixed', index => at(index, 'seven'));
  expect(mixed).toMatchObject({reads: 2, v: 'utf8', at: {...all, v: 'seven'}});
  expect(logs).toEqual([expect.stringMatching(/^warn: v: most values are int64, .*'seven'.*kept as text$/)]);
  expect(await load('word', index => at(index, 'NA'))).toMatchObject({reads: 2, v: 'int32 or null', at: {n: many, present: many - 1, v: null}});
  expect(await load('digits', index => (index === odd ? '0.12345678901234567890123' : `${index}.5`))).toMatchObject({reads: 2, v: 'decimal(38,23)', at: {...all, v: '0.12345678901234567890123'}});
}, 180_000);

test('a word that the user said is null may look like a value', async () => {
  const value = (index: number): string => (index === odd || index % 50 === 0 ? '-999' : String(index));
  expect(await load('said', value, {options: {nulls: ['-999']}})).toMatchObject({reads: 1, v: 'int32 or null', at: {n: many, present: many - many / 50 - 1, v: null}});
  // What the sample does not have is found as well.
  const rare = await load('rare', index => (index === odd ? '-999' : String(index)), {options: {nulls: ['-999']}});
  expect(rare).toMatchObject({v: 'int32 or null', at: {n: many, present: many - 1, v: null}});
  const {profile} = await app.services.engine.sniff({kind: 'raw', format: 'csv', files: [join(project.folder, 'rare.csv')], options: {nulls: ['-999']}});
  expect(profile[1]).toMatchObject({name: 'v', nulls: 1, min: '0'});
}, 180_000);

test('columns that a dataset has already keep their types and places; what is reused or only planned is not staged', async () => {
  const value = (index: number): string => (index === 0 ? '9999999999' : String(index));
  expect(await load('grown', value)).toMatchObject({reads: 1, v: 'int64'});
  expect(await load('grown', String, {mode: 'append'})).toMatchObject({reads: 1, v: 'int64', at: {n: 2 * many, present: 2 * many}});
  expect(await load('whole', String)).toMatchObject({reads: 1});
  const before = sniffed;
  expect((await run('load_whole')).steps.load!.reused).toBe(true);
  expect(sniffed).toBe(before);
  expect((await plan('load_code'))[0]).toMatchObject({action: 'reuse'});
  expect(sniffed).toBe(before + 1);
}, 180_000);
