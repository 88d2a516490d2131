import {TestGraph} from '../../../support/data-graph.ts';

let graph: TestGraph;
const people = [['ann', 1], ['bob', 1], ['cid', 2], ['dot', null]] as const;
const sales = Array.from({length: 40}, (_, n) => ({seller: ['ann', 'bob', 'ann', 'eve'][n % 4]!, day: n % 5, price: (n * 37) % 100, n}));

beforeAll(async () => {
  graph = await TestGraph.start();
  await graph.commit('teams', "SELECT * FROM (VALUES (1, 'red'), (2, 'blue'), (3, 'green')) t(id, name)", {contract: {key: ['id']}});
  await graph.commit('people', `SELECT * FROM (VALUES ${people.map(([name, team]) => `('${name}', ${team ?? 'NULL'})`).join(', ')}) t(name, team_id)`, {contract: {key: ['name'], foreignKeys: [{column: 'team_id', references: 'teams'}]}});
  await graph.commit('prices', "SELECT d AS day, p AS seller, d * 10 + length(p) AS price FROM range(5) t(d), (VALUES ('ann'), ('bob'), ('bob')) u(p)");
  await graph.commit('sales', `SELECT * FROM (VALUES ${sales.map(({seller, day, price, n}) => `('${seller}', ${day}, ${price}, ${n})`).join(', ')}) t(seller, day, price, n)`, {
    filesOf: 7,
    contract: {foreignKeys: [{column: 'seller', references: 'people', as: 'person'}]},
    relationships: [
      {name: 'listed', kind: 'object', to: 'prices', on: [{column: 'seller', toColumn: 'seller'}, {column: 'day', toColumn: 'day'}]},
      {name: 'all_listed', kind: 'array', to: 'prices', on: [{column: 'seller', toColumn: 'seller'}, {column: 'day', toColumn: 'day'}]},
    ],
  });
});
afterAll(() => graph.stop());

const of = (name: string) => sales.filter(({seller}) => seller === name);
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
const variance = (list: readonly number[]) => (list.length === 0 ? null : (list.length * sum(list.map(x => x * x)) - sum(list) ** 2) / list.length / list.length);

describe('aggregates of related rows', () => {
  it('are selected with the rows they are of, at any depth, in one statement', async () => {
    const before = graph.statements.length;
    const {teams} = await graph.ask('{ teams { name people { name sales_aggregate(where: {price: {_gt: 20}}) { __typename aggregate { count sum { price } avg { price } max { day } var_pop { price } } nodes { n } } some: sales_aggregate(order_by: {price: desc}, limit: 2) { aggregate { count sum { price } } } } people_aggregate { aggregate { count } } } }');
    expect(graph.statements.length - before).toBe(1);
    expect(teams).toEqual([['red', ['ann', 'bob']], ['blue', ['cid']], ['green', []]].map(([name, members]) => ({
      name,
      people: (members as string[]).map(member => {
        const chosen = of(member).filter(({price}) => price > 20);
        const best = of(member).map(({price}) => price).sort((a, b) => b - a).slice(0, 2);
        const empty = chosen.length === 0;
        return {
          name: member,
          sales_aggregate: {
            __typename: 'sales_aggregate',
            aggregate: {count: chosen.length, sum: {price: empty ? null : String(sum(chosen.map(({price}) => price)))}, avg: {price: empty ? null : sum(chosen.map(({price}) => price)) / chosen.length}, max: {day: empty ? null : Math.max(...chosen.map(({day}) => day))}, var_pop: {price: variance(chosen.map(({price}) => price))}},
            nodes: chosen.map(({n}) => ({n})),
          },
          some: {aggregate: {count: best.length, sum: {price: best.length === 0 ? null : String(sum(best))}}},
        };
      }),
      people_aggregate: {aggregate: {count: (members as string[]).length}},
    })));
  });

  it('choose rows', async () => {
    const names = async (where: string) => (await graph.ask(`{ people(where: ${where}) { name } }`)).people.map(({name}: {name: string}) => name);
    expect(await names('{sales_aggregate: {count: {predicate: {_gt: 10}}}}')).toEqual(['ann']);
    expect(await names('{sales_aggregate: {count: {predicate: {_eq: 0}}}}')).toEqual(['cid', 'dot']);
    expect(await names('{sales_aggregate: {count: {arguments: [day], distinct: true, predicate: {_eq: 5}}}}')).toEqual(['ann', 'bob']);
    const most = Math.max(...of('bob').map(({price}) => price));
    expect(await names(`{sales_aggregate: {count: {filter: {price: {_gte: ${most}}}, predicate: {_gte: 1}}}}`)).toContain('bob');
    expect(await names(`{sales_aggregate: {avg: {price: {_gt: ${sum(of('bob').map(({price}) => price)) / 10 - 0.001}}}, count: {predicate: {_lt: 11}}}}`)).toEqual(['bob']);
    expect((await graph.ask('{ teams(where: {people: {sales_aggregate: {count: {predicate: {_gt: 10}}}}}) { name } }')).teams).toEqual([{name: 'red'}]);
    expect((await graph.ask('{ sales(where: {person: {sales_aggregate: {count: {predicate: {_eq: 10}}}}}) { seller } }')).sales).toHaveLength(10);
  });

  it('order rows', async () => {
    const names = async (order: string) => (await graph.ask(`{ people(order_by: ${order}) { name } }`)).people.map(({name}: {name: string}) => name);
    expect(await names('[{sales_aggregate: {count: desc}}, {name: desc}]')).toEqual(['ann', 'bob', 'dot', 'cid']);
    expect(await names('[{sales_aggregate: {max: {price: asc_nulls_first}}}]')).toEqual(['cid', 'dot', ...(Math.max(...of('ann').map(({price}) => price)) < Math.max(...of('bob').map(({price}) => price)) ? ['ann', 'bob'] : ['bob', 'ann'])]);
    const {teams} = await graph.ask('{ teams(order_by: [{people_aggregate: {count: asc}}], limit: 2) { name } sales(order_by: [{person: {sales_aggregate: {count: asc}}}, {n: asc}], limit: 1) { seller } }');
    expect(teams).toEqual([{name: 'green'}, {name: 'blue'}]);
  });
});

describe('declared relationships', () => {
  it('lead over several columns to one row, the first, or to all', async () => {
    const answer = await graph.ask('{ sales(limit: 4) { seller day listed { price _row_id } all_listed { _row_id } all_listed_aggregate { aggregate { count } } } }');
    const {prices} = await graph.ask('{ prices { _row_id seller day price } }');
    expect(answer.sales).toEqual(sales.slice(0, 4).map(({seller, day}) => {
      const found = prices.filter((row: any) => row.seller === seller && Number(row.day) === day);
      return {seller, day, listed: found[0] ? {price: found[0].price, _row_id: found[0]._row_id} : null, all_listed: found.map(({_row_id}: any) => ({_row_id})), all_listed_aggregate: {aggregate: {count: found.length}}};
    }));
    expect((await graph.ask('{ sales(where: {listed: {price: {_gte: "43"}}}) { seller day } }')).sales.every(({day}: {day: number}) => day === 4)).toBe(true);
    expect((await graph.ask('{ sales_groups { key { listed { price } } aggregate { count } } }')).sales_groups.reduce((all: number, {aggregate}: any) => all + aggregate.count, 0)).toBe(40);
    expect((await graph.ask('{ sales(order_by: [{listed: {price: desc_nulls_last}}, {n: asc}]) { n } }')).sales).toHaveLength(40);
  });
});
