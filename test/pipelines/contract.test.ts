/** What a contract refuses is kept aside, dropped, made null or fails the step; every row read is accounted for. */
import {collect, data, putPipeline, runEvents, runToEnd, useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

let project: Project;
let url: string;

useApp(started => ({project, url} = started));

interface Counts {
  readonly rowsRead: string;
  readonly rowsWritten: string;
  readonly rowsSuperseded: string;
  readonly rowsDeleted: string;
  readonly rowsQuarantined: string;
  readonly rowsDropped: string;
}

/** Runs a pipeline that ingests a CSV file; answers how it ended and what became of the rows. */
async function ingest(name: string, csv: string, contract: object, mode = 'overwrite') {
  project.write(`${name}.csv`, csv);
  await putPipeline(url, `load_${name}`, [{kind: 'ingest', name: 'load', source: {path: `${name}.csv`}, into: name, mode, contract}]);
  const {id, events} = await runToEnd(url, `load_${name}`);
  const {run} = await data(url, `query($id: ID!) { run(id: $id) { rowsRead rowsWritten rowsSuperseded rowsDeleted rowsQuarantined rowsDropped } }`, {id});
  const {status, error} = events.at(-1)!.run as {status: string; error: {code: string; message: string} | null};
  return {id, status, error, counts: Object.fromEntries(Object.entries(run as Counts).map(([key, value]) => [key, Number(value)]))};
}

/** Names that the sifting itself might use. */
const awkward = 'position,broken,found,rule,nth\n1,2,x,1,1\n2,3,y,1,1\n2,4,z,1,1\n3,5,x,9,1\n4,5,x,9,1\n';

const trips = 'id,delay,zip,city\n1,5,00501,Bern\n2,-500,00502,Bern\n3,7,x,Thun\n3,8,00503,Thun\n,9,00504,Biel\n6,10,00505,Nowhere\n7,11,00506,\n';

test('rows are kept aside whole, with the reasons, their place and their run', async () => {
  const {id, status, counts} = await ingest('aside', trips, {
    key: ['id'], onBadRow: 'quarantine',
    checks: [{range: {column: 'delay', min: -120, max: 1000}}, {pattern: {column: 'zip', regex: '[0-9]{5}'}}, {set: {column: 'city', values: ['Bern', 'Thun', 'Biel']}}, {length: {column: 'city', min: 1}}],
  });
  expect([status, counts]).toEqual(['SUCCEEDED', {rowsRead: 7, rowsWritten: 3, rowsQuarantined: 4, rowsDropped: 0, rowsSuperseded: 0, rowsDeleted: 0}]);
  const {aside, aside_quarantine, dataset} = await data(url, `{
    aside(order_by: [{id: asc}]) { id delay zip city }
    aside_quarantine(order_by: [{quarantine_record: asc}]) { id delay zip city quarantine_reasons quarantine_file quarantine_record quarantine_run }
    dataset(name: "aside") { schema { fields { name nullable } } quarantine { name rowCount } }
  }`);
  // The first of two rows with the same key is bad itself, so the second stands.
  expect(aside.map((row: {id: number; delay: number}) => [row.id, row.delay])).toEqual([[1, 5], [3, 8], [7, 11]]);
  const place = (record: number) => ({quarantine_file: 'aside.csv', quarantine_record: String(record), quarantine_run: id});
  expect(aside_quarantine).toEqual([
    {id: 2, delay: -500, zip: '00502', city: 'Bern', quarantine_reasons: ['delay is between -120 and 1000'], ...place(2)},
    {id: 3, delay: 7, zip: 'x', city: 'Thun', quarantine_reasons: ['zip matches [0-9]{5}'], ...place(3)},
    {id: null, delay: 9, zip: '00504', city: 'Biel', quarantine_reasons: ['the key id has no null'], ...place(5)},
    {id: 6, delay: 10, zip: '00505', city: 'Nowhere', quarantine_reasons: ['city is one of Bern, Thun, Biel'], ...place(6)},
  ]);
  expect(dataset.quarantine).toEqual({name: 'aside_quarantine', rowCount: '4'});
  expect(dataset.schema.fields[0]).toEqual({name: 'id', nullable: false});
}, 60_000);

test('what a contract tells people stands in the graph, with what the values are', async () => {
  const documentation = {delay: {description: 'How late it arrived', unit: 'minutes'}, zip: {deprecated: 'Use city.'}};
  const {id} = await ingest('told', trips.replaceAll(',,', ',0,'), {description: 'Trips of a town', documentation});
  const introspect = async () => {
    const {__schema: {types}} = await data(url, '{ __schema { types { name description fields(includeDeprecated: true) { name description isDeprecated deprecationReason } } } }');
    const type = types.find(({name}: {name: string}) => name === 'told');
    const fields = Object.fromEntries(type.fields.map((field: {name: string}) => [field.name, field]));
    return {type, ...fields} as Record<string, {description: string; deprecationReason: string | null}>;
  };
  const before = await introspect();
  expect(before.type!.description).toBe('Trips of a town');
  expect(before.delay!.description).toMatch(/^How late it arrived \(minutes\)\n\nint32\n\nFrom -500 to 11; about 7 different values; such as .*\.$/);
  expect(before.zip!.deprecationReason).toBe('Use city.');
  expect(before.city!.description).toMatch(/; 14 % are null\.$/);
  const {dataset} = await data(url, '{ dataset(name: "told") { description contract { document } schema { fields { name description deprecated } } } }');
  expect(dataset.description).toBe('Trips of a town');
  expect(dataset.schema.fields[2]).toEqual({name: 'zip', description: null, deprecated: 'Use city.'});
  expect(dataset.contract.document).toContain('unit: minutes');
  // Neither other words nor other values need another step, but both are told.
  await data(url, 'mutation($contract: ContractInput) { setContract(dataset: "told", contract: $contract) { __typename } }', {contract: {documentation: {delay: {unit: 's'}}}});
  expect((await introspect()).delay!.description).toMatch(/^\(s\)\n\nint32\n\nFrom -500/);
  await ingest('told', 'id,delay,zip,city\n1,99,00501,Bern\n', {documentation: {delay: {unit: 's'}}});
  expect((await introspect()).delay!.description).toMatch(/Always 99/);
  expect(id).toBeDefined();
}, 60_000);

test('columns may have any name', async () => {
  const {counts} = await ingest('awkward', awkward, {key: ['position'], onBadRow: 'quarantine', checks: [{range: {column: 'broken', min: 3}, onBadRow: 'null_value'}, {pattern: {column: 'found', regex: '[xyz]'}, severity: 'warn'}, {range: {column: 'rule', max: 5}}, {unique: ['rule', 'nth', 'found'], onBadRow: 'drop'}]});
  expect(counts).toMatchObject({rowsRead: 5, rowsWritten: 2, rowsQuarantined: 3});
  expect(await data(url, '{ awkward(order_by: [{position: asc}]) { position broken } awkward_quarantine(order_by: [{quarantine_record: asc}], limit: 1) { position broken found rule nth quarantine_record } }')).toEqual({
    awkward: [{position: 1, broken: null}, {position: 2, broken: 3}], awkward_quarantine: [{position: 2, broken: 4, found: 'z', rule: 1, nth: 1, quarantine_record: '3'}],
  });
}, 60_000);

test('a step that reads a quarantine waits for the step that fills it; a long set is told in short', async () => {
  project.write('stations.csv', `id\n${Array.from({length: 14}, (_, id) => id).join('\n')}\n`);
  const set = {column: 'id', values: Array.from({length: 12}, (_, id) => id)};
  await putPipeline(url, 'stations', [
    {kind: 'sql', name: 'told', into: 'told', sql: 'SELECT id, quarantine_reasons AS why FROM stations_quarantine'},
    {kind: 'ingest', name: 'stations', into: 'stations', source: {path: 'stations.csv'}, contract: {checks: [{set}], onBadRow: 'quarantine'}},
  ]);
  const {events} = await runToEnd(url, 'stations');
  expect(events.at(-1)!.run).toMatchObject({status: 'SUCCEEDED'});
  const why = ['id is one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'];
  expect((await data(url, '{ told(order_by: [{id: asc}]) { id why } }')).told).toEqual([{id: 12, why}, {id: 13, why}]);
}, 60_000);

test('each check may have a fate of its own; warnings leave rows alone', async () => {
  const {status, counts} = await ingest('fates', trips, {
    onBadRow: 'drop',
    checks: [
      {notNull: 'id', onBadRow: 'quarantine'}, {range: {column: 'delay', min: -120}, onBadRow: 'null_value'}, {pattern: {column: 'zip', regex: '[0-9]+'}}, {sql: "city <> 'Nowhere'", severity: 'warn', name: 'no place'},
    ],
  });
  expect([status, counts]).toEqual(['SUCCEEDED', {rowsRead: 7, rowsWritten: 5, rowsQuarantined: 1, rowsDropped: 1, rowsSuperseded: 0, rowsDeleted: 0}]);
  const {fates, fates_quarantine} = await data(url, '{ fates(order_by: [{zip: asc}]) { id delay zip } fates_quarantine { id delay quarantine_reasons } }');
  expect(fates).toEqual([
    {id: 1, delay: 5, zip: '00501'}, {id: 2, delay: null, zip: '00502'}, {id: 3, delay: 8, zip: '00503'}, {id: 6, delay: 10, zip: '00505'}, {id: 7, delay: 11, zip: '00506'},
  ]);
  expect(fates_quarantine).toEqual([{id: null, delay: 9, quarantine_reasons: ['id is not null']}]);
}, 60_000);

test('by default a bad row fails the step, which tells what and where, and commits nothing', async () => {
  const {status, error, counts} = await ingest('strict', trips, {checks: [{range: {column: 'delay', min: -120}}, {notNull: 'id'}]});
  expect([status, counts.rowsWritten]).toEqual(['FAILED', 0]);
  expect(error).toMatchObject({
    code: 'RUN_FAILED', message: expect.stringContaining("1 row breaks 'delay is at least -120' (for example delay -500); 1 row breaks 'id is not null' (for example id NULL)"),
  });
  expect((await data(url, '{ dataset(name: "strict") { name } }')).dataset).toBeNull();
}, 60_000);

test('what is appended is compared with what is there; a quarantine follows its dataset', async () => {
  const contract = {key: ['id'], onBadRow: 'quarantine'};
  await ingest('grows', 'id,v\n1,a\n2,b\n2,c\n', contract, 'append');
  const {counts} = await ingest('grows', 'id,v\n2,d\n3,e\n,f\n', contract, 'append');
  expect(counts).toMatchObject({rowsRead: 3, rowsWritten: 1, rowsQuarantined: 2});
  const {grows, grows_quarantine} = await data(url, '{ grows(order_by: [{id: asc}]) { id v } grows_quarantine(order_by: [{v: asc}]) { id v quarantine_reasons } }');
  expect(grows).toEqual([{id: 1, v: 'a'}, {id: 2, v: 'b'}, {id: 3, v: 'e'}]);
  expect(grows_quarantine.map((row: {v: string}) => row.v)).toEqual(['c', 'd', 'f']);
  // Written anew without a bad row, its quarantine is empty; the rows of before are in its snapshot of before.
  await ingest('grows', 'id,v\n1,a\n', contract);
  expect((await data(url, '{ grows { id } grows_quarantine { id } }'))).toEqual({grows: [{id: 1}], grows_quarantine: []});
}, 60_000);

test('a contract that does not fit, or whose SQL fails, is told and loses nothing', async () => {
  const codes = async (contract: object) => (await ingest('misfit', 'id,text\n1,0\n2,x\n', contract)).error?.message;
  expect(await codes({checks: [{notNull: 'nothing'}]})).toMatch(/it has no column 'nothing'/);
  expect(await codes({checks: [{range: {column: 'text', min: 5}}]})).toMatch(/'text' is utf8, and 5 is not/);
  expect(await codes({checks: [{pattern: {column: 'id', regex: 'x'}}]})).toMatch(/only text has a pattern/);
  expect(await codes({checks: [{sql: 'id > (SELECT 1)'}]})).toMatch(/a subquery reads more than the row/);
  expect(await codes({checks: [{notNull: 'id'}, {sql: 'CAST(text AS INTEGER) >= 0', name: 'a number'}]})).toMatch(/The check 'a number' of 'misfit' cannot be made: .*Could not convert string 'x'/);
  await ingest('nations', 'code\nCH\n', {key: ['code']});
  const foreignKeys = [{column: 'id', references: 'nations'}];
  for (const onBadRow of ['fail', 'quarantine']) expect(await codes({foreignKeys, onBadRow})).toMatch(/'id' is an integer, and the key of 'nations' is utf8/);
  expect((await data(url, '{ dataset(name: "misfit") { name } }')).dataset).toBeNull();
}, 60_000);

describe('replay', () => {
  /** Replays and answers how it ended and the run's counts. */
  const replay = async (input: object) => {
    const {replayQuarantine} = await data(url, 'mutation($input: ReplayQuarantineInput!) { replayQuarantine(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message } } }', {input});
    if (!replayQuarantine.run) return replayQuarantine;
    const last = (await collect(url, runEvents, {id: replayQuarantine.run.id, after: '0'})).at(-1)!.runEvents.run;
    const {run} = await data(url, '{ run(id: "' + replayQuarantine.run.id + '") { rowsRead rowsWritten rowsQuarantined rowsDropped } }');
    return {status: last.status, error: last.error?.message, counts: Object.values(run).map(Number)};
  };
  const rows = async (name: string) => (await data(url, `{ ${name}(order_by: [{id: asc}]) { id year } ${name}_quarantine(order_by: [{quarantine_record: asc}]) { id year quarantine_reasons quarantine_record } }`));

  test('mended by an expression, rows go over once; what is refused again stays as it was, with its place', async () => {
    await ingest('films', 'id,year\n1,1999\n2,2046\n3,2030\n4,1887\n5,1700\n', {key: ['id'], onBadRow: 'quarantine', checks: [{range: {column: 'year', min: 1888, max: 2010}}]});
    expect(await replay({dataset: 'films', where: 'year > 2010', setSql: {year: 'year - 100'}})).toEqual({status: 'SUCCEEDED', error: undefined, counts: [2, 2, 0, 0]});
    expect(await replay({dataset: 'films', setSql: {year: 'year + 1'}})).toEqual({status: 'SUCCEEDED', error: undefined, counts: [2, 1, 1, 0]});
    const {films, films_quarantine} = await rows('films');
    expect(films).toEqual([{id: 1, year: 1999}, {id: 2, year: 1946}, {id: 3, year: 1930}, {id: 4, year: 1888}]);
    expect(films_quarantine).toEqual([{id: 5, year: 1700, quarantine_reasons: ['year is between 1888 and 2010'], quarantine_record: '5'}]);
    // Nothing changed, so the same is refused again; nothing left, so there is nothing to give.
    expect(await replay({dataset: 'films'})).toEqual({status: 'SUCCEEDED', error: undefined, counts: [1, 0, 1, 0]});
    await data(url, 'mutation { setContract(dataset: "films", contract: {key: ["id"], onBadRow: QUARANTINE}) { ... on ContractSet { dataset { name } } ... on Failure { message } } }');
    expect(await replay({dataset: 'films'})).toMatchObject({status: 'SUCCEEDED', counts: [1, 1, 0, 0]});
    expect(await replay({dataset: 'films'})).toMatchObject({code: 'QUARANTINE_EMPTY'});
    expect((await data(url, '{ dataset(name: "films") { rowCount schema { fields { name nullable } } quarantine { rowCount } } }')).dataset).toEqual({
      rowCount: '5', schema: {fields: [{name: 'id', nullable: false}, {name: 'year', nullable: false}]}, quarantine: {rowCount: '0'},
    });
  }, 90_000);

  test('one that would break the key is refused, and nothing moves', async () => {
    await ingest('twice', 'id,year\n1,1999\n1,2000\n', {key: ['id'], onBadRow: 'quarantine'});
    await data(url, 'mutation { setContract(dataset: "twice", contract: {key: ["id"]}) { ... on ContractSet { dataset { name } } } }');
    expect(await replay({dataset: 'twice'})).toMatchObject({status: 'FAILED', error: expect.stringMatching(/more than once|twice|same/i)});
    expect(await replay({dataset: 'twice', setSql: {id: "'x'"}})).toMatchObject({status: 'FAILED', error: expect.stringContaining('id is no int32')});
    const {twice, twice_quarantine} = await rows('twice');
    expect([twice.length, twice_quarantine.length]).toEqual([1, 1]);
    expect(await replay({dataset: 'twice', setSql: {nothing: '1'}})).toMatchObject({status: 'FAILED', error: expect.stringContaining("no column 'nothing'")});
    expect(await replay({dataset: 'nowhere'})).toMatchObject({code: 'DATASET_NOT_FOUND'});
  }, 90_000);
});

test('a contract is set by a file beside the jobs and by mutation, and reads the same from both', async () => {
  const inOrder = `key:\n  - id\nchecks:\n  - range:\n      column: v\n      max: 5\n    severity: warn\nonBadRow: quarantine\n`;
  const text = `onBadRow: quarantine\nchecks: [{severity: warn, range: {max: 5, column: v}}]\nkey: [id]\n`;
  project.write('jobs/filed.contract.yaml', text);
  project.write('jobs/broken.contract.yaml', 'key: [a, a]\n');
  project.write('jobs/filed.js', `export default {name: 'load_filed', steps: [{kind: 'ingest', name: 'load', source: {path: 'filed.csv'}, into: 'filed'}]}`);
  project.write('filed.csv', 'id,v\n1,1\n1,2\n2,9\n');
  const {id} = await runToEnd(url, 'load_filed');
  const {run, filed, dataset} = await data(url, `{ run(id: "${id}") { rowsQuarantined } filed { id v } dataset(name: "filed") { contract { key onBadRow document checks { says kind severity } } } }`);
  expect([run.rowsQuarantined, filed]).toEqual(['1', [{id: 1, v: 1}, {id: 2, v: 9}]]);
  expect(dataset.contract).toEqual({key: ['id'], onBadRow: 'QUARANTINE', document: inOrder, checks: [{says: 'v is at most 5', kind: 'range', severity: 'WARN'}]});

  const set = async (argument: string) => (await data(url, `mutation { setContract(dataset: "filed", ${argument}) { ... on ContractSet { dataset { contract { document } } } ... on Failure { code message } } }`)).setContract;
  expect((await set('contract: {key: ["id"], onBadRow: QUARANTINE, checks: [{range: {column: "v", max: 5}, severity: WARN}]}')).dataset.contract.document).toBe(inOrder);
  expect((await set(`document: ${JSON.stringify(text)}`)).dataset.contract.document).toBe(inOrder);
  expect(await set('contract: {checks: [{notNull: "v", range: {column: "v", max: 5}}]}')).toMatchObject({code: 'CONTRACT_INVALID', message: expect.stringContaining('exactly one of')});
  expect(await set('contract: {checks: [{range: {column: "v", min: 9, max: 5}}]}')).toMatchObject({code: 'CONTRACT_INVALID', message: expect.stringContaining('min is greater than max')});
  expect(await set('document: "checks: ["')).toMatchObject({code: 'CONTRACT_INVALID'});
  expect(await set('contract: {key: ["nothing"]}')).toMatchObject({code: 'CONTRACT_INVALID', message: expect.stringContaining("no column 'nothing'")});
}, 60_000);

describe('what cannot be read', () => {
  const columns = {id: {type: 'int32'}, day: {type: 'date', format: '%d/%m/%Y', source: 'Day'}, delay: {type: 'int32', nulls: ['NA']}, city: {type: 'utf8'}};
  const raw = 'id,Day,delay,city\n1,24/12/2001,5,Bern\n2,31/02/2001,x,Thun\n3,01/02/2001,NA,Biel\n4,02/02/2001,7\n5,03/02/2001,8,Bern,more\n6,04/02/2001,1.5,Thun\n';

  test('is kept aside with what was read, by record or by line; mended, it goes over', async () => {
    const {status, counts} = await ingest('unread', raw, {columns, onBadRow: 'quarantine'});
    expect([status, counts]).toEqual(['SUCCEEDED', {rowsRead: 6, rowsWritten: 2, rowsQuarantined: 4, rowsDropped: 0, rowsSuperseded: 0, rowsDeleted: 0}]);
    const {unread, unread_quarantine} = await data(url, `{
      unread(order_by: [{id: asc}]) { id day delay city }
      unread_quarantine(order_by: [{quarantine_line: asc_nulls_first}, {quarantine_record: asc}]) { id day delay city quarantine_reasons quarantine_raw quarantine_file quarantine_record quarantine_line }
    }`);
    expect(unread).toEqual([{id: 1, day: '2001-12-24', delay: 5, city: 'Bern'}, {id: 3, day: '2001-02-01', delay: null, city: 'Biel'}]);
    const none = {id: null, day: null, delay: null, city: null, quarantine_file: 'unread.csv', quarantine_record: null};
    expect(unread_quarantine).toEqual([
      {id: 2, day: null, delay: null, city: 'Thun', quarantine_reasons: ['day is no date', 'delay is no int32'], quarantine_raw: {day: '31/02/2001', delay: 'x'}, quarantine_file: 'unread.csv', quarantine_record: '2', quarantine_line: null},
      {id: 6, day: '2001-02-04', delay: null, city: 'Thun', quarantine_reasons: ['delay is no int32'], quarantine_raw: {delay: '1.5'}, quarantine_file: 'unread.csv', quarantine_record: '4', quarantine_line: null},
      {...none, quarantine_reasons: ['the line cannot be taken apart: it has 3 fields, not 4'], quarantine_raw: {line: '4,02/02/2001,7', file: 'unread.csv'}, quarantine_line: '5'},
      {...none, quarantine_reasons: ['the line cannot be taken apart: it has 5 fields, not 4'], quarantine_raw: {line: '5,03/02/2001,8,Bern,more', file: 'unread.csv'}, quarantine_line: '6'},
    ]);
    const replay = async (where: string, setSql: object) => {
      const {replayQuarantine} = await data(url, 'mutation($input: ReplayQuarantineInput!) { replayQuarantine(input: $input) { ... on RunStarted { run { id } } ... on Failure { code message } } }', {input: {dataset: 'unread', where, setSql}});
      await collect(url, runEvents, {id: replayQuarantine.run.id, after: '0'});
      return (await data(url, `{ run(id: "${replayQuarantine.run.id}") { rowsRead rowsWritten rowsQuarantined } }`)).run;
    };
    expect(await replay('quarantine_line IS NULL', {delay: "round((quarantine_raw ->> 'delay')::DECIMAL(9, 1))"})).toEqual({rowsRead: '0', rowsWritten: '0', rowsQuarantined: '0'});
    expect(await replay('quarantine_line IS NULL', {delay: "round(TRY_CAST(quarantine_raw ->> 'delay' AS DECIMAL(9, 1)))"})).toEqual({rowsRead: '2', rowsWritten: '1', rowsQuarantined: '1'});
    const part = (n: number) => `split_part(quarantine_raw ->> 'line', ',', ${n})`;
    expect(await replay('quarantine_line IS NOT NULL', {id: part(1), day: `strptime(${part(2)}, '%d/%m/%Y')`, delay: part(3), city: `nullif(${part(4)}, '')`})).toEqual({rowsRead: '2', rowsWritten: '2', rowsQuarantined: '0'});
    const after = await data(url, '{ unread(order_by: [{id: asc}]) { id delay city } unread_quarantine { id } }');
    expect(after).toEqual({
      unread: [{id: 1, delay: 5, city: 'Bern'}, {id: 3, delay: null, city: 'Biel'}, {id: 4, delay: 7, city: null}, {id: 5, delay: 8, city: 'Bern'}, {id: 6, delay: 2, city: 'Thun'}],
      unread_quarantine: [{id: 2}],
    });
  }, 90_000);

  test('by default fails the step, as does a column that is not there', async () => {
    expect((await ingest('unreadable', 'id,Day,delay,city\n1,24/12/2001,x,Bern\n', {columns})).error?.message).toMatch(/the column 'delay' is said to be int32, but 1 value is not exactly that, for example 'x'/);
    expect((await ingest('unreadable', 'id,Date,delay,city\n1,24/12/2001,1,Bern\n', {columns, onBadRow: 'quarantine'})).error?.message).toMatch(/has no column Day, which the contract of 'unreadable' lists; it has id, Date, delay, city/);
  }, 60_000);

  test('is dropped, or null, where the contract says so', async () => {
    expect((await ingest('lesser', raw, {columns, onBadRow: 'drop'})).counts).toMatchObject({rowsRead: 6, rowsWritten: 2, rowsDropped: 4, rowsQuarantined: 0});
    expect((await ingest('emptied', raw, {columns, onBadRow: 'null_value'})).counts).toMatchObject({rowsRead: 6, rowsWritten: 4, rowsQuarantined: 2});
    expect((await data(url, '{ emptied(order_by: [{id: asc}]) { id day delay } }')).emptied.slice(1, 2)).toEqual([{id: 2, day: null, delay: null}]);
  }, 60_000);

  test('in JSON as well', async () => {
    await putPipeline(url, 'load_json_in', [{kind: 'ingest', name: 'load', source: {path: 'json_in.ndjson'}, into: 'json_in', contract: {columns: {year: {type: 'int32'}, title: {type: 'utf8'}}, onBadRow: 'quarantine'}}]);
    project.write('json_in.ndjson', ['{"title": "Up", "year": 2009}', '{"title": 300, "year": "2006"}', '{"title": "It", "year": "soon"}'].join('\n'));
    await runToEnd(url, 'load_json_in');
    const answer = await data(url, '{ json_in(order_by: [{year: asc}]) { title year } json_in_quarantine { title year quarantine_reasons quarantine_raw quarantine_record } }');
    expect(answer).toEqual({
      json_in: [{title: '300', year: 2006}, {title: 'Up', year: 2009}],
      json_in_quarantine: [{title: 'It', year: null, quarantine_reasons: ['year is no int32'], quarantine_raw: {year: 'soon'}, quarantine_record: '3'}],
    });
  }, 60_000);
});

test('a foreign key may empty its column; what it refers to stays', async () => {
  await ingest('towns', 'name\nBern\nThun\n', {key: ['name']});
  const rows = ['id,town', ...Array.from({length: 50}, (_, index) => `${index},${['Bern', 'Thun', 'Atlantis'][index % 3]}`)].join('\n');
  const {counts} = await ingest('visits', rows, {foreignKeys: [{column: 'town', references: 'towns', as: 'place', onBadRow: 'null_value'}]});
  expect(counts).toMatchObject({rowsRead: 50, rowsWritten: 50, rowsQuarantined: 0});
  const {visits} = await data(url, '{ visits(order_by: [{_row_id: asc}]) { id town place { name } } }');
  expect(visits).toEqual(Array.from({length: 50}, (_, id) => (id % 3 === 2 ? {id, town: null, place: null} : {id, town: ['Bern', 'Thun'][id % 3], place: {name: ['Bern', 'Thun'][id % 3]}})));
  expect((await ingest('guests', rows, {onBadRow: 'quarantine', foreignKeys: [{column: 'town', references: 'towns'}]})).counts).toMatchObject({rowsRead: 50, rowsWritten: 34, rowsQuarantined: 16});
}, 60_000);
