import {open} from 'node:fs/promises';
import {dirname} from 'node:path';
import {DuckDBInstance} from '@duckdb/node-api';
import {threads} from './app.mjs';

/** DuckDB without Millrace, with as many threads. */
export async function bareDuckDb() {
  const instance = await DuckDBInstance.create(':memory:', {threads: String(threads), preserve_insertion_order: 'true', validate_external_file_cache: 'NO_VALIDATION'});
  return {connection: await instance.connect(), close: () => instance.closeSync()};
}

/** How Millrace writes Parquet. */
export const parquetOptions = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880';

/** Puts a file and its folder on the disk, as Millrace does. */
export async function toDisk(/** @type {string} */ path) {
  for (const each of [path, dirname(path)]) {
    const handle = await open(each, 'r');
    await handle.sync();
    await handle.close();
  }
}
