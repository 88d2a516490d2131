/** Functions of texts. Positions and lengths count characters (code points), as the embedded engine does. */
import type {Call, Entry} from '../entries.ts';

/** There a backslash escapes; here it is a character like others. */
const like = ({args: [, pattern], sql, dialect}: Call): string => {
  if (typeof pattern!.literal === 'string') return `(${sql(0)} LIKE ${dialect.text(pattern!.literal.replaceAll('\\', '\\\\'))})`;
  return `(${sql(0)} LIKE replace(${sql(1)}, '\\\\', '\\\\\\\\'))`;
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
];
