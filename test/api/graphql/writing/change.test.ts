/** Rows that clients change and delete, over HTTP, in Hasura's shapes. */
import {ask, data, putPipeline, runToEnd, useApp} from '../../../support/project.ts';

let url = '';
useApp(async started => {
  ({url} = started);
  started.project.write('shops.csv', 'id,name\n1,North\n2,South\n');
  started.project.write('items.ndjson', [
    {id: 1, shop: 1, name: 'pen', price: 2.5, tags: ['a', 'b'], size: {w: 1, h: 2}, stock: 10}, {id: 2, shop: 1, name: 'ink', price: 7.25, tags: [], size: null, stock: 3},
    {id: 3, shop: 2, name: 'cup', price: 4, tags: null, size: {w: 8, h: 9}, stock: 0},
  ].map(row => JSON.stringify(row)).join('\n'));
  await putPipeline(url, 'load', [
    {kind: 'ingest', name: 'shops', into: 'shops', source: {path: 'shops.csv'}, contract: {key: ['id']}},
    {kind: 'ingest', name: 'items', into: 'items', after: ['shops'], source: {path: 'items.ndjson'}, contract: {
      key: ['id'], writes: ['insert', 'update', 'delete'], foreignKeys: [{column: 'shop', references: 'shops', as: 'at'}], checks: [{range: {column: 'stock', min: 0}}],
    }},
    {kind: 'sql', name: 'loose', into: 'loose', after: ['items'], sql: 'SELECT 1 AS a, TRUE AS b UNION ALL SELECT 2, FALSE', contract: {writes: ['insert', 'update', 'delete']}},
  ]);
  const {events} = await runToEnd(url, 'load');
  expect(events.at(-1)).toMatchObject({run: {status: 'SUCCEEDED'}});
});

const items = async (fields = 'id name stock') => (await data(url, `{ items(order_by: {id: asc}) { ${fields} } }`)).items;
const codeOf = async (document: string): Promise<string> => (await ask(url, document)).errors![0]!.extensions.code;

test('on_conflict updates columns, or ignores', async () => {
  const {insert_items: upserted} = await data(url, `mutation {
    insert_items(objects: [{id: 1, shop: 2, name: "PEN", price: "9.99", stock: 1}, {id: 4, shop: 1, name: "mug", price: 3, stock: 5}], on_conflict: {constraint: items_pkey, update_columns: [name, price]}) {
      affected_rows returning { id shop name price tags at { name } }
    }
  }`.replace('"9.99"', '9.99'));
  expect(upserted).toEqual({affected_rows: 2, returning: [{id: 1, shop: 1, name: 'PEN', price: 9.99, tags: ['a', 'b'], at: {name: 'North'}}, {id: 4, shop: 1, name: 'mug', price: 3, tags: null, at: {name: 'North'}}]});
  const {insert_items: ignored} = await data(url, `mutation {
    insert_items(objects: [{id: 1, shop: 2, name: "no", price: 0, stock: 1}, {id: 5, shop: 2, name: "jar", price: 1, stock: 2}], on_conflict: {constraint: items_pkey, update_columns: []}) { affected_rows returning { id } }
  }`);
  expect(ignored).toEqual({affected_rows: 1, returning: [{id: 5}]});
  const {insert_items: where} = await data(url, `mutation {
    insert_items(objects: [{id: 4, shop: 1, name: "x", price: 1, stock: 6}, {id: 5, shop: 1, name: "y", price: 1, stock: 7}], on_conflict: {constraint: items_pkey, update_columns: [stock], where: {at: {name: {_eq: "South"}}}}) { affected_rows returning { id stock } }
  }`);
  expect(where).toEqual({affected_rows: 1, returning: [{id: 5, stock: 7}]});
  expect((await data(url, 'mutation { insert_items_one(object: {id: 1, shop: 1, name: "no", price: 1, stock: 1}, on_conflict: {constraint: items_pkey}) { id } }')).insert_items_one).toBeNull();
});

