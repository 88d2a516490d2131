/** Pipelines, runs and steps: the values they hold themselves. Fields that lead to other types are in relations.ts. */
import {Field, ID, Int, ObjectType} from 'type-graphql';
import type {
  EngineChoice, ParamSpec, PipelineRecord, PlanWarning as PlanWarningRecord, PlannedStep as PlannedStepRecord, RunPlan as RunPlanRecord, RunRecord, RunStatus, Step as StepDefinition, StepRecord,
  StoredError, StepKindName, StepStatus,
} from '../../../pipelines/pipeline.ts';
import {CertaintyEnum, EngineChoiceEnum, ParamTypeEnum, PlanWarningCodeEnum, RunStatusEnum, StepActionEnum, StepKindEnum, StepStatusEnum} from './enums.ts';
import {BigIntScalar, DateTimeScalar, JsonScalar} from './scalars.ts';

@ObjectType({description: 'Why a run, a step or a try failed.'})
export class RunError {
  @Field(() => String) readonly code: string;
  @Field(() => String) readonly message: string;
  @Field(() => String) readonly hint: string;

  constructor({code, message, hint}: StoredError) {
    this.code = code;
    this.message = message;
    this.hint = hint;
  }
}

export const runError = (error: StoredError | null): RunError | null => error && new RunError(error);

@ObjectType()
export class PipelineParam {
  constructor(
    private readonly key: string,
    private readonly spec: ParamSpec,
  ) {}

  @Field(() => String) get name(): string {
    return this.key;
  }

  @Field(() => ParamTypeEnum) get type(): ParamSpec['type'] {
    return this.spec.type;
  }

  @Field(() => JsonScalar, {nullable: true, name: 'default', description: 'Null: it must be given.'}) get initial(): unknown {
    return this.spec.default ?? null;
  }

  @Field(() => String, {nullable: true}) get description(): string | null {
    return this.spec.description ?? null;
  }
}

@ObjectType({description: 'A step as a pipeline defines it.'})
export class PipelineStep {
  constructor(private readonly step: StepDefinition) {}

  @Field(() => String) get name(): string {
    return this.step.name;
  }

  @Field(() => StepKindEnum) get kind(): StepKindName {
    return this.step.kind;
  }

  @Field(() => String, {nullable: true, description: 'The dataset it writes.'}) get into(): string | null {
    return 'into' in this.step ? this.step.into : null;
  }

  @Field(() => String, {nullable: true}) get sql(): string | null {
    return this.step.kind === 'sql' ? this.step.sql : null;
  }

  @Field(() => JsonScalar) get definition(): unknown {
    return this.step;
  }
}

@ObjectType({description: 'What turns raw data into datasets: steps that wait for each other.'})
export class Pipeline {
  constructor(readonly record: PipelineRecord) {}

  @Field(() => String) get name(): string {
    return this.record.name;
  }

  @Field(() => String, {nullable: true}) get description(): string | null {
    return this.record.definition.description ?? null;
  }

  @Field(() => [PipelineParam]) get params(): PipelineParam[] {
    return Object.entries(this.record.definition.params ?? {}).map(([name, spec]) => new PipelineParam(name, spec));
  }

  @Field(() => [PipelineStep]) get steps(): PipelineStep[] {
    return this.record.definition.steps.map(step => new PipelineStep(step));
  }

  @Field(() => Int, {description: 'Runs at once; others wait.'}) get concurrency(): number {
    return this.record.definition.concurrency ?? 1;
  }

  @Field(() => String, {description: 'The jobs file it came from, or `graph`.'}) get origin(): string {
    return this.record.origin;
  }

  @Field(() => String, {description: 'Same definition, same hash.'}) get hash(): string {
    return this.record.hash;
  }

  @Field(() => DateTimeScalar, {description: 'When this definition became the current one.'}) get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => JsonScalar) get definition(): unknown {
    return this.record.definition;
  }
}

