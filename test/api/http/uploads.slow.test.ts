import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {monitorEventLoop} from '../../../src/core/event-loop.ts';
import {closeHosts, startHost} from './support.ts';

afterEach(closeHosts);

test('large uploads side by side do not stop the event loop', async () => {
  const {host} = await startHost();
  // In a process of its own, so that only the server's work is measured.
  const client = async () => {
    const url = JSON.stringify(`${host.url}/uploads?name=large`);
    const program = `const body = Buffer.alloc(128 << 20, 'x'); const answer = await fetch(${url}, {method: 'POST', body}); console.log(answer.status, (await answer.json()).bytes)`;
    const {stdout} = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
    return stdout.trim();
  };
  const monitor = monitorEventLoop(5);
  await client(); // what is compiled and made at first belongs to no upload
  monitor.reset();
  const began = performance.now();
  expect(await Promise.all([client(), client()])).toEqual([`201 ${128 << 20}`, `201 ${128 << 20}`]);
  const took = performance.now() - began;
  const longest = monitor.longest();
  monitor.stop();
  // Alone on a machine it is 10 to 30 ms of a second. Hashing or writing a body in one piece would take a good part of the whole.
  expect(longest).toBeLessThan(took / 3);
}, 120_000);
