import {readdir, rename, rm} from 'node:fs/promises';
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {MillraceError, asMillraceError} from '../../core/errors.ts';
import {syncPath} from '../../core/files.ts';
import type {EngineHealth, EngineProgress, EngineStatus, RemoteEngine, RemoteWork, RunningStatement} from '../remote-engine.ts';
import {parseSparkUrl} from './address.ts';
import {onePiece} from './arrow-pieces.ts';
import {statement, write} from './plans.ts';
import {Connection} from './protocol.ts';
import type {Plan} from './protocol.ts';
import {wasForgotten} from './session.ts';
import type {ArrowBatch, Session} from './session.ts';
import {Sessions} from './sessions.ts';
import {writesExactly} from './types.ts';

export interface SparkOptions {
  /** `sc://host:port/;token=…;use_ssl=true`; null: none is configured. */
  readonly url: string | null;
  /** Statements at once; further ones wait. */
  readonly sessions: number;
  readonly keepAliveSeconds: number;
  /** Seconds for which a server that is away is waited for while a statement runs. */
  readonly reconnectSeconds: number;
  /** PEM file of authorities to trust beside those of Node; null: none. */
  readonly certificates: string | null;
}

/** The least version that is known to work. */
const leastVersion = 4;

/** Spark, through Spark Connect. Nothing is connected before it is needed. */
export function createSparkEngine(options: SparkOptions): RemoteEngine {
  const address = options.url === null ? null : parseSparkUrl(options.url);
  const running = new Map<string, RunningStatement>();
  let sessions: Sessions | null = null;
  let version: string | null = null;
  let stopped = new AbortController();

  const pool = (): Sessions => {
    if (address === null) throw new MillraceError('ENGINE_UNAVAILABLE', {engine: 'Spark', reason: 'the setting `spark.url` is not set.'});
    return (sessions ??= new Sessions(new Connection(address, options.certificates), {
      user: address.user, most: options.sessions, keepAliveSeconds: options.keepAliveSeconds, patience: options.reconnectSeconds,
    }));
  };

  /** Does work in a session, and once more in another one when the server has forgotten it before anything came of it. */
  async function inSession<T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const sessions = pool();
      const session = await sessions.take(signal);
      let good = true;
      try {
        await checkVersion(session);
        return await work(session);
      } catch (error) {
        good = !(error instanceof MillraceError) || !error.code.startsWith('ENGINE_UNAVAILABLE');
        if (!wasForgotten(error) || attempt > 2) throw error;
        version = null;
      } finally {
        sessions.give(session, good);
      }
    }
  }

  async function checkVersion(session: Session): Promise<void> {
    if (version !== null) return;
    const found = await session.version();
    if (!(Number.parseInt(found, 10) >= leastVersion)) throw new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Spark', reason: `the server has version ${found || 'unknown'}; ${leastVersion} or later is needed.`});
    version = found;
  }

  /** Runs a plan as one of the statements that `status` tells of. */
  async function* run(session: Session, plan: Plan, {signal, onProgress, label = 'a statement'}: RemoteWork, folder?: string): AsyncGenerator<ArrowBatch> {
    const id = randomUUID();
    const entry = {id, label, startedAt: new Date()};
    running.set(id, {...entry, progress: null});
    let most = 0;
    const report = (progress: EngineProgress): void => {
      running.set(id, {...entry, progress});
      // Stages become known while it runs; the fraction never goes back.
      most = Math.max(most, progress.tasks === 0 ? 0 : Math.min(0.99, progress.tasksDone / progress.tasks));
      onProgress?.(most, progress);
    };
    const signals = [stopped.signal, ...(signal ? [signal] : [])];
    try {
      yield* session.execute(plan, {signal: AbortSignal.any(signals), onProgress: report, label, folder});
    } finally {
      running.delete(id);
    }
  }

  return {
    name: 'spark',
    capabilities: {embedded: false, distributed: true, fieldIds: true, writes: writesExactly, progress: true},
    address: address === null ? null : `sc://${address.target}/${address.tls ? ';use_ssl=true' : ''}`,

    async status(): Promise<EngineStatus> {
      const told = {sessions: sessions?.size ?? 0, running: [...running.values()]};
      try {
        if (address === null) return {...told, health: 'unset', version: null, detail: 'Set `spark.url`, for example to what `millrace engines start spark` prints.'};
        const found = await inSession(AbortSignal.timeout(20_000), session => session.version(10));
        return {...told, sessions: sessions?.size ?? 0, health: 'ready', version: found, detail: null};
      } catch (error) {
        const failed = asMillraceError(error);
        const health: EngineHealth = failed.code === 'ENGINE_REFUSED' ? 'refused' : failed.code === 'ENGINE_UNSUPPORTED' ? 'unsupported' : 'unreachable';
        return {...told, health, version: null, detail: `${failed.message} ${failed.hint}`};
      }
    },

    async fingerprint() {
      return `spark ${version ?? (await inSession(undefined, session => session.version()))}`;
    },

    async check(query) {
      await inSession(undefined, async session => void (await session.schema({root: statement(query)})));
    },

    async materialize(query, {folder, schema}, work = {}) {
      const files = await inSession(work.signal, async session => {
        // A folder of its own for each attempt: of one that was lost something may still be written.
        const draft = join(folder, `.spark-${randomUUID()}`);
        try {
          const writing = run(session, write(query, schema, draft), work, folder);
          while (!(await writing.next()).done);
          return await settle(draft, folder);
        } catch (error) {
          await rm(draft, {recursive: true, force: true}).catch(() => undefined);
          throw error;
        }
      });
      work.onProgress?.(1);
      return files;
    },

    async *arrow(query, work = {}) {
      const sessions = pool();
      const session = await sessions.take(work.signal);
      let good = true;
      try {
        await checkVersion(session);
        yield* onePiece(run(session, {root: statement(query)}, work));
      } catch (error) {
        good = !(error instanceof MillraceError) || error.code !== 'ENGINE_UNAVAILABLE';
        throw error;
      } finally {
        sessions.give(session, good);
      }
    },

    async start() {
      stopped = new AbortController();
    },

    async stop() {
      stopped.abort(new MillraceError('SHUTTING_DOWN'));
      await sessions?.close();
      sessions?.connection.close();
      sessions = null;
    },
  };
}

