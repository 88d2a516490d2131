/**
 * webhooks: who is told of failures, stale datasets and bad rows.
 *
 * A delivery, one event for one webhook, is written in the transaction of its event, so that none is lost. It is sent until the
 * receiver accepts it, by the convention of Standard Webhooks (standardwebhooks.com): at least once, with the same id each time.
 * One that was tried for three days in vain is dead, and is kept to be sent again.
 */
import type {Viewer} from '../core/viewer.ts';
import type {RunRecord} from '../pipelines/pipeline.ts';

export type WebhookTopic = 'run_failed' | 'freshness' | 'quarantine';

/** What happened, of which webhooks are told. */
export type WebhookEvent =
  | {readonly kind: 'run_failed'; readonly run: RunRecord}
  /** A run's step put rows into the quarantine of a dataset. */
  | {readonly kind: 'quarantine'; readonly run: RunRecord; readonly step: string; readonly dataset: string; readonly rows: bigint}
  /** A dataset's newest value has become older than its contract allows; `newest` null: it has none. */
  | {
    readonly kind: 'freshness'; readonly dataset: string; readonly snapshotId: string; readonly run: RunRecord | null; readonly column: string; readonly hours: number;
    readonly newest: Date | null;
  };

/** What a webhook is sent, without its time: `type` and `data` of the body. */
export interface WebhookMessage {
  readonly type: 'run.failed' | 'dataset.quarantined' | 'dataset.stale';
  readonly data: Readonly<Record<string, unknown>>;
  /** What webhooks may ask for alone: the pipeline it happened in, the datasets it is about. */
  readonly pipeline: string | null;
  readonly datasets: readonly string[];
}

/** Fields may be added to messages, never taken away or given another meaning. */
export function messageOf(event: WebhookEvent): WebhookMessage {
  switch (event.kind) {
    case 'run_failed': {
      const {id, pipeline, requestedBy, params, createdAt, startedAt, finishedAt} = event.run;
      const datasets = event.run.definition.steps.flatMap(step => ('into' in step ? [step.into] : []));
      return {type: 'run.failed', data: {run: {id, pipeline, requestedBy, params, createdAt, startedAt, finishedAt}, error: errorOf(event.run)}, pipeline, datasets};
    }
    case 'quarantine': {
      const {run: {id, pipeline}, step, dataset, rows} = event;
      return {type: 'dataset.quarantined', data: {dataset, rows: Number(rows), run: {id, pipeline}, step}, pipeline, datasets: [dataset]};
    }
    case 'freshness': {
      const {dataset, snapshotId, run, column, hours, newest} = event;
      return {
        type: 'dataset.stale', data: {dataset, column, hours, newest, snapshot: {id: snapshotId}, run: run && {id: run.id, pipeline: run.pipeline}},
        pipeline: run?.pipeline ?? null, datasets: [dataset],
      };
    }
  }
}

const errorOf = ({error}: RunRecord): unknown => error && {code: error.code, message: error.message, hint: error.hint};

export interface WebhookRecord {
  readonly id: string;
  readonly url: string;
  readonly on: readonly WebhookTopic[];
  /** Of these pipelines, about these datasets only; none named: of all. */
  readonly pipelines: readonly string[];
  readonly datasets: readonly string[];
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** pending: to be sent, or sent again; delivered: the receiver accepted it; dead: given up. */
export type DeliveryState = 'pending' | 'delivered' | 'dead';

export interface DeliveryRecord {
  readonly id: string;
  readonly webhookId: string;
  readonly type: string;
  /** JSON, exactly as it is signed and sent. */
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Its next try, while it is pending. */
  readonly dueAt: Date;
  /** HTTP's, of the last try; null where there was no answer. */
  readonly status: number | null;
  /** Why the last try failed. */
  readonly error: string | null;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
}

/** A delivery that is this process's to send until its lease is over. */
export interface ClaimedDelivery extends DeliveryRecord {
  readonly url: string;
  /** It is signed by each. */
  readonly secrets: readonly string[];
}

export interface NewWebhook {
  readonly url: string;
  /** `whsec_` and 24 to 64 bytes in base64; default: a new one. */
  readonly secret?: string;
  readonly on: readonly WebhookTopic[];
  readonly pipelines?: readonly string[];
  readonly datasets?: readonly string[];
}

export interface WebhookStore {
  /** Writes a delivery for each webhook that wants to hear of it, in the event's unit of work. */
  enqueue(event: WebhookEvent): Promise<void>;

  list(): Promise<WebhookRecord[]>;
  create(webhook: Required<NewWebhook> & {readonly createdBy: string}): Promise<WebhookRecord>;
  /** Messages are signed by the secret it had as well, for some hours. Null: there is none. */
  changeSecret(id: string, secret: string, formerHours: number): Promise<WebhookRecord | null>;
  /** Its deliveries go with it. False: there is none. */
  remove(id: string): Promise<boolean>;

  /** Newest first. */
  deliveries(webhookId: string, filter: {readonly state?: DeliveryState; readonly limit: number}): Promise<DeliveryRecord[]>;
  delivery(id: string): Promise<DeliveryRecord | null>;
  /** Takes a delivery that is due, for some seconds; not of the webhooks named. */
  claim(leaseSeconds: number, except: readonly string[]): Promise<ClaimedDelivery | null>;
  /** Ends a try as it was claimed, unless another process has begun a later one, or the delivery was asked for again. `waitSeconds` null: no other follows. */
  ended(delivery: Pick<DeliveryRecord, 'id' | 'attempts' | 'dueAt'>, outcome: {readonly status: number | null; readonly error: string | null; readonly waitSeconds: number | null}): Promise<void>;
  /** Sends a delivery anew, at once, with all its tries. False: there is none. */
  resend(id: string): Promise<boolean>;
  /** Seconds until the next delivery is due; null: nothing is pending. */
  nextDue(): Promise<number | null>;
  /** Deletes deliveries that are over and so many days old. */
  expire(days: number): Promise<void>;

  /** Freshness checks that did not hold when they were last looked at, as `stale` named them. */
  stale(): Promise<{readonly datasetId: string; readonly rule: string}[]>;
  /** False: it was stale already. */
  becomesStale(datasetId: string, rule: string): Promise<boolean>;
  becomesFresh(datasetId: string, rule: string): Promise<void>;
}

/** What the APIs and the command line call. For administrators: an address may hold a secret. @throws UNAUTHENTICATED */
export interface Webhooks {
  list(viewer: Viewer): Promise<WebhookRecord[]>;
  /** The secret is never answered again. @throws WEBHOOK_INVALID */
  create(viewer: Viewer, input: NewWebhook): Promise<{readonly webhook: WebhookRecord; readonly secret: string}>;
  /**
   * Gives it another secret, which is never answered again. Messages are signed by the one it had as well, for some hours (0: for none).
   * @throws WEBHOOK_NOT_FOUND, WEBHOOK_INVALID
   */
  rotateSecret(viewer: Viewer, id: string, options: {readonly secret?: string; readonly formerHours: number}): Promise<{readonly webhook: WebhookRecord; readonly secret: string}>;
  /** @throws WEBHOOK_NOT_FOUND */
  remove(viewer: Viewer, id: string): Promise<void>;
  deliveries(viewer: Viewer, webhookId: string, filter: {readonly state?: DeliveryState; readonly limit: number}): Promise<DeliveryRecord[]>;
  /** @throws DELIVERY_NOT_FOUND */
  resend(viewer: Viewer, deliveryId: string): Promise<DeliveryRecord>;
}
