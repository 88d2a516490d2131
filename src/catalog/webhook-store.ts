import {newId} from '../core/ids.ts';
import {messageOf} from '../webhooks/webhook.ts';
import type {ClaimedDelivery, DeliveryRecord, DeliveryState, WebhookEvent, WebhookRecord, WebhookStore, WebhookTopic} from '../webhooks/webhook.ts';
import type {Connection} from './database.ts';
import {isUuid} from './dataset-store.ts';
import type {Webhook, WebhookDelivery} from './prisma/client.ts';

/** The secret stays behind. */
const toWebhook = ({id, url, on, pipelines, datasets, createdBy, createdAt}: Webhook): WebhookRecord => ({id, url, on: on as WebhookTopic[], pipelines, datasets, createdBy, createdAt});
const toDelivery = (row: WebhookDelivery): DeliveryRecord => ({...row, state: row.state as DeliveryState});

export class PrismaWebhookStore implements WebhookStore {
  constructor(
    private readonly db: Connection,
    private readonly wake: () => Promise<void>,
  ) {}

  async enqueue(event: WebhookEvent): Promise<void> {
    const {type, data, pipeline, datasets} = messageOf(event);
    const listening = await this.db.$queryRaw<{id: string; now: Date}[]>`
      SELECT id::text, clock_timestamp() AS now FROM webhook WHERE ${event.kind} = ANY ("on")
        AND (cardinality(pipelines) = 0 OR ${pipeline} = ANY (pipelines)) AND (cardinality(datasets) = 0 OR datasets && ${datasets}::text[])`;
    if (listening.length === 0) return;
    await this.db.webhookDelivery.createMany({
      data: listening.map(({id, now}) => ({id: newId(), webhookId: id, type, body: JSON.stringify({type, timestamp: now, data}), createdAt: now, dueAt: now})),
    });
    await this.wake();
  }

  async list(): Promise<WebhookRecord[]> {
    return (await this.db.webhook.findMany({orderBy: {createdAt: 'asc'}})).map(toWebhook);
  }

  async create({url, secret, on, pipelines, datasets, createdBy}: Parameters<WebhookStore['create']>[0]): Promise<WebhookRecord> {
    return toWebhook(await this.db.webhook.create({data: {id: newId(), url, secret, on: [...on], pipelines: [...pipelines], datasets: [...datasets], createdBy}}));
  }

  async changeSecret(id: string, secret: string, formerHours: number): Promise<WebhookRecord | null> {
    if (!isUuid(id)) return null;
    const changed = await this.db.$executeRaw`
      UPDATE webhook SET secret = ${secret}, former_secret = secret, former_until = clock_timestamp() + ${formerHours} * interval '1 hour' WHERE id = ${id}::uuid`;
    return changed === 0 ? null : toWebhook(await this.db.webhook.findUniqueOrThrow({where: {id}}));
  }

  async remove(id: string): Promise<boolean> {
    return isUuid(id) && (await this.db.webhook.deleteMany({where: {id}})).count === 1;
  }

  async deliveries(webhookId: string, {state, limit}: Parameters<WebhookStore['deliveries']>[1]): Promise<DeliveryRecord[]> {
    if (!isUuid(webhookId)) return [];
    const where = {webhookId, ...(state === undefined ? {} : {state})};
    return (await this.db.webhookDelivery.findMany({where, orderBy: [{createdAt: 'desc'}, {id: 'desc'}], take: limit})).map(toDelivery);
  }

  async delivery(id: string): Promise<DeliveryRecord | null> {
    const row = isUuid(id) ? await this.db.webhookDelivery.findUnique({where: {id}}) : null;
    return row && toDelivery(row);
  }

  async claim(leaseSeconds: number, except: readonly string[]): Promise<ClaimedDelivery | null> {
    const [claimed] = await this.db.$queryRaw<ClaimedDelivery[]>`
      UPDATE webhook_delivery AS delivery SET attempts = attempts + 1, due_at = date_trunc('milliseconds', clock_timestamp() + ${leaseSeconds} * interval '1 second')
      FROM webhook WHERE webhook.id = delivery.webhook_id AND delivery.id = (
        SELECT id FROM webhook_delivery WHERE state = 'pending' AND due_at <= clock_timestamp() AND NOT webhook_id = ANY (${except}::uuid[])
        ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING delivery.id::text, delivery.webhook_id::text AS "webhookId", type, body, state, attempts, due_at AS "dueAt", status, error,
        delivery.created_at AS "createdAt", delivered_at AS "deliveredAt", webhook.url,
        CASE WHEN former_until > clock_timestamp() THEN ARRAY[secret, former_secret] ELSE ARRAY[secret] END AS secrets`;
    return claimed ?? null;
  }

  async ended({id, attempts, dueAt}: Parameters<WebhookStore['ended']>[0], {status, error, waitSeconds}: Parameters<WebhookStore['ended']>[1]): Promise<void> {
    const state: DeliveryState = error === null ? 'delivered' : waitSeconds === null ? 'dead' : 'pending';
    await this.db.$executeRaw`
      UPDATE webhook_delivery SET state = ${state}, status = ${status}, error = ${error}, due_at = clock_timestamp() + ${waitSeconds ?? 0} * interval '1 second',
        delivered_at = CASE WHEN ${state} = 'delivered' THEN clock_timestamp() END
      WHERE id = ${id}::uuid AND attempts = ${attempts} AND due_at = ${dueAt} AND state = 'pending'`;
  }

  async resend(id: string): Promise<boolean> {
    if (!isUuid(id)) return false;
    const changed = await this.db.$executeRaw`
      UPDATE webhook_delivery SET state = 'pending', attempts = 0, due_at = clock_timestamp(), delivered_at = NULL WHERE id = ${id}::uuid`;
    await this.wake();
    return changed === 1;
  }

  async nextDue(): Promise<number | null> {
    const [row] = await this.db.$queryRaw<[{seconds: number | null}]>`
      SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 AS seconds FROM webhook_delivery WHERE state = 'pending'`;
    return row.seconds;
  }

  async expire(days: number): Promise<void> {
    await this.db.$executeRaw`DELETE FROM webhook_delivery WHERE state <> 'pending' AND created_at < clock_timestamp() - ${days} * interval '1 day'`;
  }

  stale(): Promise<{readonly datasetId: string; readonly rule: string}[]> {
    return this.db.staleDataset.findMany({select: {datasetId: true, rule: true}});
  }

  async becomesStale(datasetId: string, rule: string): Promise<boolean> {
    return (await this.db.staleDataset.createMany({data: [{datasetId, rule}], skipDuplicates: true})).count === 1;
  }

  async becomesFresh(datasetId: string, rule: string): Promise<void> {
    await this.db.staleDataset.deleteMany({where: {datasetId, rule}});
  }
}
