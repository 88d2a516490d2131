import {type IncomingMessage, STATUS_CODES} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Duplex} from 'node:stream';
import {type FastifyInstance, fastify} from 'fastify';
import type {Config} from '../../core/config.ts';
import {MillraceError, asMillraceError} from '../../core/errors.ts';
import {newId} from '../../core/ids.ts';
import type {Part} from '../../core/lifecycle.ts';
import {type Logger, withLogContext} from '../../core/logging.ts';
import type {Metrics} from '../../core/metrics.ts';
import {type OriginCheck, type Viewers, createOriginCheck} from './access.ts';
import {errorBody, errorHandler} from './answer-error.ts';
import {type Health, mountHealth} from './health.ts';
import type {Mount, MountHost} from './mount.ts';
import {type AddUpload, mountUploads} from './uploads.ts';

export interface HttpHostOptions {
  readonly config: Pick<Config, 'api' | 'uploads'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly viewers: Viewers;
  readonly addUpload: AddUpload;
  readonly mounts: readonly Mount[];
}

/** The HTTP server as a part of the process: the last to start, the first to stop. */
export interface HttpHost extends Part {
  readonly name: 'http';
  /** Mounts every API and listens. @throws PORT_IN_USE, PORT_REFUSED, and what a mount throws */
  start(): Promise<void>;
  /** Stops listening, closes idle connections, answers what is in flight; cuts what is left when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** Where the server is reached from this machine, without a slash at the end; '' before the start. */
  readonly url: string;
  /** Refuses requests that another site's page started; for servers that do not run on this one. @throws ORIGIN_REFUSED */
  readonly checkOrigin: OriginCheck;
}

/** Makes the server; nothing is mounted and no port taken before `start`. */
export function createHttpHost(options: HttpHostOptions): HttpHost {
  const {config: {api}} = options;
  const logger = options.logger.child({part: 'http'});
  let running: {app: FastifyInstance; upgrades: Upgrades} | undefined;
  let url = '';
  const port = () => (running?.app.server.address() as AddressInfo | null | undefined)?.port ?? api.port;
  const checkOrigin = createOriginCheck({api}, port);

  const drain = async (signal: AbortSignal): Promise<void> => {
    if (running === undefined) return;
    const {app, upgrades} = running;
    const cut = () => {
      app.server.closeAllConnections();
      upgrades.destroy();
    };
    signal.addEventListener('abort', cut, {once: true});
    if (signal.aborted) cut();
    // Node keeps a connection that becomes idle after the close until its keep-alive time is over.
    const closeIdle = setInterval(() => app.server.closeIdleConnections(), 50);
    // A second call waits for the first.
    await app.close();
    clearInterval(closeIdle);
    signal.removeEventListener('abort', cut);
  };

  return {
    name: 'http',
    checkOrigin,
    get url() {
      return url;
    },
    async start() {
      const app = createApp(options, logger);
      running = {app, upgrades: handleUpgrades(app, checkOrigin, logger)};
      try {
        await mountAll(app, options, {checkOrigin, upgrades: running.upgrades, logger});
        await app.listen({host: api.host, port: api.port});
      } catch (error) {
        await drain(AbortSignal.abort());
        throw asListenError(error as NodeJS.ErrnoException, api);
      }
      const name = ['0.0.0.0', '::'].includes(api.host) ? 'localhost' : api.host;
      url = `http://${name.includes(':') ? `[${name}]` : name}:${port()}`;
      logger.info({url}, 'listening');
    },
    drain,
    stop: () => drain(AbortSignal.abort()),
  };
}

function createApp({config: {api}}: HttpHostOptions, logger: Logger): FastifyInstance {
  const answerError = errorHandler(logger, api.maxBodyBytes);
  const app = fastify({
    bodyLimit: api.maxBodyBytes,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : newId();
    },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    routerOptions: {ignoreTrailingSlash: true},
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request) => {
    throw new MillraceError('NOT_FOUND', {path: new URL(request.url, 'http://x').pathname});
  });
  return app;
}

