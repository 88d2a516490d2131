import {spawnSync} from 'node:child_process';
import {basename} from 'node:path';
import {root, sourceFiles, textOf} from './sources.ts';

/** Files that are longer than others may be, and why. */
const longFiles: Readonly<Record<string, string>> = {};

const longest = 600;

test('the source files are found', () => {
  expect(sourceFiles.length).toBeGreaterThan(10);
});

test(`no source file has more than ${longest} lines without a reason`, () => {
  const tooLong = sourceFiles.filter((path) => !(path in longFiles) && textOf(path).split('\n').length > longest);
  expect(tooLong).toEqual([]);
  expect(Object.keys(longFiles).filter((path) => !sourceFiles.includes(path) || textOf(path).split('\n').length <= longest)).toEqual([]);
});

test('source files are named in kebab-case, and none is a barrel', () => {
  expect(sourceFiles.filter((path) => !path.split('/').slice(1).every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.ts)?$/.test(part)))).toEqual([]);
  expect(sourceFiles.filter((path) => basename(path) === 'index.ts' || isBarrel(textOf(path)))).toEqual([]);
});

/** Whether a file does nothing but export what others have. */
function isBarrel(text: string): boolean {
  const statements = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').split(';').map((statement) => statement.trim()).filter((statement) => statement !== '');
  return statements.length > 0 && statements.every((statement) => /^export\s+(type\s+)?(\*|\{)[\s\S]*\sfrom\s/.test(statement));
}

test('a barrel is recognised', () => {
  expect(isBarrel("/** x */\nexport {a} from './a.ts';\nexport type {B} from './b.ts';\nexport * from './c.ts';")).toBe(true);
  expect(isBarrel("export {a} from './a.ts';\nexport const b = 1;")).toBe(false);
});

test('the lock file names no registry', () => {
  expect(textOf('package-lock.json').match(/"resolved": "http[^"]*"/g)).toBeNull();
});

test('the migrations make exactly schema.prisma', () => {
  const {status, stderr} = spawnSync(process.execPath, ['scripts/migration.mjs', '--check'], {cwd: root, encoding: 'utf8'});
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
