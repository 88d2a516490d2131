import {Arg, Ctx, Field, FieldResolver, ID, Int, Mutation, ObjectType, Query, Resolver, Root, UseMiddleware} from 'type-graphql';
import type {BackfillStatus} from '../../../pipelines/backfill.ts';
import {jsonObject, orNull, pageSize} from './arguments.ts';
import {Backfill, BackfillPartition, partitionsOf} from './backfill.ts';
import type {CoreContext} from './context.ts';
import {BackfillStatusEnum} from './enums.ts';
import {InvalidParams, NotFound, answerUnion, failuresAsAnswers} from './failures.ts';
import {BackfillInput} from './inputs.ts';
import {Run} from './pipeline.ts';

@ObjectType({description: 'A backfill that is on its way.'})
export class BackfillStarted {
  @Field(() => Backfill) readonly backfill: Backfill;
  @Field(() => Boolean, {description: 'The same was asked for and goes on: this is that one.'}) readonly deduplicated: boolean;

  constructor(backfill: Backfill, deduplicated: boolean) {
    this.backfill = backfill;
    this.deduplicated = deduplicated;
  }
}

@ObjectType({description: 'It makes no more runs, and those that had not ended are cancelled.'})
export class BackfillCancelled {
  @Field(() => Backfill) readonly backfill: Backfill;

  constructor(backfill: Backfill) {
    this.backfill = backfill;
  }
}

const BackfillResult = answerUnion('BackfillResult', [BackfillStarted, InvalidParams, NotFound]);
const CancelBackfillResult = answerUnion('CancelBackfillResult', [BackfillCancelled, NotFound]);

@Resolver(() => Backfill)
export class BackfillResolver {
  @Query(() => [Backfill], {description: 'Newest first.'})
  async backfills(
    @Ctx() {services, viewer}: CoreContext, @Arg('first', () => Int, {defaultValue: 20}) first: number, @Arg('pipeline', () => String, {nullable: true}) pipeline?: string,
  ): Promise<Backfill[]> {
    return (await services.backfills.list(viewer, {pipeline: pipeline ?? undefined, limit: pageSize(first)})).map(record => new Backfill(record));
  }

  @Query(() => Backfill, {nullable: true, description: 'Null: there is none of this id.'})
  async backfill(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<Backfill | null> {
    return orNull('BACKFILL_NOT_FOUND', async () => new Backfill(await services.backfills.get(viewer, id)));
  }

  @Mutation(() => BackfillResult, {name: 'backfill', description: 'Runs a pipeline for every partition of a range that has not succeeded with this definition, as many at once as it allows.'})
  @UseMiddleware(failuresAsAnswers)
  async startBackfill(@Arg('input', () => BackfillInput) input: BackfillInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof BackfillResult> {
    const {pipeline, from, to, grain, param, again} = input;
    const {backfill, deduplicated} = await services.backfills.start(viewer, {
      pipeline, from, to, grain: grain ?? undefined, param: param ?? undefined, params: jsonObject(input.params, 'input.params'), again,
    });
    return new BackfillStarted(new Backfill(backfill), deduplicated);
  }

  @Mutation(() => CancelBackfillResult)
  @UseMiddleware(failuresAsAnswers)
  async cancelBackfill(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof CancelBackfillResult> {
    return new BackfillCancelled(new Backfill(await services.backfills.cancel(viewer, id)));
  }

  @FieldResolver(() => BackfillStatusEnum)
  async status(@Root() backfill: Backfill, @Ctx() context: CoreContext): Promise<BackfillStatus> {
    return (await partitionsOf(backfill, context)).status;
  }

  @FieldResolver(() => [BackfillPartition], {description: 'In order.'})
  async partitions(@Root() backfill: Backfill, @Ctx() context: CoreContext): Promise<BackfillPartition[]> {
    return (await partitionsOf(backfill, context)).partitions.map(one => new BackfillPartition(one, backfill.record.cancelledAt !== null));
  }

  @FieldResolver(() => Int, {description: 'Partitions that have succeeded.'})
  async done(@Root() backfill: Backfill, @Ctx() context: CoreContext): Promise<number> {
    return (await partitionsOf(backfill, context)).partitions.filter(one => one.runStatus === 'succeeded').length;
  }

  @FieldResolver(() => Int, {description: 'Partitions whose run has failed.'})
  async failed(@Root() backfill: Backfill, @Ctx() context: CoreContext): Promise<number> {
    return (await partitionsOf(backfill, context)).partitions.filter(one => one.runStatus === 'failed').length;
  }

  @FieldResolver(() => Int, {description: 'All its partitions.'})
  async total(@Root() backfill: Backfill, @Ctx() context: CoreContext): Promise<number> {
    return (await partitionsOf(backfill, context)).partitions.length;
  }
}

@Resolver(() => BackfillPartition)
export class BackfillPartitionResolver {
  @FieldResolver(() => Run, {nullable: true, description: 'Null until it is made.'})
  async run(@Root() {record}: BackfillPartition, @Ctx() {loaders}: CoreContext): Promise<Run | null> {
    const run = record.runId === null ? undefined : await loaders.runs.load(record.runId);
    return run ? new Run(run) : null;
  }
}
