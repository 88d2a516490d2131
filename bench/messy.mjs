/**
 * Real files of npm and PyPI packages, and what each tool makes of them without being told anything: messy/expected.json says what is in
 * them and was written before any tool had read them. MESSY_TOOLS=Millrace,dlt reads with these alone.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {basename, join} from 'node:path';
import {run as runProgram} from '../scripts/lib/project.mjs';
import {finished, startApp, viewer} from './lib/app.mjs';
import {cache, packagedFile, python} from './lib/packages.mjs';
import {withProject} from './lib/project.mjs';
import {judge} from './messy/judge.mjs';
import {truthOf} from './messy/truth.mjs';

const {version: duckdbVersion} = createRequire(import.meta.url)('@duckdb/node-api/package.json');
export const peers = ['pandas==3.1.1', 'polars==2.1.0', 'duckdb==1.5.5', 'dlt[duckdb]==1.31.0'];

const files = JSON.parse(readFileSync(new URL('messy/expected.json', import.meta.url), 'utf8'));

export const title = `${files.length} messy files of ${new Set(files.map((file) => `${file.registry} ${file.package}`)).size} npm and PyPI packages: what each reader makes of their ${files.flatMap((file) => file.columns).length} columns`;
export const conditions = `What is in the files was written down before any tool had read them (messy/expected.json). Each tool reads with its defaults: Millrace's \`ingest\`, DuckDB's \`read_csv_auto\` and \`read_json_auto\`,
\`pandas.read_csv\` and \`read_json\`, \`polars.read_csv\` and \`read_json\`, dlt's \`filesystem() | read_csv()\` into DuckDB (for JSON: its records). pandas, polars and dlt guess no delimiter, header or encoding by design;
"told" are the same tools with all of the dialect told. A column is wrong in silence when a value of it changed or is lost (or the file's records are more or fewer) and nothing was said; it is untyped when no value changed but
its type, or the word that stands for no value, was not found. A refusal loses nothing. (Python: ${peers.join(', ')}. Millrace builds on DuckDB ${duckdbVersion}.) Each fault by name: \`MESSY_DETAILS=faults.txt npm run bench -- messy\`.`;

/** By tool: its answer for each file, in order. */
const tools = {
  'Millrace': (found) => withProject((folder) => millrace(folder, found)),
  'DuckDB': (found) => peer('duckdb', found, false),
  'pandas': (found) => peer('pandas', found, false),
  'polars': (found) => peer('polars', found, false),
  'dlt': (found) => peer('dlt', found, false),
  'pandas, told': (found) => peer('pandas', found, true),
  'polars, told': (found) => peer('polars', found, true),
};

export async function run({progress}) {
  const found = [];
  for (const file of files) {
    progress(`fetching ${file.package}`);
    found.push({...file, at: await packagedFile(file)});
  }
  /** @type {Record<string, ReturnType<typeof summary>[]>} */
  const verdicts = {};
  for (const [tool, read] of Object.entries(tools).filter(([name]) => !process.env.MESSY_TOOLS || process.env.MESSY_TOOLS.split(',').includes(name))) {
    progress(`reading with ${tool}`);
    const answers = await read(found);
    verdicts[tool] = found.map((file, index) => summary(file, answers[index]));
  }
  const details = Object.entries(verdicts).flatMap(([tool, all]) => all.flatMap(({faults}, index) => faults.map((fault) => `${tool}\t${files[index].package}/${basename(files[index].path)}\t${fault}`)));
  if (process.env.MESSY_DETAILS) writeFileSync(process.env.MESSY_DETAILS, `${details.join('\n')}\n`);
  return {lines: lines(verdicts), text: table(verdicts)};
}

