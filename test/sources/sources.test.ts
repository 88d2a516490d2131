import {mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync, zstdCompressSync} from 'node:zlib';
import {createDuckDbEngine} from '../../src/engines/duckdb/engine.ts';
import {createHiveEngine} from '../../src/engines/hive/engine.ts';
import type {Engine} from '../../src/engines/engine.ts';
import {typeName} from '../../src/schemas/schema.ts';
import {packageFolders} from '../../src/sources/file/file-source.ts';
import {sourceKinds} from '../../src/sources/kinds.ts';
import type {Sources, SourceSpec} from '../../src/sources/source.ts';
import {createSources} from '../../src/sources/sources.ts';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

let base: string;
let project: string;
let other: string;
let scratch: string;
let engine: Engine;
let sources: Sources;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'millrace-sources-'));
  [project, other, scratch] = ['project', 'other', 'scratch'].map(name => join(base, name)) as [string, string, string];
  for (const folder of [project, other, scratch, join(project, 'data'), join(base, 'secret'), join(base, 'uploads')]) await mkdir(folder);
  engine = createDuckDbEngine({allowedFolders: [base, ...packageFolders(repository)], threads: 2, tempFolder: join(base, 'tmp'), maxQueries: 2});
  await engine.start();
  await writeFile(join(base, 'uploads', 'u1'), gzipSync('a\tb\n1\tx\n'));
  sources = createSources(
    sourceKinds({
      projectFolder: project,
      roots: [other],
      maxExpansion: 200,
      importArrow: (path, out) => engine.importArrow(path, out),
      metastore: createHiveEngine({url: null, sessions: 1, scratchFolder: ''}).metastore, findUpload: async id => (id === 'u1' ? {name: 'Mine.tsv.gz', path: join(base, 'uploads', 'u1')} : null),
    }),
  );
});
afterAll(async () => {
  await engine.stop();
  await rm(base, {recursive: true});
});

const put = (name: string, content: string | Buffer) => writeFile(join(project, name), content);

/** Opens, detects and reads a source, and closes it again. */
async function read(spec: SourceSpec) {
  const opened = await sources.open(spec, scratch);
  try {
    const {schema, raw} = await engine.sniff(opened.raw);
    const rows = await engine.rows({sql: 'from r', relations: {r: raw}});
    await opened.unchanged();
    return {opened, rows, types: Object.fromEntries(schema.fields.map(field => [field.name, typeName(field.type)]))};
  } finally {
    await opened.close();
  }
}

