/** What a file holds, and accepting it: over the real graph. */
import {gzipSync} from 'node:zlib';
import type {App} from '../../src/compose.ts';
import {collect, data, runEvents, useApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

const failure = '... on Failure { __typename code message hint }';
const proposalFields = `... on SchemaProposal {
  id rowCount sampleRows files { path } options suggestedContract suggestedContractDocument
  dialect { delimiter quote escape header skip newline encoding evidence { rule ambiguous } }
  fields { name sourceName type nullable profile { nulls distinct min max examples histogram { from to count } } evidence { column rule detail count ambiguous } }
  ambiguities { column rule }
}`;

describe('proposals', () => {
  let project: Project;
  let app: App;
  let url: string;

  const detect = async (source: object, options?: object): Promise<Record<string, any>> =>
    (await data(url, `query($source: SourceInput!, $options: JSON) { detectSchema(source: $source, options: $options) { ${proposalFields} ${failure} } }`, {source, options})).detectSchema;

  /** Accepts and waits for the run; answers the failure, or how the run ended. */
  const accept = async (input: Record<string, unknown>): Promise<Record<string, any>> => {
    const {acceptSchema} = await data(url, `mutation($input: AcceptSchemaInput!) { acceptSchema(input: $input) { ... on SchemaAccepted { dataset { name } run { id } } ${failure} } }`, {input});
    if (!acceptSchema.run) return acceptSchema;
    return (await collect(url, runEvents, {id: acceptSchema.run.id, after: '0'})).at(-1)!.runEvents.run;
  };

  useApp(started => ({project, app, url} = started));

  const orders = [
    'Order Id;Zip;placed on;paid;price;note',
    ...Array.from({length: 60}, (_, index) => `${1000 + index};0${4000 + index};${String((index % 28) + 1).padStart(2, '0')}/03/2024;${index % 2 ? 'yes' : 'no'};${index % 7 === 0 ? 'n/a' : `${index}.50`};${index % 9 === 0 ? 'None' : 'as "ordered"'}`),
  ].join('\n');

  test('a detection that takes longer than a request may is ended', async () => {
    project.write('long.csv', `id,name\n${Array.from({length: 400_000}, (_, id) => `${id},name of ${id}`).join('\n')}\n`);
    const {system} = app.services;
    const ask = async (seconds: number) => JSON.parse(await app.services.graphql.current.ask(
      {...system, limits: {...system.limits, seconds}}, {query: `{ detectSchema(source: {path: "long.csv"}) { ... on SchemaProposal { rowCount } ${failure} } }`}));
    expect(await ask(0.01)).toMatchObject({errors: [{extensions: {code: 'QUERY_TIMEOUT'}}]});
    expect(await ask(60)).toEqual({data: {detectSchema: {rowCount: '400000'}}});
  });

  test('an accepted contract keeps the order of its columns, as does a definition its own', async () => {
    const names = ['zeta', 'a', 'mm', 'b2'];
    project.write('ordered.csv', `${names.join(',')}\n1,2,3,4\n`);
    const {id} = await detect({path: 'ordered.csv'});
    await accept({proposal: id, dataset: 'ordered'});
    const {datasets, pipelines, system} = app.services;
    expect(Object.keys((await datasets.get(system, 'ordered')).dataset.contract.columns!)).toEqual(names);
    await pipelines.put(system, {name: 'in_order', params: {zeta: {type: 'int', default: 1}, a: {type: 'int', default: 2}}, steps: [{kind: 'sql', name: 'x', into: 'x', sql: 'SELECT 1 AS one'}]}, 'graph');
    expect(Object.keys((await pipelines.get(system, 'in_order')).definition.params!)).toEqual(['zeta', 'a']);
  });

  test('each column with its evidence, over a packed file in another encoding', async () => {
    project.write('orders.csv.gz', gzipSync(Buffer.from(`${orders}\n2000;01000;13/03/2024;yes;1;für ß\n`, 'latin1')));
    const proposal = await detect({path: 'orders.csv.gz'});
    expect(proposal).toMatchObject({
      rowCount: '61', sampleRows: 61, files: [{path: 'orders.csv.gz'}],
      dialect: {delimiter: ';', quote: '"', header: true, skip: 0, newline: 'lf', encoding: 'windows-1252'},
      ambiguities: [{column: null, rule: 'encoding'}],
    });
    const shown = proposal.fields.map((field: any) => [field.name, `${field.type}${field.nullable ? '?' : ''}`, field.evidence.map((item: any) => `${item.rule} ${item.count}`).join(', ')]);
    expect(shown).toEqual([
      ['order_id', 'int32', 'name_mapped null'],
      ['Zip', 'utf8', 'leading_zeros 61'],
      ['placed_on', 'date', 'name_mapped null, date_format 61'],
      ['paid', 'bool', 'boolean_words 61'],
      ['price', 'float64?', 'null_words 9'],
      ['note', 'utf8', 'null_categories 7'],
    ]);
    expect(proposal.fields[4].profile).toMatchObject({nulls: '9', min: '1.0', max: '59.5', examples: ['1.50', '2.50', '3.50']});
    expect(proposal.fields[0].profile.histogram.reduce((sum: number, bucket: any) => sum + Number(bucket.count), 0)).toBe(61);
    expect(proposal.suggestedContract).toMatchObject({key: ['order_id'], onBadRow: 'quarantine', columns: {order_id: {type: 'int32', source: 'Order Id'}, Zip: {type: 'utf8'}}});
    expect(proposal.suggestedContract.checks).toContainEqual({notNull: 'placed_on'});
    expect(proposal.suggestedContractDocument).toContain('onBadRow: quarantine');
  });

  test('an accepted one is what is read, with its overrides', async () => {
    project.write('orders.csv', orders);
    const {id} = await detect({path: 'orders.csv'});
    expect(await accept({proposal: id, dataset: 'orders', overrides: {types: {price: 'decimal(9,2)', order_id: 'utf8'}, names: {Zip: 'postal_code'}, nulls: {note: ['None']}}})).toEqual({status: 'SUCCEEDED', error: null});
    const answer = await data(url, `{
      orders(where: {postal_code: {_in: ["04000", "04001"]}}, order_by: [{order_id: asc}]) { order_id postal_code placed_on paid price note }
      dataset(name: "orders") { key contract { document } schema { fields { name sourceName type } } }
    }`);
    expect(answer.orders).toEqual([
      {order_id: '1000', postal_code: '04000', placed_on: '2024-03-01', paid: false, price: null, note: null},
      {order_id: '1001', postal_code: '04001', placed_on: '2024-03-02', paid: true, price: '1.50', note: 'as "ordered"'},
    ]);
    expect(answer.dataset.key).toEqual(['order_id']);
    expect(answer.dataset.contract.document).toContain('postal_code:');
    expect(answer.dataset.schema.fields[1]).toEqual({name: 'postal_code', sourceName: 'Zip', type: 'utf8'});
  });

  test('what ingest does by itself is what was proposed', async () => {
    project.write('plain.csv', 'a,when,b\n1,01/02/2024,x\n2,03/04/2024,NA\n');
    const proposal = await detect({path: 'plain.csv'});
    expect(proposal.ambiguities).toEqual([{column: 'when', rule: 'ambiguous_dates'}]);
    const {ingest} = await data(url, `mutation($input: IngestInput!) { ingest(input: $input) { ... on RunStarted { run { id } } ${failure} } }`, {input: {source: {path: 'plain.csv'}, into: 'plain'}});
    const events = await collect(url, `subscription($id: ID!) { runEvents(runId: $id, after: "0") { __typename ... on LogLine { level message } } }`, {id: ingest.run.id});
    expect(events.map(event => event.runEvents.message)).toContainEqual(expect.stringContaining('%d/%m/%Y or %m/%d/%Y'));
    const {dataset, plain} = await data(url, '{ dataset(name: "plain") { schema { fields { name type } } } plain(order_by: [{a: asc}]) { when b } }');
    expect(dataset.schema.fields).toEqual(proposal.fields.map(({name, type}: any) => ({name, type})));
    expect(plain).toEqual([{when: '01/02/2024', b: 'x'}, {when: '03/04/2024', b: 'NA'}]);
    const said = await detect({path: 'plain.csv'}, {dateFormat: '%d/%m/%Y'});
    expect(said.fields[1]).toMatchObject({type: 'date', profile: {min: '2024-02-01', max: '2024-04-03'}});
  });

  test('a contract alone, and one that is said', async () => {
    project.write('things.csv', 'id,n\n1,2\n2,3\n');
    const {id} = await detect({path: 'things.csv'});
    expect(await accept({proposal: id, dataset: 'things', ingest: false, contract: {key: ['id'], onBadRow: 'DROP'}})).toEqual({dataset: {name: 'things'}, run: null});
    expect((await data(url, '{ dataset(name: "things") { key rowCount contract { document } } }')).dataset).toEqual({key: ['id'], rowCount: '0', contract: {document: expect.stringContaining('type: int32')}});
  });

  test('JSON, with a number among strings and dates by name', async () => {
    project.write('films.json', JSON.stringify([{title: 'x', on: 'Jun 12 1998', n: 1}, {title: 1776, on: 'May 1 2001', n: 3000000000, more: {k: [1]}}]));
    const {fields, ambiguities} = await detect({path: 'films.json'});
    expect(fields.map(({name, type, nullable}: any) => [name, type, nullable])).toEqual([['title', 'utf8', false], ['on', 'date', false], ['n', 'int64', false], ['more', 'struct<k: list<int64>>', true]]);
    expect(ambiguities).toEqual([{column: 'title', rule: 'mixed_json'}]);
    expect(fields[0].evidence[0].detail).toContain('1 number (1776)');
  });

  test('what cannot be', async () => {
    project.write('one.csv', 'a,b\n1,x\n');
    const {id} = await detect({path: 'one.csv'});
    const refused = (code: string, type: string) => ({__typename: type, code, message: expect.stringMatching(/./), hint: expect.stringMatching(/./)});
    expect(await detect({path: 'none.csv'})).toEqual(refused('SOURCE_NOT_FOUND', 'SourceUnreadable'));
    expect(await detect({upload: 'none'})).toEqual(refused('UPLOAD_NOT_FOUND', 'NotFound'));
    expect(await accept({proposal: '01a20a37-ff23-7590-b368-bb404d6b4dea', dataset: 'x'})).toEqual(refused('PROPOSAL_NOT_FOUND', 'NotFound'));
    expect(await accept({proposal: id, dataset: 'query'})).toEqual(refused('NAME_RESERVED', 'NameTaken'));
    expect(await accept({proposal: id, dataset: 'x', overrides: {types: {c: 'utf8'}}})).toMatchObject(refused('ARGUMENT_INVALID', 'Refused'));
    expect(await accept({proposal: id, dataset: 'x', overrides: {types: {a: 'number'}}})).toMatchObject(refused('ARGUMENT_INVALID', 'Refused'));
    expect(await accept({proposal: id, dataset: 'x', overrides: {names: {a: 'b'}}})).toMatchObject(refused('ARGUMENT_INVALID', 'Refused'));
    expect(await accept({proposal: id, dataset: 'x', contract: {key: ['a', 'a']}})).toEqual(refused('CONTRACT_INVALID', 'Refused'));
    // What does not fit an override, or is no longer the file that was looked at, fails the run and makes nothing.
    expect(await accept({proposal: id, dataset: 'x', overrides: {types: {b: 'int32'}}, contract: {onBadRow: 'FAIL'}})).toMatchObject({status: 'FAILED', error: {message: expect.stringContaining("'x'")}});
    project.write('one.csv', 'b,c\n1,x\n');
    expect(await accept({proposal: id, dataset: 'x'})).toMatchObject({status: 'FAILED', error: {code: expect.stringMatching(/./)}});
    expect((await data(url, '{ dataset(name: "x") { name } }')).dataset).toBeNull();
  });

  test('a proposal is kept for some days', async () => {
    const {id} = await detect({path: 'things.csv'});
    const {catalog} = app.services;
    expect(await catalog.transaction(stores => stores.proposals.expire(7))).toBe(0);
    expect(await catalog.transaction(stores => stores.proposals.expire(0))).toBeGreaterThan(0);
    expect(await accept({proposal: id, dataset: 'late'})).toMatchObject({code: 'PROPOSAL_NOT_FOUND'});
  });
});
