import {request} from 'node:http';
import type {IncomingMessage} from 'node:http';
import {setTimeout as sleep} from 'node:timers/promises';
import {tableFromIPC} from 'apache-arrow';
import type {App} from '../../../../src/compose.ts';
import {data, putPipeline, runToEnd, useApp} from '../../../support/project.ts';

let url: string;
let app: App;

/** 1,000,000 rows of `many` in several files; 1,000 of `seeds`, to which they belong. */
useApp(async started => {
  ({url, app} = started);
  started.project.write('seeds.csv', `id,name,share\n${Array.from({length: 1000}, (_, id) => `${id},${id % 7 === 0 ? '' : `seed "${id}"`},${id / 8}`).join('\n').replaceAll(/seed "(\d+)"/g, '"seed ""$1"""')}\n`);
  await putPipeline(url, 'make', [
    {kind: 'ingest', name: 'seeds', source: {path: 'seeds.csv'}, into: 'seeds', contract: {key: ['id']}},
    {
      kind: 'sql', name: 'many', into: 'many', contract: {key: ['n'], foreignKeys: [{column: 'seed', references: 'seeds', as: 'of'}]},
      sql: "SELECT a.id * 1000 + b.id AS n, b.id AS seed, a.name || ' of ' || b.id AS label, DATE '2001-01-01' + a.id::INTEGER AS day, a.share FROM seeds a, seeds b ORDER BY n",
    },
  ]);
  await runToEnd(url, 'make');
  await app.services.graphModel.refresh();
});

/** Asks, for NDJSON unless told, and hands out the response as it comes. */
function open(query: string, variables: object = {}, accept = 'application/x-ndjson'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({query, variables});
    request(`${url}/graphql`, {method: 'POST', agent: false, headers: {'content-type': 'application/json', accept}}, resolve).on('error', reject).end(body);
  });
}

async function bytes(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const text = async (response: IncomingMessage): Promise<string> => (await bytes(response)).toString();

const lines = async (query: string, variables?: object) => (await text(await open(query, variables))).split('\n').slice(0, -1).map(line => JSON.parse(line) as Record<string, any>);

test.each([
  ['as they lie', '{ many(limit: 3000, offset: 500000) { n name: label day _row_id } }'],
  ['filtered', '{ many(where: {seed: {_lt: 3}, share: {_gte: 10.5}}) { __typename share n } }'],
  ['sorted', '{ many(order_by: [{day: desc}, {seed: asc}], limit: 2500) { day seed of { name many(limit: 2) { n } } } }'],
  ['none', '{ many(where: {n: {_lt: 0}}) { n } }'],
])('lines are the rows of the ordinary answer: %s', async (_what, query) => {
  const {many} = await data(url, query);
  expect(await lines(query)).toEqual(many);
});

test('more rows than an ordinary answer may have come whole and in order', async () => {
  const response = await open('query ($from: Int!) { many(where: {n: {_gte: $from}}) { n label } }', {from: 10});
  expect(response.headers).toMatchObject({'content-type': 'application/x-ndjson; charset=utf-8', vary: 'accept'});
  let next = 10;
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const parts = (rest + (chunk as string)).split('\n');
    rest = parts.pop()!;
    for (const part of parts) if ((JSON.parse(part) as {n: number}).n !== next++) throw new Error(`row ${next} is ${part}`);
  }
  expect({next, rest}).toEqual({next: 1_000_000, rest: ''});
}, 60_000);

test.each([
  ['two fields', '{ many(limit: 1) { n } seeds { id } }', 406, 'NOT_STREAMABLE'],
  ['an aggregate', '{ many_aggregate { aggregate { count } } }', 406, 'NOT_STREAMABLE'],
  ['one row', '{ many_by_pk(n: 1) { n } }', 406, 'NOT_STREAMABLE'],
  ['the core graph', '{ system { version } }', 406, 'NOT_STREAMABLE'],
  ['an invalid document', '{ many { nowhere } }', 400, 'GRAPHQL_INVALID'],
  ['a bad argument', '{ many(limit: -1) { n } }', 400, 'ARGUMENT_INVALID'],
  ['an unknown snapshot', '{ many(as_of: {snapshot: "0"}) { n } }', 404, 'SNAPSHOT_NOT_FOUND'],
])('what cannot be streamed is an ordinary error: %s', async (_what, query, status, code) => {
  const response = await open(query);
  expect(response.statusCode).toBe(status);
  expect(JSON.parse(await text(response))).toMatchObject({errors: [{extensions: {code}}]});
});

