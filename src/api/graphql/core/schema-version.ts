/** Versions of a dataset's columns, and what changed from one to the next. */
import {Field, Int, ObjectType} from 'type-graphql';
import {allows, changeSays, schemaChanges} from '../../../schemas/compatibility.ts';
import type {ChangeKind, SchemaChange as ChangeRecord} from '../../../schemas/compatibility.ts';
import type {Compatibility} from '../../../schemas/contract.ts';
import type {Breakage as BreakageRecord, SchemaVersionRecord} from '../../../warehouse/warehouse.ts';
import {Schema} from './dataset.ts';
import {BreakageKindEnum, ChangeKindEnum} from './enums.ts';
import {DateTimeScalar} from './scalars.ts';

@ObjectType({description: 'One change of the columns, and which readers can go on after it.'})
export class SchemaChange {
  /** @param mode the dataset's now */
  constructor(private readonly change: ChangeRecord, private readonly mode: Compatibility) {}

  @Field(() => ChangeKindEnum) get kind(): ChangeKind {
    return this.change.kind;
  }

  @Field(() => String, {description: "Its name before, or where it was added its name now. Parts of nested columns: address.city, tags[]."}) get column(): string {
    return this.change.column;
  }

  @Field(() => String, {nullable: true, name: 'from', description: 'A type; where it was renamed a name; null where it was added.'}) get before(): string | null {
    return this.change.from;
  }

  @Field(() => String, {nullable: true, name: 'to'}) get after(): string | null {
    return this.change.to;
  }

  @Field(() => Boolean, {description: 'Who knows the new columns can read old data.'}) get backward(): boolean {
    return this.change.backward;
  }

  @Field(() => Boolean, {description: 'Who knows the old columns can read new data.'}) get forward(): boolean {
    return this.change.forward;
  }

  @Field(() => Boolean, {description: "Whether the dataset's contract, as it is now, allows it."}) get compatible(): boolean {
    return allows(this.mode, this.change);
  }

  @Field(() => String, {description: 'In words: + city utf8, delay: int32 → int64.'}) get text(): string {
    return changeSays(this.change);
  }
}

@ObjectType({description: 'Something that reads a dataset and would not work, or would give other columns, after a change.'})
export class Breakage {
  constructor(private readonly breakage: BreakageRecord) {}

  @Field(() => BreakageKindEnum) get kind(): BreakageRecord['kind'] {
    return this.breakage.kind;
  }

  @Field(() => String, {description: 'pipeline.step, a model, or dataset.column → dataset.'}) get name(): string {
    return this.breakage.name;
  }

  @Field(() => String) get detail(): string {
    return this.breakage.detail;
  }
}

@ObjectType({description: 'The columns of a dataset as they were from some snapshot on.'})
export class SchemaVersion {
  constructor(readonly record: SchemaVersionRecord, private readonly previous: SchemaVersionRecord | undefined, private readonly mode: Compatibility) {}

  @Field(() => Int) get version(): number {
    return this.record.version;
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => Schema) get schema(): Schema {
    return new Schema(this.record.schema, [], this.record.version);
  }

  @Field(() => [SchemaChange], {description: 'From the version before; empty for the first.'}) get changes(): SchemaChange[] {
    return this.previous ? schemaChanges(this.previous.schema, this.record.schema).map(change => new SchemaChange(change, this.mode)) : [];
  }
}
