/** An installation moves from the embedded catalog to a PostgreSQL server, by a backup that its own server made while runs committed. */
import {join} from 'node:path';
import {createCatalog} from '../../src/catalog/create-catalog.ts';
import {restore} from '../../src/maintenance/restore.ts';
import {ask, createProject, data, runToEnd, startApp} from '../support/project.ts';
import {createDatabase} from '../support/postgres.ts';

const jobs = `
  import {ingest, int, pipeline, sql} from 'millrace/jobs';
  export default pipeline('numbers', {params: {n: int()}, steps: [
    ingest('seeds', {path: 'seeds.csv'}),
    sql('numbers', 'SELECT seeds.id, $n AS n FROM seeds', {mode: 'append'}),
  ]});`;

test('every receipt verifies after the move, and nothing is missing', async () => {
  const project = createProject();
  const elsewhere = createProject();
  const database = await createDatabase();
  try {
    project.write('seeds.csv', 'id\n1\n2\n3\n');
    project.write('jobs/numbers.ts', jobs);
    const first = await startApp(project, {set: ['warehouse.compactFiles=4']});
    const {url} = first.http;
    await runToEnd(url, 'numbers', {n: 1});
    const receipts: string[] = [];
    const question = '{ numbers(order_by: [{_row_id: asc}]) { _row_id id n } numbers_aggregate { aggregate { count sum { n } } } }';
    const keep = async (): Promise<void> => {
      const answer = await ask(url, question);
      receipts.push(answer.extensions!.receipt.token);
    };
    await keep();

    const runs = (async () => {
      for (let n = 2; n <= 12; n++) {
        await runToEnd(url, 'numbers', {n});
        if (n < 5) await keep();
      }
    })();
    while (receipts.length < 3) await new Promise(resolve => setTimeout(resolve, 20));
    const {backup} = await data(url, 'mutation($folder: String!) { backup(folder: $folder) { ... on BackupMade { datasets files } ... on Failure { code message } } }', {folder: join(elsewhere.folder, 'saved')});
    expect(backup).toMatchObject({datasets: 2});
    await runs;

    // More than four small files are merged by themselves; rows keep their ids and their order.
    const {numbers, dataset} = await data(url, `{ numbers { _row_id n } dataset(name: "numbers") { head { files { path } } snapshots(first: 50) { operation } } }`);
    expect(numbers.map((row: any) => Number(row._row_id))).toEqual(Array.from({length: 36}, (_, index) => index));
    expect(numbers.map((row: any) => Number(row.n))).toEqual(Array.from({length: 36}, (_, index) => Math.floor(index / 3) + 1));
    expect(dataset.snapshots.map((snapshot: any) => snapshot.operation)).toContain('REPLACE');
    expect(dataset.head.files.length).toBeLessThanOrEqual(5);
    await first.lifecycle.stop();

    const catalog = createCatalog({url: database.url, folder: join(elsewhere.folder, 'unused'), poolSize: 4});
    await catalog.start();
    const kept = join(elsewhere.folder, '.millrace');
    await restore({catalog, warehouse: join(kept, 'warehouse'), models: join(kept, 'models'), uploads: join(kept, 'uploads')}, join(elsewhere.folder, 'saved'));
    await catalog.stop();

    const second = await startApp(elsewhere, {set: [`catalog.url=${database.url}`]});
    try {
      for (const receipt of receipts.slice(0, 3)) {
        const {verifyReceipt} = await data(second.http.url, 'query($receipt: String!) { verifyReceipt(receipt: $receipt) { __typename ... on Failure { message } } }', {receipt});
        expect(verifyReceipt).toEqual({__typename: 'ReceiptVerified'});
      }
      const {doctor} = await data(second.http.url, '{ doctor(deep: true) { check status detail } }');
      expect(doctor.filter((finding: any) => finding.status === 'FAILED')).toEqual([]);
    } finally {
      await second.lifecycle.stop();
    }
  } finally {
    await database.drop();
    project.remove();
    elsewhere.remove();
  }
}, 120_000);
