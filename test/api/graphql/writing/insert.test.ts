/** Rows that clients insert, over HTTP: what comes in, what the contract keeps aside, what it refuses. */
import {ask, data, putPipeline, runToEnd, useApp} from '../../../support/project.ts';

let url = '';
useApp(async started => {
  ({url} = started);
  started.project.write('people.csv', 'id,name,age,city\n1,Ada,36,1\n2,Grace,85,1\n');
  started.project.write('cities.csv', 'id,name\n1,London\n2,Paris\n');
  await putPipeline(url, 'load', [
    {kind: 'ingest', name: 'cities', into: 'cities', source: {path: 'cities.csv'}, contract: {key: ['id']}},
    {kind: 'ingest', name: 'people', into: 'people', after: ['cities'], source: {path: 'people.csv'}, contract: {
      key: ['id'], writes: ['insert'], onBadRow: 'fail', foreignKeys: [{column: 'city', references: 'cities'}],
      checks: [{range: {column: 'age', min: 0, max: 120}, onBadRow: 'quarantine'}, {length: {column: 'name', min: 2}, onBadRow: 'drop'}],
    }},
  ]);
  const {events} = await runToEnd(url, 'load');
  expect(events.at(-1)).toMatchObject({run: {status: 'SUCCEEDED'}});
});

test('a row is inserted, answered, and read at once', async () => {
  const answer = await data(url, `mutation {
    insert_people(objects: [{id: 3, name: "Alan", age: 41, city: 2}]) { affected_rows returning { id name city_city: city town: city _row_id } quarantined { index } }
  }`);
  expect(answer.insert_people).toEqual({affected_rows: 1, returning: [{id: 3, name: 'Alan', city_city: 2, town: 2, _row_id: '2'}], quarantined: []});
  expect((await data(url, '{ people { id name } people_by_pk(id: 3) { age } }'))).toEqual({people: [{id: 1, name: 'Ada'}, {id: 2, name: 'Grace'}, {id: 3, name: 'Alan'}], people_by_pk: {age: 41}});
});

test('what the contract keeps aside stands beside what was written', async () => {
  const answer = await data(url, `mutation($objects: [people_insert_input!]!) { insert_people(objects: $objects) { affected_rows returning { id } quarantined { index reasons } } }`, {
    objects: [{id: 10, name: 'Old', age: 200, city: 1}, {id: 11, name: 'Fine', age: 20, city: 1}, {id: 12, name: 'X', age: 20, city: 1}],
  });
  expect(answer.insert_people).toEqual({affected_rows: 1, returning: [{id: 11}], quarantined: [{index: 0, reasons: ['age is between 0 and 120']}]});
  expect((await data(url, '{ people_quarantine { id name age quarantine_reasons quarantine_record } }')).people_quarantine).toEqual([
    {id: 10, name: 'Old', age: 200, quarantine_reasons: ['age is between 0 and 120'], quarantine_record: '1'},
  ]);
});

test('the snapshot says who wrote, and what became of the rows', async () => {
  const of = async (name: string) => (await data(url, `{ dataset(name: "${name}") { ... on Dataset { head { run { id } writes { requests by rowsWritten rowsSuperseded rowsDeleted rowsQuarantined rowsDropped } } } } }`)).dataset.head;
  const writes = {requests: 1, by: [expect.any(String)], rowsWritten: '1', rowsSuperseded: '0', rowsDeleted: '0', rowsQuarantined: '1', rowsDropped: '1'};
  expect(await of('people')).toEqual({run: null, writes});
  expect(await of('cities')).toMatchObject({run: {}, writes: null});
});

test('one row that fails refuses the whole mutation', async () => {
  const before = await data(url, '{ people_aggregate { aggregate { count } } dataset(name: "people") { ... on Dataset { head { id } } } }');
  const twice = await ask(url, 'mutation { insert_people(objects: [{id: 20, name: "New", age: 1, city: 1}, {id: 1, name: "Ada", age: 1, city: 1}]) { affected_rows } }');
  expect(twice.data.insert_people).toBeNull();
  expect(twice.errors).toMatchObject([{path: ['insert_people'], extensions: {code: 'KEY_VIOLATED'}}]);
  const lost = await ask(url, 'mutation { insert_people(objects: [{id: 21, name: "New", age: 1, city: 9}]) { affected_rows } }');
  expect(lost.errors).toMatchObject([{extensions: {code: 'FOREIGN_KEY_VIOLATED', details: {column: 'city', references: 'cities'}}}]);
  const none = await ask(url, 'mutation { insert_people(objects: [{name: "New", age: 1, city: 9}]) { affected_rows } }');
  expect(none.errors![0]!.message).toMatch(/id.*required/s);
  expect(await data(url, '{ people_aggregate { aggregate { count } } dataset(name: "people") { ... on Dataset { head { id } } } }')).toEqual(before);
});

test('one object is answered by its row', async () => {
  expect((await data(url, 'mutation { insert_people_one(object: {id: 30, name: "One", age: 1, city: 1}) { id cities: city } }')).insert_people_one).toEqual({id: 30, cities: 1});
  const aside = await ask(url, 'mutation { insert_people_one(object: {id: 31, name: "One", age: -1, city: 1}) { id } }');
  expect(aside.errors).toMatchObject([{extensions: {code: 'ROW_QUARANTINED'}}]);
});

test('a dataset whose contract says nothing has no mutations', async () => {
  expect((await ask(url, 'mutation { insert_cities(objects: []) { affected_rows } }')).errors![0]!.message).toMatch(/Cannot query field "insert_cities"/);
  expect((await ask(url, 'mutation { delete_people(where: {}) { affected_rows } }')).errors![0]!.message).toMatch(/Cannot query field "delete_people"/);
});
