import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {onlyAdmin} from '../core/viewer.ts';
import type {Viewer} from '../core/viewer.ts';
import {urlProblem} from './receiver-address.ts';
import {newSecret, secretProblem} from './signature.ts';
import type {DeliveryRecord, NewWebhook, WebhookRecord, Webhooks} from './webhook.ts';

/** Hours that the secret before the last change may be used for. */
const mostFormerHours = 24 * 30;

export class WebhookService implements Webhooks {
  constructor(
    private readonly catalog: Catalog,
    private readonly privateHosts: readonly string[],
  ) {}

  async list(viewer: Viewer): Promise<WebhookRecord[]> {
    onlyAdmin(viewer);
    return this.catalog.read(stores => stores.webhooks.list());
  }

  async create(viewer: Viewer, {url, secret = newSecret(), on, pipelines = [], datasets = []}: NewWebhook): Promise<{webhook: WebhookRecord; secret: string}> {
    onlyAdmin(viewer);
    const reason = urlProblem(url, this.privateHosts) ?? secretProblem(secret) ?? (on.length === 0 ? 'it is told of nothing' : null);
    if (reason !== null) throw new MillraceError('WEBHOOK_INVALID', {reason});
    const webhook = await this.catalog.transaction(stores => stores.webhooks.create({url, secret, on: [...new Set(on)], pipelines, datasets, createdBy: viewer.name}));
    return {webhook, secret};
  }

  async rotateSecret(viewer: Viewer, id: string, {secret = newSecret(), formerHours}: Parameters<Webhooks['rotateSecret']>[2]): Promise<{webhook: WebhookRecord; secret: string}> {
    onlyAdmin(viewer);
    const reason = secretProblem(secret) ?? (formerHours >= 0 && formerHours <= mostFormerHours ? null : `the secret before is used for 0 to ${mostFormerHours} hours`);
    if (reason !== null) throw new MillraceError('WEBHOOK_INVALID', {reason});
    const webhook = await this.catalog.transaction(stores => stores.webhooks.changeSecret(id, secret, formerHours));
    if (!webhook) throw new MillraceError('WEBHOOK_NOT_FOUND', {id});
    return {webhook, secret};
  }

  async remove(viewer: Viewer, id: string): Promise<void> {
    onlyAdmin(viewer);
    if (!(await this.catalog.transaction(stores => stores.webhooks.remove(id)))) throw new MillraceError('WEBHOOK_NOT_FOUND', {id});
  }

  async deliveries(viewer: Viewer, webhookId: string, filter: Parameters<Webhooks['deliveries']>[2]): Promise<DeliveryRecord[]> {
    onlyAdmin(viewer);
    return this.catalog.read(stores => stores.webhooks.deliveries(webhookId, filter));
  }

  async resend(viewer: Viewer, id: string): Promise<DeliveryRecord> {
    onlyAdmin(viewer);
    return this.catalog.transaction(async stores => {
      if (!(await stores.webhooks.resend(id))) throw new MillraceError('DELIVERY_NOT_FOUND', {id});
      return (await stores.webhooks.delivery(id))!;
    });
  }
}