test('update by a condition, by key, with _inc; a row keeps its _row_id', async () => {
  const before = await items('id _row_id');
  const {update_items: many, one, none} = await data(url, `mutation {
    update_items(where: {_or: [{name: {_eq: "cup"}}, {at: {name: {_eq: "North"}}}]}, _set: {tags: ["x"], size: {w: 5}}, _inc: {stock: 100}) { affected_rows returning { id stock tags size { w h } } }
    one: update_items_by_pk(pk_columns: {id: 2}, _set: {name: "INK"}) { id name stock }
    none: update_items_by_pk(pk_columns: {id: 99}, _set: {name: "INK"}) { id }
  }`);
  expect(many).toEqual({affected_rows: 4, returning: [1, 2, 3, 4].map(id => ({id, stock: {1: 110, 2: 103, 3: 100, 4: 105}[id], tags: ['x'], size: {w: '5', h: null}}))});
  expect([one, none]).toEqual([{id: 2, name: 'INK', stock: 103}, null]);
  expect(await items('id _row_id')).toEqual(before);
});

test('what the contract refuses changes nothing', async () => {
  const before = await items();
  expect(await codeOf('mutation { update_items(where: {}, _inc: {stock: -104}) { affected_rows } }')).toBe('CHECK_FAILED');
  expect(await codeOf('mutation { update_items_by_pk(pk_columns: {id: 1}, _set: {shop: 77}) { id } }')).toBe('FOREIGN_KEY_VIOLATED');
  expect(await codeOf('mutation { update_items_by_pk(pk_columns: {id: 1}, _set: {id: 2}) { id } }')).toBe('KEY_VIOLATED');
  expect(await codeOf('mutation { update_items_by_pk(pk_columns: {id: 1}, _set: {id: null}) { id } }')).toBe('ARGUMENT_INVALID');
  expect(await codeOf('mutation { update_items_by_pk(pk_columns: {id: 1}, _set: {}) { id } }')).toBe('ARGUMENT_INVALID');
  expect(await codeOf('mutation { update_items_by_pk(pk_columns: {id: 1}, _set: {stock: 1}, _inc: {stock: 1}) { id } }')).toBe('ARGUMENT_INVALID');
  expect(await codeOf('mutation { insert_items(objects: [{id: 8, shop: 1, name: "a", price: 1, stock: 1}, {id: 8, shop: 1, name: "b", price: 1, stock: 1}], on_conflict: {constraint: items_pkey, update_columns: [name]}) { affected_rows } }')).toBe('ARGUMENT_INVALID');
  expect(await items()).toEqual(before);
});

test('keys change, all at once too', async () => {
  expect((await data(url, 'mutation { update_items(where: {}, _inc: {id: 1}) { affected_rows returning { id } } }')).update_items).toEqual({affected_rows: 5, returning: [2, 3, 4, 5, 6].map(id => ({id}))});
  expect((await data(url, 'mutation { update_items_by_pk(pk_columns: {id: 6}, _set: {id: 1}) { id name } }')).update_items_by_pk).toEqual({id: 1, name: 'jar'});
});

test('delete by a condition and by key answers the rows as they were', async () => {
  const {some, one, none} = await data(url, `mutation {
    some: delete_items(where: {id: {_in: [1, 2, 77]}}) { affected_rows returning { id name at { name } } }
    one: delete_items_by_pk(id: 3) { id name }
    none: delete_items_by_pk(id: 3) { id name }
  }`);
  expect(some).toEqual({affected_rows: 2, returning: [{id: 1, name: 'jar', at: {name: 'South'}}, {id: 2, name: 'PEN', at: {name: 'North'}}]});
  expect([one, none]).toEqual([{id: 3, name: 'INK'}, null]);
  expect(await items('id')).toEqual([{id: 4}, {id: 5}]);
  expect((await data(url, 'mutation { delete_items(where: {}) { affected_rows __typename } }')).delete_items).toEqual({affected_rows: 2, __typename: 'items_mutation_response'});
  expect(await items()).toEqual([]);
});

