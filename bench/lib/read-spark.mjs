/** For spark-arrow.mjs: reads the statement's rows as Millrace does, each time it is told to, and tells their number. */
import {createInterface} from 'node:readline';
import {built} from './app.mjs';

const [url, sql] = process.argv.slice(2);
const {createSparkEngine} = await built('engines/spark/engine.js');
const engine = createSparkEngine({url, sessions: 1, keepAliveSeconds: 600, reconnectSeconds: 10, certificates: null});
await engine.fingerprint();
console.log('ready');
createInterface(process.stdin).on('line', async () => {
  let rows = 0;
  for await (const {rowCount} of engine.arrow({sql, relations: {}})) rows += rowCount;
  console.log(rows);
});
