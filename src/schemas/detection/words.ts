/** Words that stand for something else: nulls and booleans in their spellings. */

/** In lower case. Among numbers, dates and the like they are nulls; among text they may be categories, so there they stay. */
const nullWords = new Set([
  '', 'na', 'n/a', '#n/a', '#na', 'n.a.', 'null', '(null)', '<null>', 'none', 'nil', 'nan', '-nan', '\\n', '-', '--', '---', '?', '.', '..', 'missing', 'unknown', 'not available', 'undefined', '<na>',
]);

export const isNullWord = (text: string): boolean => text.length <= 13 && nullWords.has(text.trim().toLowerCase());

/** Spellings of true and false, in lower case; a column keeps to one of them. */
const booleanWords: readonly (readonly [yes: string, no: string])[] = [
  ['true', 'false'], ['t', 'f'], ['yes', 'no'], ['y', 'n'], ['on', 'off'],
];

/**
 * The pair that spells all of these values, in any case; null when there is none. `true` may stand alone, the others need both words:
 * a column of `y` says nothing of what else there could be.
 */
export function booleanSpelling(values: Iterable<string>): readonly [yes: string, no: string] | null {
  const seen = new Set<string>();
  for (const value of values) {
    seen.add(value.toLowerCase());
    if (seen.size > 2) return null;
  }
  const pair = booleanWords.find(words => [...seen].every(word => words.includes(word)));
  return pair && (seen.size === 2 || pair[0] === 'true') ? pair : null;
}
