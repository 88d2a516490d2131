import {stat} from 'node:fs/promises';
import {boundOf, compareBounds} from '../../schemas/bounds.ts';
import type {DataType, Field, Schema} from '../../schemas/schema.ts';
import type {Inspected, StagedColumn, StagedFile} from '../engine.ts';
import {literalList, sqlType} from '../sql-text.ts';
import type {Lease} from './database.ts';

/** A node of a Parquet file's schema, as `parquet_schema` tells it: groups first, then what is in them. */
interface SchemaNode {
  readonly file_name: string;
  readonly name: string;
  /** Null for groups. */
  readonly duckdb_type: string | null;
  readonly num_children: string | null;
  readonly field_id: string | null;
}

/** A column of a row group, as `parquet_metadata` tells it. `leaf` counts the columns that hold values. */
interface Chunk {
  readonly file_name: string;
  readonly rows: string;
  readonly leaf: string;
  readonly nulls: string | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly bytes: string;
}

/** What the footers of Parquet files say of them; no row is read. Files without rows are left out. */
export async function inspected(lease: Lease, paths: readonly string[], schema: Schema): Promise<Inspected> {
  if (paths.length === 0) return {files: [], exact: true};
  const files = literalList(paths);
  const nodes = await rows<SchemaNode>(lease, `SELECT file_name, name, duckdb_type, num_children, field_id FROM parquet_schema(${files})`);
  const chunks = await rows<Chunk>(lease, `SELECT file_name, row_group_num_rows AS rows, column_id AS leaf, stats_null_count AS nulls, stats_min_value AS min, stats_max_value AS max, total_compressed_size AS bytes FROM parquet_metadata(${files}) ORDER BY row_group_id`);
  const nodesOf = Map.groupBy(nodes, node => node.file_name);
  const chunksOf = Map.groupBy(chunks, chunk => chunk.file_name);
  const found = await Promise.all(paths.map(async path => ({path, bytes: (await stat(path)).size, chunks: chunksOf.get(path) ?? [], exact: isExact(nodesOf.get(path)!, schema)})));
  return {
    files: found.filter(({chunks: own}) => own.length > 0).map(({path, bytes, chunks: own}) => stagedFile(path, bytes, own, schema)),
    exact: found.every(({exact}) => exact),
  };
}

async function rows<T>(lease: Lease, sql: string): Promise<T[]> {
  const prepared = await lease.prepare(sql);
  try {
    return (await prepared.runAndReadAll()).getRowObjectsJson() as T[];
  } finally {
    prepared.destroySync();
  }
}

/** Whether a file has just these columns, in this order, of these types and with these field ids, nested ones included. */
function isExact(nodes: readonly SchemaNode[], schema: Schema): boolean {
  let at = 0;
  const next = (): SchemaNode | undefined => nodes[at++];
  const isGroup = (children: number): boolean => Number(next()?.num_children) === children;
  const matches = ({id, name, type}: Field, named: boolean): boolean => {
    const node = next();
    if (!node || (named && node.name !== name) || (id > 0 && node.field_id !== String(id))) return false;
    const children = membersOf(type);
    if (children === null) return node.duckdb_type?.replaceAll(' ', '') === sqlType(type).replaceAll(' ', '');
    if (type.kind === 'struct') return Number(node.num_children) === children.length && children.every(child => matches(child, true));
    // A list and a map hold a repeated group, and that their elements.
    return Number(node.num_children) === 1 && isGroup(children.length) && children.every(child => matches(child, false));
  };
  return isGroup(schema.fields.length) && schema.fields.every(field => matches(field, true)) && at === nodes.length;
}

function membersOf(type: DataType): readonly Field[] | null {
  switch (type.kind) {
    case 'list':
      return [type.element];
    case 'map':
      return [type.key, type.value];
    case 'struct':
      return type.fields;
    default:
      return null;
  }
}

const leavesOf = (field: Field): number => membersOf(field.type)?.reduce((sum, member) => sum + leavesOf(member), 0) ?? 1;

function stagedFile(path: string, bytes: number, chunks: readonly Chunk[], schema: Schema): StagedFile {
  const groups = chunks.filter(chunk => chunk.leaf === '0');
  const byLeaf = Map.groupBy(chunks, chunk => Number(chunk.leaf));
  let leaf = 0;
  const columns = schema.fields.map((field): StagedColumn => {
    const own = Array.from({length: leavesOf(field)}, () => byLeaf.get(leaf++) ?? []);
    const size = own.flat().reduce((sum, chunk) => sum + Number(chunk.bytes), 0);
    const nested = membersOf(field.type) !== null;
    return {name: field.name, bytes: size, nulls: nested ? 0 : own[0]!.reduce((sum, chunk) => sum + Number(chunk.nulls ?? 0), 0), ...(nested ? {min: null, max: null} : boundsOf(field.type, own[0]!))};
  });
  return {path, rowCount: groups.reduce((sum, {rows: count}) => sum + Number(count), 0), bytes, columns};
}

/** Of all row groups; unknown where one of them that has values does not tell. */
function boundsOf(type: DataType, chunks: readonly Chunk[]): {min: string | null; max: string | null} {
  const told = chunks.filter(chunk => chunk.nulls !== chunk.rows);
  const extreme = (of: 'min' | 'max', sign: number): string | null => {
    if (told.length === 0 || told.some(chunk => chunk[of] === null)) return null;
    return told.map(chunk => chunk[of]!).reduce((best, text) => (sign * compare(type, text, best) < 0 ? text : best));
  };
  return {min: extreme('min', 1), max: extreme('max', -1)};
}

/** Exactly: 64-bit integers and decimals have more digits than a JavaScript number. */
function compare(type: DataType, a: string, b: string): number {
  if (type.kind === 'int' || type.kind === 'decimal') {
    const difference = BigInt(a.replace('.', '')) - BigInt(b.replace('.', ''));
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  const [left, right] = type.kind === 'utf8' ? [a, b] : [boundOf(type, a), boundOf(type, b)];
  return left === null || right === null ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : compareBounds(left, right);
}
