/**
 * The composition root: the only file that wires adapters to ports.
 *
 * Each registration names what it needs; nothing registers itself, and nothing looks anything up later. The life cycle's order is
 * written out below, because parts must start one after another and stop in reverse.
 */
import {createReadStream, realpathSync} from 'node:fs';
import {mkdir, statfs} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {InjectionMode, asFunction, asValue, createContainer} from 'awilix';
import type {Resolver} from 'awilix';
import {consoleTabs} from './api/console/tabs.ts';
import {mountConsole} from './api/console/mount-console.ts';
import {CatalogGraphModel} from './api/graphql/graph-model-source.ts';
import {GraphqlPart} from './api/graphql/graphql-part.ts';
import {createViewers} from './api/http/access.ts';
import type {Viewers} from './api/http/access.ts';
import {createHttpHost} from './api/http/http-host.ts';
import type {HttpHost} from './api/http/http-host.ts';
import {receiveUpload} from './api/http/uploads.ts';
import type {Catalog} from './catalog/catalog.ts';
import type {GraphAnswer, GraphRequest} from './cli/graph-client.ts';
import {createCatalog} from './catalog/create-catalog.ts';
import {Turns} from './core/async.ts';
import {secretsOf} from './core/config.ts';
import type {Config, LoadedConfig} from './core/config.ts';
import {Lifecycle} from './core/lifecycle.ts';
import {createLogger} from './core/logging.ts';
import type {Logger} from './core/logging.ts';
import {Metrics} from './core/metrics.ts';
import {periodic} from './core/periodic.ts';
import {sweepFolder} from './core/files.ts';
import {version} from './core/version.ts';
import type {Viewer} from './core/viewer.ts';
import {createDuckDbEngine} from './engines/duckdb/engine.ts';
import type {Engine} from './engines/engine.ts';
import {createSparkEngine} from './engines/spark/engine.ts';
import {translate} from './engines/portable/translate.ts';
import type {RemoteEngine} from './engines/remote-engine.ts';
import type {Remotes} from './pipelines/engine-choice.ts';
import {createHiveEngine} from './engines/hive/engine.ts';
import type {HiveEngine} from './engines/hive/engine.ts';
import {createOnnxRuntime} from './inference/onnx/onnx-runtime.ts';
import type {InferenceRuntime} from './inference/runtime.ts';
import {backup} from './maintenance/backup.ts';
import {doctor} from './maintenance/doctor.ts';
import {datasetNamed, eraseRows} from './maintenance/erase.ts';
import {collectGarbage, planGarbage, removeLeftovers} from './maintenance/garbage.ts';
import type {GarbageOptions} from './maintenance/garbage.ts';
import type {Maintenance, Places} from './maintenance/maintenance.ts';
import {ModelRegistry} from './models/registry.ts';
import {ScoreFiles} from './models/score-files.ts';
import {findBreakages} from './pipelines/breakages.ts';
import type {Backfills} from './pipelines/backfill.ts';
import {BackfillService} from './pipelines/backfill-service.ts';
import {JobsFolder} from './pipelines/jobs-folder.ts';
import {PublicationService} from './pipelines/publication-service.ts';
import {PipelineService} from './pipelines/pipeline-service.ts';
import type {StepWorld} from './pipelines/prepare-step.ts';
import {draftsFolder} from './pipelines/steps/publish.ts';
import {Worker} from './pipelines/worker.ts';
import {keepSchedule} from './schedules/keep-schedule.ts';
import type {Schedules} from './schedules/schedule.ts';
import {ScheduleService} from './schedules/schedule-service.ts';
import {Scheduler} from './schedules/scheduler.ts';
import {createProposals, proposalDays} from './proposals/proposal-service.ts';
import type {Proposals} from './proposals/proposals.ts';
import {packageFolders} from './sources/file/file-source.ts';
import {sourceKinds} from './sources/kinds.ts';
import type {Sources} from './sources/source.ts';
import {createSources} from './sources/sources.ts';
import {createDatasets} from './warehouse/datasets.ts';
import type {Relationships} from './warehouse/relationship.ts';
import {createRelationships} from './warehouse/relationship-service.ts';
import {Heads} from './warehouse/heads.ts';
import {createLineage} from './warehouse/lineage.ts';
import {createWarehouse} from './warehouse/local-warehouse.ts';
import type {Datasets, Lineage, Warehouse} from './warehouse/warehouse.ts';
import {Courier} from './webhooks/courier.ts';
import {lookAtFreshness} from './webhooks/freshness.ts';
import type {Webhooks} from './webhooks/webhook.ts';
import {WriteService} from './writes/write-service.ts';
import {WebhookService} from './webhooks/webhook-service.ts';

