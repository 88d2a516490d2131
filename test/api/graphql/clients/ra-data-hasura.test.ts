/** react-admin's data provider for Hasura, as its package has it, over a dataset whose key is named `id`. */
import {createRequire} from 'node:module';
import type {DataProvider} from 'ra-core';
import {ApolloClient, gql, InMemoryCache} from '@apollo/client/core';
import {putPipeline, runToEnd, useApp} from '../../../support/project.ts';

let url: string;
let provider: DataProvider;

useApp(async started => {
  ({url} = started);
  started.project.write('teams.csv', 'id,name\n1,Blue\n2,Red\n');
  started.project.write('members.csv', 'id,team_id,name,points\n1,1,Ada,5\n2,1,Bob,7\n3,2,Cy,1\n4,2,Dee,9\n5,1,Eve,3\n');
  await putPipeline(url, 'load', [
    {kind: 'ingest', name: 'teams', into: 'teams', source: {path: 'teams.csv'}, contract: {key: ['id']}},
    {kind: 'ingest', name: 'members', into: 'members', after: ['teams'], source: {path: 'members.csv'}, contract: {
      key: ['id'], writes: ['insert', 'update', 'delete'], foreignKeys: [{column: 'team_id', references: 'teams'}],
    }},
  ]);
  await runToEnd(url, 'load');
  const {default: buildProvider} = createRequire(import.meta.url)('ra-data-hasura') as {default: (options: object) => Promise<DataProvider>};
  provider = await buildProvider({clientOptions: {uri: `${url}/graphql`}});
});

const page = (number: number, perPage: number) => ({page: number, perPage});
const ids = ({data}: {data: readonly {id: unknown}[]}): unknown[] => data.map(({id}) => id);

test('lists, sorts, filters and pages', async () => {
  const first = await provider.getList('members', {pagination: page(1, 2), sort: {field: 'points', order: 'DESC'}, filter: {}});
  expect([ids(first), first.total]).toEqual([[4, 2], 5]);
  expect(ids(await provider.getList('members', {pagination: page(2, 2), sort: {field: 'points', order: 'DESC'}, filter: {}}))).toEqual([1, 5]);
  const filtered = await provider.getList('members', {pagination: page(1, 10), sort: {field: 'id', order: 'ASC'}, filter: {'points@_gte': 3, name: 'e', team_id: 1}});
  expect([filtered.data, filtered.total]).toEqual([[{_cursor: expect.any(String), _row_id: '4', id: 5, team_id: 1, name: 'Eve', points: 3}], 1]);
});

test('reads one, many, and those that refer to another', async () => {
  expect((await provider.getOne('members', {id: 3})).data).toMatchObject({id: 3, name: 'Cy'});
  expect(ids(await provider.getMany('members', {ids: [5, 1]})).sort()).toEqual([1, 5]);
  const reference = await provider.getManyReference('members', {target: 'team_id', id: 2, pagination: page(1, 10), sort: {field: 'name', order: 'ASC'}, filter: {}});
  expect([ids(reference), reference.total]).toEqual([[3, 4], 2]);
});

test('creates, updates and deletes, one and many', async () => {
  expect((await provider.create('members', {data: {id: 6, team_id: 2, name: 'Fay', points: 0}})).data).toMatchObject({id: 6, name: 'Fay'});
  expect((await provider.update('members', {id: 6, data: {points: 4}, previousData: {id: 6, team_id: 2, name: 'Fay', points: 0}})).data).toMatchObject({id: 6, name: 'Fay', points: 4});
  expect((await provider.updateMany('members', {ids: [5, 6], data: {points: 8}})).data).toEqual([5, 6]);
  expect((await provider.delete('members', {id: 1})).data).toMatchObject({id: 1, name: 'Ada'});
  expect((await provider.deleteMany('members', {ids: [2, 3]})).data).toEqual([2, 3]);
  const left = await provider.getList('members', {pagination: page(1, 10), sort: {field: 'id', order: 'ASC'}, filter: {}});
  expect(left.data.map(({id, points}) => [id, points])).toEqual([[4, 9], [5, 8], [6, 8]]);
});

test('what the contract refuses is an error of the client', async () => {
  await expect(provider.create('members', {data: {id: 7, team_id: 77, name: 'Gil', points: 0}})).rejects.toThrow("have a team_id that is not in 'teams'");
  await expect(provider.create('members', {data: {id: 4, team_id: 1, name: 'Gil', points: 0}})).rejects.toThrow('is not unique');
});

test("Apollo's cache knows a row by its key: an update is seen wherever the row was read", async () => {
  const client = new ApolloClient({uri: `${url}/graphql`, cache: new InMemoryCache()});
  const list = gql`{ members(where: {id: {_in: [4, 5]}}, order_by: {id: asc}) { id name points } }`;
  const seen: unknown[] = [];
  const watched = client.watchQuery({query: list}).subscribe(({data}) => seen.push(data.members.map((row: {points: number}) => row.points)));
  await client.query({query: list});
  await client.mutate({mutation: gql`mutation { update_members(where: {id: {_eq: 4}}, _inc: {points: 1}) { affected_rows returning { id points } } }`});
  expect(seen.at(-1)).toEqual([10, 8]);
  const before = JSON.stringify(client.cache.extract());
  expect(before).toContain('"members:4":{"__typename":"members","id":4,"name":"Dee","points":10}');
  watched.unsubscribe();
  client.stop();
});
