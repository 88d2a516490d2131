/** Related rows at three levels, 100 × 10 × 5, as GraphQL over HTTP, beside PostGraphile 5 on PostgreSQL with indexes and the same data. */
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import pg from 'pg';
import {line, megabytes, milliseconds, ratio} from './lib/figures.mjs';
import {peakMemory} from './lib/memory.mjs';
import {npmEnvironment} from './lib/packages.mjs';
import {postgres} from './lib/postgres.mjs';
import {prepareProject, withProject} from './lib/project.mjs';
import {ask, firstAnswer, serve} from './lib/server.mjs';

const rounds = 60;
const warmUps = 20;

export const title = 'Three levels of related rows: 100 teams × 10 members × 5 tasks';
export const conditions = 'Each server is a process of its own, asked by the same client on one kept connection, in turns. PostGraphile 5.1.5 on PostgreSQL, which has the same rows with primary keys and indexes on what refers to them, analyzed, and does not fsync. Both answer the same 5,000 tasks.';

/** Tables by the text that makes them; both sides know `range` and `generate_series` under one name each. */
const tables = {
  teams: {count: 100, columns: (i) => `${i} AS id, 'team ' || ${i} AS name`},
  members: {count: 1_000, columns: (i) => `${i} AS id, ${i} % 100 AS team_id, 'member ' || ${i} AS name`, refers: ['team_id', 'teams']},
  tasks: {count: 5_000, columns: (i) => `${i} AS id, ${i} % 1000 AS member_id, 'task ' || ${i} AS title, ${i} % 13 AS points`, refers: ['member_id', 'members']},
};

async function fillPostgres(/** @type {string} */ url) {
  const client = new pg.Client({connectionString: url});
  await client.connect();
  for (const [name, {count, columns, refers}] of Object.entries(tables)) {
    await client.query(`CREATE TABLE ${name} AS SELECT ${columns('i')} FROM generate_series(0, ${count - 1}) AS t(i)`);
    await client.query(`ALTER TABLE ${name} ADD PRIMARY KEY (id)`);
    if (refers) {
      await client.query(`ALTER TABLE ${name} ADD FOREIGN KEY (${refers[0]}) REFERENCES ${refers[1]} (id)`);
      await client.query(`CREATE INDEX ON ${name} (${refers[0]})`);
    }
  }
  await client.query('ANALYZE');
  await client.end();
}

const steps = Object.entries(tables).map(([name, {count, columns, refers}]) => ({
  kind: 'sql', name, into: name, sql: `SELECT ${columns('CAST(i AS INTEGER)')} FROM range(${count}) AS t(i)`,
  contract: {key: ['id'], ...(refers && {foreignKeys: [{column: refers[0], references: refers[1]}]})},
}));

export const run = ({progress}) => withProject(async (folder) => {
  progress('preparing');
  await prepareProject(folder, steps);
  const packages = await npmEnvironment(['postgraphile@5.1.5']);
  const database = await postgres();
  let peer;
  let server;
  try {
    await fillPostgres(database.url);
    peer = fork(fileURLToPath(new URL('lib/postgraphile-server.mjs', import.meta.url)), [packages, database.url]);
    const {url} = await new Promise((resolve, reject) => { peer.once('message', resolve).once('exit', reject); });
    server = await serve(folder);
    const questions = {
      millrace: [`${server.url}/graphql`, '{ teams { id name members { id name tasks { id title points } } } }'],
      postgraphile: [url, '{ allTeams { nodes { id name membersByTeamId { nodes { id name tasksByMemberId { nodes { id title points } } } } } } }'],
    };
    await firstAnswer(server.url, questions.millrace[1]);
    const times = {millrace: [], postgraphile: []};
    const tasks = {};
    for (let round = -warmUps; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      for (const [side, [address, query]] of Object.entries(questions)) {
        const start = performance.now();
        const answer = await ask(address, JSON.stringify({query}));
        if (answer.status !== 200) throw new Error(`${side}: ${answer.body}`);
        if (round >= 0) times[side].push(performance.now() - start);
        tasks[side] = answer.body.toString().split('"points"').length - 1;
      }
    }
    if (tasks.millrace !== 5_000 || tasks.postgraphile !== 5_000) throw new Error(`the answers have ${tasks.millrace} and ${tasks.postgraphile} tasks`);
    return [
      line('Millrace / PostGraphile', times.millrace.map((time, index) => time / times.postgraphile[index]), ratio, 1 / 3),
      line('Millrace', times.millrace, milliseconds),
      line('PostGraphile', times.postgraphile, milliseconds),
      line('peak memory, Millrace', [server.peakMemory()], megabytes),
      line('peak memory, PostGraphile without PostgreSQL', [peakMemory(peer.pid)], megabytes),
    ];
  } finally {
    peer?.kill();
    await server?.stop();
    await database.stop();
  }
});