describe('what can be read', () => {
  const csv = 'a,b\n1,x\n2,y\n';
  const ndjson = '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n';
  test.each([
    ['t.csv', csv],
    ['T2.CSV', csv],
    ['t.tsv', csv.replaceAll(',', '\t')],
    ['t.json', '[{"a":1,"b":"x"},{"a":2,"b":"y"}]'],
    ['t.ndjson', ndjson],
    ['t.jsonl', ndjson],
    ['t.csv.gz', gzipSync(csv)],
    ['t.csv.zst', zstdCompressSync(csv)],
    ['t.ndjson.gz', gzipSync(ndjson)],
    ['t.with.dots.csv', csv],
    ['odd [name]*.csv', csv],
  ])('%s', async (name, content) => {
    await put(name, content);
    const {rows, types, opened} = await read({path: name});
    expect(rows).toEqual([{a: 1, b: 'x'}, {a: 2, b: 'y'}]);
    expect(types).toEqual({a: 'int32', b: 'utf8'});
    expect(opened.files).toMatchObject([{name, bytes: content.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/)}]);
  });

  test('a format that is said', async () => {
    await put('noending', csv);
    expect((await read({path: 'noending', format: 'csv'})).rows).toHaveLength(2);
    await put('semi.txt', 'a;b\n1;x\n');
    expect((await read({path: 'semi.txt', format: 'csv', options: {delimiter: ';'}})).rows).toEqual([{a: 1, b: 'x'}]);
  });

  test('a pattern, in the order of the names', async () => {
    await mkdir(join(project, 'many', 'deep'), {recursive: true});
    for (const name of ['b.csv', 'a.csv', 'deep/c.csv']) await put(`many/${name}`, `n\n${name}\n`);
    const {rows, opened} = await read({path: 'many/**/*.csv'});
    expect(rows.map(row => row.n)).toEqual(['a.csv', 'b.csv', 'deep/c.csv']);
    expect(opened.files.map(file => file.name)).toEqual(['many/a.csv', 'many/b.csv', 'many/deep/c.csv']);
  });

  test('another allowed folder, by its whole path', async () => {
    await writeFile(join(other, 'o.csv'), csv);
    expect((await read({path: join(other, 'o.csv')})).rows).toHaveLength(2);
  });

  test('an upload, by the name it had', async () => {
    const {rows, opened} = await read({upload: 'u1'});
    expect(rows).toEqual([{a: 1, b: 'x'}]);
    expect(opened.files[0]!.name).toBe('upload:Mine.tsv.gz');
    await expect(sources.open({upload: 'u2'}, scratch)).rejects.toMatchObject({code: 'UPLOAD_NOT_FOUND'});
  });

  test('files of an installed package', async () => {
    const birds = await read({path: 'package:vega-datasets/data/birdstrikes.csv'});
    expect(birds.rows).toHaveLength(10_000);
    expect(birds.opened.files[0]!.name).toBe('package:vega-datasets/data/birdstrikes.csv');
    expect(birds.types).toMatchObject({effect_amount_of_damage: 'utf8', cost_total: 'int32', flight_date: 'date'});
    expect(birds.rows[0]).toMatchObject({'Effect Amount of damage': 'None'});
    const zips = await read({path: 'package:vega-datasets/data/zipcodes.csv'});
    expect(zips.rows[0]!.zip_code).toBe('00501');
    expect((await read({path: 'package:vega-datasets/data/unemployment.tsv'})).types).toEqual({id: 'int32', rate: 'float64'});
    expect((await read({path: 'package:vega-datasets/data/movies.json'})).rows).toHaveLength(3201);
    expect((await sources.open({path: 'package:vega-datasets/data/flights-3m.parquet'}, scratch)).raw.format).toBe('parquet');
  });

  test('arrow is converted, and the copy goes on close', async () => {
    const {rows, types} = await read({path: 'package:vega-datasets/data/flights-200k.arrow'});
    expect(rows).toHaveLength(200_000);
    expect(types).toEqual({delay: 'int16', distance: 'int16', time: 'float32'});
    expect(await readdir(scratch)).toEqual([]);
  });
});