/** serve: the APIs and a worker; work: a worker that answers for its health; embedded: both in process, without a port (a command's own). */
export type Mode = 'serve' | 'work' | 'embedded';

/** Everything there is, by name. */
interface Services {
  config: Config;
  mode: Mode;
  logger: Logger;
  metrics: Metrics;
  lifecycle: Lifecycle;
  viewers: Viewers;
  /** Who acts when no request does. */
  system: Viewer;
  catalog: Catalog;
  engine: Engine;
  remotes: Remotes;
  hive: HiveEngine;
  runtime: InferenceRuntime;
  sources: Sources;
  warehouse: Warehouse;
  datasets: Datasets;
  relationships: Relationships;
  heads: Heads;
  lineage: Lineage;
  maintenance: Maintenance;
  models: ModelRegistry;
  scoreFiles: ScoreFiles;
  publications: PublicationService;
  stepWorld: StepWorld;
  pipelines: PipelineService;
  proposals: Proposals;
  /** Of whoever changes a dataset in this process. */
  turns: Turns;
  writes: WriteService;
  worker: Worker;
  schedules: Schedules;
  backfills: Backfills;
  scheduler: Scheduler;
  webhooks: Webhooks;
  courier: Courier;
  graphModel: CatalogGraphModel;
  graphql: GraphqlPart;
  http: HttpHost;
}

/** An application: what a host or a command asks of it, and its services for tests. */
export interface App {
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly services: Readonly<Services>;
  /** Where it listens, once it has started; only in mode `serve` and `work`. */
  readonly http: {readonly url: string};
  execute(request: GraphRequest): Promise<GraphAnswer>;
  /** Ends when the consumer stops reading it or the operation is over. */
  subscribe(request: GraphRequest): AsyncIterable<GraphAnswer>;
  /** Takes a file in as POST /uploads does; answers the upload's id. */
  upload(path: string, name: string): Promise<string>;
}

/** Outputs of models that are kept. */
const scoresOf = (config: Config): string => join(config.data.folder, 'scores');
/** Links to the files of what is published in Hive. */
const hiveTablesOf = (config: Config): string => join(config.data.folder, 'hive-tables');
const scratchOf = (config: Config): string => join(config.data.folder, 'scratch');

