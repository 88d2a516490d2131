/** A file of the user's own, in each format, is typed rows of the graph a moment later, without a restart. */
import {gzipSync, zstdCompressSync} from 'node:zlib';
import {DuckDBInstance} from '@duckdb/node-api';
import {tableFromArrays, tableToIPC} from 'apache-arrow';
import {collect, data, runEvents, useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

const rows = [{id: 1, name: 'Zürich, "HB"', zip: '08001', ratio: 0.5}, {id: 2, name: 'line\nbreak', zip: '00501', ratio: -2.25}];
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = (delimiter: string): string => ['id name zip ratio'.replaceAll(' ', delimiter), ...rows.map(row => [row.id, quote(row.name), row.zip, row.ratio].join(delimiter))].join('\n');
const ndjson = rows.map(row => JSON.stringify(row)).join('\n');

describe('ingest', () => {
  let project: Project;
  let url: string;

  /** Ingests and waits; answers the run's last event, or the failure. */
  const ingest = async (input: Record<string, unknown>): Promise<Record<string, any>> => {
    const answer = await data(url, `mutation($input: IngestInput!) { ingest(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message hint } } }`, {input});
    if (!answer.ingest.run) return answer.ingest;
    const events = await collect(url, runEvents, {id: answer.ingest.run.id, after: '0'});
    return events.at(-1)!.runEvents.run;
  };

  useApp(started => ({project, url} = started));

  test('reads each format to the same typed rows', async () => {
    project.write('comma.csv', csv(','));
    project.write('semicolon.csv', csv(';'));
    project.write('tabs.tsv', csv('\t'));
    project.write('lines.ndjson', ndjson);
    project.write('array.json', JSON.stringify(rows));
    project.write('packed.csv.gz', gzipSync(csv(',')));
    project.write('packed.ndjson.zst', zstdCompressSync(ndjson));
    project.write('table.arrow', tableToIPC(tableFromArrays({
      id: Int32Array.from(rows, row => row.id), name: rows.map(row => row.name), zip: rows.map(row => row.zip), ratio: Float64Array.from(rows, row => row.ratio),
    }), 'file'));
    const duckdb = await DuckDBInstance.create(':memory:');
    const connection = await duckdb.connect();
    await connection.run(`COPY (SELECT id::INTEGER AS id, name, zip, ratio FROM read_json('${project.folder}/array.json', columns = {id: 'INTEGER', name: 'VARCHAR', zip: 'VARCHAR', ratio: 'DOUBLE'})) TO '${project.folder}/table.parquet'`);
    connection.closeSync();
    duckdb.closeSync();

    const files = ['comma.csv', 'semicolon.csv', 'tabs.tsv', 'lines.ndjson', 'array.json', 'packed.csv.gz', 'packed.ndjson.zst', 'table.arrow', 'table.parquet'];
    for (const [index, path] of files.entries()) {
      expect([path, await ingest({source: {path}, into: `file_${index}`})]).toEqual([path, {status: 'SUCCEEDED', error: null}]);
    }
    const answer = await data(url, `{ ${files.map((_, index) => `file_${index}(order_by: [{id: asc}]) { id name zip ratio }`).join(' ')} }`);
    for (const [index, path] of files.entries()) expect([path, answer[`file_${index}`]]).toEqual([path, rows]);
  }, 120_000);

  test('takes a pattern, an upload, and appends', async () => {
    project.write('days/1.csv', 'day,n\n2001-01-01,1\n');
    project.write('days/2.csv', 'day,n\n2001-01-02,2\n');
    expect(await ingest({source: {path: 'days/*.csv'}, into: 'days', key: ['day']})).toMatchObject({status: 'SUCCEEDED'});
    const upload = await fetch(`${url}/uploads?name=3.csv`, {method: 'POST', body: 'day,n\n2001-01-03,3\n', headers: {'content-type': 'text/csv'}});
    const {id} = (await upload.json()) as {id: string};
    expect(await ingest({source: {upload: id}, into: 'days', mode: 'APPEND', key: ['day']})).toMatchObject({status: 'SUCCEEDED'});
    const {days, days_by_pk} = await data(url, `{ days(order_by: [{day: asc}]) { _row_id day n } days_by_pk(day: "2001-01-03") { n } }`);
    expect(days.map((row: any) => [row._row_id, row.day, row.n])).toEqual([['0', '2001-01-01', 1], ['1', '2001-01-02', 2], ['2', '2001-01-03', 3]]);
    expect(days_by_pk).toEqual({n: 3});
    // The same once more breaks the key, and nothing is lost.
    expect(await ingest({source: {upload: id}, into: 'days', mode: 'APPEND', key: ['day']})).toMatchObject({status: 'FAILED', error: {message: expect.stringContaining('2001-01-03')}});
    expect((await data(url, `{ days_aggregate { aggregate { count } } }`)).days_aggregate.aggregate.count).toBe(3);
  });

  test('types can be said, and a foreign key is a relationship at once', async () => {
    project.write('visits.csv', 'at,on\n1,2001-01-01\n2,2001-01-03\n');
    expect(await ingest({
      source: {path: 'visits.csv'}, into: 'visits', options: {types: {at: 'int64'}}, foreignKeys: [{column: 'on', references: 'days', as: 'that_day'}],
    })).toMatchObject({status: 'SUCCEEDED'});
    const {visits} = await data(url, `{ visits(order_by: [{at: asc}]) { at that_day { n } } }`);
    expect(visits).toEqual([{at: '1', that_day: {n: 1}}, {at: '2', that_day: {n: 3}}]);
    project.write('visits.csv', 'at,on\n1,2001-01-01\n2,2002-01-03\n');
    const refused = await ingest({source: {path: 'visits.csv'}, into: 'visits', foreignKeys: [{column: 'on', references: 'days', as: 'that_day'}]});
    expect(refused).toMatchObject({status: 'FAILED', error: {message: expect.stringContaining('2002-01-03')}});
    expect((await data(url, `{ visits { at } }`)).visits).toHaveLength(2);
  });

  test('nested names that are no legal GraphQL names are mapped, and brick nothing', async () => {
    project.write('odd.json', JSON.stringify([{id: 1, exports: {'./jobs': 'a.js', 'x-y': {'1st': [{'@at': 2}]}}}]));
    expect(await ingest({source: {path: 'odd.json'}, into: 'odd'})).toMatchObject({status: 'SUCCEEDED'});
    const {odd} = await data(url, `{ odd(where: {exports: {jobs: {_eq: "a.js"}}}) { id exports { jobs x_y { c1st { at } } } } }`);
    expect(odd).toEqual([{id: 1, exports: {jobs: 'a.js', x_y: {c1st: [{at: '2'}]}}}]);
  });

  test('a pipeline can be created by mutation', async () => {
    const definition = {name: 'double_days', steps: [{kind: 'sql', name: 'doubled', into: 'doubled', sql: 'SELECT day, n * 2 AS twice FROM days'}]};
    const {createPipeline} = await data(url, `mutation($definition: JSON!) { createPipeline(definition: $definition) { __typename ... on Failure { code message } } }`, {definition});
    expect(createPipeline).toEqual({__typename: 'PipelineCreated'});
    const {planRun} = await data(url, `{ planRun(input: {pipeline: "double_days"}) { ... on RunPlan { steps { name action reason rowsIn schemaChanges } } ... on Failure { code } } }`);
    expect(planRun.steps).toEqual([{name: 'doubled', action: 'EXECUTE', reason: 'the dataset does not exist yet', rowsIn: '3', schemaChanges: ['new dataset']}]);
  });
});
