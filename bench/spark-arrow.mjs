/** A million rows from Spark as one Arrow stream, beside PySpark's own `toArrow` on the same server. */
import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {built} from './lib/app.mjs';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {python} from './lib/packages.mjs';

const rounds = 9;
const warmUps = 3;
const sql = `SELECT id, id * 7919 % 1000003 AS number, CAST(id AS DOUBLE) / 7 AS share, CAST(id AS DECIMAL(18, 4)) AS amount, concat('row ', id) AS name,
  id % 2 = 0 AS even, CAST(id % 100 AS INT) AS percent, date_add(DATE '2000-01-01', CAST(id % 9000 AS INT)) AS day,
  timestamp_micros(id * 1000003) AS at, CASE WHEN id % 3 = 0 THEN NULL ELSE concat('kind ', id % 50) END AS kind FROM range(1000000)`;

export const title = '1 M rows × 10 columns from Spark to Arrow';
export const conditions = 'Spark `local[2]` makes the rows anew each time. Millrace\'s client, in a process of its own, hands on one Arrow stream piece by piece to a reader that counts; PySpark\'s `toArrow` (with `pyarrow`) keeps a table. In turns, over the same server.';

export const run = async ({progress}) => {
  progress('preparing');
  const {engineServers} = await built('engines/kinds.js');
  const servers = engineServers.find(({name}) => name === 'spark');
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace/engines/spark');
  if (!existsSync(join(folder, '.millrace'))) await servers.install(folder, {env: process.env});
  const program = await python([`pyspark[connect]==${servers.version}`]);
  const spark = await servers.start(folder, {env: process.env, master: 'local[2]', port: 15_998, memory: '2g'});
  const sides = {};
  try {
    const url = spark.settings['spark.url'];
    for (const [name, command] of Object.entries({
      millrace: [process.execPath, [fileURLToPath(new URL('lib/read-spark.mjs', import.meta.url)), url, sql]],
      pyspark: [program, [fileURLToPath(new URL('lib/read_spark.py', import.meta.url)), url, sql]],
    })) {
      const child = spawn(command[0], command[1], {stdio: ['pipe', 'pipe', 'inherit']});
      const told = createInterface(child.stdout)[Symbol.asyncIterator]();
      await told.next();
      sides[name] = {child, idle: memory(child.pid), most: 0, times: [], cpu: [], async ask() {
        child.stdin.write('go\n');
        if ((await told.next()).value !== '1000000') throw new Error(`${name} did not read 1,000,000 rows`);
      }};
    }
    for (let round = -warmUps; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const side of Object.values(sides)) {
        const watch = setInterval(() => { side.most = Math.max(side.most, memory(side.child.pid)); }, 20);
        const [start, before] = [performance.now(), cpuMilliseconds(side.child.pid)];
        await side.ask();
        clearInterval(watch);
        if (round < 0) continue;
        side.times.push(performance.now() - start);
        side.cpu.push(cpuMilliseconds(side.child.pid) - before);
      }
    }
    const {millrace, pyspark} = sides;
    return [
      line('PySpark\'s toArrow / Millrace (rows a second, Millrace to PySpark)', millrace.times.map((time, index) => pyspark.times[index] / time), ratio),
      line('Millrace / PySpark\'s toArrow', millrace.times.map((time, index) => time / pyspark.times[index]), ratio, 1.25),
      line('Millrace', millrace.times, milliseconds),
      line('PySpark', pyspark.times, milliseconds),
      line('time of processors, Millrace\'s client', millrace.cpu, milliseconds),
      line('time of processors, PySpark\'s client', pyspark.cpu, milliseconds),
      line('memory of Millrace\'s client above idle, at most', [millrace.most - millrace.idle], megabytes, 200e6),
      line('memory of PySpark\'s client above idle, at most', [pyspark.most - pyspark.idle], megabytes),
    ];
  } finally {
    for (const {child} of Object.values(sides)) child.kill();
    await spark.process.stop();
  }
};

/** Resident now, in bytes. */
const memory = (/** @type {number} */ pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

/** Of user and system, as the kernel counts hundredths. */
function cpuMilliseconds(/** @type {number} */ pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
