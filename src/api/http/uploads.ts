/** `POST /uploads?name=…`: one file, as the body, of any type. It is on the disk and in the catalog when the answer goes out. */
import {createHash} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {mkdir, open, readdir, rename, rm, stat} from 'node:fs/promises';
import type {IncomingMessage} from 'node:http';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {FastifyInstance} from 'fastify';
import type {UploadRecord} from '../../catalog/catalog.ts';
import {MillraceError} from '../../core/errors.ts';
import {newId} from '../../core/ids.ts';

export interface UploadSettings {
  readonly folder: string;
  readonly maxBytes: number;
  /** A client that sends nothing for so long is cut off. Default 60. */
  readonly idleSeconds?: number;
}

export type AddUpload = (upload: UploadRecord) => Promise<void>;

const partial = '.part';

/** @param kept is told of each upload that was kept, for the metrics. */
export async function mountUploads(app: FastifyInstance, settings: UploadSettings, add: AddUpload, kept: (bytes: number) => void): Promise<void> {
  await mkdir(settings.folder, {recursive: true});
  await sweep(settings.folder);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.post<{Querystring: {name?: string}}>('/uploads', async (request, reply) => {
    try {
      const upload = await receiveUpload(request.raw, request.query.name, settings, Number(request.headers['content-length'] ?? 0));
      try {
        await add(upload);
      } catch (error) {
        await rm(upload.path, {force: true});
        throw error;
      }
      kept(Number(upload.bytes));
      const {id, name, bytes, sha256} = upload;
      return reply.code(201).send({id, name, bytes: Number(bytes), sha256});
    } catch (error) {
      discardRest(request.raw);
      throw error;
    }
  });
}

/**
 * Streams a body into a file of its own. A failure of any kind leaves no file.
 *
 * @param announced how many bytes the sender says there are; 0 when it does not say
 * @throws ARGUMENT_INVALID, BODY_TOO_LARGE, DISK_FULL, REQUEST_INVALID
 */
export async function receiveUpload(body: Readable, named: string | undefined, {folder, maxBytes, idleSeconds = 60}: UploadSettings, announced = 0): Promise<UploadRecord> {
  const name = checkName(named);
  const tooLarge = () => new MillraceError('BODY_TOO_LARGE', {limit: maxBytes});
  if (announced > maxBytes) throw tooLarge();

  const id = newId();
  const temporary = join(folder, id + partial);
  // Engines tell a file's format and compression by the end of its name.
  const path = join(folder, `${id}-${name.replace(/[^\w.-]+/g, '_').slice(-100)}`);
  const hash = createHash('sha256');
  let bytes = 0;
  const idle = setTimeout(() => body.destroy(new Error(`nothing was sent for ${idleSeconds} s`)), idleSeconds * 1000);
  try {
    await pipeline(
      async function* () {
        // Leaving the loop must not destroy the request, or no answer could be sent.
        for await (const chunk of body.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
          idle.refresh();
          bytes += chunk.length;
          if (bytes > maxBytes) throw tooLarge();
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(temporary, {flags: 'wx', mode: 0o600, flush: true, highWaterMark: 1 << 20}),
    );
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await Promise.all([rm(temporary, {force: true}), rm(path, {force: true})]);
    throw asUploadError(error as NodeJS.ErrnoException, body, folder);
  } finally {
    clearTimeout(idle);
  }
  return {id, name, path, bytes: BigInt(bytes), sha256: hash.digest('hex')};
}

function asUploadError(error: NodeJS.ErrnoException, body: Readable, folder: string): Error {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return new MillraceError('DISK_FULL', {path: folder}, {cause: error});
  return body.errored ? new MillraceError('REQUEST_INVALID', {reason: 'the body ended early'}, {cause: error}) : error;
}

function checkName(name: string | undefined): string {
  const reason = name === undefined || name.trim() === '' ? 'it is missing.'
    : name.length > 255 ? 'it is longer than 255 characters.'
    : /[/\\\p{Cc}]/u.test(name) || /^\.+$/.test(name) ? 'it must be a plain file name.' : null;
  if (reason !== null) throw new MillraceError('ARGUMENT_INVALID', {name: 'name', reason});
  return name!;
}

/**
 * Reads on after a refusal for five seconds at most: closing at once would reset the connection, and the client, still sending,
 * would see that instead of the answer.
 */
function discardRest(body: IncomingMessage): void {
  if (body.complete || body.destroyed) return;
  body.resume();
  const timer = setTimeout(() => body.destroy(), 5000).unref();
  body.once('close', () => clearTimeout(timer));
}

/** A renamed file survives a power cut only when its folder was written too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a killed process left behind. A day old, because another server may be receiving into the same folder. */
async function sweep(folder: string): Promise<void> {
  const day = 24 * 3600 * 1000;
  for (const file of await readdir(folder)) {
    if (!file.endsWith(partial)) continue;
    const path = join(folder, file);
    const {mtimeMs} = await stat(path).catch(() => ({mtimeMs: Date.now()}));
    if (Date.now() - mtimeMs > day) await rm(path, {force: true});
  }
}
