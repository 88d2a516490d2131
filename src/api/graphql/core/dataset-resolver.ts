import {Arg, Ctx, Field, Int, Mutation, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import {readContractDocument} from '../../../schemas/contract-document.ts';
import {cursorOf, orNull, pageSize, readCursor} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {ContractInput, plain} from './contract-inputs.ts';
import {Dataset, DatasetConnection, Snapshot} from './dataset.ts';
import {NameTaken, NotFound, SchemaIncompatible, answerUnion, failuresAsAnswers} from './failures.ts';
import {Breakage} from './schema-version.ts';

@ObjectType()
export class Compacted {
  @Field(() => Dataset) readonly dataset: Dataset;
  @Field(() => Snapshot, {nullable: true, description: 'Null: there was nothing to do.'}) readonly snapshot: Snapshot | null;

  constructor(dataset: Dataset, snapshot: Snapshot | null) {
    this.dataset = dataset;
    this.snapshot = snapshot;
  }
}

@ObjectType()
export class ContractSet {
  @Field(() => Dataset) readonly dataset: Dataset;

  constructor(dataset: Dataset) {
    this.dataset = dataset;
  }
}

const SetContractResult = answerUnion('SetContractResult', [ContractSet, NameTaken]);
@ObjectType()
export class ColumnRenamed {
  @Field(() => Dataset) readonly dataset: Dataset;
  @Field(() => Snapshot) readonly snapshot: Snapshot;
  @Field(() => [Breakage], {description: 'What reads the column by its old name: change it next.'}) readonly breaks: readonly Breakage[];

  constructor(dataset: Dataset, snapshot: Snapshot, breaks: readonly Breakage[]) {
    this.dataset = dataset;
    this.snapshot = snapshot;
    this.breaks = breaks;
  }
}

const RenameColumnResult = answerUnion('RenameColumnResult', [ColumnRenamed, SchemaIncompatible, NameTaken, NotFound]);
const CompactResult = answerUnion('CompactResult', [Compacted, NotFound]);

@Resolver()
export class DatasetResolver {
  @Query(() => DatasetConnection, {description: 'Datasets by name.'})
  async datasets(
    @Ctx() {services, viewer}: CoreContext,
    @Arg('first', () => Int, {defaultValue: 50}) first: number,
    @Arg('search', () => String, {nullable: true, description: 'A part of the name.'}) search?: string,
    @Arg('after', () => String, {nullable: true}) after?: string,
  ): Promise<DatasetConnection> {
    const limit = pageSize(first);
    const found = await services.datasets.list(viewer, search ?? undefined);
    const last = after == null ? null : readCursor(after);
    const rest = last === null ? found : found.filter(({dataset}) => dataset.name > last);
    const page = rest.slice(0, limit);
    return new DatasetConnection(page.map(view => new Dataset(view)), found.length, page.length < rest.length ? cursorOf(page.at(-1)!.dataset.name) : null);
  }

  @Query(() => Dataset, {nullable: true, description: 'Null: there is none of this name.'})
  async dataset(@Arg('name', () => String) name: string, @Ctx() {services, viewer}: CoreContext): Promise<Dataset | null> {
    return orNull('DATASET_NOT_FOUND', async () => new Dataset(await services.datasets.get(viewer, name)));
  }

  @Mutation(() => SetContractResult, {description: 'What a dataset has to keep to from its next commit on; it need not exist yet. Its key and foreign keys must hold now.'})
  @UseMiddleware(failuresAsAnswers)
  async setContract(
    @Ctx() {services: {datasets}, viewer}: CoreContext,
    @Arg('dataset', () => String) name: string,
    @Arg('contract', () => ContractInput, {nullable: true}) contract?: ContractInput,
    @Arg('document', () => String, {nullable: true, description: 'Instead of `contract`: the same in YAML, as `Contract.document` answers it.'}) document?: string,
  ): Promise<typeof SetContractResult> {
    if ((contract == null) === (document == null)) throw new MillraceError('ARGUMENT_INVALID', {name: 'contract', reason: 'exactly one of `contract` and `document` must be given.'});
    await datasets.setContract(viewer, name, contract == null ? readContractDocument(name, document!) : plain(contract));
    return new ContractSet(new Dataset(await datasets.get(viewer, name)));
  }

  @Mutation(() => RenameColumnResult, {description: 'Gives a column another name: the same column, whose old files stay as they are. Earlier snapshots keep the old name.'})
  @UseMiddleware(failuresAsAnswers)
  async renameColumn(
    @Arg('dataset', () => String) name: string, @Arg('from', () => String) from: string, @Arg('to', () => String) to: string, @Ctx() {services: {datasets, graphModel}, viewer}: CoreContext,
  ): Promise<typeof RenameColumnResult> {
    const {snapshot, breaks} = await datasets.renameColumn(viewer, name, from, to);
    await graphModel.refresh();
    return new ColumnRenamed(new Dataset(await datasets.get(viewer, name)), new Snapshot(snapshot), breaks.map(one => new Breakage(one)));
  }

  @Mutation(() => CompactResult, {description: 'Rewrites many small files of a dataset as few: the same rows with the same ids.'})
  @UseMiddleware(failuresAsAnswers)
  async compact(@Arg('dataset', () => String) name: string, @Ctx() {services: {datasets}, viewer}: CoreContext): Promise<typeof CompactResult> {
    const snapshot = await datasets.compact(viewer, name);
    return new Compacted(new Dataset(await datasets.get(viewer, name)), snapshot && new Snapshot(snapshot));
  }
}
