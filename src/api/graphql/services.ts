/**
 * api/graphql: the one endpoint of the graph.
 *
 * core/: the static part (TypeGraphQL). data/: typed fields for every dataset. This file is the port: what the endpoint is given.
 */
import type {IncomingMessage} from 'node:http';
import type {Duplex} from 'node:stream';
import type {UploadStore} from '../../catalog/catalog.ts';
import type {Config} from '../../core/config.ts';
import type {Logger} from '../../core/logging.ts';
import type {Metrics} from '../../core/metrics.ts';
import type {Viewer} from '../../core/viewer.ts';
import type {Engine} from '../../engines/engine.ts';
import type {Metastore} from '../../engines/metastore.ts';
import type {Maintenance} from '../../maintenance/maintenance.ts';
import type {Models} from '../../models/models.ts';
import type {ScoreFiles} from '../../models/score-files.ts';
import type {Backfills} from '../../pipelines/backfill.ts';
import type {Remotes} from '../../pipelines/engine-choice.ts';
import type {Pipelines, Publications} from '../../pipelines/pipeline.ts';
import type {Schedules} from '../../schedules/schedule.ts';
import type {Proposals} from '../../proposals/proposals.ts';
import type {Relationships} from '../../warehouse/relationship.ts';
import type {Datasets, Lineage, SnapshotRecord, Warehouse} from '../../warehouse/warehouse.ts';
import type {Webhooks} from '../../webhooks/webhook.ts';
import type {Writes} from '../../writes/writes.ts';
import type {GraphModel} from './data/graph-model.ts';

/** Where the data graph's model comes from. */
export interface GraphModelSource {
  current(): GraphModel;
  /** Calls back after each change, in this process or another; answers how to stop. */
  onChange(listener: () => void): () => void;
  /** Resolves when `current` is as new as the call, so that who changed something sees it in the next request. */
  refresh(): Promise<void>;
}

/** Facts about this installation that clients may see. */
export interface SystemFacts {
  readonly version: string;
  /** Where the catalog is: `pglite` or `postgresql`. */
  readonly catalog: string;
  /** Whatever changes results: engine and inference runtime with their versions. Part of every receipt. */
  readonly fingerprint: string;
}

export interface GraphqlServices {
  readonly pipelines: Pipelines;
  readonly publications: Publications;
  readonly schedules: Schedules;
  readonly webhooks: Webhooks;
  readonly proposals: Proposals;
  readonly backfills: Backfills;
  readonly models: Models;
  readonly scoreFiles: ScoreFiles;
  readonly datasets: Datasets;
  readonly relationships: Relationships;
  readonly lineage: Lineage;
  readonly maintenance: Maintenance;
  readonly writes: Writes;
  readonly warehouse: Pick<Warehouse, 'resolve' | 'table'>;
  /** The embedded one. */
  readonly engine: Engine;
  readonly remotes: Pick<Remotes, 'engines'>;
  readonly metastore: Metastore;
  readonly uploads: Pick<UploadStore, 'byId'>;
  readonly graphModel: GraphModelSource;
  readonly system: SystemFacts;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: Pick<Config, 'api'>;
  /**
   * All heads by dataset name, one consistent set, read once for each request that reads data. Default: `datasets.list`, which also
   * reads profiles and contracts; give a cheaper one where there are many datasets.
   */
  readonly heads?: () => Promise<ReadonlyMap<string, SnapshotRecord>>;
  /** Calls back with the name of each dataset that has a new snapshot, made by this process or another, and with '' when that may have been missed; answers how to stop. Default: live queries look every few seconds. */
  readonly onCommit?: (listener: (dataset: string) => void) => () => void;
  readonly sockets?: SocketSettings;
}

export interface SocketSettings {
  /** Bytes of answers that wait for a client; past it nothing more is computed for its connection. Default 1 MiB. */
  readonly bufferBytes?: number;
  /** A client that reads nothing for so long while answers wait is cut off. Default 30. */
  readonly stallSeconds?: number;
  /** Operations of one connection at a time. Default 64. */
  readonly operations?: number;
}

/** What the HTTP host gives to mounts; see `src/api/http/mount.ts`. */
export interface UpgradeHost {
  onUpgrade(path: string, handler: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): void;
  viewer(authorization: string | undefined): Viewer;
}
