import {createServer, connect} from 'node:net';
import type {AddressInfo, Server, Socket} from 'node:net';

/** A way to a server that can be cut, or blocked, and made free again. */
export interface TcpProxy {
  /** The given URL with the proxy's address. */
  readonly url: string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Passes nothing on; connections stay open, as with a server that hangs. */
  block(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Stands between a client and the server of a URL, on a port of its own. */
export async function proxyTo(target: string): Promise<TcpProxy> {
  const {hostname, port} = new URL(target);
  const sockets = new Set<Socket>();
  let blocked = false;
  let server: Server | undefined;

  const listen = async (at: number): Promise<number> => {
    server = createServer(client => {
      const upstream = connect(Number(port), hostname);
      for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
        if (blocked) socket.pause();
      }
    });
    await new Promise<void>((resolve, reject) => void server!.once('error', reject).listen(at, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const cut = async (): Promise<void> => {
    const closed = server && new Promise(resolve => server!.close(resolve));
    server = undefined;
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  const own = await listen(0);
  const url = new URL(target);
  url.host = `127.0.0.1:${own}`;
  return {
    url: url.href,
    cut,
    block() {
      blocked = true;
      for (const socket of sockets) socket.pause();
    },
    async restore() {
      blocked = false;
      for (const socket of sockets) socket.resume();
      if (!server) await listen(own);
    },
    close: cut,
  };
}
