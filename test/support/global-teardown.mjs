import {existsSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {stopPostgres} from './postgres-server.ts';

/** Stops the shared PostgreSQL if any test started it. Fails when the tests left processes or files behind. */
export default async function teardown() {
  const folder = process.env.MILLRACE_TEST_FOLDER;
  const found = join(folder, 'postgres.json');
  if (existsSync(found)) await stopPostgres(JSON.parse(readFileSync(found, 'utf8')));

  let processes = processesOf(folder);
  // One that was just told to end may need a moment.
  for (let waited = 0; waited < 3000 && processes.length > 0; waited += 100) {
    await sleep(100);
    processes = processesOf(folder);
  }
  for (const {pid} of processes) process.kill(pid, 'SIGKILL');
  const files = readdirSync(join(folder, 't'));
  rmSync(folder, {recursive: true, force: true});
  const left = [...processes.map(({pid, command}) => `the process ${pid}: ${command}`), ...files.map((name) => `the temporary file ${name}`)];
  if (left.length === 0) return;
  console.error(`\nThe tests left behind:\n  ${left.join('\n  ')}`);
  // Throwing here would keep jest from writing its report.
  process.on('exit', () => { process.exitCode ||= 1; });
}

/** Processes that inherited the run's environment, but jest's own. Where there is no /proc, none are seen. */
function processesOf(folder) {
  const processes = [];
  for (const pid of existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number) : []) {
    try {
      if (pid === process.pid || !readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`MILLRACE_TEST_FOLDER=${folder}`)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      if (command !== '' && !command.includes('jest-worker')) processes.push({pid, command});
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return processes;
}
