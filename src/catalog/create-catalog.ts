import {AsyncLocalStorage} from 'node:async_hooks';
import type {Pool} from 'pg';
import {PgBoss, fromPrisma} from 'pg-boss';
import {MillraceError} from '../core/errors.ts';
import type {Catalog, CatalogDump, Channel, Stores, TableRows} from './catalog.ts';
import {PrismaBackfillStore} from './backfill-store.ts';
import {Database, asCatalogError, databaseCode} from './database.ts';
import type {Connection} from './database.ts';
import {PrismaDatasetStore} from './dataset-store.ts';
import {catalogIsEmpty, dumpCatalog, loadCatalog} from './dump.ts';
import {PrismaErasureStore} from './erasure-store.ts';
import {PrismaExpiryStore} from './expiry-store.ts';
import {channelName, channels} from './listener.ts';
import {PrismaModelStore} from './model-store.ts';
import {PrismaProposalStore} from './proposal-store.ts';
import {PrismaRelationshipStore} from './relationship-store.ts';
import {PrismaRunStore} from './run-store.ts';
import {PrismaScheduleStore} from './schedule-store.ts';
import {PrismaUploadStore} from './upload-store.ts';
import {PrismaWebhookStore} from './webhook-store.ts';
import {PrismaWriteStore} from './write-store.ts';

export interface CatalogOptions {
  /** A PostgreSQL URL; null: the embedded database in `folder`. */
  readonly url: string | null;
  readonly folder: string;
  readonly poolSize: number;
}

type Wake = [channel: Channel, payload: string];

const queue = 'run';
/** Serialization failure, deadlock, a row that another made first: the same work again finds how things are. */
const again = new Set(['40001', '40P01', '23505', 'P2034', 'P2002']);

/** The catalog on PGlite or PostgreSQL. */
export function createCatalog(options: CatalogOptions): Catalog {
  return new PrismaCatalog(options);
}

class PrismaCatalog implements Catalog {
  private readonly database: Database;
  private readonly listeners = new Map<string, Set<(payload: string) => void>>(channels.map(channel => [channelName(channel), new Set()]));
  /** Set while a unit of work runs: another one inside it would wait for itself on the embedded database. */
  private readonly inside = new AsyncLocalStorage<true>();
  private boss: PgBoss | undefined;

  constructor(private readonly options: CatalogOptions) {
    this.database = new Database({
      ...options,
      onNotification: (channel, payload) => this.listeners.get(channel)?.forEach(listener => listener(payload)),
    });
  }

  async transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    this.refuseNesting();
    const attempt = async () => {
      const wakes: Wake[] = [];
      const result = await this.inside.run(true, () =>
        this.database.client.$transaction(connection => work(this.stores(connection, wakes)), {maxWait: 15_000, timeout: 60_000}));
      for (const wake of wakes) this.wakeHere(...wake);
      return result;
    };
    try {
      return await attempt();
    } catch (error) {
      if (!again.has(databaseCode(error) ?? '')) throw asCatalogError(error);
      return attempt().catch(second => {
        throw asCatalogError(second);
      });
    }
  }

  async read<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    this.refuseNesting();
    try {
      const wakes: Wake[] = [];
      const result = await work(this.stores(this.database.client, wakes));
      for (const wake of wakes) this.wakeHere(...wake);
      return result;
    } catch (error) {
      throw asCatalogError(error);
    }
  }

  private refuseNesting(): void {
    if (this.inside.getStore()) throw new MillraceError('INTERNAL', {reason: 'a unit of work was begun inside another'});
  }

  /** Wakes this process's listeners at once; those of other processes hear of it from PostgreSQL. */
  private wakeHere(channel: Channel, payload: string): void {
    this.listeners.get(channelName(channel))!.forEach(listener => listener(payload));
  }

  private stores(connection: Connection, wakes: Wake[]): Stores {
    const notify = async (channel: Channel, payload: string): Promise<void> => {
      wakes.push([channel, payload]);
      if (this.options.url !== null) await connection.$executeRaw`SELECT pg_notify(${channelName(channel)}, ${payload})`;
    };
    return {
      datasets: new PrismaDatasetStore(connection),
      runs: new PrismaRunStore(connection, runId => notify('run', runId)),
      schedules: new PrismaScheduleStore(connection),
      webhooks: new PrismaWebhookStore(connection, () => notify('webhook', '')),
      backfills: new PrismaBackfillStore(connection),
      models: new PrismaModelStore(connection),
      uploads: new PrismaUploadStore(connection),
      expiry: new PrismaExpiryStore(connection),
      proposals: new PrismaProposalStore(connection),
      erasures: new PrismaErasureStore(connection),
      writes: new PrismaWriteStore(connection),
      relationships: new PrismaRelationshipStore(connection),
      jobs: {
        wake: async runId => {
          await this.boss!.send(queue, {runId}, {db: fromPrisma(connection as never)});
          await notify('work', runId);
        },
      },
      changes: {
        count: async of => (await connection.changeCount.findUnique({where: {of}}))?.count ?? 0n,
        tell: async (of, payload) => {
          await connection.$executeRaw`INSERT INTO change_count ("of", count) VALUES (${of}, 1) ON CONFLICT ("of") DO UPDATE SET count = change_count.count + 1`;
          await notify(of, payload);
        },
      },
    };
  }

  listen(channel: Channel, listener: (payload: string) => void): () => void {
    const set = this.listeners.get(channelName(channel))!;
    set.add(listener);
    return () => set.delete(listener);
  }

  async work(wake: () => void): Promise<() => Promise<void>> {
    const id = await this.boss!.work(queue, {pollingIntervalSeconds: 2, batchSize: 20}, async () => wake());
    const quiet = this.listen('work', wake);
    return async () => {
      quiet();
      await this.boss?.offWork(queue, {id});
    };
  }

  dump(take: (rows: TableRows) => Promise<void>): Promise<CatalogDump> {
    return this.whole(pool => dumpCatalog(pool, take));
  }

  isEmpty(): Promise<boolean> {
    return this.whole(catalogIsEmpty);
  }

  load(rows: AsyncIterable<TableRows>): Promise<void> {
    return this.whole(pool => loadCatalog(pool, rows));
  }

  private async whole<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    this.refuseNesting();
    try {
      return await work(this.database.pool);
    } catch (error) {
      throw asCatalogError(error);
    }
  }

  async start(): Promise<void> {
    await this.database.start();
    const pool = this.database.pool;
    this.boss = new PgBoss({
      db: {executeSql: async (text, values) => pool.query(text, values as unknown[])},
      schema: 'pgboss',
    });
    this.boss.on('error', () => undefined); // a database that is away shows itself to whoever works with it
    const {boss} = this;
    await this.database.alone(async () => {
      await boss.start();
      // A job that has woken somebody is of no more use; the run's rows are kept, not its jobs.
      await boss.createQueue(queue, {retryLimit: 0, retentionSeconds: 3_600, deleteAfterSeconds: 600});
    });
  }

  async stop(): Promise<void> {
    await this.boss?.stop({graceful: false, close: false});
    this.boss = undefined;
    await this.database.stop();
  }
}