test('fields of one mutation come one after the other; one that fails leaves the others', async () => {
  const answer = await ask(url, `mutation {
    a: insert_items_one(object: {id: 1, shop: 1, name: "a", price: 1, stock: 1}) { id }
    b: insert_items_one(object: {id: 1, shop: 1, name: "b", price: 1, stock: 1}) { id }
    c: update_items_by_pk(pk_columns: {id: 1}, _inc: {stock: 1}) { id stock }
    d: setContract(dataset: "shops", contract: {key: ["id"]}) { __typename }
  }`);
  expect(answer.data).toEqual({a: {id: 1}, b: null, c: {id: 1, stock: 2}, d: {__typename: 'ContractSet'}});
  expect(answer.errors).toMatchObject([{path: ['b'], extensions: {code: 'KEY_VIOLATED'}}]);
});

test('without a key rows are told apart by _row_id', async () => {
  expect((await data(url, 'mutation { insert_loose(objects: [{a: 1, b: true}, {a: 3, b: true}]) { returning { _row_id a } } }')).insert_loose).toEqual({returning: [{_row_id: '2', a: 1}, {_row_id: '3', a: 3}]});
  const {update_loose_by_pk: updated, delete_loose_by_pk: deleted} = await data(url, 'mutation { update_loose_by_pk(pk_columns: {_row_id: "2"}, _set: {b: false}) { _row_id a b } delete_loose_by_pk(_row_id: "0") { a b } }');
  expect([updated, deleted]).toEqual([{_row_id: '2', a: 1, b: false}, {a: 1, b: true}]);
  expect((await data(url, '{ loose(order_by: {_row_id: asc}) { _row_id a b } }')).loose).toEqual([{_row_id: '1', a: 2, b: false}, {_row_id: '2', a: 1, b: false}, {_row_id: '3', a: 3, b: true}]);
});

test('a request that is sent again with its key is answered as the first time', async () => {
  const insert = (name: string) => ask(url, `mutation { insert_items(idempotency_key: "k1", objects: [{id: 50, shop: 1, name: "${name}", price: 1, stock: 1}]) { affected_rows returning { id name } } }`);
  const first = await insert('once');
  await data(url, 'mutation { update_items_by_pk(pk_columns: {id: 50}, _set: {name: "later"}) { id } }');
  expect([first.data, (await insert('once')).data]).toEqual([{insert_items: {affected_rows: 1, returning: [{id: 50, name: 'once'}]}}, {insert_items: {affected_rows: 1, returning: [{id: 50, name: 'once'}]}}]);
  expect((await insert('other')).errors).toMatchObject([{extensions: {code: 'IDEMPOTENCY_CONFLICT'}}]);
  expect((await data(url, '{ items_by_pk(id: 50) { name } }')).items_by_pk).toEqual({name: 'later'});
  const both = await Promise.all([1, 2, 3].map(() => data(url, 'mutation { update_items(idempotency_key: "k2", where: {id: {_eq: 50}}, _inc: {stock: 1}) { returning { stock } } }')));
  expect(both.map(one => one.update_items.returning)).toEqual([[{stock: 2}], [{stock: 2}], [{stock: 2}]]);
});

test('many clients at once are written together, and each is answered', async () => {
  const before = Number((await data(url, '{ dataset(name: "items") { ... on Dataset { head { sequence } } } }')).dataset.head.sequence);
  const answers = await Promise.all(Array.from({length: 40}, (_, index) => ask(url, `mutation { insert_items(objects: [{id: ${100 + index}, shop: ${index % 10 === 9 ? 7 : 1}, name: "n${index}", price: 1, stock: 1}]) { affected_rows returning { id } } }`)));
  expect(answers.map(answer => answer.errors?.[0]!.extensions.code ?? answer.data.insert_items)).toEqual(
    answers.map((_, index) => (index % 10 === 9 ? 'FOREIGN_KEY_VIOLATED' : {affected_rows: 1, returning: [{id: 100 + index}]})),
  );
  const {dataset, items_aggregate: {aggregate}} = await data(url, '{ dataset(name: "items") { ... on Dataset { head { sequence } } } items_aggregate(where: {id: {_gte: 100}}) { aggregate { count } } }');
  expect(aggregate.count).toBe(36);
  expect(Number(dataset.head.sequence) - before).toBeLessThan(30);
});
