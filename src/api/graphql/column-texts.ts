import type {ColumnProfile} from '../../schemas/schema.ts';

/** Column → what its values are, in words. */
export type ColumnTexts = ReadonlyMap<string, string>;

const number = new Intl.NumberFormat('en');

/** Longer values are cut. */
const longest = 40;
const shown = (value: string): string => (value.length > longest ? `${value.slice(0, longest)}…` : value);

/** What is told of columns to people who explore the graph: `From -60 to 1439; about 1,203 different values; 2 % are null.` */
export function columnTexts(profile: readonly ColumnProfile[], rowCount: bigint): ColumnTexts {
  return new Map(profile.map(column => [column.name, text(column, Number(rowCount))]));
}

function text({min, max, distinct, nulls, examples}: ColumnProfile, rows: number): string {
  if (rows > 0 && nulls === rows) return 'All values are null.';
  const parts = [
    min !== null && max !== null ? (min === max ? `Always ${shown(min)}` : `From ${shown(min)} to ${shown(max)}`) : '',
    distinct > 0 && min !== max ? `about ${number.format(distinct)} different values` : '',
    examples.length > 0 && min !== max ? `such as ${examples.slice(0, 3).map(shown).join(', ')}` : '',
    nulls > 0 && rows > 0 ? `${share(nulls / rows)} are null` : '',
  ].filter(Boolean);
  if (parts.length === 0) return '';
  const sentence = parts.join('; ');
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`;
}

const share = (part: number): string => (part < 0.01 ? 'less than 1 %' : `${Math.round(part * 100)} %`);
