/** Datasets and snapshots: the values they hold themselves. Fields that lead to other types are in relations.ts. */
import {Field, ID, Int, ObjectType} from 'type-graphql';
import {documented} from '../../../schemas/documented.ts';
import type {Bucket as BucketRecord, ColumnProfile as ProfileRecord, Field as SchemaField, Schema as SchemaRecord} from '../../../schemas/schema.ts';
import {typeName} from '../../../schemas/schema.ts';
import type {DatasetView, FileRecord, Operation, SnapshotRecord, WriteLineage} from '../../../warehouse/warehouse.ts';
import {Contract, ForeignKey} from './contract.ts';
import {OperationEnum} from './enums.ts';
import {BigIntScalar, DateTimeScalar} from './scalars.ts';

@ObjectType({description: 'Values from one bound to below that of the next; a single value where both are the same.'})
export class Bucket {
  constructor(private readonly bucket: BucketRecord) {}

  @Field(() => String) get from(): string {
    return this.bucket.from;
  }

  @Field(() => String) get to(): string {
    return this.bucket.to;
  }

  @Field(() => BigIntScalar) get count(): number {
    return this.bucket.count;
  }
}

@ObjectType({description: 'What is known of the values of a column.'})
export class ColumnProfile {
  constructor(private readonly profile: ProfileRecord) {}

  @Field(() => BigIntScalar) get nulls(): number {
    return this.profile.nulls;
  }

  @Field(() => BigIntScalar, {description: 'How many different values there are, approximately.'}) get distinct(): number {
    return this.profile.distinct;
  }

  @Field(() => String, {nullable: true}) get min(): string | null {
    return this.profile.min;
  }

  @Field(() => String, {nullable: true}) get max(): string | null {
    return this.profile.max;
  }

  @Field(() => [String]) get examples(): readonly string[] {
    return this.profile.examples;
  }

  @Field(() => [Bucket], {description: 'How the values of a sample are distributed; the most frequent ones of text.'}) get histogram(): Bucket[] {
    return (this.profile.histogram ?? []).map(bucket => new Bucket(bucket));
  }
}

@ObjectType('Field', {description: 'A column of a dataset, or an input or output of a model.'})
export class Column {
  constructor(private readonly field: SchemaField, private readonly values: ProfileRecord | undefined) {}

  @Field(() => String) get name(): string {
    return this.field.name;
  }

  @Field(() => String, {description: 'The name the data came with.'}) get sourceName(): string {
    return this.field.sourceName ?? this.field.name;
  }

  @Field(() => String, {description: 'For example int32, decimal(18,4), utf8, timestamp, list<utf8>.'}) get type(): string {
    return typeName(this.field.type);
  }

  @Field(() => Boolean) get nullable(): boolean {
    return this.field.nullable;
  }

  @Field(() => String, {nullable: true}) get description(): string | null {
    return this.field.description ?? null;
  }

  @Field(() => String, {nullable: true, description: 'Why it should not be used any more, and what instead; null where it may.'}) get deprecated(): string | null {
    return this.field.deprecated ?? null;
  }

  @Field(() => ColumnProfile, {nullable: true}) get profile(): ColumnProfile | null {
    return this.values ? new ColumnProfile(this.values) : null;
  }
}

@ObjectType({description: 'The columns of a dataset.'})
export class Schema {
  constructor(
    private readonly schema: SchemaRecord,
    private readonly profiles: readonly ProfileRecord[],
    readonly number: number,
  ) {}

  @Field(() => Int) get version(): number {
    return this.number;
  }

  @Field(() => [Column]) get fields(): Column[] {
    const profiles = new Map(this.profiles.map(profile => [profile.name, profile]));
    return this.schema.fields.map(field => new Column(field, profiles.get(field.name)));
  }
}

@ObjectType({description: 'A Parquet file of a snapshot.'})
export class DataFile {
  constructor(private readonly file: FileRecord) {}

  @Field(() => String, {description: 'Relative to the warehouse.'}) get path(): string {
    return this.file.path;
  }

  @Field(() => BigIntScalar) get rowCount(): bigint {
    return this.file.rowCount;
  }

  @Field(() => BigIntScalar) get bytes(): bigint {
    return this.file.bytes;
  }

  @Field(() => String) get sha256(): string {
    return this.file.sha256;
  }
}

@ObjectType({description: 'A raw file that was read, as it was then.'})
export class RawFile {
  constructor(private readonly file: {readonly name: string; readonly sha256: string; readonly bytes: number}) {}

  @Field(() => ID, {description: 'The same for the same bytes under the same path.'}) get id(): string {
    return `file:${this.file.sha256}:${this.file.name}`;
  }

  @Field(() => String, {description: 'Relative to the project, or `package:…`, or `upload:…`.'}) get path(): string {
    return this.file.name;
  }

  @Field(() => String) get sha256(): string {
    return this.file.sha256;
  }

  @Field(() => BigIntScalar) get bytes(): number {
    return this.file.bytes;
  }
}

@ObjectType({description: 'Mutations of clients that were committed together. The rows they gave or chose are those written, superseded, deleted, quarantined and dropped.'})
export class SnapshotWrites {
  constructor(private readonly writes: WriteLineage) {}

