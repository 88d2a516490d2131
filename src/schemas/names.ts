/** Names that are legal in GraphQL and in SQL without quotes, made from whatever the data came with. */

const legal = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * One legal name for each of `names`, in order. Legal ones stay as they are (also in their case); others become snake case:
 * `Effect Amount of damage` → `effect_amount_of_damage`, `Cost Total $` → `cost_total`, `2nd` → `c2nd`, `` → `column`.
 * Names that are equal without regard to case are numbered (`a`, `a_2`), since SQL does not tell them apart; a name that was legal
 * before keeps its own over one that was made.
 */
export function legalNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  const result = new Array<string>(names.length);
  const claim = (index: number, wanted: string) => {
    let name = wanted;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${wanted}_${n}`;
    taken.add(name.toLowerCase());
    result[index] = name;
  };
  for (const pass of [true, false]) {
    names.forEach((name, index) => {
      if (isLegal(name) === pass) claim(index, pass ? name : snakeCase(name));
    });
  }
  return result;
}

/** Whether a name may stay as it is; names with two leading underscores belong to GraphQL and cannot arise here. */
export const isLegal = (name: string): boolean => legal.test(name);

/** Letters that are no base letter with a mark. */
const letters: Readonly<Record<string, string>> = {ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'Ae', œ: 'oe', Œ: 'Oe', ø: 'o', Ø: 'O', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th', ł: 'l', Ł: 'L', ı: 'i'};

function snakeCase(name: string): string {
  const words = name
    .replace(/[ßẞæÆœŒøØđĐðÐþÞłŁı]/g, letter => letters[letter]!)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  if (words === '') return 'column';
  return /^[a-z]/.test(words) ? words : `c${words}`;
}