const partFile = /^part-(\d+)-.*?(?:-c(\d+))?\.[\w.]*parquet$/;

/** Moves what Spark wrote to where it belongs, in the order of the rows; checksums and marks of Hadoop stay behind. @throws ENGINE_FILES_UNREACHABLE when Spark wrote elsewhere */
async function settle(draft: string, folder: string): Promise<string[]> {
  const names = await readdir(draft).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new MillraceError('ENGINE_FILES_UNREACHABLE', {engine: 'Spark', what: `write into ${folder}`, reason: 'it wrote its files on another machine.'}, {cause: error});
  });
  const parts = names.flatMap(name => {
    const [, part, piece = '0'] = partFile.exec(name) ?? [];
    return part === undefined ? [] : [{name, part: Number(part), piece: Number(piece)}];
  }).sort((a, b) => a.part - b.part || a.piece - b.piece);
  if (parts.length === 0) throw new MillraceError('ENGINE_FILES_UNREACHABLE', {engine: 'Spark', what: `write into ${folder}`, reason: 'its files are not there; its processes seem to have another disk than Millrace.'});
  const paths: string[] = [];
  for (const {name} of parts) {
    const path = join(folder, `part-${String(paths.length).padStart(5, '0')}.parquet`);
    await rename(join(draft, name), path);
    await syncPath(path);
    paths.push(path);
  }
  await rm(draft, {recursive: true, force: true});
  await syncPath(folder);
  return paths;
}