@ObjectType({description: 'A step of a run.'})
export class Step {
  /** @param record loads the rest when more than the name is asked for. */
  constructor(
    readonly name: string,
    readonly record: () => StepRecord | Promise<StepRecord>,
  ) {}

  static of(record: StepRecord): Step {
    return new Step(record.name, () => record);
  }

  @Field(() => String, {name: 'name'}) get title(): string {
    return this.name;
  }

  @Field(() => StepKindEnum) async kind(): Promise<StepKindName> {
    return (await this.record()).kind;
  }

  @Field(() => StepStatusEnum) async status(): Promise<StepStatus> {
    return (await this.record()).status;
  }

  @Field(() => Int, {description: 'Tries so far.'}) async attempt(): Promise<number> {
    return (await this.record()).attempt;
  }

  @Field(() => Boolean, {description: 'Nothing it depends on had changed, so an earlier output stands.'}) async reused(): Promise<boolean> {
    return (await this.record()).reused;
  }

  @Field(() => String, {nullable: true, description: 'Why it was executed or reused.'}) async reason(): Promise<string | null> {
    return (await this.record()).reason;
  }

  @Field(() => String, {nullable: true, description: 'What did its work: an engine, or `inference`. Null before it began.'}) async engine(): Promise<string | null> {
    return (await this.record()).engine;
  }

  @Field(() => [String], {description: 'Steps it waits for.'}) async needs(): Promise<readonly string[]> {
    return (await this.record()).needs;
  }

  @Field(() => BigIntScalar) async rowsRead(): Promise<bigint> {
    return (await this.record()).rowsRead;
  }

  @Field(() => BigIntScalar) async rowsWritten(): Promise<bigint> {
    return (await this.record()).rowsWritten;
  }

  @Field(() => BigIntScalar, {description: 'Lost to another row of the same key.'}) async rowsSuperseded(): Promise<bigint> {
    return (await this.record()).rowsSuperseded;
  }

  @Field(() => BigIntScalar, {description: 'Told that a row is no more.'}) async rowsDeleted(): Promise<bigint> {
    return (await this.record()).rowsDeleted;
  }

  @Field(() => BigIntScalar, {description: 'Refused by the contract and kept aside, in the quarantine.'}) async rowsQuarantined(): Promise<bigint> {
    return (await this.record()).rowsQuarantined;
  }

  @Field(() => BigIntScalar, {description: 'Refused by the contract and left out.'}) async rowsDropped(): Promise<bigint> {
    return (await this.record()).rowsDropped;
  }

  @Field(() => RunError, {nullable: true}) async error(): Promise<RunError | null> {
    return runError((await this.record()).error);
  }

  @Field(() => DateTimeScalar, {nullable: true}) async startedAt(): Promise<Date | null> {
    return (await this.record()).startedAt;
  }

  @Field(() => DateTimeScalar, {nullable: true}) async finishedAt(): Promise<Date | null> {
    return (await this.record()).finishedAt;
  }
}

@ObjectType({description: 'One execution of a pipeline. It survives whoever works on it.'})
export class Run {
  constructor(readonly record: RunRecord) {}

  @Field(() => ID) get id(): string {
    return this.record.id;
  }

  @Field(() => String, {name: 'pipeline'}) get pipelineName(): string {
    return this.record.pipeline;
  }

  @Field(() => RunStatusEnum) get status(): RunStatus {
    return this.record.status;
  }

  @Field(() => String, {nullable: true, description: 'What must come first, while it is WAITING.'}) get waitingFor(): string | null {
    return this.record.waitingFor;
  }

  @Field(() => JsonScalar) get params(): unknown {
    return this.record.params;
  }

  @Field(() => EngineChoiceEnum, {nullable: true, description: 'For all its SQL steps; null: as these or the pipeline say.'}) get engine(): EngineChoice | null {
    return this.record.engine;
  }

  @Field(() => String, {description: 'Who asked for it.'}) get requestedBy(): string {
    return this.record.requestedBy;
  }

  @Field(() => ID, {nullable: true, description: 'The run this one is another try of.'}) get retryOf(): string | null {
    return this.record.retryOfId;
  }