/** Wires an application; nothing is started. */
export function compose({config}: Pick<LoadedConfig, 'config'>, {mode}: {readonly mode: Mode}): App {
  const container = createContainer<Services>({injectionMode: InjectionMode.PROXY, strict: true});
  const registrations: {[K in keyof Services]: Resolver<Services[K]>} = {
    config: asValue(config),
    mode: asValue(mode),
    logger: asFunction(({config}: Services) => createLogger({...config.log, secrets: secretsOf(config)})).singleton(),
    metrics: asFunction(() => new Metrics({version})).singleton(),
    lifecycle: asFunction(({logger, config}: Services) => new Lifecycle({logger, drainSeconds: config.api.shutdownSeconds})).singleton(),
    viewers: asFunction(({config}: Services) => createViewers(config)).singleton(),
    system: asFunction(({config}: Services): Viewer => ({name: 'system', roles: ['admin'], limits: {...config.limits, seconds: config.api.queryTimeoutSeconds}})).singleton(),

    catalog: asFunction(({config}: Services) => createCatalog({...config.catalog, folder: join(config.data.folder, 'catalog')})).singleton(),
    engine: asFunction(({config}: Services) => createDuckDbEngine({
      ...config.engine, memoryLimit: `${config.engine.memoryLimit}B`, allowedFolders: readableFolders(config),
    })).singleton(),
    hive: asFunction(({config}: Services) => createHiveEngine({...config.hive, scratchFolder: scratchOf(config)})).singleton(),
    runtime: asFunction(({config, logger}: Services) => createOnnxRuntime({threads: config.inference.threads, logger})).singleton(),

    sources: asFunction(({config, engine, hive, catalog}: Services) => createSources(sourceKinds({
      projectFolder: config.project.folder, roots: config.sources.roots, maxExpansion: config.sources.maxExpansion, importArrow: (path, out) => engine.importArrow(path, out),
      metastore: hive.metastore, findUpload: id => catalog.read(stores => stores.uploads.byId(id)),
    }))).singleton(),
    warehouse: asFunction((services: Services) => createWarehouse({
      folder: services.config.warehouse.folder, catalog: services.catalog, engine: services.engine,
      // Models need the warehouse themselves: they are looked up when they are asked.
      breakages: (dataset, before, after) => findBreakages(services, dataset, before, after),
    })).singleton(),
    heads: asFunction(({config, catalog}: Services) => new Heads(catalog, config.catalog.url === null)).singleton(),
    datasets: asFunction(({catalog, warehouse}: Services) => createDatasets({catalog, warehouse})).singleton(),
    relationships: asFunction(({catalog, warehouse}: Services) => createRelationships({catalog, warehouse})).singleton(),
    lineage: asFunction(({catalog}: Services) => createLineage({catalog})).singleton(),
    maintenance: asFunction((services: Services): Maintenance => {
      const {warehouse: {graceHours}, uploads, events} = services.config;
      const places = placesOf(services);
      const garbage: GarbageOptions = {graceHours, uploadDays: uploads.retentionDays, eventDays: events.retentionDays, sweep: () => sweep(services, graceHours)};
      return {
        backup: folder => backup(places, folder), doctor: options => doctor(places, options),
        planGarbage: () => planGarbage(places, garbage), collectGarbage: () => collectGarbage(places, garbage),
        async erase(viewer, input) {
          const record = await eraseRows({...places, engine: services.engine}, viewer, input);
          // What was predicted of a row goes with it, and so do its copies in what is published.
          await services.scoreFiles.sweep(graceHours);
          await services.publications.renew(record.snapshotIds);
          return record;
        },
        erasures: async (_viewer, name) => {
          const {id} = await datasetNamed(places, name);
          return services.catalog.read(stores => stores.erasures.of(id));
        },
        erasuresTouching: (_viewer, ids) => services.catalog.read(stores => stores.erasures.touching(ids)),
      };
    }).singleton(),
    models: asFunction(({config, catalog, runtime, warehouse, engine, metrics}: Services) =>
      new ModelRegistry({...config.models, keepLoaded: 16}, catalog, runtime, warehouse, engine, metrics)).singleton(),
    scoreFiles: asFunction(({config, engine, runtime}: Services) =>
      new ScoreFiles({folder: scoresOf(config), warehouse: config.warehouse.folder, bytes: config.models.keptScores, runtime: runtime.fingerprint, concurrency: config.inference.threads * 2}, engine)).singleton(),

    remotes: asFunction(({config, hive}: Services): Remotes => ({
      engines: {spark: createSparkEngine(config.spark), hive}, translate, initial: config.pipelines.engine, autoBytes: config.pipelines.autoBytes,
    })).singleton(),

    publications: asFunction(({config, catalog, warehouse, engine, hive}: Services) =>
      new PublicationService({catalog, warehouse, engine, metastore: hive.metastore, sink: hive.sink, folder: hiveTablesOf(config)})).singleton(),
    stepWorld: asFunction(({config, catalog, warehouse, engine, remotes, sources, models, publications}: Services): StepWorld => ({
      catalog, warehouse, services: {
        engine, remotes, sources, models, publications, publishedFolder: config.published.folder, ingestedFiles: dataset => catalog.read(stores => stores.datasets.ingestedFiles(dataset)),
      }, scratchFolder: scratchOf(config),
    })).singleton(),
    pipelines: asFunction(({config, stepWorld, logger}: Services) =>
      new PipelineService(stepWorld, new JobsFolder(config.jobs.folder, config.pipelines.jobsFileSeconds, logger), keepSchedule, config.pipelines.stepTimeoutSeconds)).singleton(),
    schedules: asFunction(({catalog}: Services) => new ScheduleService(catalog)).singleton(),
    backfills: asFunction(({catalog, pipelines}: Services) => new BackfillService(catalog, pipelines)).singleton(),
    scheduler: asFunction(({catalog, pipelines, logger}: Services) => new Scheduler({catalog, pipelines, logger})).singleton(),
    webhooks: asFunction(({config, catalog}: Services) => new WebhookService(catalog, config.webhooks.privateHosts)).singleton(),
    courier: asFunction(({config, catalog, logger, metrics}: Services) => new Courier(catalog, {...config.webhooks, userAgent: `Millrace/${version}`}, logger, metrics)).singleton(),
    turns: asFunction(() => new Turns()).singleton(),
    writes: asFunction(({config, catalog, warehouse, turns, logger, metrics}: Services) =>
      new WriteService(catalog, warehouse, turns, {maxRows: config.writes.maxRows, compactFiles: config.warehouse.compactFiles}, logger, metrics)).singleton(),
    worker: asFunction(({config, stepWorld, turns, logger, metrics}: Services) => new Worker(
      stepWorld, turns, {slots: config.pipelines.workers, ...config.pipelines, compactFiles: config.warehouse.compactFiles}, logger, metrics,
    )).singleton(),

    proposals: asFunction(({config, catalog, engine, sources, pipelines, warehouse, datasets}: Services) =>
      createProposals({catalog, engine, sources, pipelines, warehouse, datasets, scratchFolder: scratchOf(config)})).singleton(),

    graphModel: asFunction(({datasets, relationships, models, catalog, system, logger}: Services) => new CatalogGraphModel({
      datasets, relationships, models, viewer: system,
      version: () => catalog.read(stores => stores.changes.count('graph')),
      listen: wake => catalog.listen('graph', wake),
      onError: error => logger.warn({err: error}, 'the graph could not be read again; the last one goes on serving'),
    })).singleton(),
    graphql: asFunction((services: Services) => new GraphqlPart({
      heads: () => services.heads.current(),
      onCommit: listener => services.catalog.listen('data', listener),
      pipelines: services.pipelines, publications: services.publications, proposals: services.proposals, schedules: services.schedules, backfills: services.backfills, webhooks: services.webhooks, models: services.models, scoreFiles: services.scoreFiles, datasets: services.datasets, relationships: services.relationships, lineage: services.lineage, maintenance: services.maintenance, writes: services.writes, warehouse: services.warehouse,
      engine: services.engine, remotes: services.remotes, metastore: services.hive.metastore, graphModel: services.graphModel, logger: services.logger, metrics: services.metrics, config: services.config,
      uploads: {byId: id => services.catalog.read(stores => stores.uploads.byId(id))},
      system: {version, catalog: services.config.catalog.url === null ? 'pglite' : 'postgresql', fingerprint: `${services.engine.fingerprint}; ${services.runtime.fingerprint}`},
    })).singleton(),
    http: asFunction(({config, mode, logger, metrics, viewers, lifecycle, catalog, graphql}: Services) => createHttpHost({
      config, logger, metrics, viewers,
      health: {state: () => lifecycle.state, checks: healthChecks(config, catalog)},
      addUpload: upload => catalog.transaction(stores => stores.uploads.add(upload)),
      mounts: mode === 'serve' ? [(app, host) => graphql.current.mount(app, host), app => mountConsole(app, {folder: consoleFolder, tabs: consoleTabs})] : [],
    })).singleton(),
  };
  container.register(registrations);
  const services = container.cradle;
  arrange(services);
  const {lifecycle, logger, http, graphql, system, catalog} = services;
  return {
    lifecycle, logger, services, http,
    execute: async ({document, variables, operationName}) => JSON.parse(await graphql.current.ask(system, {query: document, variables, operationName})) as GraphAnswer,
    subscribe: ({document, variables, operationName}) => graphql.current.follow(system, {query: document, variables, operationName}) as AsyncIterable<GraphAnswer>,
    async upload(path, name) {
      const upload = await receiveUpload(createReadStream(path), name, config.uploads);
      await catalog.transaction(stores => stores.uploads.add(upload));
      return upload.id;
    },
  };
}