async function mountAll(app: FastifyInstance, options: HttpHostOptions, {checkOrigin, upgrades, logger}: {checkOrigin: OriginCheck; upgrades: Upgrades; logger: Logger}): Promise<void> {
  const {config: {api, uploads}, metrics, viewers} = options;
  addRequestHooks(app, {checkOrigin, viewers, origins: new Set(api.origins), metrics, logger});
  mountHealth(app, options.health);
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  await app.register((scope) => mountUploads(scope, uploads, options.addUpload, (bytes) => metrics.uploadedBytes.inc(bytes)));
  const host: MountHost = {onUpgrade: upgrades.on, viewer: viewers};
  for (const mount of options.mounts) await app.register(async (scope) => mount(scope, host));
}

function addRequestHooks(app: FastifyInstance, {checkOrigin, viewers, origins, metrics, logger}: {
  checkOrigin: OriginCheck; viewers: Viewers; origins: ReadonlySet<string>; metrics: Metrics; logger: Logger;
}): void {
  app.decorateRequest('viewer', null as never);
  app.addHook('onRequest', (request, reply, done) => {
    metrics.requestsInFlight.inc();
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    withLogContext({requestId: request.id}, () => {
      const {origin} = request.headers;
      checkOrigin(request.headers);
      if (origin !== undefined && origins.has(origin)) {
        reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'x-request-id').header('vary', 'origin');
        if (request.method === 'OPTIONS') {
          reply.header('access-control-allow-methods', 'GET, POST, PUT, DELETE')
            .header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '')
            .header('access-control-max-age', '600').code(204).send();
          return;
        }
      }
      if (!request.routeOptions.config.public) request.viewer = viewers(request.headers.authorization);
      done();
    });
  });
  // Reading a body leaves the asynchronous context of the first hook.
  app.addHook('preValidation', (request, _reply, done) => withLogContext({requestId: request.id}, done));
  app.addHook('onResponse', (request, reply, done) => {
    metrics.requestsInFlight.dec();
    const route = request.routeOptions.url ?? 'none';
    metrics.requests.observe({method: request.method, route, status: reply.statusCode}, reply.elapsedTime / 1000);
    logger.debug({requestId: request.id, method: request.method, route, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime)}, 'answered');
    done();
  });
}

interface Upgrades {
  readonly on: MountHost['onUpgrade'];
  destroy(): void;
}

/** Hands upgraded connections to the mount of their path; keeps track of them, because the HTTP server does not. */
function handleUpgrades(app: FastifyInstance, checkOrigin: OriginCheck, logger: Logger): Upgrades {
  const handlers = new Map<string, Parameters<MountHost['onUpgrade']>[1]>();
  const sockets = new Set<Duplex>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ignore = () => {};
    // A client may go away while it is refused; the mount listens for itself later.
    socket.on('error', ignore);
    try {
      checkOrigin(request.headers);
      const path = URL.parse(request.url ?? '/', 'http://x')?.pathname ?? '/';
      const handler = handlers.get(path);
      if (handler === undefined) throw new MillraceError('NOT_FOUND', {path});
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      const requestId = newId();
      withLogContext({requestId}, () => handler(request, socket, head));
      socket.off('error', ignore);
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (error.http >= 500) logger.error({err: error}, 'an upgrade failed');
      const body = JSON.stringify(errorBody(error));
      socket.end(
        `HTTP/1.1 ${error.http} ${STATUS_CODES[error.http]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    }
  });
  return {
    on: (path, handler) => void handlers.set(path, handler),
    destroy: () => sockets.forEach((socket) => socket.destroy()),
  };
}

function asListenError(error: NodeJS.ErrnoException, {host, port}: Config['api']): Error {
  if (error.code === 'EADDRINUSE') return new MillraceError('PORT_IN_USE', {host, port}, {cause: error});
  if (['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? '')) return new MillraceError('PORT_REFUSED', {host, port, reason: error.message}, {cause: error});
  return error;
}
