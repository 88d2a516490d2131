import type {Viewer} from '../../../core/viewer.ts';
import type {AliasRecord, ModelBinding, ModelRecord, ModelVersionRecord} from '../../../models/models.ts';
import type {BackfillPartition} from '../../../pipelines/backfill.ts';
import type {RunRecord, StepRecord} from '../../../pipelines/pipeline.ts';
import type {ScheduleView} from '../../../schedules/schedule.ts';
import type {DatasetView, FileRecord, SchemaVersionRecord, SnapshotRecord} from '../../../warehouse/warehouse.ts';
import type {GraphqlServices} from '../services.ts';
import {BatchLoader} from './batch-loader.ts';

/** What resolvers look up by key, without one statement for each parent. @param keep see BatchLoader. */
export class Loaders {
  readonly datasets: BatchLoader<string, DatasetView>;
  readonly snapshots: BatchLoader<string, SnapshotRecord>;
  readonly snapshotsOfRuns: BatchLoader<string, SnapshotRecord[]>;
  readonly files: BatchLoader<string, FileRecord[]>;
  readonly runs: BatchLoader<string, RunRecord>;
  readonly steps: BatchLoader<string, StepRecord[]>;
  /** By pipeline. */
  readonly schedules: BatchLoader<string, ScheduleView>;
  readonly backfillPartitions: BatchLoader<string, BackfillPartition[]>;
  readonly bindings: BatchLoader<string, ModelBinding[]>;
  readonly models: BatchLoader<string, ModelRecord>;
  /** By model id. */
  readonly versions: BatchLoader<string, ModelVersionRecord[]>;
  readonly versionsById: BatchLoader<string, ModelVersionRecord>;
  /** By model id. */
  readonly aliases: BatchLoader<string, AliasRecord[]>;
  private readonly snapshotLists = new Map<number, BatchLoader<string, SnapshotRecord[]>>();
  private readonly versionLists = new Map<number, BatchLoader<string, SchemaVersionRecord[]>>();

  constructor(
    private readonly services: GraphqlServices,
    private readonly viewer: Viewer,
    private readonly keep = true,
  ) {
    const {datasets, pipelines, schedules, models} = services;
    this.datasets = new BatchLoader(async () => new Map((await datasets.list(viewer)).map(view => [view.dataset.name, view])), keep);
    this.snapshots = new BatchLoader(ids => datasets.snapshotsById(viewer, ids), keep);
    this.snapshotsOfRuns = new BatchLoader(ids => datasets.snapshotsOfRuns(viewer, ids), keep);
    this.files = new BatchLoader(ids => datasets.filesOf(viewer, ids), keep);
    this.runs = new BatchLoader(ids => pipelines.runsById(viewer, ids), keep);
    this.steps = new BatchLoader(ids => pipelines.stepsOf(viewer, ids), keep);
    this.schedules = new BatchLoader(names => schedules.ofPipelines(viewer, names), keep);
    this.backfillPartitions = new BatchLoader(ids => services.backfills.partitionsOf(viewer, ids), keep);
    this.bindings = new BatchLoader(names => models.bindingsOf(viewer, names), keep);
    this.models = new BatchLoader(async () => new Map((await models.list(viewer)).map(model => [model.name, model])), keep);
    this.versions = new BatchLoader(ids => models.versionsOf(viewer, ids), keep);
    this.aliases = new BatchLoader(ids => models.aliasesOfModels(viewer, ids), keep);
    this.versionsById = new BatchLoader(async () => {
      const all = await models.versionsOf(viewer, (await models.list(viewer)).map(({id}) => id));
      return new Map([...all.values()].flat().map(version => [version.id, version]));
    }, keep);
  }

  /** The newest snapshots of datasets, by dataset id. */
  snapshotsOf(limit: number): BatchLoader<string, SnapshotRecord[]> {
    let loader = this.snapshotLists.get(limit);
    if (!loader) this.snapshotLists.set(limit, (loader = new BatchLoader(ids => this.services.datasets.snapshotsOf(this.viewer, ids, limit), this.keep)));
    return loader;
  }

  /** The newest versions of datasets' columns, by dataset id. */
  schemaVersionsOf(limit: number): BatchLoader<string, SchemaVersionRecord[]> {
    let loader = this.versionLists.get(limit);
    if (!loader) this.versionLists.set(limit, (loader = new BatchLoader(ids => this.services.datasets.schemaVersionsOf(this.viewer, ids, limit), this.keep)));
    return loader;
  }
}