test('a failure in the middle is the last line', async () => {
  const viewer = app.services.viewers(undefined);
  const limits = viewer.limits as {streamRows: number};
  const before = limits.streamRows;
  limits.streamRows = 50_000;
  try {
    const all = await lines('{ many { n } }');
    expect(all.length).toBeGreaterThan(10_000);
    expect(all.at(-1)).toMatchObject({errors: [{extensions: {code: 'RESULT_TOO_LARGE', details: {limit: 50_000, unit: 'rows'}}}]});
  } finally {
    limits.streamRows = before;
  }
});

const arrow = 'application/vnd.apache.arrow.stream';

test('the same rows as Arrow: names and order of the selection, related rows as structs and lists', async () => {
  const query = '{ many(where: {seed: {_lt: 30}}, order_by: [{day: desc}, {seed: asc}], limit: 500) { N: n label n: seed __typename share day of { name Name: id many(limit: 2, order_by: [{n: desc}]) { n day } } _row_id } }';
  const response = await open(query, {}, `${arrow}, application/json;q=0.1`);
  expect(response.headers['content-type']).toBe(arrow);
  const table = tableFromIPC(await bytes(response));
  expect(table.schema.fields.map(({name, type}) => `${name}: ${type}`)).toEqual([
    'N: Int32', 'label: Utf8', 'n: Int32', '__typename: Utf8', 'share: Float64', 'day: Date32<DAY>', 'of: Struct<{name:Utf8, Name:Int32, many:List<Struct<{n:Int32, day:Date32<DAY>}>>}>', '_row_id: Int64',
  ]);
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const read = Array.from(table, row => {
    const {of, ...rest} = row.toJSON() as Record<string, any>;
    const {name, Name, many} = of.toJSON();
    return {...rest, day: day(rest.day), _row_id: String(rest._row_id), of: {name, Name, many: Array.from(many as Iterable<{n: number; day: number}>, one => ({n: one.n, day: day(one.day)}))}};
  });
  expect(read).toEqual((await data(url, query)).many);
});

test('a million rows as Arrow, whole and in order', async () => {
  const table = tableFromIPC(await bytes(await open('{ many { n share } }', {}, arrow)));
  const [n, share] = [table.getChild('n')!.toArray() as Int32Array, table.getChild('share')!.toArray() as Float64Array];
  expect(n.length).toBe(1_000_000);
  expect(n.every((value, row) => value === row && share[row] === Math.floor(row / 1000) / 8)).toBe(true);
}, 60_000);

test('an Arrow stream that fails breaks off; an error before it is an ordinary one', async () => {
  const limits = app.services.viewers(undefined).limits as {streamRows: number};
  const before = limits.streamRows;
  limits.streamRows = 200_000;
  try {
    await expect(bytes(await open('{ many { n } }', {}, arrow))).rejects.toMatchObject({code: 'ECONNRESET'});
  } finally {
    limits.streamRows = before;
  }
  const refused = await open('{ many_aggregate { aggregate { count } } }', {}, arrow);
  expect([refused.statusCode, JSON.parse(await text(refused)).errors[0].extensions.code]).toEqual([406, 'NOT_STREAMABLE']);
});

test('who prefers JSON gets JSON', async () => {
  const response = await open('{ seeds(limit: 1) { id } }', {}, 'application/json, application/x-ndjson;q=0.5');
  expect(JSON.parse(await text(response))).toMatchObject({data: {seeds: [{id: expect.anything()}]}});
});

test('nothing is read ahead of a slow client, nor after one that left, and others are answered meanwhile', async () => {
  const {engine} = app.services;
  const {lines: real} = engine;
  const state = {bytes: 0, ended: 0};
  engine.lines = async function* (query, work) {
    try {
      for await (const piece of real.call(engine, query, work)) {
        state.bytes += piece.bytes.length;
        yield piece;
      }
    } finally {
      state.ended++;
    }
  };
  try {
    // As many as are streamed at once, so that one that were left open would keep the last one waiting.
    const slow = await Promise.all(Array.from({length: 4}, () => open('{ many { n label day share } }')));
    for (const response of slow) response.pause();
    let before = -1;
    while (before !== state.bytes) {
      before = state.bytes;
      await sleep(300);
    }
    expect(before).toBeLessThan(4 * 30_000_000);
    expect(await data(url, '{ many_aggregate { aggregate { count } } }')).toEqual({many_aggregate: {aggregate: {count: 1_000_000}}});
    for (const response of slow) response.destroy();
    expect(await lines('{ many(limit: 2) { n } }')).toEqual([{n: 0}, {n: 1}]);
    while (state.ended < 5) await sleep(10);
    expect(state.bytes).toBeLessThan(before + 4 * 1_000_000);
  } finally {
    engine.lines = real;
  }
}, 60_000);
