import type {Catalog} from '../catalog/catalog.ts';
import {Wake} from '../core/async.ts';
import {boundary} from '../core/boundaries.ts';
import type {Logger} from '../core/logging.ts';
import type {Metrics} from '../core/metrics.ts';
import {send} from './send.ts';
import type {SendOptions} from './send.ts';
import type {ClaimedDelivery} from './webhook.ts';

/** Seconds before each further try, as Standard Webhooks advises: ten tries in three days. */
const standardWaits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/** Deliveries that are sent at once, one of each webhook: a receiver that is slow holds up no other. */
const atOnce = 8;

/** Milliseconds after which deliveries are looked for without a reason: a wake-up may be lost. */
const backstop = 5_000;

export interface CourierOptions extends SendOptions {
  /** Seconds before each further try; default: those of Standard Webhooks. */
  readonly waits?: readonly number[];
}

/** Sends deliveries until they are accepted or given up. Any number of processes may do so: each takes its own by a lease. */
export class Courier {
  private readonly busy = new Map<string, Promise<void>>();
  private readonly wake = new Wake();
  private stopped = false;
  private loop: Promise<void> | undefined;
  private quiet: (() => void) | undefined;

  constructor(
    private readonly catalog: Catalog,
    private readonly options: CourierOptions,
    private readonly logger: Logger,
    private readonly metrics: Pick<Metrics, 'webhookTries'>,
  ) {}

  start(): void {
    this.quiet = this.catalog.listen('webhook', () => this.wake.signal());
    this.loop = this.sendForever();
  }

  /** Begins nothing more, and waits for what is on its way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.quiet?.();
    this.wake.signal();
    await this.loop;
    await Promise.all(this.busy.values());
  }

  private async sendForever(): Promise<void> {
    while (!this.stopped) {
      let claimed: ClaimedDelivery | null = null;
      let pause = backstop;
      try {
        if (this.busy.size < atOnce) claimed = await this.catalog.read(stores => stores.webhooks.claim(this.options.timeoutSeconds + 1, [...this.busy.keys()]));
        const due = claimed ? null : await this.catalog.read(stores => stores.webhooks.nextDue());
        // What is due and was not claimed waits for a place, whose end wakes.
        if (due !== null && due > 0) pause = Math.min(backstop, due * 1_000);
      } catch (error) {
        this.logger.warn({err: error}, 'cannot look for deliveries; trying again');
      }
      if (claimed) this.begin(claimed);
      else await this.wake.wait(pause);
    }
  }

  private begin(delivery: ClaimedDelivery): void {
    boundary('delivery claimed');
    const {webhookId} = delivery;
    const sending = this.deliver(delivery)
      .catch(error => this.logger.warn({err: error, delivery: delivery.id}, 'what came of a delivery could not be noted; it is sent again'))
      .finally(() => {
        this.busy.delete(webhookId);
        this.wake.signal();
      });
    this.busy.set(webhookId, sending);
  }

  private async deliver(delivery: ClaimedDelivery): Promise<void> {
    const {id, webhookId, type, attempts} = delivery;
    const {status, error, isGone} = await send(delivery, this.options);
    boundary('delivery sent');
    const waitSeconds = error === null || isGone ? null : ((this.options.waits ?? standardWaits)[attempts - 1] ?? null);
    await this.catalog.read(stores => stores.webhooks.ended(delivery, {status, error, waitSeconds}));
    this.metrics.webhookTries.inc({outcome: error === null ? 'delivered' : waitSeconds === null ? 'dead' : 'failed'});
    if (error === null) return;
    const told = {webhook: webhookId, delivery: id, type, attempts, error};
    if (waitSeconds === null) this.logger.error(told, 'a webhook was given up');
    else this.logger.warn({...told, waitSeconds}, 'a webhook was not accepted; it is sent again');
  }
}
