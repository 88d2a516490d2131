/**
 * http: the host on which every API is mounted.
 *
 * The host answers for what all of them need: who asks (Viewer), where a page asking comes from, sizes, ids of requests, errors,
 * health, metrics, uploads, and an orderly end. An API is a `Mount`: a function that adds its routes.
 */
import type {IncomingMessage} from 'node:http';
import type {Duplex} from 'node:stream';
import type {FastifyInstance} from 'fastify';
import type {Viewer} from '../../core/viewer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any handler runs, except on public routes. */
    viewer: Viewer;
  }
  interface FastifyContextConfig {
    /** Answers without the admin secret: health and files without data. */
    public?: boolean;
  }
}

/**
 * Adds an API's routes to an encapsulated instance: hooks, parsers and error handlers set there concern these routes only.
 * What must end with the server goes into `app.addHook('preClose', …)` (long-lived connections) or `onClose`.
 */
export type Mount = (app: FastifyInstance, host: MountHost) => void | Promise<void>;

/** What the host offers to mounts beyond Fastify. */
export interface MountHost {
  /** Takes WebSocket upgrades of a path. Their Host and Origin have been checked; who asks is for the handler to find out. */
  onUpgrade(path: string, handler: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): void;
  /**
   * Who sends this `authorization` header (or the same text from a WebSocket's connection parameters).
   * @throws UNAUTHENTICATED
   */
  viewer(authorization: string | undefined): Viewer;
}
