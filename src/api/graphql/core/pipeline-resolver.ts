import {Arg, Ctx, Field, ID, Int, Mutation, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {RawOptions} from '../../../engines/engine.ts';
import type {RunStatus, StartRun} from '../../../pipelines/pipeline.ts';
import {parseContract} from '../../../schemas/contract-shape.ts';
import type {Contract} from '../../../schemas/contract.ts';
import {cursorOf, jsonObject, orNull, pageSize, readCursor} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {plain} from './contract-inputs.ts';
import {RunStatusEnum} from './enums.ts';
import {InvalidParams, NameTaken, NotFound, SchemaIncompatible, SourceUnreadable, answerUnion, failuresAsAnswers} from './failures.ts';
import {IngestInput, ReplayQuarantineInput, sourcePlace, StartRunInput} from './inputs.ts';
import {Pipeline, Run, RunConnection, RunPlan} from './pipeline.ts';
import {JsonScalar} from './scalars.ts';

@ObjectType({description: 'A run that is on its way. Watch it by the subscription runEvents.'})
export class RunStarted {
  @Field(() => Run) readonly run: Run;
  @Field(() => Boolean, {description: 'The idempotency key was known: this is the run it started then.'}) readonly deduplicated: boolean;

  constructor(run: Run, deduplicated = false) {
    this.run = run;
    this.deduplicated = deduplicated;
  }
}

@ObjectType({description: 'What runs is interrupted, what waits is skipped.'})
export class RunCancelled {
  @Field(() => Run) readonly run: Run;

  constructor(run: Run) {
    this.run = run;
  }
}

@ObjectType()
export class PipelineCreated {
  @Field(() => Pipeline) readonly pipeline: Pipeline;

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
  }
}

const PlanRunResult = answerUnion('PlanRunResult', [RunPlan, InvalidParams, NotFound, SchemaIncompatible]);
const StartRunResult = answerUnion('StartRunResult', [RunStarted, InvalidParams, NotFound]);
const CancelRunResult = answerUnion('CancelRunResult', [RunCancelled, NotFound]);
const RetryRunResult = answerUnion('RetryRunResult', [RunStarted, NotFound]);
const CreatePipelineResult = answerUnion('CreatePipelineResult', [PipelineCreated, NameTaken, NotFound]);
const ReplayResult = answerUnion('ReplayQuarantineResult', [RunStarted, NotFound]);
const IngestResult = answerUnion('IngestResult', [RunStarted, SourceUnreadable, NameTaken, NotFound]);

const startOf = ({pipeline, params, engine, idempotencyKey}: StartRunInput): StartRun => ({pipeline, params: jsonObject(params, 'input.params'), engine: engine ?? undefined, idempotencyKey: idempotencyKey ?? undefined});

@Resolver()
export class PipelineResolver {
  @Query(() => [Pipeline], {description: 'Pipelines by name.'})
  async pipelines(@Ctx() {services, viewer}: CoreContext): Promise<Pipeline[]> {
    return (await services.pipelines.list(viewer)).map(record => new Pipeline(record));
  }

  @Query(() => Pipeline, {nullable: true, description: 'Null: there is none of this name.'})
  async pipeline(@Arg('name', () => String) name: string, @Ctx() {services, viewer}: CoreContext): Promise<Pipeline | null> {
    return orNull('PIPELINE_NOT_FOUND', async () => new Pipeline(await services.pipelines.get(viewer, name)));
  }

  @Query(() => RunConnection, {description: 'Runs, newest first.'})
  async runs(
    @Ctx() {services, viewer}: CoreContext,
    @Arg('first', () => Int, {defaultValue: 20}) first: number,
    @Arg('pipeline', () => String, {nullable: true}) pipeline?: string,
    @Arg('status', () => RunStatusEnum, {nullable: true}) status?: RunStatus,
    @Arg('after', () => String, {nullable: true}) after?: string,
  ): Promise<RunConnection> {
    const limit = pageSize(first);
    const found = await services.pipelines.runs(viewer, {pipeline: pipeline ?? undefined, status: status ?? undefined, limit: limit + 1, before: after == null ? undefined : timeOf(after)});
    const page = found.slice(0, limit);
    return new RunConnection(page.map(run => new Run(run)), found.length > limit ? cursorOf(page.at(-1)!.createdAt.toISOString()) : null);
  }

