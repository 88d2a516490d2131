/** Functions of texts. Positions and lengths count characters (code points), as the embedded engine does. */
import type {Call, Entry} from '../entries.ts';
import {NotPortable} from '../expr.ts';

/** There a backslash escapes; here it is a character like others. */
const like = ({args: [, pattern], sql, dialect}: Call): string => {
  if (dialect.engine === 'hive' && !(typeof pattern!.literal === 'string' && !pattern!.literal.includes('\\'))) throw new NotPortable('takes a literal without backslashes there');
  if (typeof pattern!.literal === 'string') return `(${sql(0)} LIKE ${dialect.text(pattern!.literal.replaceAll('\\', '\\\\'))})`;
  return `(${sql(0)} LIKE replace(${sql(1)}, '\\\\', '\\\\\\\\'))`;
};

/** What `trim` takes away: the spaces of Unicode. */
const spaces = ' \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000';

/** A number that stands in the statement. */
function count(call: Call, index: number): bigint {
  const value = call.constant(index);
  if (typeof value !== 'bigint' || value < 0n || value > 2_147_483_647n) throw new NotPortable('takes a number that is not negative there');
  return value;
}

/** From a character on, counted from 1. */
const slice = (call: Call): string => {
  if (call.args[1]!.literal === undefined) throw new NotPortable('takes its start as a number');
  const start = count(call, 1);
  if (start === 0n) throw new NotPortable('begins at 1');
  return call.args.length === 2 ? `substring($1, ${start})` : `substring($1, ${start}, ${count(call, 2)})`;
};

const padded = (name: string): ((call: Call) => string) => call => {
  if (call.constant(2) === '') throw new NotPortable('needs something to pad with');
  return `${name}($1, ${count(call, 1)}, $3)`;
};

const same = (text: string): Pick<Entry, 'spark' | 'hive'> => ({spark: text, hive: text});

export const textFunctions: readonly Entry[] = [
  {is: 'length(utf8): int64', ...same('CAST(length($1) AS BIGINT)')},
  {is: 'len(utf8): int64', ...same('CAST(length($1) AS BIGINT)')},
  {is: 'char_length(utf8): int64', ...same('CAST(length($1) AS BIGINT)')},
  {is: 'character_length(utf8): int64', ...same('CAST(length($1) AS BIGINT)')},
  {is: 'strlen(utf8): int64', ...same('CAST(octet_length($1) AS BIGINT)'), note: 'bytes of UTF-8'},
  {is: 'concat(utf8…): utf8', spark: "concat_ws('', $*)", hive: "concat_ws('', $*)", note: 'nulls are left out'},
  {is: 'concat_ws(utf8, utf8…): utf8', ...same('concat_ws($*)')},
  {is: 'replace(utf8, utf8, utf8): utf8', spark: 'replace($*)'},
  {is: 'contains(utf8, utf8): bool', spark: 'contains($*)', hive: '(instr($1, $2) > 0)'},
  {is: 'starts_with(utf8, utf8): bool', spark: 'startswith($*)'},
  {is: 'ends_with(utf8, utf8): bool', spark: 'endswith($*)'},
  {is: 'suffix(utf8, utf8): bool', spark: 'endswith($*)'},
  {is: 'prefix(utf8, utf8): bool', spark: 'startswith($*)'},
  {is: '^@(utf8, utf8): bool', spark: 'startswith($*)'},
  {is: 'strpos(utf8, utf8): int64', spark: 'CAST(locate($2, $1) AS BIGINT)'},
  {is: 'instr(utf8, utf8): int64', spark: 'CAST(locate($2, $1) AS BIGINT)'},
  {is: 'position(utf8, utf8): int64', spark: 'CAST(locate($1, $2) AS BIGINT)'},
  {is: '~~(utf8, utf8): bool', spark: like, hive: like},
  {is: '!~~(utf8, utf8): bool', spark: call => `(NOT ${like(call)})`, hive: call => `(NOT ${like(call)})`},
  ...['substring', 'substr'].flatMap(name => [{is: `${name}(utf8, int64): utf8`, spark: slice}, {is: `${name}(utf8, int64, int64): utf8`, spark: slice}]),
  {is: 'left(utf8, int64): utf8', spark: call => `substring($1, 1, ${count(call, 1)})`},
  {is: 'right(utf8, int64): utf8', spark: call => (count(call, 1) === 0n ? "substring($1, 1, 0)" : `right($1, ${count(call, 1)})`)},
  ...['trim', 'ltrim', 'rtrim'].flatMap((name, index) => {
    const side = ['BOTH', 'LEADING', 'TRAILING'][index]!;
    return [{is: `${name}(utf8): utf8`, spark: ({dialect}: Call) => `trim(${side} ${dialect.text(spaces)} FROM $1)`}, {is: `${name}(utf8, utf8): utf8`, spark: `trim(${side} $2 FROM $1)`}];
  }),
  {is: 'lower(utf8): utf8', spark: "lower(translate($1, 'İΣ', 'iσ'))", note: 'letter by letter'},
  {is: 'lcase(utf8): utf8', spark: "lower(translate($1, 'İΣ', 'iσ'))", note: 'letter by letter'},
  {is: 'repeat(utf8, int64): utf8', spark: 'repeat($1, CAST($2 AS INT))'},
  {is: 'lpad(utf8, int64, utf8): utf8', spark: padded('lpad')},
  {is: 'rpad(utf8, int64, utf8): utf8', spark: padded('rpad')},
  {is: 'md5(utf8): utf8', spark: 'md5($1)'},
  {is: 'sha256(utf8): utf8', spark: 'sha2($1, 256)'},
  {is: 'translate(utf8, literal, literal): utf8', spark: 'translate($*)'},
];
