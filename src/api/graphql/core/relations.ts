/** Fields that lead from one type to another. Each is loaded for all parents at once. */
import {Arg, Ctx, FieldResolver, Int, Resolver, Root} from 'type-graphql';
import type {RowCounts} from '../../../pipelines/pipeline.ts';
import {quarantineOf} from '../../../schemas/contract.ts';
import type {SnapshotRecord} from '../../../warehouse/warehouse.ts';
import {pageSize} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {DataFile, Dataset, Snapshot} from './dataset.ts';
import {Alias, Deployment, Model, ModelBinding, ModelVersion} from './model.ts';
import {Pipeline, Run, RunPlan, Step} from './pipeline.ts';
import {Schedule} from './schedule.ts';
import {BigIntScalar} from './scalars.ts';
import {SchemaVersion} from './schema-version.ts';

const snapshots = (records: readonly SnapshotRecord[] | undefined): Snapshot[] => (records ?? []).map(record => new Snapshot(record));

const present = <T>(values: readonly (T | undefined)[]): T[] => values.filter(value => value !== undefined);

@Resolver(() => Dataset)
export class DatasetRelations {
  @FieldResolver(() => [Snapshot], {description: 'Newest first.'})
  async snapshots(@Root() {view}: Dataset, @Arg('first', () => Int, {defaultValue: 20}) first: number, @Ctx() {loaders}: CoreContext): Promise<Snapshot[]> {
    return snapshots(await loaders.snapshotsOf(pageSize(first)).load(view.dataset.id));
  }

  @FieldResolver(() => Dataset, {nullable: true, description: 'The dataset that keeps the rows its contract refused; null while there were none.'})
  async quarantine(@Root() {view}: Dataset, @Ctx() {loaders}: CoreContext): Promise<Dataset | null> {
    const found = await loaders.datasets.load(quarantineOf(view.dataset.name));
    return found ? new Dataset(found) : null;
  }

  @FieldResolver(() => [SchemaVersion], {description: 'How its columns changed, newest first.'})
  async schemaVersions(@Root() {view}: Dataset, @Arg('first', () => Int, {defaultValue: 20}) first: number, @Ctx() {loaders}: CoreContext): Promise<SchemaVersion[]> {
    // One more: the oldest of the page is compared with it.
    const found = (await loaders.schemaVersionsOf(pageSize(first) + 1).load(view.dataset.id)) ?? [];
    const mode = view.dataset.contract.compatibility ?? 'none';
    return found.slice(0, first).map((version, index) => new SchemaVersion(version, found[index + 1], mode));
  }

  @FieldResolver(() => [ModelBinding], {description: 'Every model, and whether it is a field of the rows.'})
  async models(@Root() {view}: Dataset, @Ctx() {loaders}: CoreContext): Promise<ModelBinding[]> {
    return ((await loaders.bindings.load(view.dataset.name)) ?? []).map(binding => new ModelBinding(binding));
  }
}

@Resolver(() => Snapshot)
export class SnapshotRelations {
  @FieldResolver(() => Dataset)
  async dataset(@Root() {record}: Snapshot, @Ctx() {loaders}: CoreContext): Promise<Dataset> {
    return new Dataset((await loaders.datasets.load(record.datasetName))!);
  }

  @FieldResolver(() => Run, {nullable: true, description: 'The run that made it.'})
  async run(@Root() {record}: Snapshot, @Ctx() {loaders}: CoreContext): Promise<Run | null> {
    const run = record.runId === null ? undefined : await loaders.runs.load(record.runId);
    return run ? new Run(run) : null;
  }

  @FieldResolver(() => Snapshot, {nullable: true, description: 'What it was committed on.'})
  async parent(@Root() {record}: Snapshot, @Ctx() {loaders}: CoreContext): Promise<Snapshot | null> {
    const parent = record.parentId === null ? undefined : await loaders.snapshots.load(record.parentId);
    return parent ? new Snapshot(parent) : null;
  }

  @FieldResolver(() => [Snapshot], {description: 'Snapshots it was computed from.'})
  async inputs(@Root() {record}: Snapshot, @Ctx() {loaders}: CoreContext): Promise<Snapshot[]> {
    return snapshots(present(await Promise.all(Object.values(record.lineage.inputs ?? {}).map(id => loaders.snapshots.load(id)))));
  }