  @Query(() => Run, {nullable: true, description: 'Null: there is none of this id.'})
  async run(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<Run | null> {
    return orNull('RUN_NOT_FOUND', async () => {
      const run = await services.pipelines.run(viewer, id);
      // Who sees that a run has ended may ask for the rows it made at once, of a dataset that is new in the graph.
      if (run.finishedAt) await services.graphModel.refresh();
      return new Run(run);
    });
  }

  @Query(() => PlanRunResult, {description: 'What a run would do, and why; starts nothing.'})
  @UseMiddleware(failuresAsAnswers)
  async planRun(@Arg('input', () => StartRunInput) input: StartRunInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof PlanRunResult> {
    return new RunPlan(await services.pipelines.plan(viewer, startOf(input)));
  }

  @Mutation(() => StartRunResult)
  @UseMiddleware(failuresAsAnswers)
  async startRun(@Arg('input', () => StartRunInput) input: StartRunInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof StartRunResult> {
    const {run, deduplicated} = await services.pipelines.start(viewer, startOf(input));
    return new RunStarted(new Run(run), deduplicated);
  }

  @Mutation(() => CancelRunResult)
  @UseMiddleware(failuresAsAnswers)
  async cancelRun(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof CancelRunResult> {
    return new RunCancelled(new Run(await services.pipelines.cancel(viewer, id)));
  }

  @Mutation(() => RetryRunResult, {description: 'A new run of a failed or cancelled one; steps that succeeded are reused.'})
  @UseMiddleware(failuresAsAnswers)
  async retryRun(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof RetryRunResult> {
    return new RunStarted(new Run(await services.pipelines.retry(viewer, id)));
  }

  @Mutation(() => CreatePipelineResult, {description: 'Stores a definition; the same name again replaces it. The same definition again changes nothing.'})
  @UseMiddleware(failuresAsAnswers)
  async createPipeline(@Arg('definition', () => JsonScalar) definition: unknown, @Ctx() {services, viewer}: CoreContext): Promise<typeof CreatePipelineResult> {
    return new PipelineCreated(new Pipeline(await services.pipelines.put(viewer, definition, 'graph')));
  }

  @Mutation(() => IngestResult, {description: 'Reads a source into a dataset, by a run of its own.'})
  @UseMiddleware(failuresAsAnswers)
  async ingest(@Arg('input', () => IngestInput) input: IngestInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof IngestResult> {
    const {source: place, format, into, mode, latestBy, deletedWhen, incremental, key, foreignKeys, contract, idempotencyKey} = input;
    const options = jsonObject(input.options, 'input.options') as RawOptions | undefined;
    const source = {...sourcePlace(place), format: format ?? undefined, options};
    const said = plain({key, foreignKeys}) as Contract;
    const step = {
      source, into, mode, latestBy: latestBy ?? undefined, deletedWhen: deletedWhen ?? undefined, contract: contract ? parseContract(into, plain(contract)) : undefined, ...(incremental ? {incremental} : {}),
    };
    const run = await services.pipelines.ingest(viewer, step, said, idempotencyKey ?? undefined);
    return new RunStarted(new Run(run));
  }

  @Mutation(() => ReplayResult, {description: 'Gives rows of a quarantine to their dataset again, by a run of its own; what is refused again stays in the quarantine.'})
  @UseMiddleware(failuresAsAnswers)
  async replayQuarantine(@Arg('input', () => ReplayQuarantineInput) {dataset, where, setSql, idempotencyKey}: ReplayQuarantineInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof ReplayResult> {
    const step = {into: dataset, where: where ?? undefined, setSql: jsonObject(setSql, 'input.setSql') as Record<string, string> | undefined};
    return new RunStarted(new Run(await services.pipelines.replay(viewer, step, idempotencyKey ?? undefined)));
  }
}

function timeOf(cursor: string): Date {
  const time = new Date(readCursor(cursor));
  if (Number.isNaN(time.getTime())) throw new MillraceError('ARGUMENT_INVALID', {name: 'after', reason: 'it is no cursor of an earlier page.'});
  return time;
}
