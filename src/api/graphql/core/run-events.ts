/** What happens in a run, as it happens. */
import {Arg, Ctx, Field, Float, ID, Int, InterfaceType, ObjectType, Resolver, Root, Subscription} from 'type-graphql';
import {MillraceError} from '../../../core/errors.ts';
import type {RunEventData, RunEventRecord, StepStatus} from '../../../pipelines/pipeline.ts';
import {abortable} from './abortable.ts';
import type {CoreContext} from './context.ts';
import {Dataset, Snapshot} from './dataset.ts';
import {EngineTasks} from './engine-resolver.ts';
import {LogLevelEnum, StepStatusEnum} from './enums.ts';
import {Run, RunError, Step, runError} from './pipeline.ts';
import {BigIntScalar, DateTimeScalar} from './scalars.ts';

type DataOf<K extends RunEventData['kind']> = Extract<RunEventData, {kind: K}>;

@InterfaceType({description: 'Something that happened in a run. Numbers have no gaps: subscribe with `after` to go on where you were.'})
export abstract class RunEvent<K extends RunEventData['kind'] = RunEventData['kind']> {
  constructor(protected readonly event: RunEventRecord) {}

  protected get data(): DataOf<K> {
    return this.event.data as DataOf<K>;
  }

  protected get runId(): string {
    return this.event.runId;
  }

  @Field(() => BigIntScalar) get seq(): bigint {
    return this.event.seq;
  }

  @Field(() => DateTimeScalar) get at(): Date {
    return this.event.at;
  }

  /** The step as it is now; only asked for when more than its name is selected. */
  protected stepNamed(name: string, {loaders}: CoreContext): Step {
    return new Step(name, async () => {
      const found = (await loaders.steps.load(this.runId))?.find(step => step.name === name);
      if (!found) throw new MillraceError('RUN_NOT_FOUND', {id: this.runId});
      return found;
    });
  }

  protected async loadRun({loaders}: CoreContext): Promise<Run> {
    const run = await loaders.runs.load(this.runId);
    if (!run) throw new MillraceError('RUN_NOT_FOUND', {id: this.runId});
    return new Run(run);
  }
}

@ObjectType({implements: RunEvent, description: 'The run began. (RunStarted is the answer of the mutation that asked for it.)'})
export class RunBegan extends RunEvent<'run_started'> {
  @Field(() => Run) run(@Ctx() context: CoreContext): Promise<Run> {
    return this.loadRun(context);
  }
}

@ObjectType({implements: RunEvent})
export class StepStarted extends RunEvent<'step_started'> {
  @Field(() => Step) step(@Ctx() context: CoreContext): Step {
    return this.stepNamed(this.data.step, context);
  }

  @Field(() => Int) get attempt(): number {
    return this.data.attempt;
  }

  @Field(() => String, {description: 'Why it is executed or reused.'}) get reason(): string {
    return this.data.reason;
  }
}

@ObjectType({implements: RunEvent})
export class StepProgress extends RunEvent<'step_progress'> {
  @Field(() => Step) step(@Ctx() context: CoreContext): Step {
    return this.stepNamed(this.data.step, context);
  }

  @Field(() => Float, {nullable: true, description: 'From 0 to 1; null where the engine cannot tell.'}) get fraction(): number | null {
    return this.data.fraction;
  }

  @Field(() => BigIntScalar) get rowsDone(): string {
    return this.data.rowsDone;
  }

  @Field(() => Float) get rowsPerSecond(): number {
    return this.data.rowsPerSecond;
  }

  @Field(() => EngineTasks, {nullable: true, description: 'Where the engine works in stages and tasks.'}) get tasks(): EngineTasks | null {
    return this.data.tasks ? new EngineTasks(this.data.tasks) : null;
  }
}

@ObjectType({implements: RunEvent})
export class LogLine extends RunEvent<'log'> {
  @Field(() => Step, {nullable: true, description: 'Null: it is about the whole run.'}) step(@Ctx() context: CoreContext): Step | null {
    return this.data.step === null ? null : this.stepNamed(this.data.step, context);
  }

  @Field(() => LogLevelEnum) get level(): DataOf<'log'>['level'] {
    return this.data.level;
  }

  @Field(() => String) get message(): string {
    return this.data.message;
  }
}

@ObjectType({implements: RunEvent})
export class SnapshotCommitted extends RunEvent<'snapshot_committed'> {
  @Field(() => Step) step(@Ctx() context: CoreContext): Step {
    return this.stepNamed(this.data.step, context);
  }

