/**
 * "How to add" of docs/architecture.md, done: a step kind, a source kind and an API are added to a copy of the project in just the
 * files that the document names. The copy must compile, keep the rules of imports, and work.
 */
import {spawn, spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {root, textOf} from './sources.ts';

/** What stands in a copy of the project: a new file's text, or what to replace by what in one that is there. */
type Change = string | readonly (readonly [found: string, by: string])[];
type Changes = Readonly<Record<string, Change>>;

const stepKind: Changes = {
  'src/pipelines/steps/limit.ts': `import {identifier} from '../../engines/sql-text.ts';
import type {LimitStep} from '../pipeline.ts';
import type {StepKind} from './step-kind.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** Keeps the first rows of a dataset. */
export const limitKind: StepKind<LimitStep> = {
  kind: 'limit',

  async reads(step) {
    return [step.input];
  },

  async prepare(step, {services: {engine}, inputs, signal}) {
    const {table} = inputs[step.input]!;
    const query = {sql: \`SELECT * FROM \${identifier(step.input)} LIMIT \${step.rows}\`, relations: {[step.input]: table}};
    return {
      identity: {rows: step.rows, engine: engine.fingerprint},
      ...inputSize(inputs),
      described: await engine.describe(query),
      lineage: {inputs: inputIds(inputs), columns: await engine.lineage(query)},
      stage: async (folder, schema, report) => ({files: await engine.materialize(query, {folder, schema}, {signal, onProgress: fraction => report.progress(fraction)}), schema}),
      close: async () => undefined,
    };
  },
};
`,
  'src/pipelines/steps/kinds.ts': [
    ["import {predictKind}", "import {limitKind} from './limit.ts';\nimport {predictKind}"],
    ['  publish: publishKind,', '  limit: limitKind, // the first rows of a dataset → dataset\n  publish: publishKind,'],
  ],
  'src/pipelines/pipeline.ts': [
    ['export type Step =', "export interface LimitStep extends StepCommon {\n  readonly kind: 'limit';\n  readonly input: string;\n  readonly rows: number;\n  readonly into: string;\n  readonly contract?: Contract;\n}\n\nexport type Step = LimitStep |"],
  ],
  'src/pipelines/definition.ts': [
    ["z.discriminatedUnion('kind', [", "z.discriminatedUnion('kind', [\n  z.strictObject({...common, kind: z.literal('limit'), input: name, rows: z.int().min(1), into: name, contract: contractShape.optional()}),"],
  ],
  'src/pipelines/builder.ts': [
    ['import type {IngestStep,', 'import type {IngestStep, LimitStep,'],
    ['/** Writes a dataset to a file', "export function limit(into: string, options: Optional<LimitStep, 'into'>): LimitStep {\n  return {kind: 'limit', name: into, into, ...options};\n}\n\n/** Writes a dataset to a file"],
  ],
  'src/api/graphql/core/enums.ts': [["'predict', 'replay', 'publish'", "'predict', 'limit', 'replay', 'publish'"]],
};

const sourceKind: Changes = {
  'src/sources/inline/inline-source.ts': `import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {openFiles} from '../raw-files.ts';
import type {OpenOptions} from '../raw-files.ts';
import type {SourceKind} from '../source.ts';

/** Text that stands in the definition itself. */
export function createInlineSource(options: OpenOptions): SourceKind {
  return {
    kind: 'inline',
    accepts: spec => spec.inline !== undefined,
    async open(spec, scratch) {
      const path = join(scratch, 'inline.csv');
      await writeFile(path, spec.inline!);
      return openFiles([{name: 'inline', path, fileName: 'inline.csv'}], spec, scratch, options);
    },
  };
}
`,
  'src/sources/kinds.ts': [
    ["import type {SourceKind}", "import {createInlineSource} from './inline/inline-source.ts';\nimport type {SourceKind}"],
    ['  createUploadSource(options),', '  createInlineSource(options), // data that stands in the definition\n  createUploadSource(options),'],
  ],
  'src/sources/source.ts': [['  readonly upload?: string;', '  readonly upload?: string;\n  readonly inline?: string;']],
  'src/pipelines/definition.ts': [
    ['  upload: z.string().min(1).optional(),', '  upload: z.string().min(1).optional(),\n  inline: z.string().min(1).optional(),'],
    ['[spec.path, spec.upload, spec.hive].filter', '[spec.path, spec.upload, spec.hive, spec.inline].filter'],
  ],
};

const api: Changes = {
  'src/api/counts/mount-counts.ts': `import type {FastifyInstance} from 'fastify';
import type {Datasets} from '../../warehouse/warehouse.ts';

/** How many rows each dataset has. */
export function mountCounts(app: FastifyInstance, {datasets}: {readonly datasets: Datasets}): void {
  app.get('/counts', async request => Object.fromEntries((await datasets.list(request.viewer)).map(({dataset, head}) => [dataset.name, Number(head?.rowCount ?? 0n)])));
}
`,
  'src/compose.ts': [
    ["import {mountConsole}", "import {mountCounts} from './api/counts/mount-counts.ts';\nimport {mountConsole}"],
    ["mounts: mode === 'serve' ? [", "mounts: mode === 'serve' ? [app => mountCounts(app, {datasets}), "],
    ['asFunction(({config, mode, logger, metrics, viewers, lifecycle, catalog, graphql}', 'asFunction(({config, mode, logger, metrics, viewers, lifecycle, catalog, graphql, datasets}'],
  ],
};

/** The files of a table of the document, new ones marked. */
function filesOf(heading: string): {path: string; isNew: boolean}[] {
  const section = textOf('docs/architecture.md').split(`### ${heading}\n`)[1]!.split('\n### ')[0]!;
  return [...section.matchAll(/^\| `([^`]+)`( \(new\))? \|/gm)].map(([, path, isNew]) => ({path: path!, isNew: isNew !== undefined}));
}

const recipes: readonly (readonly [heading: string, changes: Changes])[] = [['A step kind', stepKind], ['A source kind', sourceKind], ['An API', api]];

test.each(recipes)('%s: the document names just the files that are touched', (heading, changes) => {
  expect(filesOf(heading)).toEqual(Object.entries(changes).map(([path, change]) => ({path, isNew: typeof change === 'string'})));
});

test('An engine: the document names files of an engine that is there', () => {
  const files = filesOf('An engine');
  expect(files.length).toBeGreaterThan(3);
  for (const {path} of files) expect({path, there: existsSync(join(root, path.replace('NAME', 'spark')))}).toEqual({path, there: true});
});

const jobs = `
  import {ingest, limit, pipeline} from 'millrace/jobs';
  export default pipeline('few', {steps: [
    ingest('stops', {inline: 'id,name\\n1,Bern\\n2,Basel\\n3,Chur\\n'}),
    limit('first_stops', {input: 'stops', rows: 2}),
  ]});`;

describe('a copy of the project with all of them', () => {
  let copy: string;
  let project: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'millrace-copy-'));
    for (const path of ['src', 'bin', 'config', 'scripts', 'prisma/migrations', 'dist/catalog', 'package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
      cpSync(join(root, path), join(copy, path), {recursive: true});
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const [, changes] of recipes) for (const [path, change] of Object.entries(changes)) apply(path, change);
    project = join(copy, 'project');
    mkdirSync(join(project, 'jobs'), {recursive: true});
    writeFileSync(join(project, 'jobs/few.ts'), jobs);
  });
  afterAll(() => rmSync(copy, {recursive: true, force: true}));

  function apply(path: string, change: Change): void {
    const full = join(copy, path);
    if (typeof change === 'string') {
      mkdirSync(dirname(full), {recursive: true});
      writeFileSync(full, change);
      return;
    }
    let text = readFileSync(full, 'utf8');
    for (const [found, by] of change) {
      if (text.split(found).length !== 2) throw new Error(`${path} has not just one: ${found}`);
      text = text.replace(found, () => by);
    }
    writeFileSync(full, text);
  }

  const node = (...args: string[]) => spawnSync(process.execPath, args, {cwd: copy, encoding: 'utf8', env: {...process.env, NODE_OPTIONS: ''}, maxBuffer: 2 ** 28});
  const millrace = (...args: string[]) => node('bin/millrace.mjs', '--project', project, ...args);

  test('compiles', () => {
    const {status, stdout} = node('node_modules/typescript/bin/tsc', '-p', '.');
    expect(stdout).toBe('');
    expect(status).toBe(0);
  }, 120_000);

  test('keeps the rules of imports', () => {
    const {stdout} = node('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', 'src', '--config', '.dependency-cruiser.mjs', '--output-type', 'json');
    const {modules, summary} = JSON.parse(stdout) as {modules: {source: string}[]; summary: {violations: {rule: {name: string}; from: string}[]}};
    const touched = recipes.flatMap(([, changes]) => Object.keys(changes));
    expect(modules.map(({source}) => source)).toEqual(expect.arrayContaining(touched));
    expect(summary.violations.filter(({from}) => touched.includes(from)).map(({rule, from}) => `${rule.name}: ${from}`)).toEqual([]);
  }, 120_000);

  test('the step and the source run, and the API tells of them', async () => {
    const run = millrace('run', 'few', '--json');
    expect({status: run.status, errors: run.status === 0 ? '' : run.stderr}).toEqual({status: 0, errors: ''});
    const {steps} = JSON.parse(run.stdout) as {steps: {name: string; kind: string; status: string}[]};
    expect(steps.map(({name, kind, status}) => [name, kind, status])).toEqual([['stops', 'INGEST', 'SUCCEEDED'], ['first_stops', 'LIMIT', 'SUCCEEDED']]);

    const server = spawn(process.execPath, ['bin/millrace.mjs', '--project', project, 'serve', '--port', '0', '--json'], {cwd: copy, stdio: ['ignore', 'pipe', 'ignore'], env: {...process.env, NODE_OPTIONS: ''}});
    const ended = new Promise(resolve => server.once('exit', resolve));
    try {
      let said = '';
      for await (const chunk of server.stdout) {
        said += String(chunk);
        if (/"url"[\s\S]*"pid"/.test(said)) break;
      }
      const url = /"url":\s*"([^"]+)"/.exec(said)![1]!;
      expect(await (await fetch(`${url}/counts`)).json()).toEqual({first_stops: 2, stops: 3});
    } finally {
      server.kill('SIGTERM');
      await ended;
    }
  }, 120_000);
});
