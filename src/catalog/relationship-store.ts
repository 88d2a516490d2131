import {newId} from '../core/ids.ts';
import type {ColumnPair, Relationship, RelationshipStore} from '../warehouse/relationship.ts';
import type {Connection} from './database.ts';

export class PrismaRelationshipStore implements RelationshipStore {
  constructor(private readonly db: Connection) {}

  async list(): Promise<Relationship[]> {
    const rows = await this.db.relationship.findMany({include: {dataset: {select: {name: true}}, to: {select: {name: true}}}, orderBy: [{dataset: {name: 'asc'}}, {name: 'asc'}]});
    return rows.map(({dataset, name, kind, to, on}) => ({dataset: dataset.name, name, kind: kind as Relationship['kind'], to: to.name, on: on as unknown as ColumnPair[]}));
  }

  async add({on, ...relationship}: Parameters<RelationshipStore['add']>[0]): Promise<boolean> {
    const {count} = await this.db.relationship.createMany({data: [{id: newId(), ...relationship, on: on.map(({column, toColumn}) => ({column, toColumn}))}], skipDuplicates: true});
    return count === 1;
  }

  async remove(datasetId: string, name: string): Promise<boolean> {
    return (await this.db.relationship.deleteMany({where: {datasetId, name}})).count === 1;
  }
}