  @Field(() => Dataset) async dataset(@Ctx() {loaders}: CoreContext): Promise<Dataset> {
    const view = await loaders.datasets.load(this.data.dataset);
    if (!view) throw new MillraceError('DATASET_NOT_FOUND', {name: this.data.dataset});
    return new Dataset(view);
  }

  @Field(() => Snapshot) async snapshot(@Ctx() {loaders}: CoreContext): Promise<Snapshot> {
    const snapshot = await loaders.snapshots.load(this.data.snapshotId);
    if (!snapshot) throw new MillraceError('SNAPSHOT_NOT_FOUND', {id: this.data.snapshotId});
    return new Snapshot(snapshot);
  }

  @Field(() => BigIntScalar) get rowCount(): string {
    return this.data.rowCount;
  }

  @Field(() => Boolean, {description: 'An earlier output stands; nothing was written.'}) get reused(): boolean {
    return this.data.reused;
  }
}

@ObjectType({implements: RunEvent})
export class FilePublished extends RunEvent<'file_published'> {
  @Field(() => Step) step(@Ctx() context: CoreContext): Step {
    return this.stepNamed(this.data.step, context);
  }

  @Field(() => String, {description: 'Relative to the folder of published files; `hive:database.name` for a table of Hive.'}) get path(): string {
    return this.data.path;
  }

  @Field(() => BigIntScalar) get rowCount(): string {
    return this.data.rowCount;
  }

  @Field(() => BigIntScalar) get bytes(): string {
    return this.data.bytes;
  }
}

@ObjectType({implements: RunEvent, description: 'A try failed; another one follows.'})
export class StepRetrying extends RunEvent<'step_retrying'> {
  @Field(() => Step) step(@Ctx() context: CoreContext): Step {
    return this.stepNamed(this.data.step, context);
  }

  @Field(() => Int) get attempt(): number {
    return this.data.attempt;
  }

  @Field(() => RunError) get error(): RunError {
    return new RunError(this.data.error);
  }

  @Field(() => Float) get waitSeconds(): number {
    return this.data.waitSeconds;
  }
}

@ObjectType({implements: RunEvent})
export class StepFinished extends RunEvent<'step_finished'> {
  @Field(() => Step) step(@Ctx() context: CoreContext): Step {
    return this.stepNamed(this.data.step, context);
  }

  @Field(() => StepStatusEnum) get status(): StepStatus {
    return this.data.status;
  }

  @Field(() => RunError, {nullable: true}) get error(): RunError | null {
    return runError(this.data.error);
  }
}

@ObjectType({implements: RunEvent, description: 'The last event of a run.'})
export class RunFinished extends RunEvent<'run_finished'> {
  @Field(() => Run) run(@Ctx() context: CoreContext): Promise<Run> {
    return this.loadRun(context);
  }

  @Field(() => RunError, {nullable: true}) get error(): RunError | null {
    return runError(this.data.error);
  }
}

const types: {readonly [K in RunEventData['kind']]: new (event: RunEventRecord) => RunEvent} = {
  run_started: RunBegan,
  step_started: StepStarted,
  step_progress: StepProgress,
  log: LogLine,
  snapshot_committed: SnapshotCommitted,
  file_published: FilePublished,
  step_retrying: StepRetrying,
  step_finished: StepFinished,
  run_finished: RunFinished,
};

export const runEventTypes = Object.values(types);

@Resolver()
export class RunEventsResolver {
  @Subscription(() => RunEvent, {
    description: 'Every event after a number, once, in order, until the run has ended; on any server, also long after it happened.',
    subscribe: ({args, context}) => {
      const {runId, after} = args as {runId: string; after: bigint};
      const {services, viewer} = context as CoreContext;
      return abortable(signal => services.pipelines.events(viewer, runId, after, signal));
    },
  })
  async runEvents(
    @Root() event: RunEventRecord,
    @Ctx() {services}: CoreContext,
    @Arg('runId', () => ID) _runId: string,
    // As clients write it in the schema; parsed like any other value.
    @Arg('after', () => BigIntScalar, {defaultValue: 0n}) _after: bigint,
  ): Promise<RunEvent> {
    // Who hears of a snapshot may ask for its rows at once, of a dataset that is new in the graph.
    if (event.data.kind === 'snapshot_committed') await services.graphModel.refresh();
    return new types[event.data.kind](event);
  }
}
