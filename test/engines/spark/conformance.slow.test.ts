import {createSparkEngine} from '../../../src/engines/spark/engine.ts';
import {remoteEngineConformance} from '../../conformance/remote-engine.ts';
import {startTestSpark} from '../../support/spark.ts';
import type {TestSpark} from '../../support/spark.ts';

let spark: TestSpark;
beforeAll(async () => { spark = await startTestSpark(); }, 300_000);
afterAll(async () => { await spark?.close(); });

remoteEngineConformance('spark', async () => createSparkEngine({url: spark.url, sessions: 4, keepAliveSeconds: 600, reconnectSeconds: 30, certificates: null}), {
  quoted: name => `\`${name}\``,
  endless: 'SELECT sum(id % 1000 * (id % 7)) AS id FROM range(0, 1000000000000, 1, 64)',
  numbers: count => `range(${count})`,
  failing: 'SELECT CAST(v AS BIGINT) AS x FROM t',
});
