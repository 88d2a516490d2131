/**
 * The embedded database, in a thread of its own: PGlite runs whole transactions without giving its thread back, and would stop
 * the server's event loop. It is reached over a Unix socket by the same driver as a PostgreSQL server. (The socket delivers no
 * notifications; the owner of an embedded database is the only process on it, and wakes its own listeners.)
 */
import {chmodSync, rmSync} from 'node:fs';
import {setFlagsFromString} from 'node:v8';
import {parentPort, workerData} from 'node:worker_threads';
import {PGlite} from '@electric-sql/pglite';
import {PGLiteSocketServer} from '@electric-sql/pglite-socket';

const {folder, socket, template} = workerData as {folder: string; socket: string; template: Uint8Array | null};
const port = parentPort!;

// V8's optimizing compiler takes 600 MB and more than a second of a processor for PostgreSQL's parser, one function of 100 kB, as soon as it
// has parsed a few statements; compiled once and quickly, everything is about as fast. A module keeps what it was made with.
const tiers = ['wasm-tier-up', 'wasm-dynamic-tiering'];
for (const tier of tiers) setFlagsFromString(`--no-${tier}`);

// The default, 128 MB, is for a server: the whole catalog is smaller, and the memory is the process's own.
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];
const database = await PGlite.create({dataDir: folder, startParams, ...(template ? {loadDataDir: new Blob([template as Uint8Array<ArrayBuffer>])} : {})});
for (const tier of tiers) setFlagsFromString(`--${tier}`);
const {rows} = await database.query<{server_version: string}>('SHOW server_version');
rmSync(socket, {force: true});
const server = new PGLiteSocketServer({db: database, path: socket, maxConnections: 64});
await server.start();
chmodSync(socket, 0o600);
port.postMessage({ready: rows[0]!.server_version});

port.on('message', async (message: {stop?: true; dump?: true}) => {
  if (message.dump) {
    const dump = await database.dumpDataDir('gzip');
    port.postMessage({dumped: new Uint8Array(await dump.arrayBuffer())});
  }
  if (message.stop) {
    await server.stop();
    await database.close();
    rmSync(socket, {force: true});
    port.postMessage({stopped: true});
    port.close();
  }
});
