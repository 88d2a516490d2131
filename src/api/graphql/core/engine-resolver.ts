/** What runs SQL: the embedded engine, and those past this machine. */
import {Arg, Ctx, Field, Float, ID, Int, Mutation, ObjectType, Query, Resolver, UseMiddleware} from 'type-graphql';
import type {EngineName} from '../../../engines/engine.ts';
import type {EngineHealth, EngineProgress, EngineStatus, RunningStatement as RunningRecord} from '../../../engines/remote-engine.ts';
import type {StepVerification, VerifiedEngine as VerifiedRecord} from '../../../pipelines/pipeline.ts';
import {jsonObject} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {EngineHealthEnum, EngineNameEnum} from './enums.ts';
import {InvalidParams, NotFound, answerUnion, failuresAsAnswers} from './failures.ts';
import {VerifyStepInput} from './inputs.ts';
import {BigIntScalar, DateTimeScalar} from './scalars.ts';

@ObjectType({description: 'How far a statement has come in an engine that works in stages and tasks.'})
export class EngineTasks {
  constructor(private readonly progress: EngineProgress) {}

  @Field(() => Int) get stages(): number {
    return this.progress.stages;
  }

  @Field(() => Int) get stagesDone(): number {
    return this.progress.stagesDone;
  }

  @Field(() => Int) get tasks(): number {
    return this.progress.tasks;
  }

  @Field(() => Int) get tasksDone(): number {
    return this.progress.tasksDone;
  }

  @Field(() => BigIntScalar) get bytesRead(): bigint {
    return BigInt(this.progress.bytesRead);
  }
}

@ObjectType({description: 'A statement that an engine runs for this server.'})
export class RunningStatement {
  constructor(private readonly statement: RunningRecord) {}

  @Field(() => String, {description: 'As the engine knows it.'}) get id(): string {
    return this.statement.id;
  }

  @Field(() => String, {description: 'The step it is for.'}) get label(): string {
    return this.statement.label;
  }

  @Field(() => DateTimeScalar) get startedAt(): Date {
    return this.statement.startedAt;
  }

  @Field(() => EngineTasks, {nullable: true, description: 'Null before it told.'}) get progress(): EngineTasks | null {
    return this.statement.progress && new EngineTasks(this.statement.progress);
  }
}

@ObjectType({description: 'What an engine can do.'})
export class EngineFeatures {
  @Field(() => Boolean, {description: 'In the process of the server: it answers the queries of the graph.'}) readonly embedded: boolean;
  @Field(() => Boolean, {description: 'Several processes share the work of one statement.'}) readonly distributed: boolean;
  @Field(() => Boolean, {description: 'Tells of stages and tasks while a statement runs.'}) readonly progress: boolean;
  @Field(() => Boolean, {description: 'Its files are taken as they are; of others the rows are written once more by the embedded engine.'}) readonly fieldIds: boolean;

  constructor(embedded: boolean, distributed: boolean, progress: boolean, fieldIds: boolean) {
    this.embedded = embedded;
    this.distributed = distributed;
    this.progress = progress;
    this.fieldIds = fieldIds;
  }
}

@ObjectType({description: 'What runs the SQL of steps.'})
export class Engine {
  constructor(
    private readonly title: EngineName,
    private readonly features: EngineFeatures,
    private readonly status: EngineStatus,
    private readonly place: string | null,
  ) {}

  @Field(() => EngineNameEnum) get name(): EngineName {
    return this.title;
  }

  @Field(() => EngineHealthEnum) get health(): EngineHealth {
    return this.status.health;
  }

  @Field(() => String, {nullable: true, description: 'Null while it is not ready.'}) get version(): string | null {
    return this.status.version;
  }

  @Field(() => String, {nullable: true, description: 'Null: it is embedded, or no address is configured.'}) get address(): string | null {
    return this.place;
  }

  @Field(() => String, {nullable: true, description: 'Why it is not ready, and what to do.'}) get detail(): string | null {
    return this.status.detail;
  }

  @Field(() => EngineFeatures) get capabilities(): EngineFeatures {
    return this.features;
  }