/** @returns {{wrong: number, typed: number, error: string | null, faults: string[]}} `wrong` and `typed`: columns */
function summary(file, {error, ...read}) {
  if (error) return {wrong: 0, typed: 0, error, faults: [`refused\t${error}`]};
  const truth = truthOf(file, file.at);
  if (truth.records !== file.records) throw new Error(`${file.path} has ${truth.records} records, not ${file.records}`);
  const judged = judge(file, truth, {...read, records: read.columns[0]?.values.length ?? 0});
  const count = (/** @type {string} */ verdict) => judged.filter((column) => column.verdict === verdict).length;
  return {wrong: count('wrong'), typed: count('typed'), error: null, faults: judged.flatMap(({verdict, why}, index) => (verdict === 'right' ? [] : [`${verdict}\t${file.columns[index].name}\t${why}`]))};
}

async function millrace(folder, found) {
  const app = await startApp(join(folder, 'project'), [`sources.roots=${cache}`]);
  const read = [];
  for (const [index, file] of found.entries()) {
    const known = /\.(csv|tsv|tab|json)(\.gz)?$/i.test(file.path);
    try {
      const {id} = await app.pipelines.ingest(viewer, {into: `file_${index}`, source: {path: file.at, ...(known ? {} : {format: 'csv'})}});
      await finished(app, id);
      const {head} = await app.datasets.get(viewer, `file_${index}`);
      const stored = await app.datasets.files(viewer, head.id);
      read.push({format: 'parquet', path: stored.map(({path}) => app.warehouse.pathOf(path)), names: head.schema.fields.map(({name}) => name)});
    } catch (error) {
      read.push({error: error.message});
    }
  }
  await app.lifecycle.stop();
  const answers = await readAll('duckdb', read.filter(({error}) => error === undefined));
  return read.map((each) => (each.error === undefined ? answers.shift() : each));
}

const peer = (/** @type {string} */ tool, found, /** @type {boolean} */ told) =>
  readAll(tool, found.map(({at, format, dialect}) => ({path: at, format, dialect, told})));

/** What a tool of Python makes of files. */
const readAll = (/** @type {string} */ tool, listed) => withProject(async (folder) => {
  mkdirSync(folder, {recursive: true});
  const [list, out] = [join(folder, 'list.json'), join(folder, 'out.ndjson')];
  writeFileSync(list, JSON.stringify(listed));
  const {ok, output} = await runProgram(await python(peers), [new URL('messy/read.py', import.meta.url).pathname, tool, list, out], {env: {...process.env, DLT_DATA_DIR: folder, RUNTIME__DLTHUB_TELEMETRY: 'false'}});
  if (!ok) throw new Error(`${tool}: ${output.slice(-2000)}`);
  return readFileSync(out, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
});

function lines(verdicts) {
  return Object.entries(verdicts).flatMap(([tool, all]) => {
    const total = (/** @type {(each: ReturnType<typeof summary>) => number} */ of) => all.reduce((sum, each) => sum + of(each), 0);
    const wrongFiles = all.filter(({wrong}) => wrong > 0).length;
    const refused = all.filter(({error}) => error !== null).length;
    return [{measure: tool, value: `${total(({wrong}) => wrong)} columns of ${wrongFiles} files wrong in silence; ${total(({typed}) => typed)} untyped; ${refused} files refused`, aim: '', met: null}];
  });
}

function table(verdicts) {
  const names = Object.keys(verdicts);
  const cell = ({wrong, typed, error}) => (error !== null ? 'refused' : wrong + typed === 0 ? '✓' : `${wrong > 0 ? `**${wrong}**` : 0} / ${typed}`);
  const rows = files.map((file, index) => `| ${file.package} ${basename(file.path)} (${file.columns.length}) | ${file.about.replaceAll('|', '\\|')} | ${names.map((name) => cell(verdicts[name][index])).join(' | ')} |`);
  return [`By file: **columns wrong in silence** / untyped; ✓: all as they should be.`, '', `| file (columns) | what is in it | ${names.join(' | ')} |`, `|---|---|${names.map(() => '---|').join('')}`, ...rows].join('\n');
}
