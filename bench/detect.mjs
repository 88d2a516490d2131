/** Detection of a CSV of 100 MB, beside one scan of it by DuckDB that is told the types: a count, and the bounds of each column. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {bareDuckDb} from './lib/bare-duckdb.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {takeTurns} from './lib/turns.mjs';

export const title = 'Detection of a CSV of 100 MB (1.1 million rows, ten columns), every row looked at';
export const conditions =
  'Both read the same file with two threads. Millrace opens it (SHA-256, encoding), tells dialect, types, nulls and their evidence, and proves them on all rows, with distinct counts; DuckDB is told the types and computes a count, minimum and maximum of each column.';

const rows = 1_100_000;
const columns = {id: 'INTEGER', account: 'BIGINT', zip: 'VARCHAR', name: 'VARCHAR', price: 'DOUBLE', share: 'DOUBLE', day: 'DATE', seen: 'TIMESTAMP', open: 'BOOLEAN', kind: 'VARCHAR'};

/** @param {string} folder */
async function makeFile(folder) {
  mkdirSync(folder, {recursive: true});
  const path = join(folder, 'orders.csv');
  const {connection, close} = await bareDuckDb();
  await connection.run(`COPY (
    SELECT i AS id, 1000000000000000000 + hash(i) % 8000000000000000000 AS account, lpad((hash(i + 1) % 99999)::VARCHAR, 5, '0') AS zip, 'name of ' || (hash(i + 2) % 40000) AS name,
      round((hash(i + 3) % 1000000) / 100.0, 2) AS price, CASE WHEN hash(i + 4) % 10 = 0 THEN NULL ELSE (hash(i + 4) % 100000) / 100000.0 END AS share,
      DATE '2001-01-01' + (hash(i + 5) % 7000)::INTEGER AS day, TIMESTAMP '2001-01-01' + to_seconds((hash(i + 6) % 500000000)::BIGINT) AS seen, hash(i + 7) % 3 = 0 AS open,
      ['small', 'medium', 'large', 'None'][1 + (hash(i + 8) % 4)::INTEGER] AS kind
    FROM range(${rows}) AS numbers (i)) TO '${path}' (HEADER)`);
  close();
  return path;
}

export const sides = {
  async millrace(folder) {
    const path = await makeFile(folder);
    const {createDuckDbEngine} = await import('../dist/engines/duckdb/engine.js');
    const {sourceKinds} = await import('../dist/sources/kinds.js');
    const {createSources} = await import('../dist/sources/sources.js');
    const engine = createDuckDbEngine({allowedFolders: [folder], threads: 2, tempFolder: join(folder, 'tmp'), maxQueries: 2});
    await engine.start();
    const sources = createSources(sourceKinds({projectFolder: folder, roots: [], maxExpansion: 200, importArrow: (from, to) => engine.importArrow(from, to), findUpload: async () => null}));
    return {
      async run() {
        const opened = await sources.open({path}, folder);
        const {rowCount} = await engine.sniff(opened.raw);
        if (rowCount !== rows) throw new Error(`${rowCount} rows`);
        await opened.close();
      },
      stop: () => engine.stop(),
    };
  },
  async duckdb(folder) {
    const path = await makeFile(folder);
    const {connection, close} = await bareDuckDb();
    const types = Object.entries(columns).map(([name, type]) => `'${name}': '${type}'`).join(', ');
    const bounds = Object.keys(columns).map(name => `min("${name}"), max("${name}")`).join(', ');
    return {
      run: async () => void (await connection.runAndReadAll(`SELECT count(*), ${bounds} FROM read_csv('${path}', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', columns = {${types}})`)),
      stop: close,
    };
  },
};

export async function run({progress}) {
  const {millrace, duckdb} = await takeTurns(import.meta.url, ['millrace', 'duckdb'], {rounds: 7, progress});
  return [
    line('Millrace / one typed scan by DuckDB', millrace.rounds.map((round, index) => round.milliseconds / duckdb.rounds[index].milliseconds), ratio, 2),
    line('Millrace', millrace.rounds.map(round => round.milliseconds), milliseconds),
    line('one typed scan by DuckDB', duckdb.rounds.map(round => round.milliseconds), milliseconds),
    line('peak memory, Millrace', [millrace.peakMemory], megabytes, 1e9),
    line('peak memory, DuckDB', [duckdb.peakMemory], megabytes),
  ];
}