  @FieldResolver(() => [DataFile], {description: 'Its Parquet files, in the order of the rows.'})
  async files(@Root() {record}: Snapshot, @Ctx() {loaders}: CoreContext): Promise<DataFile[]> {
    return ((await loaders.files.load(record.id)) ?? []).map(file => new DataFile(file));
  }
}

@Resolver(() => SchemaVersion)
export class SchemaVersionRelations {
  @FieldResolver(() => Snapshot, {nullable: true, description: 'The first that has these columns; null when none of them is kept any more.'})
  async snapshot(@Root() {record}: SchemaVersion, @Ctx() {loaders}: CoreContext): Promise<Snapshot | null> {
    const snapshot = record.firstSnapshotId === null ? undefined : await loaders.snapshots.load(record.firstSnapshotId);
    return snapshot ? new Snapshot(snapshot) : null;
  }
}

@Resolver(() => Pipeline)
export class PipelineRelations {
  @FieldResolver(() => [Run], {description: 'Newest first.'})
  async runs(@Root() {record}: Pipeline, @Arg('first', () => Int, {defaultValue: 5}) first: number, @Ctx() {services, viewer}: CoreContext): Promise<Run[]> {
    return (await services.pipelines.runs(viewer, {pipeline: record.name, limit: pageSize(first)})).map(run => new Run(run));
  }

  @FieldResolver(() => Schedule, {nullable: true, description: 'When it is run by itself; null: it is not.'})
  async schedule(@Root() {record}: Pipeline, @Ctx() {loaders}: CoreContext): Promise<Schedule | null> {
    const schedule = await loaders.schedules.load(record.name);
    return schedule ? new Schedule(schedule) : null;
  }
}

@Resolver(() => Schedule)
export class ScheduleRelations {
  @FieldResolver(() => Run, {nullable: true, description: 'The last run it started.'})
  async lastRun(@Root() {view}: Schedule, @Ctx() {loaders}: CoreContext): Promise<Run | null> {
    const run = view.lastRunId === null ? undefined : await loaders.runs.load(view.lastRunId);
    return run ? new Run(run) : null;
  }
}

const sumOfSteps = async ({record}: Run, {loaders}: CoreContext, count: keyof RowCounts): Promise<bigint> =>
  ((await loaders.steps.load(record.id)) ?? []).reduce((sum, step) => sum + step[count], 0n);

@Resolver(() => Run)
export class RunRelations {
  @FieldResolver(() => [Step])
  async steps(@Root() {record}: Run, @Ctx() {loaders}: CoreContext): Promise<Step[]> {
    return ((await loaders.steps.load(record.id)) ?? []).map(step => Step.of(step));
  }

  @FieldResolver(() => BigIntScalar, {description: 'Of all steps.'})
  rowsRead(@Root() run: Run, @Ctx() context: CoreContext): Promise<bigint> {
    return sumOfSteps(run, context, 'rowsRead');
  }

  @FieldResolver(() => BigIntScalar, {description: 'Of all steps.'})
  rowsWritten(@Root() run: Run, @Ctx() context: CoreContext): Promise<bigint> {
    return sumOfSteps(run, context, 'rowsWritten');
  }

  @FieldResolver(() => BigIntScalar, {description: 'Of all steps.'})
  rowsSuperseded(@Root() run: Run, @Ctx() context: CoreContext): Promise<bigint> {
    return sumOfSteps(run, context, 'rowsSuperseded');
  }

  @FieldResolver(() => BigIntScalar, {description: 'Of all steps.'})
  rowsDeleted(@Root() run: Run, @Ctx() context: CoreContext): Promise<bigint> {
    return sumOfSteps(run, context, 'rowsDeleted');
  }

  @FieldResolver(() => BigIntScalar, {description: 'Of all steps.'})
  rowsQuarantined(@Root() run: Run, @Ctx() context: CoreContext): Promise<bigint> {
    return sumOfSteps(run, context, 'rowsQuarantined');
  }

  @FieldResolver(() => BigIntScalar, {description: 'Of all steps.'})
  rowsDropped(@Root() run: Run, @Ctx() context: CoreContext): Promise<bigint> {
    return sumOfSteps(run, context, 'rowsDropped');
  }

  @FieldResolver(() => [Snapshot], {description: 'What it committed.'})
  async snapshots(@Root() {record}: Run, @Ctx() {loaders}: CoreContext): Promise<Snapshot[]> {
    return snapshots(await loaders.snapshotsOfRuns.load(record.id));
  }
}