  @Field(() => Int) get requests(): number {
    return this.writes.requests;
  }

  @Field(() => [String], {description: 'Who wrote.'}) get by(): readonly string[] {
    return this.writes.by;
  }

  @Field(() => BigIntScalar) get rowsWritten(): number {
    return this.writes.rows.written;
  }

  @Field(() => BigIntScalar, {description: 'Lost to a row of the same key.'}) get rowsSuperseded(): number {
    return this.writes.rows.superseded;
  }

  @Field(() => BigIntScalar) get rowsDeleted(): number {
    return this.writes.rows.deleted;
  }

  @Field(() => BigIntScalar) get rowsQuarantined(): number {
    return this.writes.rows.quarantined;
  }

  @Field(() => BigIntScalar) get rowsDropped(): number {
    return this.writes.rows.dropped;
  }
}

@ObjectType({description: 'One immutable version of a dataset.'})
export class Snapshot {
  constructor(readonly record: SnapshotRecord) {}

  @Field(() => ID) get id(): string {
    return this.record.id;
  }

  @Field(() => Int) get sequence(): number {
    return this.record.sequence;
  }

  @Field(() => OperationEnum) get operation(): Operation {
    return this.record.operation;
  }

  @Field(() => DateTimeScalar) get committedAt(): Date {
    return this.record.committedAt;
  }

  @Field(() => DateTimeScalar, {nullable: true, description: 'Since when its rows are not kept any more; null: they are.'}) get expiredAt(): Date | null {
    return this.record.expiredAt;
  }

  @Field(() => BigIntScalar) get rowCount(): bigint {
    return this.record.rowCount;
  }

  @Field(() => BigIntScalar) get bytes(): bigint {
    return this.record.bytes;
  }

  @Field(() => String, {description: 'Same content, same hash.'}) get contentHash(): string {
    return this.record.contentHash;
  }

  @Field(() => Schema) get schema(): Schema {
    return schemaOf(this.record);
  }

  @Field(() => String, {nullable: true, description: 'The step that made it.'}) get step(): string | null {
    return this.record.stepName;
  }

  @Field(() => String, {nullable: true, description: 'The SQL that made it.'}) get sql(): string | null {
    return this.record.lineage.sql ?? null;
  }

  @Field(() => SnapshotWrites, {nullable: true, description: 'What clients wrote, where mutations made it and no run.'}) get writes(): SnapshotWrites | null {
    const {writes} = this.record.lineage;
    return writes ? new SnapshotWrites(writes) : null;
  }

  @Field(() => [RawFile], {description: 'Raw files it was made from.'}) get rawFiles(): RawFile[] {
    return (this.record.lineage.files ?? []).map(file => new RawFile(file));
  }
}

@ObjectType({description: 'A named table of the warehouse. It never changes: it gets new snapshots.'})
export class Dataset {
  constructor(readonly view: DatasetView) {}

  @Field(() => String) get name(): string {
    return this.view.dataset.name;
  }

  @Field(() => String, {description: 'The field of the query type that answers with its rows.'}) get rootField(): string {
    return this.view.dataset.name;
  }

  @Field(() => BigIntScalar) get rowCount(): bigint {
    return this.view.head?.rowCount ?? 0n;
  }

  @Field(() => BigIntScalar) get bytes(): bigint {
    return this.view.head?.bytes ?? 0n;
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.view.dataset.createdAt;
  }

  @Field(() => [String], {description: 'The columns that tell its rows apart; empty when none were declared.'}) get key(): readonly string[] {
    return this.view.dataset.contract.key ?? [];
  }

  @Field(() => [ForeignKey]) get foreignKeys(): ForeignKey[] {
    return (this.view.dataset.contract.foreignKeys ?? []).map(rule => new ForeignKey(rule));
  }

  @Field(() => Contract) get contract(): Contract {
    return new Contract(this.view.dataset.contract);
  }

  @Field(() => String, {nullable: true, description: 'What its contract says of it.'}) get description(): string | null {
    return this.view.dataset.contract.description ?? null;
  }

  @Field(() => Schema, {description: 'Of the newest snapshot; without columns before the first.'}) get schema(): Schema {
    const {head, dataset} = this.view;
    return head ? schemaOf({...head, schema: documented(head.schema, dataset.contract)}) : new Schema({fields: []}, [], 0);
  }

  @Field(() => Snapshot, {nullable: true, description: 'The newest snapshot.'}) get head(): Snapshot | null {
    return this.view.head && new Snapshot(this.view.head);
  }
}

const schemaOf = ({schema, profile, schemaVersion}: SnapshotRecord): Schema => new Schema(schema, profile, schemaVersion);

@ObjectType()
export class DatasetConnection {
  @Field(() => [Dataset]) readonly nodes: readonly Dataset[];
  @Field(() => Int) readonly totalCount: number;
  @Field(() => String, {nullable: true, description: 'Where the next page begins, for `after`; null on the last page.'}) readonly endCursor: string | null;

  constructor(nodes: readonly Dataset[], totalCount: number, endCursor: string | null) {
    this.nodes = nodes;
    this.totalCount = totalCount;
    this.endCursor = endCursor;
  }
}
