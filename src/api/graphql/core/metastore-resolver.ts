/** Hive's databases and tables, as its metastore tells of them: what may be ingested. */
import {Arg, Ctx, Field, Int, ObjectType, Query, Resolver} from 'type-graphql';
import type {ForeignColumn, ForeignPartition, ForeignPlace, ForeignStatistics, ForeignTable, Metastore} from '../../../engines/metastore.ts';
import {pageSize} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {BigIntScalar, DateTimeScalar} from './scalars.ts';

@ObjectType()
export class HiveColumn {
  constructor(private readonly column: ForeignColumn) {}

  @Field(() => String) get name(): string {
    return this.column.name;
  }

  @Field(() => String, {description: "In Hive's words."}) get type(): string {
    return this.column.type;
  }

  @Field(() => String, {nullable: true}) get comment(): string | null {
    return this.column.comment;
  }
}

@ObjectType({description: 'As the metastore has it, which may be old. Null where it has nothing.'})
export class HiveStatistics {
  constructor(private readonly statistics: ForeignStatistics) {}

  @Field(() => BigIntScalar, {nullable: true}) get rows(): bigint | null {
    return whole(this.statistics.rows);
  }

  @Field(() => BigIntScalar, {nullable: true}) get bytes(): bigint | null {
    return whole(this.statistics.bytes);
  }

  @Field(() => BigIntScalar, {nullable: true}) get files(): bigint | null {
    return whole(this.statistics.files);
  }

  @Field(() => DateTimeScalar, {nullable: true}) get changedAt(): Date | null {
    return this.statistics.changedAt;
  }
}

const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(value));

@ObjectType()
export class HivePartition {
  private readonly place: () => Promise<ForeignPlace>;

  constructor(private readonly partition: ForeignPartition, load: () => Promise<ForeignPlace>) {
    this.place = once(load);
  }

  @Field(() => String, {description: 'Such as `dt=2001-01-01/hour=3`.'}) get name(): string {
    return this.partition.name;
  }

  @Field(() => String) async location(): Promise<string> {
    return (await this.place()).location;
  }

  @Field(() => HiveStatistics) async statistics(): Promise<HiveStatistics> {
    return new HiveStatistics((await this.place()).statistics);
  }
}

@ObjectType({description: 'A table or a view of Hive. Rows come in by an ingest with the source `{hive: {table}}`.'})
export class HiveTable {
  private readonly table: () => Promise<ForeignTable>;

  constructor(private readonly metastore: Metastore, readonly database: string, private readonly title: string) {
    this.table = once(() => metastore.table(database, title));
  }

  @Field(() => String) get name(): string {
    return this.title;
  }

  @Field(() => Boolean) async view(): Promise<boolean> {
    return (await this.table()).view;
  }

  @Field(() => [HiveColumn], {description: 'Without those that partitions are told by.'}) async columns(): Promise<HiveColumn[]> {
    return (await this.table()).columns.map(column => new HiveColumn(column));
  }

  @Field(() => [HiveColumn]) async partitionedBy(): Promise<HiveColumn[]> {
    return (await this.table()).partitionedBy.map(column => new HiveColumn(column));
  }

  @Field(() => String, {nullable: true, description: 'Of its files: parquet, orc, text, …; null where nothing tells, and of a view.'}) async format(): Promise<string | null> {
    return (await this.table()).format;
  }

  @Field(() => String, {nullable: true, description: 'The class that reads its rows.'}) async serde(): Promise<string | null> {
    return (await this.table()).serde;
  }

  @Field(() => Boolean, {description: 'Its files are not simply its rows.'}) async transactional(): Promise<boolean> {
    return (await this.table()).transactional;
  }

  @Field(() => String, {nullable: true, description: 'A URL; null of a view.'}) async location(): Promise<string | null> {
    return (await this.table()).location;
  }

  @Field(() => HiveStatistics) async statistics(): Promise<HiveStatistics> {
    return new HiveStatistics((await this.table()).statistics);
  }

  @Field(() => [HivePartition], {description: 'By name; none of a table that is not partitioned.'})
  async partitions(
    @Arg('first', () => Int, {defaultValue: 100}) first: number,
    @Arg('where', () => String, {nullable: true, description: "A condition over the columns that partitions are told by, in Hive's words."}) where?: string,
  ): Promise<HivePartition[]> {
    const limit = pageSize(first);
    if ((await this.table()).partitionedBy.length === 0) return [];
    const found = await this.metastore.partitions(this.database, this.title, where ?? undefined);
    return found.slice(0, limit).map(partition => new HivePartition(partition, () => this.metastore.place(this.database, this.title, partition)));
  }
}

@ObjectType()
export class HiveDatabase {
  constructor(private readonly metastore: Metastore, private readonly title: string) {}

  @Field(() => String) get name(): string {
    return this.title;
  }

  @Field(() => [HiveTable], {description: 'Tables and views by name.'}) async tables(): Promise<HiveTable[]> {
    return (await this.metastore.tables(this.title)).map(name => new HiveTable(this.metastore, this.title, name));
  }

  @Field(() => HiveTable, {description: 'An error when there is none.'}) table(@Arg('name', () => String) name: string): HiveTable {
    return new HiveTable(this.metastore, this.title, name);
  }
}

@ObjectType({description: 'The Hive that the setting `hive.url` names.'})
export class Hive {
  constructor(private readonly metastore: Metastore) {}

  @Field(() => [HiveDatabase]) async databases(): Promise<HiveDatabase[]> {
    return (await this.metastore.databases()).map(name => new HiveDatabase(this.metastore, name));
  }

  @Field(() => HiveDatabase) database(@Arg('name', () => String) name: string): HiveDatabase {
    return new HiveDatabase(this.metastore, name);
  }
}

@Resolver()
export class MetastoreResolver {
  @Query(() => Hive)
  hive(@Ctx() {services: {metastore}}: CoreContext): Hive {
    return new Hive(metastore);
  }
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}