describe('encodings', () => {
  const text = 'name;price\nZürich;“€ 5”\n';
  test.each<[encoding: string, name: string, content: Buffer, evidence: string[]]>([
    ['utf-8', 'u8.csv', Buffer.from(text), []],
    ['utf-8', 'bom.csv', Buffer.from(`\ufeff${text}`), []],
    ['utf-16le', 'u16le.csv', Buffer.from(`\ufeff${text}`, 'utf16le'), ['byte_order_mark']],
    ['utf-16be', 'u16be.csv', Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), ['byte_order_mark']],
    ['windows-1252', 'cp1252.csv', Buffer.from('name;price\nZ\xfcrich;\x93\x80 5\x94\n', 'latin1'), ['encoding']],
    ['windows-1252', 'cp1252.csv.gz', gzipSync(Buffer.from('name;price\nZ\xfcrich;\x93\x80 5\x94\n', 'latin1')), ['encoding']],
  ])('%s: %s', async (encoding, name, content, evidence) => {
    await put(name, content);
    const {opened, rows} = await read({path: name});
    expect(rows).toEqual([{name: 'Zürich', price: '“€ 5”'}]);
    expect([opened.text!.encoding, opened.text!.evidence.map(({rule}) => rule)]).toEqual([encoding, evidence]);
  });

  test('a character between two chunks, and one that is not UTF-8 far behind', async () => {
    const length = 4 * 1024 * 1024;
    await put('between.csv', `a\n${'x'.repeat(length - 3)}é\n`.replace(/x{1000}/g, `${'x'.repeat(999)}\n`));
    expect((await read({path: 'between.csv'})).opened.text!.encoding).toBe('utf-8');
    await put('far.csv', Buffer.concat([Buffer.from('a\n'), Buffer.from(`${'plain '.repeat(1000)}\n`.repeat(1_000)), Buffer.from('Jos\xe9\n', 'latin1')]));
    const {opened, rows} = await read({path: 'far.csv'});
    expect([opened.text!.encoding, rows.at(-1)]).toEqual(['windows-1252', {a: 'José'}]);
    expect(opened.text!.evidence[0]!.detail).toContain('line 1002');
  });

  test('one that is said', async () => {
    await put('said.csv', Buffer.from('a,b\n1,é\n', 'utf16le'));
    expect((await read({path: 'said.csv', options: {encoding: 'utf-16le'}})).rows).toEqual([{a: 1, b: 'é'}]);
    await put('notutf8.csv', Buffer.from('a\nJos\xe9\n', 'latin1'));
    await expect(read({path: 'notutf8.csv', options: {encoding: 'utf-8'}})).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
  });

  test('two in one file', async () => {
    await put('both.csv', Buffer.concat([Buffer.from('a\nZürich\n'), Buffer.from('Jos\xe9\n', 'latin1')]));
    await expect(read({path: 'both.csv'})).rejects.toMatchObject({code: 'SOURCE_ENCODING', details: {line: 3, other: 2}});
    // The places lie in different pieces of the file.
    await writeFile(join(project, 'far.csv'), Buffer.concat([Buffer.from(`a\n${'x\n'.repeat(2_500_000)}é\n${'y\n'.repeat(2_500_000)}`), Buffer.from('\xe9\n', 'latin1')]));
    await expect(read({path: 'far.csv'})).rejects.toMatchObject({code: 'SOURCE_ENCODING', details: {line: 5_000_003, other: 2_500_002}});
  });

  test('NUL bytes', async () => {
    await put('nul.csv', 'a,b\n1,x\0y\n');
    await expect(read({path: 'nul.csv'})).rejects.toMatchObject({code: 'SOURCE_UNREADABLE', message: expect.stringContaining('line 2 has a NUL byte')});
  });
});

describe('untidy text', () => {
  const rulesOf = ({text}: {text: {evidence: readonly {rule: string}[]} | null}) => text!.evidence.map(({rule}) => rule);

  test.each<[what: string, content: string, rows: object[]]>([
    ['spaces before quotes', 'a, b, c\n"x, 1",   "y",  1\n"z, 2", "w ""q""" , 2\n', [{a: 'x, 1', b: 'y', c: 1}, {a: 'z, 2', b: 'w "q"', c: 2}]],
    ['escaped by a backslash', 'a, b\n"H. \\"B\\" E",   "USA"\n"é",     "GBR"\n', [{a: 'H. "B" E', b: 'USA'}, {a: 'é', b: 'GBR'}]],
    ['spaces and line breaks within quotes', 'a;b\n"x;   ""y""";   "p\n  q"\n"";  "r"\n', [{a: 'x;   "y"', b: 'p\n  q'}, {a: '', b: 'r'}]],
  ])('%s', async (_, content, rows) => {
    await put('spaced.csv', content);
    const found = await read({path: 'spaced.csv'});
    expect([found.rows, rulesOf(found.opened)]).toEqual([rows, ['quote']]);
    expect(await readdir(scratch)).toEqual([]);
  });

  test('over chunks, and gzip', async () => {
    const lines = Array.from({length: 200_000}, (_, index) => `"${index}é",${' '.repeat(1 + (index % 37))}"v ${index}"`);
    await put('spaced.csv.gz', gzipSync(`a,b\n${lines.join('\n')}\n`));
    const {rows} = await read({path: 'spaced.csv.gz'});
    expect([rows.length, rows.filter((row, index) => row.a !== `${index}é` || row.b !== `v ${index}`)]).toEqual([200_000, []]);
  });

  test.each([['a;b\n1;He said, "hi"\n2;then, "ho"\n'], ["a,b\n1,'x, \"y\"'\n2,'z, \"w\"'\n"], ['a,b\n1,"x, ""y"""\n'], ['a\tb\n1\tx, "y" z\n2\tw\n']])('quotes that are in values stay: %j', async content => {
    await put('quotes.csv', content);
    expect((await read({path: 'quotes.csv'})).opened.text!.evidence).toEqual([]);
  });

  test('spaces before quotes far behind are told', async () => {
    await put('late.csv', `a,b\n${'1,x\n'.repeat(60_000)}2,   "y"\n${'1,x\n'.repeat(60_000)}`);
    const opened = await sources.open({path: 'late.csv'}, scratch);
    const {evidence, rowCount} = await engine.sniff(opened.raw);
    await opened.close();
    expect([rowCount, evidence[1]!.evidence]).toEqual([120_001, [expect.objectContaining({rule: 'quote', ambiguous: true})]]);
  });

  test.each<[content: string, rows: object[]]>([
    ['a,b\r\n1,x\r\n2,y\n', [{a: 1, b: 'x'}, {a: 2, b: 'y'}]],
    ['a,b\n1,x\r\n2,"y\r\nz"\r\n', [{a: 1, b: 'x'}, {a: 2, b: 'y\r\nz'}]],
  ])('line ends of two kinds: %j', async (content, rows) => {
    await put('mixed.csv', content);
    const found = await read({path: 'mixed.csv'});
    expect([found.rows, rulesOf(found.opened)]).toEqual([rows, ['newlines']]);
  });

  test('line breaks in quotes are no line ends', async () => {
    await put('breaks.csv', 'a,b\r\n1,"x\ny"\r\n2,"z"\r\n');
    const {opened, rows} = await read({path: 'breaks.csv'});
    expect([opened.text!.evidence, rows]).toEqual([[], [{a: 1, b: 'x\ny'}, {a: 2, b: 'z'}]]);
  });
});

