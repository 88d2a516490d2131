/** The console: GraphiQL, built into files by scripts/build-console.mjs and served without any request elsewhere. */
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import fastifyStatic from '@fastify/static';
import type {FastifyInstance} from 'fastify';
import type {ConsoleTab} from './tabs.ts';

export interface ConsoleOptions {
  /** What scripts/build-console.mjs wrote: index.html and assets/. */
  readonly folder: string;
  readonly tabs: readonly ConsoleTab[];
}

/** Monaco styles its text by inline styles; nothing else is let in, and nothing leaves for another host. */
const policy = [
  "default-src 'self'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self' data:", "connect-src 'self'",
  "worker-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the console at `/` and its files below `/assets/`. They hold no data, so they need no admin secret: the console asks for it.
 * Where the console was not built, `/` says how to build it.
 */
export async function mountConsole(app: FastifyInstance, {folder, tabs}: ConsoleOptions): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = {...route.config, public: true};
  });
  const page = await readPage(folder, tabs);
  if (page === null) {
    app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send('The graph is at /graphql. The console has not been built: npm run build\n'));
    return;
  }
  const etag = `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`;
  app.get('/', (request, reply) => {
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.header('content-security-policy', policy).header('referrer-policy', 'no-referrer').type('text/html; charset=utf-8').send(page);
  });
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'), prefix: '/assets/', decorateReply: false, index: false, preCompressed: true,
    // Names carry a hash of the content.
    immutable: true, maxAge: '365d',
  });
}

async function readPage(folder: string, tabs: readonly ConsoleTab[]): Promise<string | null> {
  let page: string;
  try {
    page = await readFile(join(folder, 'index.html'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  // A `<` in a query must not end the script element.
  const json = JSON.stringify(tabs).replaceAll('<', '\\u003c');
  return page.replace('<!-- tabs -->', () => `<script type="application/json" id="tabs">${json}</script>`);
}
