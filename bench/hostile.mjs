/** A client that asks for one row by its key, before and while others ask for the absurd. */
import {setTimeout as sleep} from 'node:timers/promises';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask, firstAnswer, serve} from './lib/server.mjs';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Number(process.env.BENCH_SECONDS ?? 6);
const attackers = 4;

export const title = `One row by key, before and while ${attackers} clients ask for the absurd`;
export const conditions = `A client asks for one row of 1,000,000 by its key, ${seconds} s before and ${seconds} s during each attack, one question at a time; the 99th percentile of what it waits. The attackers, in this process too, ask again as soon as they are answered. Both processors are theirs as well, so twice the time is what an even share would give.`;

const range = (/** @type {number} */ count, make) => Array.from({length: count}, (_, index) => make(index));
const rows = (where) => ({query: 'query ($w: people_bool_exp) { people(where: $w, limit: 1) { id } }', variables: {w: where}});

const attacks = {
  '300 heavy fields in one document': {query: `{ ${range(300, (index) => `a${index}: people(where: {note: {_ilike: "%${index}zz%y%"}}, limit: 1) { id }`).join(' ')} }`},
  'related rows of related rows': {query: '{ towns { people { town { people(limit: 1000) { id note } } } } }'},
  'as many groups as rows': {query: '{ people_groups(limit: 100000) { key { id } aggregate { count } nodes { id note } } }'},
  'a sort of all rows': {query: '{ people(order_by: [{note: asc}, {name: desc}], limit: 100000) { id name note } }'},
  'a regular expression over all texts': {query: '{ people_aggregate(where: {note: {_regex: "(.*){0,900}x"}}) { aggregate { count } } }'},
  '50,000 values': rows({id: {_in: range(50_000, (id) => id * 3)}}),
  '20,000 conditions': rows({_or: range(20_000, (id) => ({id: {_eq: id}}))}),
  '900 KB of text': rows({name: {_eq: 'x'.repeat(900_000)}}),
};

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  await prepareProject(folder, [
    {kind: 'sql', name: 'towns', into: 'towns', sql: "SELECT i::INTEGER AS id, 'town ' || i AS name FROM range(1000) t(i)", contract: {key: ['id']}},
    {kind: 'sql', name: 'people', into: 'people', after: ['towns'], contract: {key: ['id'], foreignKeys: [{column: 'town_id', references: 'towns'}]},
      sql: "SELECT i::INTEGER AS id, (i % 1000)::INTEGER AS town_id, 'person ' || i AS name, repeat(md5(i::VARCHAR), 4) AS note FROM range(1000000) t(i)"},
  ]);
  const server = await serve(folder);
  try {
    await firstAnswer(server.url, '{ people(limit: 1) { id } }');
    const url = `${server.url}/graphql`;
    /** Milliseconds of the 99th percentile. */
    const bystander = async () => {
      const times = [];
      for (const until = performance.now() + seconds * 1_000; performance.now() < until;) {
        const start = performance.now();
        const {body} = await ask(url, JSON.stringify({query: 'query ($id: Int!) { people_by_pk(id: $id) { name } }', variables: {id: Math.floor(Math.random() * 1e6)}}));
        times.push(performance.now() - start);
        if (!JSON.parse(body.toString()).data?.people_by_pk) throw new Error(body.toString());
      }
      return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)];
    };
    await bystander();
    const told = Object.fromEntries(Object.keys(attacks).map((name) => [name, {before: [], during: []}]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, attack] of Object.entries(attacks)) {
        progress(`round ${round + 1} of ${rounds}: ${name}`);
        told[name].before.push(await bystander());
        let over = false;
        const text = JSON.stringify(attack);
        const attacking = range(attackers, async () => {
          while (!over) await ask(url, text);
        });
        await sleep(200);
        told[name].during.push(await bystander());
        over = true;
        await Promise.all(attacking);
      }
    }
    return [
      ...Object.entries(told).flatMap(([name, {before, during}]) => [
        line(`${name}: during / before`, during.map((value, index) => value / before[index]), ratio, 2),
        line(`${name}: during`, during, milliseconds),
      ]),
      line('before', Object.values(told).flatMap(({before}) => before), milliseconds),
      line('peak memory of the server', [server.peakMemory()], megabytes),
    ];
  } finally {
    await server.stop();
  }
});