describe('bombs', () => {
  test.each([['gz', gzipSync], ['zst', zstdCompressSync]] as const)('a .%s that expands too far is left, with nothing behind it', async (ending, pack) => {
    await put(`bomb.csv.${ending}`, pack(Buffer.alloc(100 * 2 ** 20, '1\n')));
    await expect(sources.open({path: `bomb.csv.${ending}`}, scratch)).rejects.toMatchObject({code: 'SOURCE_EXPANDS'});
    expect(await readdir(scratch)).toEqual([]);
  });
});

describe('fingerprints', () => {
  test('same bytes and options, same fingerprint', async () => {
    await put('f1.csv', 'a\n1\n');
    await put('f2.csv', 'a\n1\n');
    await put('f3.csv', 'a\n2\n');
    const of = async (spec: SourceSpec) => (await sources.open(spec, scratch)).fingerprint;
    expect(await of({path: 'f1.csv'})).toBe(await of({path: 'f2.csv'}));
    expect(await of({path: 'f1.csv'})).not.toBe(await of({path: 'f3.csv'}));
    expect(await of({path: 'f1.csv'})).not.toBe(await of({path: 'f1.csv', options: {header: false}}));
  });

  test('large files are hashed all the same', async () => {
    await put('big.csv', `a\n${'1234567\n'.repeat(300_000)}`);
    await put('big2.csv', `a\n${'1234567\n'.repeat(300_000)}`);
    const [one, two] = await Promise.all(['big.csv', 'big2.csv'].map(path => sources.open({path}, scratch)));
    expect(one!.files[0]!.sha256).toBe(two!.files[0]!.sha256);
  });

  test('a file that changes is noticed', async () => {
    await put('c.csv', 'a\n1\n');
    const opened = await sources.open({path: 'c.csv'}, scratch);
    await opened.unchanged();
    await put('c.csv', 'a\n1\n2\n');
    await expect(opened.unchanged()).rejects.toMatchObject({code: 'SOURCE_CHANGED'});
    const again = await sources.open({path: 'c.csv'}, scratch);
    await utimes(join(project, 'c.csv'), new Date(), new Date(2001, 1, 1));
    await expect(again.unchanged()).rejects.toMatchObject({code: 'SOURCE_CHANGED'});
    await rm(join(project, 'c.csv'));
    await expect(again.unchanged()).rejects.toMatchObject({code: 'SOURCE_CHANGED'});
  });
});