@Resolver(() => Step)
export class StepRelations {
  @FieldResolver(() => Snapshot, {nullable: true, description: 'What it committed, or the earlier output it reused.'})
  async output(@Root() step: Step, @Ctx() {loaders}: CoreContext): Promise<Snapshot | null> {
    const {outputId} = await step.record();
    const output = outputId === null ? undefined : await loaders.snapshots.load(outputId);
    return output ? new Snapshot(output) : null;
  }

  @FieldResolver(() => [Snapshot], {description: 'What it read.'})
  async inputs(@Root() step: Step, @Ctx() {loaders}: CoreContext): Promise<Snapshot[]> {
    const {inputs} = await step.record();
    return snapshots(present(await Promise.all(Object.values(inputs ?? {}).map(id => loaders.snapshots.load(id)))));
  }
}

@Resolver(() => RunPlan)
export class RunPlanRelations {
  @FieldResolver(() => [Model], {description: 'Models trained on or served over a dataset it would change.'})
  async affectedModels(@Root() {plan}: RunPlan, @Ctx() {loaders}: CoreContext): Promise<Model[]> {
    return present(await Promise.all(plan.affectedModels.map(name => loaders.models.load(name)))).map(model => new Model(model));
  }
}

@Resolver(() => Model)
export class ModelRelations {
  @FieldResolver(() => [ModelVersion], {description: 'Newest first.'})
  async versions(@Root() {record}: Model, @Ctx() {loaders}: CoreContext): Promise<ModelVersion[]> {
    return [...((await loaders.versions.load(record.id)) ?? [])].sort((a, b) => b.number - a.number).map(version => new ModelVersion(version));
  }

  @FieldResolver(() => [Alias])
  async aliases(@Root() {record}: Model, @Ctx() {loaders}: CoreContext): Promise<Alias[]> {
    return ((await loaders.aliases.load(record.id)) ?? []).map(alias => new Alias(alias, record));
  }

  @FieldResolver(() => [Deployment])
  async deployments(@Root() {record}: Model, @Ctx() {services}: CoreContext): Promise<Deployment[]> {
    return (await services.models.deployments()).filter(({modelId}) => modelId === record.id).map(deployment => new Deployment(deployment));
  }
}

@Resolver(() => Alias)
export class AliasRelations {
  @FieldResolver(() => ModelVersion, {nullable: true, description: 'Null: it was taken away.'})
  async version(@Root() {record, model}: Alias, @Ctx() {loaders}: CoreContext): Promise<ModelVersion | null> {
    const version = ((await loaders.versions.load(model.id)) ?? []).find(({id}) => id === record.versionId);
    return version ? new ModelVersion(version) : null;
  }

  @FieldResolver(() => [Alias], {description: 'Where it pointed and since when, newest first.'})
  async history(@Root() {record, model}: Alias, @Ctx() {services, viewer}: CoreContext): Promise<Alias[]> {
    return (await services.models.aliasHistory(viewer, model.id, record.alias)).map(entry => new Alias(entry, model));
  }
}

@Resolver(() => ModelVersion)
export class ModelVersionRelations {
  @FieldResolver(() => Model)
  async model(@Root() {record}: ModelVersion, @Ctx() {loaders}: CoreContext): Promise<Model> {
    return new Model((await loaders.models.load(record.modelName))!);
  }

  @FieldResolver(() => [Snapshot])
  async trainedOn(@Root() {record}: ModelVersion, @Ctx() {loaders}: CoreContext): Promise<Snapshot[]> {
    return snapshots(present(await Promise.all(record.trainedOn.map(id => loaders.snapshots.load(id)))));
  }

  @FieldResolver(() => [String], {description: 'Aliases that point here now.'})
  async aliases(@Root() {record}: ModelVersion, @Ctx() {loaders}: CoreContext): Promise<string[]> {
    return ((await loaders.aliases.load(record.modelId)) ?? []).filter(({versionId}) => versionId === record.id).map(({alias}) => alias);
  }
}

@Resolver(() => Deployment)
export class DeploymentRelations {
  @FieldResolver(() => Dataset)
  async dataset(@Root() {record}: Deployment, @Ctx() {loaders}: CoreContext): Promise<Dataset> {
    return new Dataset((await loaders.datasets.load(record.datasetName))!);
  }

  @FieldResolver(() => Model)
  async model(@Root() {record}: Deployment, @Ctx() {loaders}: CoreContext): Promise<Model> {
    return new Model((await loaders.models.load(record.modelName))!);
  }
}
