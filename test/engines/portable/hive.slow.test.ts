/** Every statement of the portable core that Hive has gives the same rows there. */
import {join} from 'node:path';
import type {Table} from '../../../src/engines/engine.ts';
import {createHiveEngine} from '../../../src/engines/hive/engine.ts';
import type {RemoteEngine} from '../../../src/engines/remote-engine.ts';
import {startTestHive} from '../../support/hive.ts';
import type {TestHive} from '../../support/hive.ts';
import {cases, testSchema, testTables} from './cases.ts';
import {openBench} from './compare.ts';
import type {Bench} from './compare.ts';

let server: TestHive;
let hive: RemoteEngine;
let bench: Bench;
const tables: Record<string, Table> = {};

beforeAll(async () => {
  [server, bench] = await Promise.all([startTestHive(), openBench()]);
  hive = createHiveEngine({url: server.url, sessions: 2, scratchFolder: join(bench.folder, 'scratch')});
  await hive.start();
  for (const [name, {rows}] of Object.entries(testTables)) tables[name] = await bench.table(rows, testSchema(name));
}, 300_000);
afterAll(async () => {
  await hive?.stop();
  await Promise.all([server?.close(), bench?.close()]);
});

test.each(Object.entries(cases))('%s', async (topic, statements) => {
  const found: Record<string, string[]> = {};
  for (const sql of statements) {
    const lines = await bench.differences(sql, tables, hive).catch((error: unknown) => {
      if ((error as {code?: string}).code === 'SQL_NOT_PORTABLE' && topic !== 'plain') return [];
      throw error;
    });
    if (lines.length > 0) found[sql] = lines;
  }
  expect(found).toEqual({});
}, 200_000);
