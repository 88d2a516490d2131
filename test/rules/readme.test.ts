/** What README.md says, as far as it can be checked: files, commands, figures; its recipes are run against the sample project. */
import {existsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {Kind, buildSchema, parse, validate} from 'graphql';
import type {DocumentNode, OperationDefinitionNode} from 'graphql';
import {commandGroups} from '../../src/cli/commands.ts';
import {ask, collect, data, runEvents, runToEnd} from '../support/project.ts';
import {startSample} from '../support/sample-project.ts';
import type {SampleApp} from '../support/sample-project.ts';
import {root, textOf} from './sources.ts';

const readme = textOf('README.md');

/** The code blocks of a language. */
const blocks = (language: string): string[] => [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text!);

test('every file that it names is there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path!);
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(statSync(join(root, 'docs/images/graphiql.png')).size).toBeLessThan(400_000);
});

test('its scripts are scripts of package.json', () => {
  const {scripts} = JSON.parse(textOf('package.json')) as {scripts: Record<string, string>};
  const named = [...readme.matchAll(/\bnpm (?:run )?(start|test|\w+)\b/g)].map(([, name]) => name!).filter((name) => name !== 'package');
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('its commands are those there are, and none is missing', () => {
  const commands = new Map(commandGroups.flatMap(([, list]) => list).map((command) => [command.name, command]));
  const used = [...readme.matchAll(/\bmillrace ([a-z]+(?:-[a-z]+)*)(?![\w-])/g)].map(([, name]) => name!).filter((name) => name !== 'npm');
  expect(used.filter((name) => !commands.has(name))).toEqual([]);
  expect([...commands.keys()].filter((name) => !used.includes(name))).toEqual([]);
});

describe('over the sample project', () => {
  let sample: SampleApp;
  beforeAll(async () => {
    sample = await startSample();
  }, 120_000);
  afterAll(() => sample.stop());

  test('its file becomes typed rows with the answer it shows', async () => {
    const [csv] = blocks('csv');
    sample.project.write('data/stations.csv', csv!);
    const ingest = blocks('graphql').find((text) => text.includes('ingest('))!;
    const {ingest: started} = await data(sample.url, ingest);
    expect(started.run.status).toBe('QUEUED');
    const events = await collect(sample.url, runEvents, {id: started.run.id, after: '0'});
    expect(events.at(-1)!.runEvents.run.status).toBe('SUCCEEDED');
    const rows = blocks('graphql').find((text) => text.includes('stations('))!;
    const answer = blocks('json').find((text) => text.includes('"stations"'))!;
    expect(await data(sample.url, rows)).toEqual(JSON.parse(answer));
  });

  test('its pipeline runs', async () => {
    const [jobs] = blocks('ts');
    sample.project.write('jobs/big_stations.ts', jobs!);
    const {events} = await runToEnd(sample.url, 'big_stations', {least: 15});
    expect(events.at(-1)!.run.status).toBe('SUCCEEDED');
    expect(await data(sample.url, '{ big_stations { station_name } }')).toEqual({big_stations: [{station_name: 'Basel SBB'}, {station_name: 'Zürich HB'}]});
  });

  test('what is refused is kept aside and given again, with the answer and the counts it shows', async () => {
    const counts = async (id: string) => (await data(sample.url, `{ run(id: "${id}") { rowsRead rowsWritten rowsQuarantined } }`)).run;
    const {id} = await runToEnd(sample.url, 'archive');
    expect(await counts(id)).toEqual({rowsRead: String(3_201 + 42_049), rowsWritten: String(3_178 + 42_049), rowsQuarantined: '23'});
    const query = blocks('graphql').find((text) => text.includes('movies_quarantine'))!;
    const answer = blocks('json').find((text) => text.includes('"movies_quarantine"'))!;
    expect(await data(sample.url, query)).toEqual(JSON.parse(answer));
    const [, where, column, expression] = /replay movies --where "([^"]+)" --set-sql "(\w+)=([^"]+)"/.exec(readme)!;
    const {replayQuarantine} = await data(sample.url, 'mutation($input: ReplayQuarantineInput!) { replayQuarantine(input: $input) { ... on RunStarted { run { id } } } }', {
      input: {dataset: 'movies', where, setSql: {[column!]: expression}},
    });
    await collect(sample.url, runEvents, {id: replayQuarantine.run.id, after: '0'});
    expect(await counts(replayQuarantine.run.id)).toEqual({rowsRead: '22', rowsWritten: '22', rowsQuarantined: '0'});
    expect((await data(sample.url, '{ movies_aggregate { aggregate { count } } dataset(name: "zipcodes") { contract { key } } }'))).toEqual({
      movies_aggregate: {aggregate: {count: 3_200}}, dataset: {contract: {key: ['zip_code']}},
    });
    expect(readme).toContain(textOf('jobs/movies.contract.yaml').replace(/^#.*\n/, ''));
  });

  test('all its documents fit the graph, and its queries are answered', async () => {
    const {head} = (await data(sample.url, '{ dataset(name: "flights") { head { id } } }')).dataset;
    const documents = blocks('graphql');
    expect(documents.length).toBeGreaterThan(4);
    for (const document of documents.filter((text) => operationOf(parse(text)).operation === 'query')) {
      const {errors} = await ask(sample.url, document, {snapshot: head.id});
      expect({document, errors}).toEqual({document, errors: undefined});
    }
    const core = buildSchema(textOf('schema/schema.graphql'));
    for (const document of documents.filter((text) => operationOf(parse(text)).operation !== 'query')) {
      expect({document, errors: validate(core, parse(document)).map(({message}) => message)}).toEqual({document, errors: []});
    }
  });
});

const operationOf = (document: DocumentNode) => document.definitions.find((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION)!;

interface Judged {
  readonly rows: number;
  readonly late: number;
  readonly auc: number;
  readonly brier: number;
  readonly brierOfBaseRate: number;
  readonly calibration: readonly {readonly from: number; readonly predicted: number; readonly late: number}[];
}

test('its figures of the model are those of metrics.json', () => {
  const metrics = JSON.parse(textOf('jobs/models/late_arrival/metrics.json')) as {may: Judged; june: Judged};
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  for (const [month, {rows, late, auc, brier, brierOfBaseRate}] of [['May', metrics.may], ['June', metrics.june]] as const) {
    expect(readme).toContain(`| ${month} | ${rows.toLocaleString('en')} | ${percent(late)} | ${auc.toFixed(3)} | ${brier.toFixed(3)} | ${brierOfBaseRate.toFixed(3)} |`);
  }
  const text = readme.replaceAll('\n', ' ');
  for (const {from, predicted, late} of metrics.june.calibration.filter((bin) => [0.2, 0.6, 0.8].includes(bin.from))) {
    expect(text).toMatch(new RegExp(`${from * 100} to ${Math.round(from * 100 + 10)} %,? it expected ${percent(predicted)}[^.]*, and ${percent(late)} were`));
  }
});
