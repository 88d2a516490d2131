/** A statement with what it reads, as one plan: nothing of it stays in the server, so it can be sent again to another one. */
import type {Schema} from '../../schemas/schema.ts';
import type {Table} from '../engine.ts';
import type {NativeQuery} from '../remote-engine.ts';
import type {Plan, Relation} from './protocol.ts';
import {fieldIdMetadata, schemaJson, sparkType} from './types.ts';

/** The statement as it is written, so that places in messages are places in it. */
export function statement({sql, relations}: NativeQuery): Relation {
  const root: Relation = {sql: {query: sql}};
  const references = Object.entries(relations).map(([alias, table]): Relation => ({subqueryAlias: {input: relation(table), alias}}));
  return references.length === 0 ? root : {withRelations: {root, references}};
}

/** A table's files, with its columns found by field id; a file that lacks one gives null. */
function relation({schema, files}: Table): Relation {
  if (files.length === 0) return {localRelation: {schema: schemaJson(schema.fields)}};
  return {read: {dataSource: {format: 'parquet', schema: schemaJson(schema.fields), paths: files.map(file => literalPath(file.path))}}};
}

/** Spark takes paths for patterns. */
const literalPath = (path: string): string => path.replace(/[\\*?[\]{}]/g, '\\$&');

/** The statement's rows as Parquet files in a folder that Spark makes. */
export function write(query: NativeQuery, schema: Schema, path: string): Plan {
  const columnNames = schema.fields.map((_, index) => `c${index}`);
  const expressions = schema.fields.map((field, index) => ({
    alias: {
      expr: {cast: {expr: {unresolvedAttribute: {unparsedIdentifier: `c${index}`}}, type: sparkType(field.type)}},
      name: [field.name],
      ...(field.id > 0 ? {metadata: fieldIdMetadata(field.id)} : {}),
    },
  }));
  return {command: {writeOperation: {
    input: {project: {input: {toDf: {input: statement(query), columnNames}}, expressions}}, source: 'parquet', path, mode: 'SAVE_MODE_OVERWRITE', options: writeOptions,
  }}};
}

const writeOptions: Readonly<Record<string, string>> = {
  compression: 'zstd',
  // Files of some hundred megabytes at most, for rows of usual width.
  maxRecordsPerFile: '10000000',
  'mapreduce.fileoutputcommitter.marksuccessfuljobs': 'false',
};
