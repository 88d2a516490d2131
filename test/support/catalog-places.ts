import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {CatalogOptions} from '../../src/catalog/create-catalog.ts';
import {createDatabase} from './postgres.ts';

/** A place for a catalog: an empty embedded folder or an empty database of the test run's PostgreSQL server. */
export interface CatalogPlace {
  readonly options: CatalogOptions;
  remove(): Promise<void>;
}

/** Both kinds of database, for `describe.each`. */
export const databases: readonly (readonly [name: string, create: () => Promise<CatalogPlace>])[] = [
  ['PGlite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'catalog-'));
    return {options: {url: null, folder, poolSize: 5}, remove: async () => rmSync(folder, {recursive: true, force: true})};
  }],
  ['PostgreSQL', async () => {
    const database = await createDatabase();
    return {options: {url: database.url, folder: tmpdir(), poolSize: 5}, remove: () => database.drop()};
  }],
];