  @Field(() => Int, {description: 'That this server holds open.'}) get sessions(): number {
    return this.status.sessions;
  }

  @Field(() => [RunningStatement]) get running(): RunningStatement[] {
    return this.status.running.map(statement => new RunningStatement(statement));
  }
}

@ObjectType({description: 'What an engine made of a step.'})
export class VerifiedEngine {
  constructor(private readonly record: VerifiedRecord) {}

  @Field(() => EngineNameEnum) get name(): EngineName {
    return this.record.name;
  }

  @Field(() => String, {description: 'Engine and version.'}) get version(): string {
    return this.record.version;
  }

  @Field(() => BigIntScalar) get rowCount(): bigint {
    return this.record.rowCount;
  }

  @Field(() => Float) get seconds(): number {
    return this.record.seconds;
  }
}

@ObjectType({description: 'A row of one engine and its nearest of the other, as JSON.'})
export class DifferingRow {
  @Field(() => String, {nullable: true, description: 'Null: this engine has no such row.'}) readonly left: string | null;
  @Field(() => String, {nullable: true, description: 'Null: this engine has no such row.'}) readonly right: string | null;

  constructor({left, right}: StepVerification['examples'][number]) {
    this.left = left;
    this.right = right;
  }
}

@ObjectType({description: 'The results of one step on two engines, over the same snapshots, as multisets of rows. Nothing was committed.'})
export class StepVerified {
  constructor(private readonly record: StepVerification) {}

  @Field(() => String) get step(): string {
    return this.record.step;
  }

  @Field(() => Boolean) get equal(): boolean {
    return this.record.equal;
  }

  @Field(() => [VerifiedEngine], {description: 'The two, as they were named: left and right.'}) get engines(): VerifiedEngine[] {
    return this.record.engines.map(engine => new VerifiedEngine(engine));
  }

  @Field(() => [ID], {description: 'Ids of the snapshots that were read.'}) get inputs(): string[] {
    return Object.values(this.record.inputs);
  }

  @Field(() => Float, {description: 'How much two floats could differ, relative to the larger of them and 1.'}) get tolerance(): number {
    return this.record.tolerance;
  }

  @Field(() => BigIntScalar, {description: 'Rows of either engine without an equal one of the other.'}) get differing(): bigint {
    return this.record.differing;
  }

  @Field(() => [DifferingRow], {description: 'The first ten.'}) get examples(): DifferingRow[] {
    return this.record.examples.map(row => new DifferingRow(row));
  }
}

const VerifyStepResult = answerUnion('VerifyStepResult', [StepVerified, InvalidParams, NotFound]);

@Resolver()
export class EngineResolver {
  @Mutation(() => VerifyStepResult, {description: 'Runs an SQL step on two engines and compares what they make of it.'})
  @UseMiddleware(failuresAsAnswers)
  async verifyStep(@Arg('input', () => VerifyStepInput) {pipeline, step, params, engines, tolerance}: VerifyStepInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof VerifyStepResult> {
    return new StepVerified(await services.pipelines.verify(viewer, {
      pipeline, step, params: jsonObject(params, 'input.params'), engines: engines as [EngineName, EngineName], tolerance: tolerance ?? undefined,
    }));
  }

  @Query(() => [Engine], {description: 'The engines that steps may choose; those past this machine are asked how they are.'})
  async engines(@Ctx() {services: {engine, remotes}}: CoreContext): Promise<Engine[]> {
    const {embedded, distributed} = engine.capabilities;
    const own = new Engine(engine.name, new EngineFeatures(embedded, distributed, false, true), {
      health: 'ready', version: engine.fingerprint.split(' ').at(-1)!, detail: null, sessions: 0, running: [],
    }, null);
    const others = await Promise.all(Object.values(remotes.engines).map(async remote => {
      const {capabilities} = remote;
      return new Engine(remote.name, new EngineFeatures(capabilities.embedded, capabilities.distributed, capabilities.progress, capabilities.fieldIds), await remote.status(), remote.address);
    }));
    return [own, ...others];
  }
}
