import {setTimeout as sleep} from 'node:timers/promises';
import {WebSocket} from 'ws';
import type {App} from '../../../src/compose.ts';
import {createDatabase} from '../../support/postgres.ts';
import {createProject, data, startApp, useApp} from '../../support/project.ts';
import {Subscriber} from '../../support/subscriber.ts';
import {writeRows} from '../../support/warehouse-world.ts';
import type {WriteOptions} from '../../support/warehouse-world.ts';

const subscribers: Subscriber[] = [];
const follow = (url: string, query: string, variables?: Record<string, unknown>): Subscriber => {
  const subscriber = new Subscriber(url, query, variables);
  subscribers.push(subscriber);
  return subscriber;
};
afterEach(async () => {
  await Promise.all(subscribers.splice(0).map(subscriber => subscriber.leave()));
});

describe('live queries', () => {
  let app: App;
  let url: string;
  useApp(started => ({app, url} = started));

  const write = async (dataset: string, sql: string, options?: WriteOptions) => {
    const snapshot = await writeRows(app.services, dataset, sql, options);
    await app.services.graphModel.refresh();
    return snapshot;
  };
  /** How often subscriptions were executed. */
  const executed = async () => Number(/^millrace_graphql_seconds_count\{kind="subscription",outcome="ok"\} (\d+)$/m.exec(await app.services.metrics.text())?.[1] ?? 0);

  test('are answered at once, and again when a commit changes the answer', async () => {
    await write('birds', "SELECT * FROM (VALUES (1, 'wren', 9), (2, 'kiwi', 2000)) t(id, name, weight)", {contract: {key: ['id']}});
    const rows = follow(url, 'subscription ($w: Int!) { heavy: birds(where: {weight: {_gt: $w}}, order_by: {weight: desc}) { name } }', {w: 1000});
    const one = follow(url, 'subscription { birds_by_pk(id: 3) { name weight } }');
    const sums = follow(url, 'subscription { birds_aggregate { aggregate { count sum { weight } } } }');
    expect(await rows.next()).toEqual({data: {heavy: [{name: 'kiwi'}]}});
    expect(await one.next()).toEqual({data: {birds_by_pk: null}});
    expect(await sums.next()).toEqual({data: {birds_aggregate: {aggregate: {count: 2, sum: {weight: '2009'}}}}});

    await write('birds', "SELECT 3 AS id, 'tit' AS name, 11 AS weight", {mode: 'append'});
    expect(await one.next()).toEqual({data: {birds_by_pk: {name: 'tit', weight: 11}}});
    expect(await sums.next()).toEqual({data: {birds_aggregate: {aggregate: {count: 3, sum: {weight: '2020'}}}}});
    await write('birds', "SELECT 4 AS id, 'emu' AS name, 40000 AS weight", {mode: 'append'});
    // The commit before did not change this answer, so nothing was sent for it.
    expect(await rows.next()).toEqual({data: {heavy: [{name: 'emu'}, {name: 'kiwi'}]}});
    expect(rows.results).toHaveLength(2);

    const before = await executed();
    await app.services.warehouse.compact('birds');
    await write('unrelated', 'SELECT 1 AS x');
    await sleep(300);
    expect([rows, one, sums].map(({results}) => results.length)).toEqual([2, 2, 3]);
    expect((await executed()) - before).toBeLessThanOrEqual(9);
  });

  test('groups are kept up, not computed again', async () => {
    await write('visits', 'SELECT i::INT AS id, i % 4 AS hour, i / 8 AS minutes FROM range(4000) t(i)', {contract: {key: ['id']}});
    const groups = follow(url, 'subscription { visits_groups(order_by: {key: {hour: asc}}) { key { hour } aggregate { count sum { minutes } } } }');
    const first = (await groups.next()).data!.visits_groups;
    expect(first[3]).toEqual({key: {hour: '3'}, aggregate: {count: 1000, sum: {minutes: 250125}}});
    await write('visits', 'SELECT 4000::INT AS id, 3::BIGINT AS hour, 0.5::DOUBLE AS minutes', {mode: 'append'});
    const second = (await groups.next()).data!.visits_groups;
    expect(second).toEqual([...first.slice(0, 3), {key: {hour: '3'}, aggregate: {count: 1001, sum: {minutes: 250125.5}}}]);
    expect((await data(url, '{ visits_groups(order_by: {key: {hour: asc}}) { key { hour } aggregate { count sum { minutes } } } }')).visits_groups).toEqual(second);
  });

  test('are woken by datasets that they read through relationships', async () => {
    await write('cities', "SELECT 'ATL' AS code, 'Atlanta' AS name", {contract: {key: ['code']}});
    await write('trips', "SELECT 1 AS id, 'ATL' AS from_id", {contract: {key: ['id'], foreignKeys: [{column: 'from_id', references: 'cities', as: 'city'}]}});
    const trips = follow(url, 'subscription { trips { city { name } } }');
    expect(await trips.next()).toEqual({data: {trips: [{city: {name: 'Atlanta'}}]}});
    await write('cities', "SELECT 'ATL' AS code, 'Atlanta, GA' AS name", {mode: 'merge'});
    expect(await trips.next()).toEqual({data: {trips: [{city: {name: 'Atlanta, GA'}}]}});
  });

  test('share one execution, whoever asks', async () => {
    await write('shared', 'SELECT 1 AS n');
    const query = 'subscription ($where: shared_bool_exp) { shared(where: $where) { n } }';
    const followers = Array.from({length: 30}, (_, index) => follow(url, query, {where: index % 2 === 0 ? {n: {_gt: 0}, _row_id: {_gte: '0'}} : {_row_id: {_gte: '0'}, n: {_gt: 0}}}));
    for (const follower of followers) await follower.next();
    const before = await executed();
    expect(before).toBeGreaterThan(0);
    await write('shared', 'SELECT 2 AS n', {mode: 'append'});
    for (const follower of followers) expect(await follower.next()).toEqual({data: {shared: [{n: 1}, {n: 2}]}});
    // One for the commit; one more where a look at the heads came between.
    expect((await executed()) - before).toBeLessThanOrEqual(2);
    const late = follow(url, query, {where: {n: {_gt: 0}, _row_id: {_gte: '0'}}});
    expect(await late.next()).toEqual({data: {shared: [{n: 1}, {n: 2}]}});
    expect((await executed()) - before).toBeLessThanOrEqual(2);
  });

  test('go on over a new schema, and end when their columns are gone', async () => {
    await write('changing', "SELECT 1 AS n, 'x' AS word");
    const stays = follow(url, 'subscription { changing { n } }');
    const goes = follow(url, 'subscription { changing { word } }');
    expect(await stays.next()).toEqual({data: {changing: [{n: 1}]}});
    expect(await goes.next()).toEqual({data: {changing: [{word: 'x'}]}});
    await write('changing', 'SELECT 2 AS n, 3 AS other', {contract: {compatibility: 'none'}});
    expect(await stays.next()).toEqual({data: {changing: [{n: 2}]}});
    const {errors} = await goes.next();
    expect(errors![0]).toMatchObject({message: expect.stringContaining('"word"'), extensions: {code: 'LIVE_QUERY_ENDED', hint: expect.any(String)}});
    await sleep(50);
    expect(goes.ended).toBe(true);
    expect(stays.ended).toBe(false);
    await write('changing', 'SELECT 5 AS n, 3 AS other');
    expect(await stays.next()).toEqual({data: {changing: [{n: 5}]}});
  });

  test('are not computed for a client that does not read, which gets the newest answer when it goes on', async () => {
    const fill = (tag: number) => write('bulk', `SELECT ${tag} AS tag, repeat('x', 2000) AS text FROM range(2000)`);
    await fill(0);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const tags: number[] = [];
    socket.on('message', (message: Buffer) => {
      const {type, payload} = JSON.parse(String(message)) as {type: string; payload?: {data: {bulk: {tag: number}[]}}};
      if (type === 'connection_ack') socket.send(JSON.stringify({id: '1', type: 'subscribe', payload: {query: 'subscription { bulk { tag text } }'}}));
      if (type === 'next') tags.push(payload!.data.bulk[0]!.tag);
    });
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    while (tags.length === 0) await sleep(10);
    socket.pause();
    // Until the buffers between them are full, and answers are made no more.
    let tag = 0;
    for (let [quiet, before] = [0, 0]; quiet < 3 && tag < 25; await sleep(300)) {
      const now = await executed();
      quiet = now === before ? quiet + 1 : 0;
      before = now;
      await fill(++tag);
    }
    expect(tag).toBeLessThan(25);
    const stalled = await executed();
    for (let more = 0; more < 3; more++) await fill(++tag);
    await sleep(300);
    expect(await executed()).toBe(stalled);
    socket.resume();
    while (tags.at(-1) !== tag) await sleep(10);
    expect(tags.length).toBeLessThan(tag + 1);
    socket.close();
  });

  test('say what is wrong, and go on when it is right again', async () => {
    await write('few', 'SELECT 1 AS n');
    const wrong = follow(url, 'subscription ($l: Int) { few(limit: $l) { n } }', {l: 'many'});
    expect((await wrong.next()).errors![0]!.extensions).toMatchObject({code: 'GRAPHQL_INVALID'});
    const negative = follow(url, 'subscription { few(limit: -1) { n } }');
    expect(await negative.next()).toMatchObject({data: null, errors: [{path: ['few'], extensions: {code: 'ARGUMENT_INVALID'}}]});
    const past = follow(url, 'subscription { few(as_of: {snapshot: "x"}) { n } }');
    await sleep(100);
    expect(past.results).toEqual([]);
    expect(past.ended).toBe(true);
    expect((await data(url, '{ few { n } }')).few).toEqual([{n: 1}]);
  });
});

test('a commit of another server wakes them', async () => {
  const database = await createDatabase();
  const projects = [createProject(), createProject()];
  const set = (folder: string) => [`catalog.url=${database.url}`, `warehouse.folder=${folder}`];
  const apps: App[] = [];
  try {
    for (const project of projects) apps.push(await startApp(project, {set: set(`${projects[0]!.folder}/warehouse`)}));
    const [here, there] = apps as [App, App];
    await writeRows(here.services, 'words', "SELECT 'one' AS word");
    await Promise.all(apps.map(app => app.services.graphModel.refresh()));
    const words = follow(there.http.url, 'subscription { words(order_by: {word: asc}) { word } }');
    expect(await words.next()).toEqual({data: {words: [{word: 'one'}]}});
    await writeRows(here.services, 'words', "SELECT 'two' AS word", {mode: 'append'});
    expect(await words.next()).toEqual({data: {words: [{word: 'one'}, {word: 'two'}]}});
    await words.leave();
  } finally {
    await Promise.all(apps.map(app => app.lifecycle.stop()));
    projects.forEach(project => project.remove());
    await database.drop();
  }
}, 60_000);
