import {ArrayMaxSize, IsOptional, Length} from 'class-validator';
import {Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import {onlyAdmin} from '../../../core/viewer.ts';
import type {Affected as AffectedRecord, ErasureRecord} from '../../../maintenance/maintenance.ts';
import type {CoreContext} from './context.ts';
import {Dataset} from './dataset.ts';
import {SelectedByEnum} from './enums.ts';
import {NotFound, answerUnion, failuresAsAnswers} from './failures.ts';
import {BigIntScalar, DateTimeScalar, JsonScalar} from './scalars.ts';

@ObjectType()
export class DerivedDataset {
  @Field(() => String) readonly name: string;
  @Field(() => Int, {description: 'How many of its snapshots.'}) readonly snapshots: number;

  constructor({name, snapshots}: AffectedRecord['datasets'][number]) {
    this.name = name;
    this.snapshots = snapshots;
  }
}

@ObjectType({description: 'What else may hold, or was made from, rows that were erased. None of it was changed.'})
export class Affected {
  constructor(private readonly affected: AffectedRecord) {}

  @Field(() => [DerivedDataset], {description: 'Computed from a snapshot that had them, however far.'}) get datasets(): DerivedDataset[] {
    return this.affected.datasets.map(dataset => new DerivedDataset(dataset));
  }

  @Field(() => [String], {description: '`model@number`, trained on any of those.'}) get modelVersions(): readonly string[] {
    return this.affected.modelVersions;
  }

  @Field(() => [String], {description: 'Raw files that were read: paths of the project, `upload:…`, `package:…`.'}) get rawFiles(): readonly string[] {
    return this.affected.rawFiles;
  }

  @Field(() => [ID], {description: 'Ids of runs that made or read such a snapshot, whose events may quote values until they expire.'}) get runs(): readonly string[] {
    return this.affected.runs;
  }

  @Field(() => Int, {description: 'Rows of the quarantine without a value in a column of the key, because none could be read: whether they are meant, only a look tells. They are still there.'})
  get keylessRows(): number {
    return this.affected.keylessRows ?? 0;
  }
}

@ObjectType({description: 'The record that rows were erased from every snapshot of a dataset and its quarantine. It does not say which.'})
export class Erasure {
  constructor(private readonly record: ErasureRecord) {}

  @Field(() => ID) get id(): string {
    return this.record.id;
  }

  @Field(() => SelectedByEnum) get selectedBy(): ErasureRecord['selectedBy'] {
    return this.record.selectedBy;
  }

  @Field(() => [String], {description: 'Of the key.'}) get columns(): readonly string[] {
    return this.record.columns;
  }

  @Field(() => String, {description: 'What the hashes begin with.'}) get salt(): string {
    return this.record.salt;
  }

  @Field(() => [String], {description: "SHA-256 of the salt and the JSON list of a key's values as strings (or a row id as a string, or the expression): proves what was erased to who knows it."})
  get hashes(): readonly string[] {
    return this.record.hashes;
  }

  @Field(() => String) get requestedBy(): string {
    return this.record.requestedBy;
  }

  @Field(() => String) get reason(): string {
    return this.record.reason;
  }

  @Field(() => DateTimeScalar) get erasedAt(): Date {
    return this.record.erasedAt;
  }

  @Field(() => BigIntScalar, {description: 'Different rows; each was in any number of snapshots.'}) get rows(): bigint {
    return this.record.rows;
  }

  @Field(() => [ID], {description: 'Ids of the snapshots that had them; their content hashes are others now.'}) get snapshots(): readonly string[] {
    return this.record.snapshotIds;
  }

  @Field(() => Affected) get affected(): Affected {
    return new Affected(this.record.affected);
  }
}

@InputType({description: 'Which rows: exactly one of keys, rowIds and where.'})
export class EraseRowsInput {
  @Field(() => String)
  @Length(1, 63)
  dataset!: string;

  @Field(() => [JsonScalar], {nullable: true, description: "Objects with a value for each column of the contract's key."})
  @IsOptional() @ArrayMaxSize(1000)
  keys?: unknown[];

  @Field(() => [BigIntScalar], {nullable: true})
  @IsOptional() @ArrayMaxSize(1000)
  rowIds?: bigint[];

  @Field(() => String, {nullable: true, description: "An expression of a row's columns, in SQL."})
  @IsOptional() @Length(1, 10_000)
  where?: string;

  @Field(() => String, {description: 'Kept in the record for ever: it must not say what was erased.'})
  @Length(1, 1000)
  reason!: string;
}

@ObjectType()
export class RowsErased {
  @Field(() => Dataset) readonly dataset: Dataset;
  @Field(() => Erasure) readonly erasure: Erasure;

  constructor(dataset: Dataset, erasure: Erasure) {
    this.dataset = dataset;
    this.erasure = erasure;
  }
}

const EraseRowsResult = answerUnion('EraseRowsResult', [RowsErased, NotFound]);

@Resolver(() => Dataset)
export class ErasureResolver {
  @FieldResolver(() => [Erasure], {description: 'What was erased from it, newest first.'})
  async erasures(@Root() {view}: Dataset, @Ctx() {services, viewer}: CoreContext): Promise<Erasure[]> {
    return (await services.maintenance.erasures(viewer, view.dataset.name)).map(record => new Erasure(record));
  }

  @Mutation(() => EraseRowsResult, {description: 'Removes rows from every snapshot of a dataset and its quarantine, for good: their files are gone from the disk when this answers.'})
  @UseMiddleware(failuresAsAnswers)
  async eraseRows(@Arg('input', () => EraseRowsInput) input: EraseRowsInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof EraseRowsResult> {
    onlyAdmin(viewer);
    const {dataset, reason, keys, rowIds, where} = input;
    const record = await services.maintenance.erase(viewer, {dataset, reason, keys: keys?.map(asKey), rowIds: rowIds ?? undefined, where: where ?? undefined});
    return new RowsErased(new Dataset(await services.datasets.get(viewer, dataset)), new Erasure(record));
  }
}

function asKey(key: unknown): Readonly<Record<string, unknown>> {
  const isKey = typeof key === 'object' && key !== null && !Array.isArray(key) && Object.values(key).every(value => ['string', 'number', 'boolean', 'bigint'].includes(typeof value) || value === null);
  if (!isKey) throw new MillraceError('ARGUMENT_INVALID', {name: 'keys', reason: 'each is an object with a value for each column of the key.'});
  return key as Readonly<Record<string, unknown>>;
}
