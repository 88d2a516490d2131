import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {startServer} from '../support/server-process.ts';

test('a server that makes its catalog never takes more than 700 MB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-memory-'));
  const server = await startServer(folder);
  try {
    // What was compiled meanwhile goes on for a while.
    await sleep(3_000);
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))!;
    expect(Number(kilobytes) * 1024).toBeLessThan(700e6);
  } finally {
    await server.end('SIGTERM');
    await rm(folder, {recursive: true});
  }
});