const placesOf = ({config, catalog}: Pick<Services, 'config' | 'catalog'>): Places => (
  {catalog, warehouse: config.warehouse.folder, models: config.models.folder, uploads: config.uploads.folder});

/** Mends what killed processes left; answers how many folders of the warehouse those were. */
async function sweep({config, warehouse, models, scoreFiles}: Pick<Services, 'config' | 'warehouse' | 'models' | 'scoreFiles'>, graceHours: number): Promise<number> {
  const folders = await warehouse.sweep(graceHours);
  await models.sweep(graceHours);
  await scoreFiles.sweep(graceHours);
  for (const folder of [scratchOf(config), config.engine.tempFolder, join(config.published.folder, draftsFolder)]) await sweepFolder(folder, graceHours);
  return folders;
}

const eachRemote = async ({remotes}: Services, work: (remote: RemoteEngine) => Promise<void>): Promise<void> => void (await Promise.all(Object.values(remotes.engines).map(work)));

/** The order of life: each part may use those before it. */
function arrange(services: Services): void {
  const {lifecycle, config, mode, logger, metrics, catalog, heads, engine, runtime, models, worker, pipelines, scheduler, courier, graphModel, graphql, http} = services;
  const folders = [config.data.folder, config.warehouse.folder, config.models.folder, config.engine.tempFolder, config.uploads.folder, config.published.folder, hiveTablesOf(config), scratchOf(config), scoresOf(config)];
  const {gcHours, graceHours} = config.warehouse;
  const collectInTurn = async (): Promise<void> => {
    if (gcHours > 0 && (await catalog.transaction(stores => stores.expiry.takeTurn('gc', gcHours)))) await services.maintenance.collectGarbage();
  };
  lifecycle
    .add({name: 'folders', start: async () => void (await Promise.all(folders.map(folder => mkdir(folder, {recursive: true}))))})
    .add({name: 'metrics', stop: () => metrics.stop()})
    .add({
      name: 'catalog',
      async start() {
        const started = catalog.start();
        // While the database's own thread starts, this one has nothing better to do.
        if (mode !== 'work') graphql.preload();
        await started;
      },
      stop: () => catalog.stop(),
    })
    .add({name: 'engine', start: () => engine.start(), stop: () => engine.stop()})
    .add({name: 'remote engines', start: () => eachRemote(services, remote => remote.start()), stop: () => eachRemote(services, remote => remote.stop())})
    .add({name: 'inference', start: () => runtime.start(), stop: () => runtime.stop()})
    .add({name: 'models', stop: () => models.stop()})
    // An embedded folder has one owner, so whatever no snapshot names is left over; elsewhere only what is old.
    .add({
      name: 'sweep',
      async start() {
        await removeLeftovers(placesOf(services));
        await sweep(services, config.catalog.url === null ? 0 : graceHours);
      },
    })
    .add(periodic('upkeep', 3_600, async () => {
      await removeLeftovers(placesOf(services));
      await sweep(services, graceHours);
      await catalog.transaction(stores => stores.runs.expireEvents(config.events.retentionDays));
      await catalog.transaction(stores => stores.webhooks.expire(config.events.retentionDays));
      await catalog.transaction(stores => stores.proposals.expire(proposalDays));
      await catalog.transaction(stores => stores.writes.forget(config.writes.idempotencyHours));
      await collectInTurn();
    }, logger));
  if (mode !== 'work') {
    lifecycle
      .add({name: 'heads', stop: () => heads.stop()})
      .add({name: 'graph model', start: () => graphModel.start(), stop: () => graphModel.stop()})
      .add({name: 'graph', start: () => graphql.start(), stop: () => graphql.stop()})
      .add({name: 'pipelines', start: () => pipelines.refresh()});
  }
  lifecycle.add({name: 'writes', drain: () => services.writes.drain()});
  if (config.pipelines.workers > 0) lifecycle.add({name: 'worker', start: () => worker.start(), drain: () => worker.stop()});
  if (mode !== 'embedded') {
    // A jobs file may be given a schedule while nobody asks for pipelines.
    if (mode === 'serve') lifecycle.add(periodic('jobs folder', 30, () => pipelines.refresh(), logger));
    lifecycle
      .add({name: 'scheduler', start: () => scheduler.start(), drain: () => scheduler.stop()})
      .add({name: 'webhooks', start: () => courier.start(), drain: () => courier.stop()})
      .add(periodic('freshness', 60, () => lookAtFreshness(catalog, logger), logger))
      .add(http);
  }
}

const consoleFolder = fileURLToPath(new URL('../dist/console', import.meta.url));

/** Folders the engine may open files of, links followed; those that do not exist yet are made first. */
function readableFolders(config: Config): string[] {
  const folders = [
    config.warehouse.folder, config.project.folder, ...config.sources.roots, config.uploads.folder, config.published.folder, hiveTablesOf(config), scratchOf(config), scoresOf(config), ...packageFolders(config.project.folder),
  ];
  return [...new Set(folders.flatMap(folder => [folder, realPath(folder)]))];
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** Truth for /health/ready: the catalog answers and there is room to write. */
function healthChecks(config: Config, catalog: Catalog): Record<string, () => Promise<void>> {
  return {
    catalog: async () => void (await catalog.read(stores => stores.changes.count('graph'))),
    disk: async () => {
      const {bavail, bsize} = await statfs(config.warehouse.folder);
      if (bavail * bsize < 2 ** 26) throw new Error('less than 64 MiB are free where the warehouse lies');
    },
  };
}
