import type {HiveClient} from 'hive-driver';
import {MillraceError} from '../../core/errors.ts';

type Framed = new (frame: Buffer) => object;
type Receive = (transport: object, sequence?: number) => void;

/** Thrift's framed transport with a receiver that copies each byte once; its own goes through an array of numbers. */
export function fastFrames(client: HiveClient): Framed {
  const {TFramedTransport} = client['thrift'] as unknown as {TFramedTransport: Framed};
  return class extends TFramedTransport {
    static receiver(receive: Receive, sequence?: number): (data: Buffer) => void {
      let pieces: Buffer[] = [];
      let bytes = 0;
      let wanted = 4;
      return data => {
        pieces.push(data);
        bytes += data.length;
        while (bytes >= wanted) {
          const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes);
          const end = 4 + all.readUInt32BE(0);
          const whole = bytes >= end;
          pieces = whole ? [all.subarray(end)] : [all];
          if (whole) {
            bytes -= end;
            wanted = 4;
            receive(new TFramedTransport(all.subarray(4, end)), sequence);
          } else {
            wanted = end;
          }
        }
      };
    }
  };
}

/** What the driver asks of a socket. */
interface Transport {
  connect(): void;
  addListener(event: string, listener: (...args: never[]) => void): void;
  removeListener(event: string, listener: (...args: never[]) => void): void;
  write(data: Buffer): void;
  end(): void;
}

const codes = {start: 1, ok: 2, bad: 3, error: 4, complete: 5};

/**
 * SASL's mechanism PLAIN, which servers without authentication speak as well. The driver's own waits for ever when the server closes the
 * connection or says nothing.
 * @throws ENGINE_REFUSED, ENGINE_UNSUPPORTED, Error when nothing answers
 */
export function plain(user: string, password: string | null, seconds: number): {authenticate<T>(transport: T): Promise<T>} {
  return {
    async authenticate<T>(given: T): Promise<T> {
      const transport = given as Transport;
      const {promise, resolve, reject} = Promise.withResolvers<void>();
      const message = (code: number, body: Buffer) => {
        const head = Buffer.alloc(5);
        head.writeUInt8(code);
        head.writeUInt32BE(body.length, 1);
        return Buffer.concat([head, body]);
      };
      const listeners = {
        connect() {
          transport.write(message(codes.start, Buffer.from('PLAIN')));
          transport.write(message(codes.ok, Buffer.from(`\0${user}\0${password ?? 'anonymous'}`)));
        },
        data(data: Buffer) {
          const reason = data.subarray(5).toString();
          if (data[0] === codes.complete) return resolve();
          if (data[0] === codes.bad || data[0] === codes.error) return reject(new MillraceError('ENGINE_REFUSED', {engine: 'Hive', reason: reason || 'the user name or the password is wrong'}));
          reject(new MillraceError('ENGINE_UNSUPPORTED', {engine: 'Hive', reason: 'what answers is no HiveServer2, or one with other settings of SASL, TLS or HTTP'}));
        },
        error: (error: Error) => reject(error),
        close: () => reject(new Error('the server closed the connection before it said anything: it may want TLS, or HTTP')),
      };
      const timer = setTimeout(() => reject(new Error(`nothing was answered for ${seconds} s: the server may want TLS, or HTTP, or be no HiveServer2`)), seconds * 1000);
      transport.connect();
      for (const [event, listener] of Object.entries(listeners)) transport.addListener(event, listener);
      try {
        await promise;
        return given;
      } catch (error) {
        transport.addListener('error', () => {});
        transport.end();
        throw error;
      } finally {
        clearTimeout(timer);
        for (const [event, listener] of Object.entries(listeners)) transport.removeListener(event, listener);
      }
    },
  };
}
