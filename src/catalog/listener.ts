import pg from 'pg';
import type {Channel} from './catalog.ts';

/** PostgreSQL's names of the channels. */
export const channelName = (channel: Channel): string => `millrace_${channel}`;
export const channels: readonly Channel[] = ['run', 'work', 'graph', 'data', 'webhook'];

/**
 * A session of its own that LISTENs, for a PostgreSQL server. When it breaks it connects again, and wakes every listener once
 * with an empty payload, because what was notified meanwhile is lost.
 */
export class NotificationListener {
  private client: pg.Client | undefined;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: pg.ClientConfig,
    private readonly onNotification: (channel: string, payload: string) => void,
  ) {}

  async start(): Promise<void> {
    const client = new pg.Client(this.config);
    this.client = client;
    client.on('notification', message => this.onNotification(message.channel, message.payload ?? ''));
    client.on('error', () => this.reconnect());
    client.on('end', () => this.reconnect());
    await client.connect();
    for (const channel of channels) await client.query(`LISTEN ${channelName(channel)}`);
  }

  private reconnect(): void {
    if (this.stopped || this.retry) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.start().then(
        () => channels.forEach(channel => this.onNotification(channelName(channel), '')),
        () => this.reconnect(),
      );
    }, 1_000);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined);
  }
}
