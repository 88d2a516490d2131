import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {errorTable} from '../../src/core/errors.ts';
// @ts-expect-error a script without types
import {errorsPage} from '../../scripts/lib/errors-page.mjs';
import {root, sourceFiles, textOf} from './sources.ts';

const codes = Object.keys(errorTable);

test('docs/errors.md is what the table prints (mend it with: npm run docs)', () => {
  expect(textOf('docs/errors.md')).toBe((errorsPage as (table: typeof errorTable) => string)(errorTable));
});

test('every code is used', () => {
  const text = sourceFiles.map(textOf).join('\n');
  expect(codes.filter((code) => !new RegExp(`['"\`]${code}['"\`]`).test(text))).toEqual([]);
});

test('every code that the documents name is in the table', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
  const unknown = pages.filter((page) => existsSync(join(root, page))).flatMap((page) =>
    [...textOf(page).matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)]
      .map((match) => match[1]!)
      .filter((name) => !/^(MILLRACE|UV|NODE)_/.test(name) && !codes.includes(name))
      .map((name) => `${page}: ${name}`));
  expect(unknown).toEqual([]);
});

test('messages and hints are sentences, and status and exit codes mean something', () => {
  for (const [code, row] of Object.entries(errorTable) as [string, {message: string; hint: string; http: number; exit?: number}][]) {
    expect({code, hint: row.hint}).toEqual({code, hint: expect.stringMatching(/[.\w}`]$/)});
    expect(row.http).toBeGreaterThanOrEqual(400);
    expect(row.http).toBeLessThan(600);
    expect(row.exit ?? 1).toBeGreaterThan(0);
  }
});
