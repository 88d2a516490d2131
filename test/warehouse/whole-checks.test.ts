/** What a contract says of all rows together: freshness, row counts, distributions, queries. */
import type {Check} from '../../src/schemas/contract.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

let world: WarehouseWorld;
beforeAll(async () => { world = await openWorld(); });
afterAll(async () => { await world?.close(); });

let count = 0;
/** Commits one content after the other under a check; answers the message of the failure, or 'held'. */
async function held(check: Check, ...contents: string[]): Promise<string> {
  const dataset = `whole_${count++}`;
  try {
    for (const sql of contents) await world.write(dataset, sql, {contract: {checks: [check]}});
    return 'held';
  } catch (error) {
    return `${(error as {code: string}).code}: ${(error as Error).message}`;
  }
}

test('freshness is the age of the newest value', async () => {
  const freshness = {column: 'at', hours: 30};
  expect(await held({freshness}, 'SELECT (now() - INTERVAL 29 HOUR)::TIMESTAMP AS at')).toBe('held');
  expect(await held({freshness}, 'SELECT (now() - INTERVAL 32 HOUR) AS at')).toMatch(/CHECK_FAILED: .*at is no older than 30 hours' \(the newest is .*, 32 hours old\)/);
  expect(await held({freshness}, 'SELECT NULL::DATE AS at')).toMatch(/it has no value/);
  expect(await held({freshness}, "SELECT 'x' AS at")).toMatch(/CONTRACT_INVALID: .*only a date or a timestamp can be fresh/);
});

test('row counts are bounded, and so is their change', async () => {
  const rows = (n: number) => `SELECT i FROM range(${n}) t(i)`;
  expect(await held({rowCount: {min: 3, max: 5, maxChange: 0.5}}, rows(4), rows(5), rows(3))).toBe('held');
  expect(await held({rowCount: {min: 3}}, rows(2))).toMatch(/CHECK_FAILED: .*'rows are at least 3' \(there are 2\)/);
  expect(await held({rowCount: {maxChange: 0.2}}, rows(100), rows(79))).toMatch(/rows change by at most 20 %' \(there are 79, and there were 100\)/);
  expect(await held({rowCount: {maxChange: 0.2}}, rows(100), rows(80), rows(96))).toBe('held');
});

test('a distribution is compared with the last snapshots', async () => {
  const numbers = (shift: number) => `SELECT (i * 7919 % 1000 + ${shift})::DOUBLE AS v FROM range(2000) t(i)`;
  const cities = (share: number) => `SELECT CASE WHEN i % 10 < ${share} THEN 'Bern' WHEN i % 10 < 9 THEN 'Thun' END AS v FROM range(1000) t(i)`;
  const check: Check = {distribution: {column: 'v', maxDistance: 0.2}};
  expect(await held(check, numbers(0))).toBe('held');
  expect(await held(check, numbers(0), numbers(100))).toBe('held'); // a tenth is new
  expect(await held(check, numbers(0), numbers(500))).toMatch(/CHECK_FAILED: .*the distance is 0\.4[5-9]|the distance is 0\.5/);
  expect(await held(check, cities(5), cities(6), cities(6))).toBe('held');
  expect(await held(check, cities(5), cities(8))).toMatch(/the distance is 0\.300/);
  expect(await held(check, 'SELECT NULL::INTEGER AS v', 'SELECT 1 AS v')).toMatch(/the distance is 1\.000/);
});

test('a query over the whole answers true, or the commit fails', async () => {
  expect(await held({query: 'SELECT sum(v) = 10 FROM this'}, 'SELECT 10 AS v')).toBe('held');
  expect(await held({query: 'SELECT sum(v) = 10 FROM this', name: 'it adds up'}, 'SELECT 9 AS v')).toMatch(/CHECK_FAILED: .*not 'it adds up' \(it answers false\)/);
  expect(await held({query: 'SELECT NULL FROM this'}, 'SELECT 9 AS v')).toMatch(/it answers NULL/);
  expect(await held({query: 'SELECT true FROM other'}, 'SELECT 9 AS v')).toMatch(/CHECK_BROKEN: .*it reads 'other'/);
  expect(await held({query: 'SELECT v::DATE IS NULL FROM this'}, "SELECT 'x' AS v")).toMatch(/CHECK_BROKEN/);
});

test('a warning is told, and the commit stands', async () => {
  const prepared = await world.prepare('warned', 'SELECT 1 AS v', {contract: {checks: [{rowCount: {min: 5}, severity: 'warn'}]}});
  expect(prepared.findings).toEqual([{says: 'rows are at least 5', fate: 'warn', rows: null, example: 'there are 1'}]);
  await world.commit(prepared);
  expect(await world.rows('warned')).toEqual([expect.objectContaining({v: 1})]);
});
