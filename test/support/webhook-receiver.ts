import {createHmac} from 'node:crypto';
import {createServer} from 'node:http';
import type {IncomingHttpHeaders, ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks. */
export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Waits until so many came. */
  count(least: number): Promise<readonly Received[]>;
  close(): Promise<void>;
}

/** Starts a receiver on this machine. @param answer default: 204 */
export async function startReceiver(answer: (received: Received, response: ServerResponse) => void = (_, response) => response.writeHead(204).end()): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', piece => (body += piece)).on('end', () => {
      received.push({path: request.url!, headers: request.headers, body});
      answer(received.at(-1)!, response);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async count(least) {
      while (received.length < least) await sleep(20);
      return received;
    },
    close() {
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

/** Whether a message is signed with a secret: as a receiver does it, from the convention alone. */
export function isSigned({headers, body}: Received, secret: string): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64')).update(signed).digest('base64');
  return String(headers['webhook-signature']).split(' ').includes(`v1,${expected}`) && Math.abs(Date.now() / 1_000 - Number(headers['webhook-timestamp'])) < 300;
}
