import type {Engine, Table} from '../engines/engine.ts';
import type {ColumnProfile, DataType, Schema} from '../schemas/schema.ts';
import type {AddedFile} from './file-changes.ts';
import type {SnapshotRecord} from './warehouse.ts';

/** A whole profile is made anew each time the rows have grown by so much. */
const growth = 1.1;

/**
 * The profile of a snapshot after a small change. Where rows only came, that of its parent and that of the new rows together: bounds and
 * nulls are exact, distinct values an estimate, as always; how values are distributed is that of the parent. Else, and now and then, the
 * profile of all rows.
 */
export async function profileAfter({engine, head, key, removesRows, added, addedTable, table}: {
  readonly engine: Engine; readonly head: SnapshotRecord; readonly key: readonly string[]; readonly removesRows: boolean; readonly added: readonly AddedFile[]; readonly addedTable: Table; readonly table: Table;
}): Promise<readonly ColumnProfile[]> {
  const rows = (of: Table): number => of.files.reduce((sum, file) => sum + file.rowCount, 0);
  const age = (count: number): number => Math.floor(Math.log(count) / Math.log(growth));
  const isWhole = removesRows || age(rows(table)) !== age(Number(head.rowCount)) || head.profile.length !== head.schema.fields.length;
  if (isWhole) return engine.profile(table);
  const types = typesOf(head.schema);
  const news = new Map((told(added, types) ?? (await engine.profile(addedTable))).map(column => [column.name, column]));
  if ([...news.values()].some(column => isIncomparable(column, types.get(column.name)!))) return engine.profile(table);
  return head.profile.map(before => {
    const now = news.get(before.name);
    if (!now) return before;
    const less = lessFor(types.get(before.name)!);
    const of = (a: string | null, b: string | null, first: (a: string, b: string) => boolean): string | null => (a === null ? b : b === null ? a : first(b, a) ? b : a);
    return {
      ...before, nulls: before.nulls + now.nulls, distinct: key.length === 1 && key[0] === before.name ? before.distinct + now.distinct : Math.max(before.distinct, Math.min(now.distinct, 1)),
      min: of(before.min, now.min, less), max: of(before.max, now.max, (a, b) => less(b, a)),
    };
  });
}

/** Types whose bounds in a file are written as in a profile. */
const plain: readonly DataType['kind'][] = ['int', 'float', 'decimal', 'date', 'utf8'];

/** Texts may be cut off in a file's bounds from some length on. */
const shortText = 100;

/** What the writer tells of new files, where that is all there is to know: null where only reading them would tell. */
function told(added: readonly AddedFile[], types: ReadonlyMap<string, DataType>): Pick<ColumnProfile, 'name' | 'nulls' | 'distinct' | 'min' | 'max'>[] | null {
  const found: Pick<ColumnProfile, 'name' | 'nulls' | 'distinct' | 'min' | 'max'>[] = [];
  for (const {rowCount, columns} of added) {
    for (const [name, {kind}] of types) {
      const column = columns.find(one => one.name === name);
      if (!column || !plain.includes(kind)) return null;
      const present = rowCount - column.nulls;
      if (present > 0 && (column.min === null || column.max === null || column.min.length > shortText || column.max.length > shortText)) return null;
      if (found.some(one => one.name === name)) return null;
      found.push({name, nulls: column.nulls, distinct: present, min: column.min, max: column.max});
    }
  }
  return found;
}

/** Infinities hide the bounds of the finite values, and lengths of time have no order as text. */
const isIncomparable = ({min, max}: Pick<ColumnProfile, 'min' | 'max'>, {kind}: DataType): boolean =>
  kind === 'interval' || (kind === 'float' && [min, max].some(bound => bound !== null && !Number.isFinite(Number(bound))));

const typesOf = ({fields}: Schema): ReadonlyMap<string, DataType> => new Map(fields.map(({name, type}) => [name, type]));

/** Whether one bound is less than another, as engines order values of the type. */
function lessFor(type: DataType): (a: string, b: string) => boolean {
  if (type.kind === 'int') return (a, b) => BigInt(a) < BigInt(b);
  if (type.kind === 'float' || type.kind === 'decimal') return (a, b) => Number(a) < Number(b);
  // Code points order as UTF-8 does.
  return (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}
