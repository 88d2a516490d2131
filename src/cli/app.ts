/**
 * cli: the `millrace` commands.
 *
 * A command is a client of the graph: it sends GraphQL documents to the running server of the project, or, where none runs, to the
 * application composed in this very process. This file is what the commands need of that application; `main.ts` passes it in.
 */
import type {LoadedConfig} from '../core/config.ts';
import type {Lifecycle} from '../core/lifecycle.ts';
import type {Logger} from '../core/logging.ts';
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
  upload?(path: string, name: string): Promise<string>;
  /** Where it listens, once it has started; only in mode `serve`. */
  readonly http?: {readonly url: string};
  doctor?(options: {rebuild: boolean}): Promise<readonly Finding[]>;
  backup?(folder: string, report: (done: BackupProgress) => void): Promise<BackupSummary>;
  restore?(folder: string, report: (done: BackupProgress) => void): Promise<BackupSummary>;
}

/** One thing `doctor` looked at. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where it is not ok. */
  readonly hint?: string;
}

export interface BackupProgress {
  readonly files: number;
  readonly ofFiles: number;
  readonly bytes: number;
}

export interface BackupSummary {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  readonly datasets: number;
  readonly snapshots: number;
}

export type Compose = (loaded: LoadedConfig, options: {mode: AppMode}) => Promise<App>;