describe('what is refused', () => {
  const outcome = (spec: SourceSpec): Promise<string> => sources.open(spec, scratch).then(() => 'opened', (error: {code: string}) => error.code);

  test('missing', async () => {
    expect(await outcome({path: 'nothing.csv'})).toBe('SOURCE_NOT_FOUND');
    expect(await outcome({path: 'nothing-*.csv'})).toBe('SOURCE_NOT_FOUND');
    expect(await outcome({path: 'data'})).toBe('SOURCE_NOT_FOUND');
    expect(await outcome({path: 'package:no-such-package/x.csv'})).toBe('SOURCE_NOT_FOUND');
    expect(await outcome({path: 'package:vega-datasets/data/none.csv'})).toBe('SOURCE_NOT_FOUND');
  });

  test('outside the roots, by path, pattern, link or package', async () => {
    await writeFile(join(base, 'secret', 's.csv'), 'a\n1\n');
    await symlink(join(base, 'secret', 's.csv'), join(project, 'link.csv'));
    await symlink(join(base, 'secret'), join(project, 'linked'));
    for (const path of ['../secret/s.csv', join(base, 'secret', 's.csv'), '../secret/*.csv', 'link.csv', 'linked/s.csv', 'linked/*.csv', '/etc/passwd', '../secret/none.csv', 'package:vega-datasets/../../package.json']) {
      expect(await outcome({path, format: 'csv'})).toBe('SOURCE_OUTSIDE_ROOTS');
    }
    expect(await outcome({path: 'package:../x/y.csv'})).toBe('SOURCE_NOT_FOUND');
  });

  test('empty', async () => {
    for (const name of ['e.csv', 'e.parquet', 'e.ndjson', 'e.csv.gz']) {
      await put(name, '');
      expect(await outcome({path: name})).toBe('SOURCE_EMPTY');
    }
  });

  test('no known format', async () => {
    await put('x.xyz', 'a');
    expect(await outcome({path: 'x.xyz'})).toBe('SOURCE_FORMAT_UNKNOWN');
    await put('x.parquet.gz', gzipSync('PAR1'));
    expect(await outcome({path: 'x.parquet.gz'})).toBe('SOURCE_FORMAT_UNKNOWN');
  });

  test.each([
    ['binary as csv', 'bin.csv', Buffer.from(Array.from({length: 4000}, (_, index) => (index * 7919) % 256))],
    ['UTF-16 without a mark', 'utf16.csv', Buffer.from('a,b\n1,2\n', 'utf16le')],
    ['no parquet', 'no.parquet', 'this is not it'],
    ['truncated parquet', 'cut.parquet', 'PAR1 and then the end is missing'],
    ['no arrow', 'no.arrow', 'this is not it'],
    ['truncated gzip', 'cut.csv.gz', gzipSync(`a\n${'1\n'.repeat(100_000)}`).subarray(0, 100)],
    ['truncated zstd', 'cut.csv.zst', zstdCompressSync(Buffer.from(Array.from({length: 9000}, () => Math.random() * 99 + '\n').join(''))).subarray(0, 5000)],
    ['gzip with a wrong checksum', 'sum.csv.gz', Buffer.concat([gzipSync('a\n1\n').subarray(0, -8), Buffer.alloc(8, 1)])],
    ['not compressed', 'no.csv.gz', 'a\n1\n'],
  ])('%s', async (_, name, content) => {
    await put(name, content);
    expect(await outcome({path: name})).toBe('SOURCE_UNREADABLE');
  });

  test.each([
    ['half a record', 'half.ndjson', '{"a":1}\n{"a":'],
    ['a damaged parquet footer', 'damaged.parquet', `PAR1${'x'.repeat(100)}PAR1`],
  ])('only the engine finds out: %s', async (_, name, content) => {
    await put(name, content);
    await expect(read({path: name})).rejects.toMatchObject({code: 'SOURCE_UNREADABLE'});
  });

  test('no place, or two', async () => {
    expect(await outcome({})).toBe('ARGUMENT_INVALID');
    expect(await outcome({path: 'a.csv', upload: 'u1'})).toBe('ARGUMENT_INVALID');
  });

  test('mixed formats in one pattern', async () => {
    await mkdir(join(project, 'mixed'));
    await put('mixed/a.csv', 'a\n1\n');
    await put('mixed/b.json', '[{"a":1}]');
    expect(await outcome({path: 'mixed/*'})).toBe('SOURCE_UNREADABLE');
  });
});
