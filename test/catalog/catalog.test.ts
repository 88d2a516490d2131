import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {newId} from '../../src/core/ids.ts';
import type {Catalog} from '../../src/catalog/catalog.ts';
import {createCatalog} from '../../src/catalog/create-catalog.ts';

describe('the embedded catalog', () => {
  let folder: string;
  let catalog: Catalog;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
    catalog = createCatalog({url: null, folder, poolSize: 5});
    await catalog.start();
  });
  afterAll(async () => {
    await catalog.stop();
    rmSync(folder, {recursive: true, force: true});
  });

  test('commits snapshots by compare-and-set, numbering rows across overwrites', async () => {
    const dataset = await catalog.transaction(stores => stores.datasets.create('trips', {key: ['id']}));
    const field = {id: 1, name: 'id', type: {kind: 'int', bits: 32, signed: true}, nullable: false} as const;
    const file = (rowCount: bigint) => ({id: newId(), path: newId(), rowIds: 'positional' as const, rowCount, bytes: 10n, sha256: 'x', columns: []});
    const commit = (parentId: string | null, operation: 'append' | 'overwrite', rows: bigint) =>
      catalog.transaction(stores => stores.datasets.commit({
        id: newId(), datasetId: dataset.id, branch: 'main', parentId, operation, schema: {fields: [field]}, files: [file(rows)],
        runId: null, stepName: null, contentHash: 'h', profile: [], lineage: {},
      }));
    const first = await commit(null, 'append', 5n);
    const second = await commit(first.id, 'append', 7n);
    expect(second).toMatchObject({sequence: 2, rowCount: 12n, nextRowId: 12n, schemaVersion: 1, fileCount: 2});
    await expect(commit(first.id, 'append', 1n)).rejects.toMatchObject({code: 'COMMIT_CONFLICT'});
    const third = await commit(second.id, 'overwrite', 3n);
    expect(third).toMatchObject({sequence: 3, rowCount: 3n, nextRowId: 15n});
    const files = await catalog.read(stores => stores.datasets.files(second));
    expect(files.map(item => item.firstRowId)).toEqual([0n, 5n]);
    expect((await catalog.read(stores => stores.datasets.files(third))).map(item => item.firstRowId)).toEqual([12n]);
    expect((await catalog.read(stores => stores.datasets.headsAt('main', second.committedAt))).get('trips')!.id).toBe(second.id);
  });

  test('numbers events without gaps, also with roll-backs and writers at once', async () => {
    const run = await catalog.transaction(async stores => {
      const pipeline = await stores.runs.putPipeline({name: 'p', steps: []}, 'hash', 'graph');
      return stores.runs.createRun({definitionId: pipeline.definitionId, params: {}, requestedBy: 'me', branch: 'main', steps: [{name: 's', position: 0, kind: 'sql', needs: []}]});
    });
    const woken: string[] = [];
    const quiet = catalog.listen('run', payload => woken.push(payload));
    const log = (message: string) => ({kind: 'log', step: null, level: 'info', message}) as const;
    await Promise.all(Array.from({length: 40}, (_, index) =>
      catalog.transaction(async stores => {
        await stores.runs.appendEvents(run.id, [log(`${index} a`), log(`${index} b`)]);
        if (index % 3 === 0) throw new Error('rolled back');
      }).catch(() => undefined)));
    const events = await catalog.read(stores => stores.runs.events(run.id, 0n, 1000));
    expect(events.map(event => Number(event.seq))).toEqual(Array.from({length: 52}, (_, index) => index + 1));
    expect(woken).toContain(run.id);
    quiet();
    const admitted = await catalog.transaction(stores => stores.runs.admit(run.id));
    expect(admitted).toEqual([run.id]);
    await catalog.transaction(stores => stores.runs.advance(run.id));
    const claimed = await catalog.read(stores => stores.runs.claim('w1', 0));
    expect(claimed).toMatchObject({fence: 1, attempt: 1});
    const taken = await catalog.read(stores => stores.runs.claim('w2', 30));
    expect(taken).toMatchObject({fence: 2, attempt: 1});
    await expect(catalog.transaction(stores => stores.runs.prove(run.id, 's', 1))).rejects.toMatchObject({code: 'LEASE_LOST'});
    await catalog.transaction(async stores => {
      await stores.runs.prove(run.id, 's', 2);
      await stores.runs.finishStep(run.id, 's', 'succeeded', null);
      await stores.runs.appendEvents(run.id, await stores.runs.advance(run.id));
    });
    expect(await catalog.read(stores => stores.runs.run(run.id))).toMatchObject({status: 'succeeded', lastSeq: 53n});
  });

  test('refuses a second owner of its folder', async () => {
    await expect(createCatalog({url: null, folder, poolSize: 5}).start()).rejects.toMatchObject({code: 'FOLDER_IN_USE'});
  });
});
