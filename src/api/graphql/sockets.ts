/**
 * graphql-transport-ws over `ws`.
 *
 * Backpressure: an answer goes out when those before it have left for the network or fit into the buffer; otherwise nothing more is
 * pulled from any subscription of the connection and nothing more is read from it. So what a connection holds in memory is bounded
 * by the buffer and one answer for each of its operations, and a client that stops reading is cut off.
 */
import type {IncomingMessage} from 'node:http';
import type {FastifyInstance} from 'fastify';
import {GraphQLError} from 'graphql';
import type {ExecutionArgs, ExecutionResult} from 'graphql';
import {handleProtocols, makeServer} from 'graphql-ws';
import type {ConnectionInitMessage, SubscribePayload} from 'graphql-ws';
import {WebSocketServer} from 'ws';
import type {WebSocket} from 'ws';
import {MillraceError, asMillraceError} from '../../core/errors.ts';
import type {Viewer} from '../../core/viewer.ts';
import {errorFormatter} from './format-error.ts';
import type {Asked, Operations} from './operations.ts';
import type {GraphqlServices, SocketSettings, UpgradeHost} from './services.ts';
import {stringify} from './stringify.ts';

/** Close codes: 4401 is graphql-ws's own; the other is ours and lets clients connect again. */
const unauthorized = 4401;
export const tooSlow = 4490;

/** Milliseconds between pings; a client that has not answered one by the next is gone. */
const pingInterval = 15_000;

interface Extra {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  readonly outlet: Outlet;
  viewer?: Viewer;
}

interface Args extends ExecutionArgs {
  readonly asked: Asked;
  readonly viewer: Viewer;
}

/** Takes upgrades of `/graphql`; Host and Origin have been checked by the HTTP host. */
export function mountSockets(app: FastifyInstance, host: UpgradeHost, operations: Operations, {logger, config, sockets = {}}: Pick<GraphqlServices, 'logger' | 'config' | 'sockets'>): void {
  const log = logger.child({part: 'graphql'});
  const format = errorFormatter(log);
  /** Texts of results: one of a live query is sent to each of its followers. */
  const texts = new WeakMap<ExecutionResult, string>();
  const textOf = (result: ExecutionResult): string => {
    let text = texts.get(result);
    if (text === undefined) {
      const {errors, ...rest} = result;
      texts.set(result, (text = stringify(errors ? {errors: errors.map(format), ...rest} : rest)));
    }
    return text;
  };
  const most = sockets.operations ?? 64;

  const server = makeServer<ConnectionInitMessage['payload'], Extra>({
    onConnect({connectionParams, extra}) {
      const given = connectionParams?.authorization ?? connectionParams?.Authorization ?? extra.request.headers.authorization;
      try {
        extra.viewer = host.viewer(typeof given === 'string' ? given : undefined);
        return true;
      } catch (error) {
        extra.socket.close(unauthorized, asMillraceError(error).code);
        return false;
      }
    },
    onSubscribe({extra, subscriptions}, _id, payload) {
      try {
        if (Object.keys(subscriptions).length > most) throw new MillraceError('REQUEST_INVALID', {reason: `a connection may have ${most} operations at a time.`});
        return argsOf(operations, extra.viewer!, payload);
      } catch (error) {
        return [error instanceof GraphQLError ? error : new GraphQLError(asMillraceError(error).message, {originalError: asMillraceError(error)})];
      }
    },
    execute: (args) => {
      const {viewer, asked} = args as Args;
      return operations.execute(viewer, asked);
    },
    subscribe: (args) => {
      const {viewer, asked} = args as Args;
      return operations.subscribe(viewer, asked);
    },
    onNext: ({extra}, _id, _payload, _args, result) => extra.outlet.payload(textOf(result as ExecutionResult)),
    onError: (_context, _id, _payload, errors) => errors.map(format),
  });

  const acceptor = new WebSocketServer({noServer: true, maxPayload: config.api.maxBodyBytes, handleProtocols, autoPong: false});
  acceptor.on('connection', (socket, request) => {
    const outlet = new Outlet(socket, sockets);
    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: text => outlet.send(text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: handle => socket.on('message', (message) => {
          // What a handler throws is a defect, or an answer for a client that has just gone.
          Promise.resolve(handle(String(message))).catch((error: unknown) => {
            if (socket.readyState !== socket.OPEN) return;
            log.error({err: error}, 'a message could not be handled');
            socket.close(4500, 'INTERNAL');
          });
        }),
      },
      {request, socket, outlet},
    );
    socket.on('error', error => log.debug({err: error}, 'a connection failed'));
    socket.once('close', (code, reason) => {
      outlet.stop();
      void closed(code, String(reason));
    });
  });

  host.onUpgrade('/graphql', (request, socket, head) => acceptor.handleUpgrade(request, socket, head, client => acceptor.emit('connection', client, request)));
  app.addHook('preClose', async () => {
    for (const client of acceptor.clients) client.close(1001, 'SHUTTING_DOWN');
    const timer = setTimeout(() => acceptor.clients.forEach(client => client.terminate()), 1000);
    await Promise.all([...acceptor.clients].map(client => new Promise(resolve => client.once('close', resolve))));
    clearTimeout(timer);
    acceptor.close();
  });
}

