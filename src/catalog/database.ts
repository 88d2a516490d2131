import pg from 'pg';
import {PrismaPg} from '@prisma/adapter-pg';
import {MillraceError, asMillraceError} from '../core/errors.ts';
import {startEmbedded} from './embedded.ts';
import type {EmbeddedDatabase} from './embedded.ts';
import {NotificationListener} from './listener.ts';
import {migrate} from './migrate.ts';
import {PrismaClient} from './prisma/client.ts';

export type Client = PrismaClient;
/** What a store gets: a client, inside a transaction or not. */
export type Connection = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0];

export interface DatabaseOptions {
  /** A PostgreSQL URL, or null for the embedded database in `folder`. */
  readonly url: string | null;
  readonly folder: string;
  readonly poolSize: number;
  readonly onNotification: (channel: string, payload: string) => void;
}

/** Any number that no other program locks. */
const setupLock = 7_240_118_332;

/** The connection pool, the ORM on it and the notifications, for either kind of database. */
export class Database {
  private embedded: EmbeddedDatabase | undefined;
  private listener: NotificationListener | undefined;
  private connection: pg.ClientConfig | undefined;
  private poolValue: pg.Pool | undefined;
  private clientValue: PrismaClient | undefined;

  constructor(private readonly options: DatabaseOptions) {}

  get client(): PrismaClient {
    if (!this.clientValue) throw new MillraceError('CATALOG_UNAVAILABLE', {reason: 'it is not started'});
    return this.clientValue;
  }

  get pool(): pg.Pool {
    return this.poolValue!;
  }

  async start(): Promise<void> {
    const {url, folder, poolSize, onNotification} = this.options;
    try {
      if (url === null) {
        this.embedded = await startEmbedded(folder);
      }
      // Sessions are UTC whatever the server's zone is: the driver drops the offset of timestamps.
      const connection: pg.PoolConfig = {
        ...(url === null ? this.embedded!.connection : {connectionString: url, options: '-c TimeZone=UTC'}),
        // The embedded database is one session whatever connects to it: a second connection could only come between the messages of the first.
        max: url === null ? 1 : poolSize,
        connectionTimeoutMillis: 10_000,
        application_name: 'millrace',
      };
      this.connection = connection;
      this.poolValue = new pg.Pool(connection);
      this.poolValue.on('error', () => undefined); // an idle connection that broke is replaced by the next one
      const client = await this.poolValue.connect();
      try {
        await migrate(client);
      } finally {
        client.release();
      }
      if (url !== null) {
        this.listener = new NotificationListener(connection, onNotification);
        await this.listener.start();
      }
      this.clientValue = new PrismaClient({adapter: new PrismaPg(this.poolValue)});
    } catch (error) {
      await this.stop();
      throw asCatalogError(error);
    }
  }

  /** Does what several servers that start at once must not do side by side. An embedded database has one owner anyway. */
  async alone(work: () => Promise<unknown>): Promise<void> {
    if (this.options.url === null) return void (await work());
    // A session beside the pool, which may be of one connection; the lock ends with it, whatever happened.
    const client = new pg.Client(this.connection);
    await client.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [setupLock]);
      await work();
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await this.listener?.stop();
    await this.clientValue?.$disconnect();
    await this.poolValue?.end().catch(() => undefined);
    await this.embedded?.stop();
    this.listener = this.clientValue = this.poolValue = this.embedded = undefined;
  }
}

const unavailable = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', '57P01', '57P02', '57P03', '08006', '08001', '53300']);

/** A database's error as one of the table: what the caller can only wait out is CATALOG_UNAVAILABLE. */
export function asCatalogError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const code = databaseCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if ((code && unavailable.has(code)) || /terminat|ECONN|can't reach|closed|not queryable|timeout exceeded|Server has closed/i.test(message)) {
    return new MillraceError('CATALOG_UNAVAILABLE', {reason: message.trim().split('\n').at(-1)}, {cause: error});
  }
  return asMillraceError(error);
}

/** The SQLSTATE or driver code of an error, wherever the ORM put it. */
export function databaseCode(error: unknown): string | undefined {
  const at = error as {code?: string; meta?: {code?: string; driverAdapterError?: {cause?: {originalCode?: string; code?: string}}}; cause?: unknown} | undefined;
  return at?.meta?.driverAdapterError?.cause?.originalCode ?? at?.meta?.driverAdapterError?.cause?.code ?? at?.meta?.code ?? at?.code;
}
