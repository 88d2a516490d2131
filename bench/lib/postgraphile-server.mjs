/** A peer: PostGraphile 5 over the tables of a PostgreSQL. `node postgraphile-server.mjs <folder with its packages> <connection string>`. */
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const [folder, connectionString] = process.argv.slice(2);
const {resolve} = createRequire(join(folder, 'package.json'));
const load = (/** @type {string} */ name) => import(pathToFileURL(resolve(name)).href);
const [{postgraphile}, {PostGraphileAmberPreset}, {makePgService}, {grafserv}] = await Promise.all(['postgraphile', 'postgraphile/presets/amber', 'postgraphile/adaptors/pg', 'postgraphile/grafserv/node'].map(load));
const server = createServer();
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({connectionString, schemas: ['public']})],
  grafserv: {graphiql: false, watch: false},
  grafast: {explain: false},
});
await instance.createServ(grafserv).addTo(server);
server.listen(0, '127.0.0.1', () => process.send({url: `http://127.0.0.1:${server.address().port}/graphql`}));
