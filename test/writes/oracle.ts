/** Rows in memory that clients insert, update and delete: what the real thing has to answer, worked out row by row. */
import type {OnConflict, RowWrite} from '../../src/writes/writes.ts';

export interface Row {
  readonly id: number;
  readonly owner: number;
  readonly name: string | null;
  readonly amount: number | null;
  readonly score: number | null;
}

/** The contract that `expected` knows. */
export const contract = {
  key: ['id'], writes: ['insert', 'update', 'delete'] as const,
  checks: [
    {range: {column: 'score', min: 0, max: 100}, onBadRow: 'quarantine'}, {length: {column: 'name', max: 4}, onBadRow: 'drop'},
    {range: {column: 'amount', max: 1000}, onBadRow: 'null_value'}, {unique: ['owner', 'name']}, {set: {column: 'owner', values: [0, 1, 2, 3, 4, 5, 6, 7]}},
  ],
} as const;

export type Change =
  | {readonly kind: 'insert'; readonly rows: readonly Row[]; readonly onConflict?: Pick<OnConflict, 'update'> & {readonly atLeast?: number}}
  | {readonly kind: 'update'; readonly which: Which; readonly set: Partial<Row>; readonly increase: {readonly score?: number}}
  | {readonly kind: 'delete'; readonly which: Which};

/** Rows by key, or those of an owner with a score of so much at least. */
export type Which = {readonly ids: readonly number[]} | {readonly owner: number; readonly atLeast: number};

export interface Expected {
  readonly refused?: string;
  readonly affected: number;
  readonly ids: readonly number[];
  readonly quarantined: readonly number[];
  readonly dropped: number;
  readonly superseded: number;
}

const conditionSql = (owner: number | null, atLeast: number): string =>
  `SELECT _row_id FROM "rows_written" WHERE ${owner === null ? '' : `owner = ${owner} AND `}score >= ${atLeast}`;

const text = (value: number | string | null): string | null => (value === null ? null : String(value));
const given = (row: Partial<Row>) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value)]));

/** The change as it is asked of the real thing. */
export function writeOf(change: Change): RowWrite {
  const rows = (which: Which) => ('ids' in which ? {keys: which.ids.map(id => ({id: String(id)}))} : {where: {sql: conditionSql(which.owner, which.atLeast), params: [], datasets: ['rows_written']}});
  if (change.kind === 'delete') return {kind: 'delete', rows: rows(change.which)};
  if (change.kind === 'update') return {kind: 'update', rows: rows(change.which), set: given(change.set), increase: given(change.increase as Partial<Row>)};
  const {onConflict} = change;
  const where = onConflict?.atLeast === undefined ? {} : {where: {sql: conditionSql(null, onConflict.atLeast), params: [], datasets: ['rows_written']}};
  return {kind: 'insert', rows: change.rows.map(given), ...(onConflict ? {onConflict: {update: onConflict.update, ...where}} : {})};
}

/** Changes the rows, and answers what is to be answered. */
export function expected(rows: Map<number, Row>, change: Change): Expected {
  const chosen = change.kind === 'insert' ? [] : [...rows.values()].filter(row => ('ids' in change.which ? change.which.ids.includes(row.id) : row.owner === change.which.owner && row.score !== null && row.score >= change.which.atLeast));
  if (change.kind === 'delete') {
    for (const {id} of chosen) rows.delete(id);
    return {affected: chosen.length, ids: chosen.map(({id}) => id), quarantined: [], dropped: 0, superseded: 0};
  }
  const images: {before: Row | null; image: Row; index: number}[] = [];
  let superseded = 0;
  if (change.kind === 'update') {
    const inOrder = 'ids' in change.which ? change.which.ids.flatMap(id => chosen.filter(row => row.id === id)) : chosen;
    inOrder.forEach((before, index) => images.push({before, index, image: {...before, ...change.set, ...(change.increase.score !== undefined ? {score: before.score === null ? null : before.score + change.increase.score} : {})}}));
  } else {
    const {onConflict} = change;
    const seen = new Set<number>();
    for (const [index, row] of change.rows.entries()) {
      const before = rows.get(row.id) ?? null;
      if (onConflict && seen.has(row.id) && onConflict.update.length > 0) return refusal('ARGUMENT_INVALID');
      const loses = before !== null && (onConflict?.update.length === 0 || (onConflict?.atLeast !== undefined && !(before.score !== null && before.score >= onConflict.atLeast)));
      if (onConflict && (loses || seen.has(row.id))) superseded++;
      else if (onConflict && before) images.push({before, index, image: {...before, ...Object.fromEntries(onConflict.update.map(name => [name, row[name as keyof Row]]))} as Row});
      else images.push({before: null, index, image: row});
      // Whether a row is there already is asked before what is wrong with it, but a row that is left out is not there.
      if (!loses && isWritten(images.at(-1)!.image)) seen.add(row.id);
    }
  }
  const changed = new Set(images.flatMap(({before}) => (before ? [before.id] : [])));
  const others = [...rows.values()].filter(row => !changed.has(row.id));
  const written: Row[] = [];
  const quarantined: number[] = [];
  let dropped = 0;
  const failures = new Set<string>();
  for (const {image, index} of images) {
    const bad = badness(image);
    if (![0, 1, 2, 3, 4, 5, 6, 7].includes(image.owner)) failures.add('check');
    const kept = {...image, amount: image.amount !== null && image.amount > 1000 ? null : image.amount};
    if (bad === null) {
      if ([...others, ...written].some(row => row.id === kept.id)) failures.add('key');
      if (kept.name !== null && [...others, ...written].some(row => row.owner === kept.owner && row.name === kept.name)) failures.add('check');
      written.push(kept);
    } else if (bad === 'quarantine') quarantined.push(index);
    else dropped++;
  }
  if (failures.size > 0) return refusal(failures.size === 1 && failures.has('key') ? 'KEY_VIOLATED' : 'CHECK_FAILED');
  const before = new Map(images.map(one => [one.image, one.before]));
  for (const [image, row] of before) if (row && badness(image) === null) rows.delete(row.id);
  for (const row of written) rows.set(row.id, row);
  return {affected: written.length, ids: written.map(({id}) => id), quarantined, dropped, superseded};
}

const refusal = (refused: string): Expected => ({refused, affected: 0, ids: [], quarantined: [], dropped: 0, superseded: 0});
const badness = ({score, name}: Row): 'quarantine' | 'drop' | null => (score !== null && (score < 0 || score > 100) ? 'quarantine' : name !== null && name.length > 4 ? 'drop' : null);
const isWritten = (row: Row): boolean => badness(row) === null;
