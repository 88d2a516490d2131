import {Heads} from '../../src/warehouse/heads.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

describe.each([['PGlite', true], ['PGlite', false], ['PostgreSQL', false]])('heads kept between requests, on %s (alone: %s)', (database, alone) => {
  let world: WarehouseWorld;
  let heads: Heads;
  beforeAll(async () => {
    world = await openWorld({database});
    heads = new Heads(world.catalog, alone);
  });
  afterAll(async () => {
    heads.stop();
    await world.close();
  });

  const ids = (map: ReadonlyMap<string, {id: string}>) => Object.fromEntries([...map].map(([name, {id}]) => [name, id]).sort());
  const stored = () => world.catalog.read(stores => stores.datasets.heads('main'));

  test('are as new as the call, after commits of one, of many and of new datasets', async () => {
    expect(ids(await heads.current())).toEqual({});
    for (let round = 0; round < 4; round++) {
      await world.write('a', `select ${round} as n`);
      expect(ids(await heads.current())).toEqual(ids(await stored()));
    }
    for (const name of ['b', 'c', 'd']) await world.write(name, 'select 1 as n');
    expect(ids(await heads.current())).toEqual(ids(await stored()));
    const [first, second] = [await heads.current(), await heads.current()];
    expect(second).toBe(first);
  });

  test('are right also when commits land while they are read', async () => {
    const writing = (async () => {
      for (let round = 0; round < 6; round++) {
        const {id} = await world.write('a', `select ${round} as n`);
        // Whoever saw the commit asks after it.
        expect((await heads.current()).get('a')!.id).toBe(id);
      }
    })();
    let done = false;
    const reading = (async () => {
      while (!done) {
        await heads.current();
        await new Promise(resolve => setImmediate(resolve));
      }
    })();
    await writing;
    done = true;
    await reading;
    expect(ids(await heads.current())).toEqual(ids(await stored()));
  });
});