  @Field(() => BigIntScalar, {description: 'The number of its last event.'}) get lastSeq(): bigint {
    return this.record.lastSeq;
  }

  @Field(() => RunError, {nullable: true}) get error(): RunError | null {
    return runError(this.record.error);
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, {nullable: true}) get startedAt(): Date | null {
    return this.record.startedAt;
  }

  @Field(() => DateTimeScalar, {nullable: true}) get finishedAt(): Date | null {
    return this.record.finishedAt;
  }
}

@ObjectType()
export class RunConnection {
  @Field(() => [Run], {description: 'Newest first.'}) readonly nodes: readonly Run[];
  @Field(() => String, {nullable: true, description: 'Where the next page begins, for `after`; null on the last page.'}) readonly endCursor: string | null;

  constructor(nodes: readonly Run[], endCursor: string | null) {
    this.nodes = nodes;
    this.endCursor = endCursor;
  }
}

@ObjectType({description: 'What a step of a run would do.'})
export class PlannedStep {
  constructor(private readonly step: PlannedStepRecord) {}

  @Field(() => String) get name(): string {
    return this.step.name;
  }

  @Field(() => StepKindEnum) get kind(): StepKindName {
    return this.step.kind;
  }

  @Field(() => StepActionEnum) get action(): PlannedStepRecord['action'] {
    return this.step.action;
  }

  @Field(() => String) get reason(): string {
    return this.step.reason;
  }

  @Field(() => String, {nullable: true}) get into(): string | null {
    return this.step.into;
  }

  @Field(() => String, {description: 'What would do its work: an engine, or `inference`; `auto`: decided when what it reads is there.'}) get engine(): string {
    return this.step.engine;
  }

  @Field(() => String, {description: 'Why it is that one.'}) get engineReason(): string {
    return this.step.engineReason;
  }

  @Field(() => BigIntScalar, {nullable: true, description: 'Null where an earlier step must run first to know.'}) get rowsIn(): bigint | null {
    return this.step.rowsIn;
  }

  @Field(() => BigIntScalar, {nullable: true}) get bytesIn(): bigint | null {
    return this.step.bytesIn;
  }

  @Field(() => [String], {description: 'How the schema of its output would change.'}) get schemaChanges(): readonly string[] {
    return this.step.schemaChanges;
  }

  @Field(() => [String], {description: 'What is worth knowing before: files that changed or vanished since they were read.'}) get notices(): readonly string[] {
    return this.step.notices;
  }
}

@ObjectType({description: 'What a run would do that nobody can want, as the statistics of manifests tell; no rows were read.'})
export class PlanWarning {
  constructor(private readonly warning: PlanWarningRecord) {}

  @Field(() => PlanWarningCodeEnum) get code(): PlanWarningRecord['code'] {
    return this.warning.code;
  }

  @Field(() => CertaintyEnum) get certainty(): PlanWarningRecord['certainty'] {
    return this.warning.certainty;
  }

  @Field(() => String, {description: 'The name of a step of the plan.'}) get step(): string {
    return this.warning.step;
  }

  @Field(() => String, {nullable: true, description: "A column of the step's output, or an input of a model."}) get column(): string | null {
    return this.warning.column;
  }

  @Field(() => String) get detail(): string {
    return this.warning.detail;
  }
}

@ObjectType({description: 'What a run would do; nothing has been started.'})
export class RunPlan {
  constructor(readonly plan: RunPlanRecord) {}

  @Field(() => String, {name: 'pipeline'}) get pipelineName(): string {
    return this.plan.pipeline;
  }

  @Field(() => JsonScalar) get params(): unknown {
    return this.plan.params;
  }

  @Field(() => [PlannedStep]) get steps(): PlannedStep[] {
    return this.plan.steps.map(step => new PlannedStep(step));
  }

  @Field(() => [PlanWarning]) get warnings(): PlanWarning[] {
    return this.plan.warnings.map(warning => new PlanWarning(warning));
  }
}
