/** Random tables, and random ways to write them as delimited text. The same seed, the same table. */
import {gzipSync} from 'node:zlib';

export type Value = string | number | bigint | boolean | null;

export interface RandomColumn {
  readonly name: string;
  readonly kind: string;
  /** As detection has to find it; null where several are right. */
  readonly type: string;
  readonly values: readonly Value[];
  /** As they are written, before quoting; null for a field with nothing in it. */
  readonly texts: readonly (string | null)[];
}

export interface RandomTable {
  readonly columns: readonly RandomColumn[];
  readonly rowCount: number;
  readonly dialect: string;
  readonly header: boolean;
  readonly file: string;
  readonly content: Buffer;
}

/** Numbers from 0 to below 1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const nullWords = ['NA', 'N/A', 'n/a', 'NULL', 'null', 'None', '-', '--', 'NaN', '\\N', '?'];
const spellings = [['true', 'false'], ['True', 'False'], ['TRUE', 'FALSE'], ['t', 'f'], ['yes', 'no'], ['Yes', 'No'], ['Y', 'N'], ['on', 'off']] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function randomTable(seed: number, rows?: number): RandomTable {
  const random = randomOf(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const two = (n: number): string => String(n).padStart(2, '0');
  const encoding = pick(['utf-8', 'utf-8', 'utf-8', 'utf-8 with a mark', 'utf-16le', 'utf-16be', 'windows-1252'] as const);
  const rowCount = rows ?? pick([2, 3, 5, 20, 60, 200]);
  // Others of windows-1252 may by chance be UTF-8 together, and such a file is refused.
  const letters = encoding === 'windows-1252' ? 'abcdefg öü€“”XYZ' : 'abcdefg äöüßéñ€“”XYZ日本Ωж🦅';
  const word = (): string => Array.from({length: 1 + below(8)}, () => pick([...letters])).join('').trim() || 'w';
  const day = (): readonly [year: number, month: number, day: number] => [1950 + below(120), 1 + below(12), 1 + below(28)];
  const iso = ([year, month, date]: readonly number[]): string => `${year}-${two(month!)}-${two(date!)}`;
  const clock = (): string => `${two(below(24))}:${two(below(60))}:${two(below(60))}`;

  type Cell = readonly [value: Value, text: string];
  const kinds: Readonly<Record<string, () => {type: string; cell: (row: number) => Cell}>> = {
    int32: () => ({type: 'int32', cell: () => plain(below(2 ** 31) * (random() < 0.3 ? -1 : 1) || 7)}),
    small: () => ({type: 'int32', cell: row => plain(row % 7 === 0 ? 2 + (row % 5) : below(10))}),
    id64: () => ({type: 'int64', cell: () => both(BigInt('1' + Array.from({length: 18}, () => below(10)).join('')))}),
    id25: () => ({type: 'decimal(38,0)', cell: () => text(`${1 + below(9)}${Array.from({length: 24}, () => below(10)).join('')}`)}),
    float: () => ({type: 'float64', cell: () => plain((below(2_000_000) - 1_000_000) / 1000 + 0.0005)}),
    exponent: () => ({type: 'float64', cell: () => { const number = random() * 10 ** (below(40) - 20) + 1e-30; return [number, number.toExponential()]; }}),
    long: () => ({type: 'decimal', cell: () => text(`${1 + below(9)}.${Array.from({length: 19}, () => below(10)).join('')}${1 + below(9)}`)}),
    bool: () => { const [yes, no] = pick(spellings); return {type: 'bool', cell: row => { const value = row === 0 || (row !== 1 && random() < 0.5); return [value, value ? yes : no]; }}; },
    date: () => ({type: 'date', cell: () => { const found = iso(day()); return [found, found]; }}),
    dmy: () => { const mark = pick(['/', '.', '-']); return {type: 'date', cell: row => { const [year, month, date] = row === 0 ? [2001, 5, 25] : day(); return [iso([year, month, date]), [two(date), two(month), year].join(mark)]; }}; },
    mdy: () => ({type: 'date', cell: row => { const [year, month, date] = row === 0 ? [2001, 5, 25] : day(); return [iso([year, month, date]), `${month}/${date}/${year}`]; }}),
    named: () => ({type: 'date', cell: () => { const [year, month, date] = day(); return [iso([year, month, date]), `${months[month - 1]} ${two(date)} ${year}`]; }}),
    timestamp: () => { const mark = pick([' ', 'T']); return {type: 'timestamp', cell: () => { const [date, time] = [iso(day()), clock()]; return [`${date} ${time}`, `${date}${mark}${time}`]; }}; },
    instant: () => ({type: 'timestamptz', cell: () => { const [date, time] = [iso(day()), clock()]; return [`${date} ${time}+00`, `${date}T${time}Z`]; }}),
    time: () => ({type: 'time', cell: () => { const time = clock(); return [time, time]; }}),
    code: () => ({type: 'utf8', cell: row => text(`0${row % 10}${below(1000)}`)}),
    phone: () => ({type: 'utf8', cell: () => text(`+49${below(1_000_000)}`)}),
    category: () => ({type: 'utf8', cell: row => text(row === 0 ? 'Small' : pick(['None', 'Small', 'Large', 'NA', 'Medium']))}),
    text: () => ({type: 'utf8', cell: row => text(row === 0 ? 'begin ning' : `${word()}${pick(['', '', ' ', ',', ';', '\t', '|', '"', "'", '\n', '\r\n', ' "quoted" ', ', and', "it's"])}${word()}`)}),
  };
  const plain = (value: number): Cell => [value, String(value)];
  const both = (value: bigint): Cell => [value, String(value)];
  const text = (value: string): Cell => [value, value];

  const delimiter = pick([',', ',', ';', '\t', '|']);
  const quote = random() < 0.85 ? '"' : "'";
  const escape = quote === '"' && random() < 0.2 ? '\\' : quote;
  const quoteAll = random() < 0.3;
  const newline = pick(['\n', '\n', '\r\n']);
  const width = 2 + below(7);
  const names = new Set<string>();
  while (names.size < width) names.add(pick(['id', 'Name', 'Cost Total $', 'größe', 'a b', 'x', 'when', 'Flight Date', '2nd', 'value', 'código', 'n', 'is_open', 'kind', 'Zip Code']));
  const columns = [...names].map((name, index): RandomColumn => {
    const kind = index === 0 ? pick(['int32', 'float', 'date', 'timestamp', 'id64']) : pick(Object.keys(kinds));
    const {type, cell} = kinds[kind]!();
    const isText = type === 'utf8';
    // Only an escaped quote tells that a backslash escapes: without one it is a character like others.
    const nullText = isText || random() < 0.4 ? null : pick(escape === '\\' ? nullWords.filter(given => !given.startsWith('\\')) : nullWords);
    // The first two rows are there, so that both words of a boolean are, and a day past the twelfth.
    const nulls = random() < 0.5 ? 0 : 0.15;
    const cells = Array.from({length: rowCount}, (_, row): readonly [Value, string | null] => (row > 1 && random() < nulls ? [null, nullText] : cell(row)));
    return {name, kind, type, values: cells.map(([value]) => value), texts: cells.map(([, written]) => written)};
  });
  // Without names nothing but a type tells values from names: the first column always has one.
  const header = random() < 0.8;
  const field = (content: string | null): string => {
    if (content === null) return '';
    const needed = quoteAll || content === '' || content.includes(delimiter) || content.includes(quote) || /[\r\n]/.test(content) || content !== content.trim() || (escape === '\\' && content.includes('\\'));
    if (!needed) return content;
    const inner = escape === '\\' ? content.replaceAll('\\', '\\\\').replaceAll('"', '\\"') : content.replaceAll(quote, quote + quote);
    return quote + inner + quote;
  };
  const lines = [...(header ? [columns.map(({name}) => field(name))] : []), ...Array.from({length: rowCount}, (_, row) => columns.map(({texts}) => field(texts[row]!)))];
  const whole = lines.map(line => line.join(delimiter)).join(newline) + (random() < 0.8 ? newline : '');
  const packed = random() < 0.1;
  const content = encoded(whole, encoding);
  return {
    columns, rowCount, header, file: `t${seed}.csv${packed ? '.gz' : ''}`, content: packed ? gzipSync(content) : content,
    dialect: JSON.stringify({delimiter, quote, escape, quoteAll, newline, encoding, header, packed}),
  };
}

function encoded(text: string, encoding: string): Buffer {
  switch (encoding) {
    case 'utf-16le':
      return Buffer.from(`\ufeff${text}`, 'utf16le');
    case 'utf-16be':
      return Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
    case 'windows-1252':
      return Buffer.from(text.replaceAll('€', '\x80').replaceAll('“', '\x93').replaceAll('”', '\x94'), 'latin1');
    default:
      return Buffer.from(encoding === 'utf-8' ? text : `\ufeff${text}`);
  }
}
