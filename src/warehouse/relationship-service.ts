import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError, didYouMean} from '../core/errors.ts';
import {isLegal, legalNames} from '../schemas/names.ts';
import {typeName} from '../schemas/schema.ts';
import type {DataType, Field} from '../schemas/schema.ts';
import {datasetNotFound} from './datasets.ts';
import type {ColumnPair, Relationships} from './relationship.ts';
import type {SnapshotRecord, Warehouse} from './warehouse.ts';

const longestName = 63;

export function createRelationships({catalog, warehouse}: {readonly catalog: Catalog; readonly warehouse: Pick<Warehouse, 'resolve'>}): Relationships {
  return {
    list: () => catalog.read(stores => stores.relationships.list()),

    async create({name: createdBy}, {dataset, name, kind, to, on}) {
      if (!isLegal(name) || name.length > longestName) throw new MillraceError('NAME_INVALID', {name, suggestion: legalNames([name])[0]!.slice(0, longestName)});
      if (on.length === 0) throw new MillraceError('ARGUMENT_INVALID', {name: 'on', reason: 'it has no columns.'});
      const [from, other] = await Promise.all([warehouse.resolve(dataset), warehouse.resolve(to)]);
      for (const pair of on) refuseIncomparable(pair, from, other);
      await catalog.transaction(async stores => {
        const isNew = await stores.relationships.add({datasetId: from.datasetId, toId: other.datasetId, name, kind, on, createdBy});
        if (!isNew) throw new MillraceError('NAME_TAKEN', {name, by: `another relationship of '${dataset}'`, suggestion: `${name}_2`});
        await stores.changes.tell('graph', '');
      });
    },

    drop: (_viewer, dataset, name) =>
      catalog.transaction(async stores => {
        const record = await stores.datasets.byName(dataset);
        if (!record) throw datasetNotFound(dataset, await stores.datasets.list());
        if (!(await stores.relationships.remove(record.id, name))) throw new MillraceError('RELATIONSHIP_NOT_FOUND', {dataset, name});
        await stores.changes.tell('graph', '');
      }),
  };
}

/** @throws ARGUMENT_INVALID */
function refuseIncomparable({column, toColumn}: ColumnPair, from: SnapshotRecord, to: SnapshotRecord): void {
  const [own, its] = [columnOf(from, column), columnOf(to, toColumn)];
  const [a, b] = [comparedAs(own.type), comparedAs(its.type)];
  if (a === null || a !== b) throw new MillraceError('ARGUMENT_INVALID', {name: 'on', reason: `'${from.datasetName}.${column}' is ${typeName(own.type)} and '${to.datasetName}.${toColumn}' is ${typeName(its.type)}: they are not compared.`});
}

function columnOf({datasetName, schema: {fields}}: SnapshotRecord, name: string): Field {
  const found = fields.find(field => field.name === name);
  if (!found) throw new MillraceError('ARGUMENT_INVALID', {name: 'on', reason: `'${datasetName}' has no column '${name}'. ${didYouMean(name, fields.map(field => field.name))}`.trim()});
  return found;
}

/** Equal for types whose values compare exactly: integers of any size do. Null: none of its values is a key of anything. */
export function comparedAs(type: DataType): string | null {
  if (type.kind === 'int') return 'int';
  return ['float', 'list', 'struct', 'map', 'json', 'interval'].includes(type.kind) ? null : typeName(type);
}
