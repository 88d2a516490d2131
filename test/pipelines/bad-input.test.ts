/** What users get wrong, through the API: each has its code and hint, the server goes on, and the last good snapshot is still served. */
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import type {App} from '../../src/compose.ts';
import {fixtures} from '../inference/models.ts';
import {collect, createProject, data, runEvents, startApp} from '../support/project.ts';
import type {Project} from '../support/project.ts';

const failure = '... on Failure { code message hint }';

describe('bad input', () => {
  let project: Project;
  let app: App;
  let url: string;
  let elsewhere: string;

  beforeAll(async () => {
    project = createProject();
    elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    project.write('good.csv', 'id,name\n1,one\n2,two\n');
    app = await startApp(project, {set: ['pipelines.jobsFileSeconds=2', 'models.trialSeconds=2']});
    url = app.http.url;
    expect(await ingest({source: {path: 'good.csv'}, into: 'things', key: ['id']})).toMatchObject({status: 'SUCCEEDED'});
  });
  afterAll(async () => {
    await app.lifecycle.stop();
    project.remove();
    rmSync(elsewhere, {recursive: true});
  });
  // Whatever was wrong, what was right is still there.
  afterEach(async () => {
    expect(await data(url, '{ things(order_by: [{id: asc}]) { id name } }')).toEqual({things: [{id: 1, name: 'one'}, {id: 2, name: 'two'}]});
  });

  /** Ingests and waits for the end; answers the failure, or how the run ended with the error of its step. */
  async function ingest(input: Record<string, unknown>): Promise<Record<string, any>> {
    const {ingest: answer} = await data(url, `mutation($input: IngestInput!) { ingest(input: $input) { ... on RunStarted { run { id } } ${failure} } }`, {input});
    if (!answer.run) return answer;
    await collect(url, runEvents, {id: answer.run.id, after: '0'});
    const {run} = await data(url, 'query($id: ID!) { run(id: $id) { status error { code } steps { error { code message hint } } } }', {id: answer.run.id});
    return run.error === null ? run : {status: run.status, ...run.steps[0].error};
  }

  const create = async (definition: unknown): Promise<Record<string, any>> => (await data(url, `mutation($definition: JSON!) {
    createPipeline(definition: $definition) { ... on PipelineCreated { pipeline { name } } ${failure} } }`, {definition})).createPipeline;

  const refused = (code: string) => ({code, message: expect.stringMatching(/./), hint: expect.stringMatching(/./)});

  describe('files', () => {
    const random = Buffer.from(Array.from({length: 5_000}, (_, index) => (index * 7919 + (index >> 3)) % 256));

    test.each<[what: string, name: string, content: string | Buffer | null, code: string]>([
      ['missing', 'none.csv', null, 'SOURCE_NOT_FOUND'],
      ['empty', 'empty.csv', '', 'SOURCE_EMPTY'],
      ['empty Parquet', 'empty.parquet', '', 'SOURCE_EMPTY'],
      ['truncated JSON', 'cut.json', '[{"id": 1, "name": "one"}, {"id": 2, "na', 'SOURCE_UNREADABLE'],
      ['truncated gzip', 'cut.csv.gz', Buffer.from('1f8b0800000000000003cb48cdc9c95728', 'hex'), 'SOURCE_UNREADABLE'],
      ['binary, called CSV', 'binary.csv', random, 'SOURCE_UNREADABLE'],
      ['binary, called Parquet', 'binary.parquet', random, 'SOURCE_UNREADABLE'],
      ['binary, called Arrow', 'binary.arrow', random, 'SOURCE_UNREADABLE'],
      ['with rows of different lengths', 'ragged.csv', 'id,name\n1,one\n2\n3,three,3\n', 'SOURCE_UNREADABLE'],
      ['with a row that is too short', 'short.csv', 'id,name\n1,one\n2,two\n3\n4,four\n5,five\n', 'SOURCE_UNREADABLE'],
      ['of no known format', 'notes.docx', 'hello', 'SOURCE_FORMAT_UNKNOWN'],
      ['of blank lines', 'blank.csv', '\n\n\n', 'SOURCE_EMPTY'],
      ['of too many columns', 'wide.csv', `${Array.from({length: 5_000}, (_, index) => `c${index}`).join(',')}\n${Array(5_000).fill('1').join(',')}\n`, 'SOURCE_TOO_WIDE'],
      ['with a quote that is not closed', 'quote.csv', `id,name\n${'1,one\n'.repeat(9)}1,"one\n${'2,two\n'.repeat(9)}`, 'SOURCE_UNREADABLE'],
      ['with a line of 100 MB', 'line.csv', `id,name\n1,${'x'.repeat(100_000_000)}\n2,two\n`, 'SOURCE_LINE_TOO_LONG'],
      ['with one line of 100 MB', 'oneline.csv', 'x'.repeat(100_000_000), 'SOURCE_LINE_TOO_LONG'],
      ['with NUL bytes', 'nul.csv', 'id,name\n1,o\0ne\n', 'SOURCE_UNREADABLE'],
      ['in two encodings', 'encodings.csv', Buffer.concat([Buffer.from('id,name\n1,Zürich\n'), Buffer.from('2,Jos\xe9\n', 'latin1')]), 'SOURCE_ENCODING'],
      ['that expands without end', 'bomb.csv.gz', gzipSync(Buffer.alloc(100 * 2 ** 20, '1\n')), 'SOURCE_EXPANDS'],
    ])('%s', async (_what, name, content, code) => {
      if (content !== null) project.write(name, content);
      expect(await ingest({source: {path: name}, into: 'things'})).toMatchObject({status: 'FAILED', ...refused(code)});
    });

    test('a pattern that nothing matches', async () => {
      expect(await ingest({source: {path: 'none-*.csv'}, into: 'things'})).toMatchObject({status: 'FAILED', ...refused('SOURCE_NOT_FOUND')});
    });

    test('whose header has a name twice, or none: they are told apart', async () => {
      project.write('twins.csv', 'a,a,,A\n1,2,3,4\n');
      expect(await ingest({source: {path: 'twins.csv'}, into: 'twins'})).toMatchObject({status: 'SUCCEEDED'});
      expect((await data(url, '{ twins { a a_2 column2 A_2: A_3 } }')).twins).toEqual([{a: 1, a_2: 2, column2: 3, A_2: 4}]);
    });

    test('truncated Parquet', async () => {
      const {warehouse} = app.services;
      const {files: [file]} = await warehouse.table(await warehouse.resolve('things'));
      project.write('cut.parquet', readFileSync(file!.path).subarray(0, -20));
      expect(await ingest({source: {path: 'cut.parquet'}, into: 'things'})).toMatchObject({status: 'FAILED', ...refused('SOURCE_UNREADABLE')});
    });

    test('outside the roots, by path and by link', async () => {
      writeFileSync(join(elsewhere, 'secret.csv'), 'a\n1\n');
      symlinkSync(join(elsewhere, 'secret.csv'), join(project.folder, 'link.csv'));
      mkdirSync(join(project.folder, 'folder'));
      symlinkSync(elsewhere, join(project.folder, 'folder/inside'));
      for (const path of [join(elsewhere, 'secret.csv'), '../secret.csv', '/etc/passwd', 'link.csv', 'folder/inside/secret.csv']) {
        expect([path, await ingest({source: {path}, format: 'CSV', into: 'things'})]).toEqual([path, expect.objectContaining({status: 'FAILED', ...refused('SOURCE_OUTSIDE_ROOTS')})]);
      }
    });

    test('whose columns do not fit, or whose keys repeat', async () => {
      project.write('text.csv', 'id,name\none,1\n');
      expect(await ingest({source: {path: 'text.csv'}, into: 'things', mode: 'APPEND'})).toMatchObject(refused('SCHEMA_INCOMPATIBLE'));
      project.write('twice.csv', 'id,name\n1,one\n1,two\n');
      expect(await ingest({source: {path: 'twice.csv'}, into: 'things'})).toMatchObject(refused('KEY_VIOLATED'));
    });
  });

  describe('names', () => {
    test.each([
      ['query', 'NAME_RESERVED'], ['runs', 'NAME_RESERVED'], ['Dataset', 'NAME_RESERVED'], ['__type', 'PIPELINE_INVALID'], ['things_aggregate', 'NAME_RESERVED'],
      ['1st', 'PIPELINE_INVALID'], ['with space', 'PIPELINE_INVALID'], ['x'.repeat(64), 'PIPELINE_INVALID'],
    ])('a dataset called %s', async (into, code) => {
      expect(await create({name: 'p', steps: [{kind: 'ingest', name: 'a', into, source: {path: 'good.csv'}}]})).toEqual(refused(code));
      expect(await ingest({source: {path: 'good.csv'}, into})).toMatchObject({code: expect.stringMatching(/^NAME_|^PIPELINE_INVALID$|^ARGUMENT_INVALID$/)});
    });

    test('that differ in their case only', async () => {
      expect(await ingest({source: {path: 'good.csv'}, into: 'THINGS'})).toMatchObject({code: expect.stringMatching(/^NAME_/)});
    });
  });

  describe('pipelines', () => {
    const sql = (text: string) => ({name: 'p', steps: [{kind: 'sql', name: 'a', into: 'a', sql: text}]});

    test.each([
      ['writes', 'INSERT INTO things VALUES (3, \'three\')'], ['drops', 'DROP TABLE things'], ['creates', 'CREATE TABLE t AS SELECT 1'], ['copies', "COPY things TO 'out.csv'"],
      ['reads a file by function', "SELECT * FROM read_csv('/etc/passwd')"], ['reads a file by name', "SELECT * FROM '/etc/passwd'"], ['reads a blob', "SELECT * FROM read_blob('/etc/passwd')"],
      ['lists files', "SELECT * FROM glob('/*')"], ['attaches', "ATTACH 'x.db'"], ['installs', 'INSTALL httpfs'], ['loads', 'LOAD httpfs'], ['sets', 'SET threads = 1'],
      ['reads the network', "SELECT * FROM read_parquet('https://example.org/a.parquet')"], ['reads secrets', 'SELECT * FROM duckdb_secrets()'], ['reads the environment', "SELECT getenv('HOME')"],
      ['is two statements', 'SELECT 1; SELECT 2'], ['calls', 'CALL pragma_version()'], ['hides it in a subquery', "SELECT (SELECT count(*) FROM read_text('/etc/passwd')) FROM things"],
    ])('whose SQL %s', async (_what, text) => {
      expect(await create(sql(text))).toEqual(refused('SQL_NOT_ALLOWED'));
    });

    test('whose SQL is none, or names what is not there', async () => {
      expect(await create(sql('SELEC * FROM things'))).toEqual(refused('SQL_INVALID'));
      expect(await create(sql('SELECT * FROM things WHERE id = $day'))).toMatchObject({code: 'SQL_INVALID', message: expect.stringContaining('$day')});
      expect(await create({...sql('SELECT * FROM thigns'), name: 'reads_nothing'})).toMatchObject({pipeline: {name: 'reads_nothing'}});
      expect(await data(url, `{ planRun(input: {pipeline: "reads_nothing"}) { ${failure} } }`)).toMatchObject({planRun: {code: 'SQL_UNKNOWN_TABLE', hint: expect.stringContaining("'things'")}});
    });

    test('that go in a circle', async () => {
      expect(await create({name: 'p', steps: [
        {kind: 'sql', name: 'a', into: 'a', sql: 'SELECT * FROM b'}, {kind: 'sql', name: 'b', into: 'b', sql: 'SELECT * FROM c'}, {kind: 'sql', name: 'c', into: 'c', sql: 'SELECT * FROM a'},
      ]})).toMatchObject({code: 'PIPELINE_CYCLE', message: expect.stringMatching(/a → \w → \w → a/)});
      expect(await create({name: 'p', steps: [{kind: 'sql', name: 'a', into: 'a', sql: 'SELECT * FROM a'}]})).toMatchObject(refused('PIPELINE_CYCLE'));
    });

    test('that have the wrong shape', async () => {
      for (const definition of [1, 'x', [], {}, {name: 'p'}, {name: 'p', steps: []}, {name: 'p', steps: [{kind: 'magic', name: 'a'}]}, {...sql('SELECT 1'), colour: 'red'}]) {
        expect([definition, await create(definition)]).toEqual([definition, refused('PIPELINE_INVALID')]);
      }
      expect(await create({name: 'p', steps: [{kind: 'publish', name: 'a', input: 'things', format: 'csv', file: '../out.csv'}]})).toMatchObject(refused('PIPELINE_INVALID'));
    });

    test('that are given the wrong parameters', async () => {
      await create({...sql('SELECT * FROM things WHERE id > $least'), name: 'wants', params: {least: {type: 'int'}, day: {type: 'date', default: '2001-06-30'}}});
      for (const params of [{}, {least: 'x'}, {least: 1, day: 'June'}, {least: 1, more: 2}, {least: 1.5}]) {
        const answer = await data(url, `mutation($input: StartRunInput!) { startRun(input: $input) { ... on RunStarted { run { id } } ... on InvalidParams { issues } ${failure} } }`, {input: {pipeline: 'wants', params}});
        expect([params, answer.startRun]).toEqual([params, {...refused('PARAMS_INVALID'), issues: [expect.any(String)]}]);
      }
    });
  });

  test('jobs files that throw or never return: others load, the server serves, the problem is told', async () => {
    project.write('jobs/throws.ts', `throw new Error('out of coffee');`);
    project.write('jobs/hangs.ts', `for (;;);`);
    project.write('jobs/fine.ts', `import {ingest, pipeline} from 'millrace/jobs'; export default pipeline('fine', {steps: [ingest('fine_things', {path: 'good.csv'})]});`);
    const listed = data(url, '{ pipelines { name } }');
    expect(await data(url, '{ things_aggregate { aggregate { count } } }')).toEqual({things_aggregate: {aggregate: {count: 2}}});
    expect((await listed).pipelines.map((pipeline: any) => pipeline.name)).toContain('fine');
    const {startRun} = await data(url, `mutation { startRun(input: {pipeline: "throws"}) { ${failure} } }`);
    expect(startRun).toMatchObject({code: 'PIPELINE_NOT_FOUND', hint: expect.stringMatching(/throws\.ts.*out of coffee/)});
    expect(startRun.hint).toMatch(/hangs\.ts.*2 s/);
    rmSync(join(project.folder, 'jobs'), {recursive: true});
  });

  describe('models', () => {
    const register = async (bytes: Buffer | string): Promise<Record<string, any>> => {
      const upload = await fetch(`${url}/uploads?name=m.onnx`, {method: 'POST', body: bytes, headers: {'content-type': 'application/octet-stream'}});
      const {id} = (await upload.json()) as {id: string};
      return (await data(url, `mutation($input: RegisterModelInput!) { registerModel(input: $input) { ... on ModelRegistered { version { number } } ${failure} } }`, {input: {model: 'bad', artifact: id}})).registerModel;
    };
    const fixture = (name: string): Buffer => readFileSync(join(fixtures, `${name}.onnx`));

    test.each([
      ['outside', 'ARTIFACT_PATH'], ['absolute', 'ARTIFACT_PATH'], ['foreign', 'ARTIFACT_OPERATOR'], ['vector', 'ARTIFACT_UNSUPPORTED'], ['endless', 'ARTIFACT_TIMEOUT'], ['picky', 'ARTIFACT_CRASHED'],
    ])('%s is refused as %s', async (name, code) => {
      expect(await register(fixture(name))).toEqual(refused(code));
    });

    test('what is no ONNX', async () => {
      expect(await register('hello, I am a model')).toEqual(refused('ARTIFACT_NOT_ONNX'));
      expect(await register(fixture('nulls').subarray(0, 20_000))).toEqual(refused('ARTIFACT_NOT_ONNX'));
    });

    test('an upload that is not there', async () => {
      const answer = await data(url, `mutation { registerModel(input: {model: "bad", artifact: "nothing"}) { ${failure} } }`);
      expect(answer.registerModel).toEqual(refused('UPLOAD_NOT_FOUND'));
    });
  });
});
