import type {Table, TableFile} from '../../../engines/engine.ts';
import type {DataType} from '../../../schemas/schema.ts';
import type {Given, Variables} from './given.ts';
import {rowId} from './shape.ts';
import type {DatasetShape} from './shape.ts';

/**
 * The files that may hold rows for which a condition is true, told by the bounds in the manifest: the others need not be opened. Sound:
 * what cannot be told of a file keeps it.
 */
export function filesFor(where: Given | null, shape: DatasetShape, table: Table, variables: Variables): readonly TableFile[] {
  if (!where || table.files.length === 0) return table.files;
  return table.files.filter(file => mayHold(where, shape, file, variables));
}

function mayHold(where: Given, shape: DatasetShape, file: TableFile, variables: Variables): boolean {
  if (where.isNull) return true;
  return where.entries().every(([name, given]) => {
    if (given.isNull) return true;
    if (name === '_and') return given.items().every(part => mayHold(part, shape, file, variables));
    if (name === '_or') return given.items().some(part => mayHold(part, shape, file, variables));
    const bounds = boundsOf(name, shape, file);
    return !bounds || given.entries().every(([operator, value]) => value.isNull || mayFulfil(operator, value.read(variables), bounds));
  });
}

/** What is known of a column in a file. */
interface Bounds {
  readonly order: Order;
  readonly nulls: number;
  readonly rows: number;
  /** Null where no value is present, or none is told. */
  readonly least: string | null;
  readonly most: string | null;
}

/** Compares values as manifests and clients write them; NaN where one of them is of another form. */
type Order = (a: string, b: string) => number;

const integers: Order = (a, b) => {
  if (!/^-?\d+$/.test(a) || !/^[+-]?\d+$/.test(b)) return NaN;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** Years of four digits compare as text, and so do fractions without the zeros at their end. */
const texts = (form: RegExp): Order => (a, b) => {
  if (!form.test(a) || !form.test(b)) return NaN;
  const [x, y] = [a, b].map(text => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)) as [string, string];
  return x < y ? -1 : x > y ? 1 : 0;
};
const dates = texts(/^\d{4}-\d\d-\d\d$/);
const timestamps = texts(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/);

/** Of text bounds may be cut off, and of floats they say nothing of NaN. */
function orderOf(type: DataType): Order | null {
  if (type.kind === 'int') return integers;
  if (type.kind === 'date') return dates;
  return type.kind === 'timestamp' && !type.zoned ? timestamps : null;
}

function boundsOf(name: string, shape: DatasetShape, file: TableFile): Bounds | null {
  const rows = file.rowCount;
  if (name === rowId) return file.rowIds === 'positional' ? {order: integers, nulls: 0, rows, least: String(file.firstRowId), most: String(file.firstRowId + rows - 1)} : null;
  const member = shape.members.get(name);
  const column = member?.kind === 'column' ? file.columns?.find(one => one.name === name) : undefined;
  const order = member?.kind === 'column' ? orderOf(member.field.type) : null;
  return column && order ? {order, nulls: column.nulls, rows, least: column.min, most: column.max} : null;
}

function mayFulfil(operator: string, given: unknown, {order, nulls, rows, least, most}: Bounds): boolean {
  if (operator === '_is_null') return given === true ? nulls > 0 : nulls < rows;
  // Without a value no comparison is true; without bounds nothing is known.
  if (nulls === rows) return !(operator in tests) && operator !== '_in';
  if (least === null || most === null) return true;
  if (operator === '_in') return !Array.isArray(given) || given.some(value => mayFulfil('_eq', value, {order, nulls, rows, least, most}));
  const test = tests[operator];
  if (!test || given === null || given === undefined || typeof given === 'object') return true;
  return test(order(least, String(given)), order(most, String(given)));
}

/** Whether some value between bounds may fulfil a comparison, of how the bounds compare with what is given. NaN: unknown, so it may. */
const tests: Readonly<Record<string, (least: number, most: number) => boolean>> = {
  _eq: (least, most) => !(least > 0) && !(most < 0),
  _gt: (_, most) => !(most <= 0),
  _gte: (_, most) => !(most < 0),
  _lt: least => !(least >= 0),
  _lte: least => !(least > 0),
};
