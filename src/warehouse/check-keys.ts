import {MillraceError} from '../core/errors.ts';
import type {Engine, Table} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import {says} from '../schemas/contract.ts';
import type {Contract} from '../schemas/contract.ts';
import {referencedKey} from './referenced-key.ts';
import type {Referenced} from './referenced-key.ts';

/**
 * Checks a dataset's whole content against its key and foreign keys, before it is committed.
 *
 * @param input.referenced the newest content of another dataset and its key
 * @throws CONTRACT_INVALID, KEY_NULL, KEY_VIOLATED, FOREIGN_KEY_VIOLATED
 */
export async function checkKeys(input: {
  dataset: string; contract: Contract; table: Table; engine: Engine; referenced: Referenced; signal?: AbortSignal;
}): Promise<void> {
  const {dataset, contract, table, engine, signal} = input;
  const columns = new Set(table.schema.fields.map(field => field.name));
  const needColumn = (column: string): void => {
    if (!columns.has(column)) throw new MillraceError('CONTRACT_INVALID', {dataset, reason: `it has no column '${column}'`});
  };
  const one = async (sql: string, relations: Record<string, Table>) => (await engine.rows({sql, relations}, {signal}))[0]!;

  const {key} = contract;
  if (key && key.length > 0) {
    key.forEach(needColumn);
    const list = key.map(identifier).join(', ');
    const nulls = await one(`SELECT ${key.map((column, index) => `count(*) FILTER (${identifier(column)} IS NULL) AS n${index}`).join(', ')} FROM this`, {this: table});
    key.forEach((column, index) => {
      if (Number(nulls[`n${index}`]) > 0) throw new MillraceError('KEY_NULL', {dataset, column, count: nulls[`n${index}`]});
    });
    // Counting distinct keys is one hash table without values; the example is looked for only when there is one.
    const distinct = await one(`SELECT (SELECT count(*) FROM this) - (SELECT count(*) FROM (SELECT DISTINCT ${list} FROM this)) AS extra`, {this: table});
    if (Number(distinct.extra) > 0) {
      const found = await one(
        `SELECT (SELECT sum(n) FROM (SELECT count(*) AS n FROM this GROUP BY ${list} HAVING n > 1)) AS count,
                (SELECT concat_ws(', ', ${list}) FROM this GROUP BY ${list} HAVING count(*) > 1 ORDER BY ${list} LIMIT 1) AS example`,
        {this: table},
      );
      throw new MillraceError('KEY_VIOLATED', {dataset, key: key.join(', '), count: found.count, example: found.example});
    }
  }

  for (const {column, references} of contract.foreignKeys ?? []) {
    needColumn(column);
    const other = references === dataset ? {table, key: key ?? []} : await input.referenced(references);
    const target = referencedKey(dataset, table.schema.fields.find(field => field.name === column)!, references, other);
    const missing = await one(
      `SELECT count(*) AS count, min(${identifier(column)}::VARCHAR) AS example FROM this
       WHERE ${identifier(column)} IS NOT NULL AND ${identifier(column)} NOT IN (SELECT ${identifier(target)} FROM other WHERE ${identifier(target)} IS NOT NULL)`,
      {this: table, other: other.table},
    );
    if (Number(missing.count) > 0) {
      throw new MillraceError('FOREIGN_KEY_VIOLATED', {dataset, column, references, count: missing.count, example: missing.example});
    }
  }
}

/**
 * Checks that rows are unique over a dataset's whole content, where its contract asks so: after a merge, or where partitions were
 * replaced, no row by itself is the one too many.
 * @throws CHECK_FAILED
 */
export async function checkUnique(input: {dataset: string; contract: Contract; table: Table; engine: Engine; signal?: AbortSignal}): Promise<void> {
  const {dataset, contract, table, engine, signal} = input;
  for (const check of contract.checks ?? []) {
    if (!check.unique || check.severity === 'warn') continue;
    const list = check.unique.map(identifier).join(', ');
    const [twice] = await engine.rows({
      sql: `SELECT sum(n)::BIGINT AS count, min(example) AS example FROM (
        SELECT count(*) AS n, concat_ws(', ', ${list}) AS example FROM this WHERE ${check.unique.map(column => `${identifier(column)} IS NOT NULL`).join(' AND ')} GROUP BY ${list} HAVING n > 1)`,
      relations: {this: table},
    }, {signal});
    if (twice!.count !== null) throw new MillraceError('CHECK_FAILED', {dataset, checks: `${twice!.count} rows break '${says(check)}' (for example ${twice!.example})`});
  }
}
