/**
 * The portable core of SQL (docs/portable-sql.md): what means the same on every engine, in each engine's words.
 *
 * An allow-list over the tree that the embedded engine's parser gives. Every expression has a type, found here as the embedded
 * engine finds it, and all conversions are written out, so that no engine converts in a way of its own. What is not in the list,
 * or whose type cannot be told, is refused.
 */
import {typeName} from '../../schemas/schema.ts';
import type {Schema} from '../../schemas/schema.ts';
import type {Query, Table} from '../engine.ts';
import type {Translate} from '../remote-engine.ts';
import {dialects} from './dialect.ts';
import {Statements} from './statement.ts';
import {Source} from './syntax.ts';
import type {Node} from './syntax.ts';
import {columnType, sameType} from './types.ts';

export const translate: Translate = (tree, query, described, engine) => {
  const source = new Source(query.sql, engine);
  const relations = tables(query);
  const schemas: Record<string, Schema> = Object.fromEntries(Object.entries(relations).map(([name, table]) => [name, table.schema]));
  const {sql, columns, reads} = new Statements({source, dialect: dialects[engine], params: query.params ?? []}, schemas).root(tree as Node);
  if (columns.length !== described.fields.length) throw source.refusal('the statement', `has ${described.fields.length} columns, of which ${columns.length} could be followed`);
  for (const [index, {type, name}] of columns.entries()) {
    const field = described.fields[index]!;
    if (type.kind !== 'null' && !sameType(columnType(type), field.type)) throw source.refusal(`column '${field.name || name}'`, `is ${typeName(field.type)}, and would be ${typeName(columnType(type))} there; give it a CAST`);
  }
  return {sql, relations: Object.fromEntries(Object.entries(relations).filter(([name]) => reads.has(name)))};
};

function tables(query: Query): Record<string, Table> {
  return Object.fromEntries(Object.entries(query.relations).flatMap(([name, relation]) => (relation.kind === 'table' ? [[name, relation]] : [])));
}
