import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {createDuckDbEngine} from '../../../src/engines/duckdb/engine.ts';
import type {Engine, Query} from '../../../src/engines/engine.ts';
import {translate} from '../../../src/engines/portable/translate.ts';
import type {RemoteName} from '../../../src/engines/remote-engine.ts';
import {aggregateTable, scalarTable} from '../../../src/engines/portable/expressions.ts';
import {cases, refused, testRelations} from './cases.ts';

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-portable-'));
  engine = createDuckDbEngine({allowedFolders: [folder], threads: 1, tempFolder: join(folder, 'tmp'), maxQueries: 2});
  await engine.start();
});
afterAll(async () => {
  await engine.stop();
  rmSync(folder, {recursive: true});
});

async function translated(sql: string, remote: RemoteName, params: Query['params'] = []): Promise<string> {
  const query: Query = {sql, relations: testRelations, params};
  return translate(await engine.syntax(sql), query, await engine.describe(query), remote).sql;
}

describe.each(['spark'] as const)('%s', remote => {
  test.each(Object.entries(cases))('writes %s as it did', async (topic, statements) => {
    const written = [];
    for (const sql of statements) written.push(`-- ${sql.replaceAll('\n', '\n-- ')}\n${await translated(sql, remote)};\n`);
    const path = join(import.meta.dirname, 'golden', remote, `${topic}.sql`);
    if (process.env.UPDATE_GOLDEN === '1') {
      mkdirSync(dirname(path), {recursive: true});
      writeFileSync(path, written.join('\n'));
    }
    expect(written.join('\n')).toBe(readFileSync(path, 'utf8'));
  });

  test.each(refused)('refuses %s', async (sql, construct, place) => {
    await expect(translated(sql, remote)).rejects.toMatchObject({code: 'SQL_NOT_PORTABLE', message: expect.stringContaining(`${construct}${place === '' ? '' : ` (${place})`}`)});
  });
});

test('a parameter is a literal of its type', async () => {
  const sql = 'SELECT id FROM edges WHERE dt < CAST($1 AS DATE) AND s = $2 AND i64 > CAST($3 AS BIGINT) AND f64 < CAST($4 AS DOUBLE) AND b = CAST($5 AS BOOLEAN)';
  expect(await translated(sql, 'spark', ['2001-06-30', `it's \\ \${x}`, 9_007_199_254_740_993n, 0.5, true])).toBe(
    "SELECT `edges`.`id` AS `id`\nFROM `edges`\nWHERE (`edges`.`dt` < DATE '2001-06-30') AND (`edges`.`s` = 'it\\'s \\\\ \\u0024{x}') AND (`edges`.`i64` > 9007199254740993L) AND (`edges`.`f64` < 5E-1D) AND (`edges`.`b` = TRUE)",
  );
});

test('a refusal says engine, place and what to do', async () => {
  await expect(translated('SELECT reverse(s) FROM edges', 'spark')).rejects.toMatchObject({
    message: "The SQL cannot be run on spark: the function 'reverse' (line 1, column 8) is not in the portable core.",
    hint: expect.stringContaining("variants: {spark: '…'}"),
    details: {line: 1, column: 8, engine: 'spark'},
  });
});

test('the page of the portable core lists its functions', () => {
  const path = join(import.meta.dirname, '../../../docs/portable-sql.md');
  const page = readFileSync(path, 'utf8');
  const rows = [...scalarTable, ...aggregateTable].map(([name, forms]) => {
    const parts = [...new Set(forms.flatMap(form => /'(\w+)'/.exec(form.is)?.[1] ?? []))];
    const takes = [...new Set(forms.map(form => form.is.slice(name.length).replace(/'\w+'/, 'part')))].map(form => `\`${form}\``);
    const engines = (['spark', 'hive'] as const).filter(engine => forms.some(form => form[engine] !== undefined));
    const notes = [...new Set(forms.flatMap(form => form.note ?? []))];
    if (parts.length > 0) notes.push(`of the parts ${parts.join(', ')}; those of the clock only of timestamps`);
    return `| \`${name}\` | ${takes.join(' ')}${notes.length > 0 ? `, ${notes.join(', ')}` : ''} | ${engines.join(', ')} |`;
  });
  const table = ['<!-- functions -->', '', '| function | forms | engines |', '|---|---|---|', ...rows.sort(), '', '<!-- /functions -->'].join('\n');
  const written = page.replace(/<!-- functions -->[\s\S]*<!-- \/functions -->/, () => table);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, written);
  expect(readFileSync(path, 'utf8')).toBe(written);
});