/** @throws GraphQLError, MillraceError */
function argsOf(operations: Operations, viewer: Viewer, {query, variables, operationName}: SubscribePayload): Args {
  const prepared = operations.graph.prepare(query, viewer.limits);
  if (!prepared.document) throw prepared.errors[0]!;
  return {schema: prepared.executor.graph.schema, document: prepared.document, operationName, variableValues: variables, asked: {prepared, operationName, variables}, viewer, contextValue: {}};
}

/** The sending side of one connection. */
class Outlet {
  private readonly bufferBytes: number;
  private readonly stallMilliseconds: number;
  private readonly pings: NodeJS.Timeout;
  private stalled: NodeJS.Timeout | undefined;
  private answered = true;
  /** The result that belongs at the end of the message being sent. */
  private result: string | null = null;
  /** Sends that wait for the buffer to empty. */
  private waiting = 0;

  constructor(
    private readonly socket: WebSocket,
    {bufferBytes = 2 ** 20, stallSeconds = 30}: SocketSettings,
  ) {
    this.bufferBytes = bufferBytes;
    this.stallMilliseconds = stallSeconds * 1000;
    socket.on('pong', () => (this.answered = true));
    socket.on('ping', data => {
      // A client that pings without reading must not fill the buffer either.
      if (socket.bufferedAmount <= this.bufferBytes) socket.pong(data);
    });
    this.pings = setInterval(() => this.ping(), pingInterval);
  }

  /** What stands for a result in the message that is sent next: graphql-ws would write it as JSON again, for each of its followers. */
  payload(text: string): ExecutionResult {
    const toJSON = (): string => {
      this.result = text;
      return '';
    };
    return {toJSON} as ExecutionResult;
  }

  /** Resolves when the next answer may be made; at once while the buffer has room. */
  send(message: string): Promise<void> {
    const {socket, result} = this;
    this.result = null;
    const text = result === null ? message : `${message.slice(0, -'""}'.length)}${result}}`;
    if (socket.readyState !== socket.OPEN) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let waits = false;
      socket.send(text, (error) => {
        if (waits) this.leave();
        if (error) reject(error);
        else resolve();
      });
      if (socket.bufferedAmount <= this.bufferBytes) resolve();
      else {
        waits = true;
        this.wait();
      }
    });
  }

  stop(): void {
    clearInterval(this.pings);
    clearTimeout(this.stalled);
  }

  private wait(): void {
    if (this.waiting++ > 0) return;
    this.socket.pause();
    this.watch(this.socket.bufferedAmount);
  }

  private leave(): void {
    if (--this.waiting > 0) return;
    clearTimeout(this.stalled);
    this.socket.resume();
  }

  /** Cuts the client off unless some of what waits has left by the end of the time. */
  private watch(before: number): void {
    this.stalled = setTimeout(() => {
      const now = this.socket.bufferedAmount;
      if (now < before) return this.watch(now);
      // The reason comes after what the client has not read; terminating alone would lose it for one that merely paused.
      this.socket.close(tooSlow, 'SUBSCRIBER_TOO_SLOW');
      this.stalled = setTimeout(() => this.socket.terminate(), Math.min(5000, this.stallMilliseconds));
    }, this.stallMilliseconds);
  }

  private ping(): void {
    // Nothing is read from a connection that waits, so its pongs are not seen.
    if (this.waiting > 0 || this.socket.readyState !== this.socket.OPEN) return;
    if (!this.answered) return this.socket.terminate();
    this.answered = false;
    this.socket.ping();
  }
}
