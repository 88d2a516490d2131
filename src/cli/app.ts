/**
 * cli: the `millrace` commands.
 *
 * A command is a client of the graph: it sends GraphQL documents to the running server of the project, or, where none runs, to the
 * application composed in this very process. This file is what the commands need of that application; `main.ts` passes it in.
 */
import type {LoadedConfig} from '../core/config.ts';
import type {Lifecycle} from '../core/lifecycle.ts';
import type {Logger} from '../core/logging.ts';
import type {EngineServers} from '../engines/installation.ts';
import type {BackupProgress, BackupSummary, Finding, Rebuilt} from '../maintenance/maintenance.ts';
import type {GraphAnswer, GraphRequest} from './graph-client.ts';

/** serve: HTTP and, unless configured otherwise, workers. work: workers only. embedded: workers in process, no HTTP. */
export type AppMode = 'serve' | 'work' | 'embedded';

/** The composed application. Nothing of it runs before `lifecycle.start()`. */
export interface App {
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  execute(request: GraphRequest): Promise<GraphAnswer>;
  /** Ends when the consumer stops reading it or the operation is over. */
  subscribe(request: GraphRequest): AsyncIterable<GraphAnswer>;
  /** Takes a file in as POST /uploads does; answers the upload's id. */
  upload(path: string, name: string): Promise<string>;
  /** Where it listens, once it has started; only in mode `serve`. */
  readonly http?: {readonly url: string};
  readonly maintenance: Maintenance;
  /** Engines whose servers can be installed and started here, each with its folder. Nothing of the application is needed for it. */
  readonly engineServers: readonly {readonly servers: EngineServers; readonly folder: string}[];
}

/** Looks after what is kept. Each of these starts the catalog alone and stops it again: the application itself is not started. */
export interface Maintenance {
  /** @param options.deep every snapshot instead of the newest of each dataset */
  doctor(options: {readonly deep: boolean}): Promise<readonly Finding[]>;
  /** Datasets again from the manifests beside their data, into a catalog that has none. @throws TARGET_NOT_EMPTY */
  rebuild(): Promise<Rebuilt>;
  /** @throws TARGET_NOT_EMPTY, FILE_DAMAGED, DISK_FULL */
  backup(folder: string, report: (done: BackupProgress) => void): Promise<BackupSummary>;
  /** @throws BACKUP_INVALID, TARGET_NOT_EMPTY, DISK_FULL */
  restore(folder: string, report: (done: BackupProgress) => void): Promise<BackupSummary>;
}

export type Compose = (loaded: LoadedConfig, options: {mode: AppMode}) => Promise<App>;
