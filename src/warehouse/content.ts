/** What a snapshot's files are: to an engine, and to a checksum. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import type {Table} from '../engines/engine.ts';
import {typeName} from '../schemas/schema.ts';
import type {Schema} from '../schemas/schema.ts';
import type {FileRecord, SnapshotRecord} from './warehouse.ts';

/** The content of a snapshot: its columns and its files, in order. */
export function hashContent(schema: Schema, files: readonly {sha256: string}[]): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(schema.fields.map(field => [field.id, field.name, typeName(field.type), field.nullable])));
  for (const file of files) hash.update(file.sha256);
  return hash.digest('hex');
}

/** @param folder the warehouse's */
export function tableOf(folder: string, {schema, schemaVersion}: Pick<SnapshotRecord, 'schema' | 'schemaVersion'>, files: readonly FileRecord[]): Table {
  return {
    kind: 'table',
    schema,
    uniform: files.every(file => file.schemaVersion === schemaVersion && file.columns.length === schema.fields.length),
    files: files.map(file => ({
      path: join(folder, file.path), rowCount: Number(file.rowCount), bytes: Number(file.bytes), firstRowId: Number(file.firstRowId), rowIds: file.rowIds,
      ...(file.schemaVersion === schemaVersion ? {columns: file.columns} : {}),
    })),
  };
}
