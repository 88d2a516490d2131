import {realpath, stat} from 'node:fs/promises';
import {basename, isAbsolute, relative, resolve, sep} from 'node:path';
import type {CliCommand, Context} from '../command.ts';
import {usage} from '../failure.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {splitPairs} from '../params.ts';
import {collect} from '../command.ts';
import {finishRun} from './run.ts';

interface IngestOptions {
  readonly into?: string;
  readonly format?: string;
  readonly key?: string;
  readonly append?: boolean;
  readonly incremental?: boolean;
  readonly option?: readonly string[];
  readonly idempotencyKey?: string;
  readonly wait: boolean;
}

export const document = `mutation Ingest($input: IngestInput!) { ingest(input: $input) { ${failureFields} ... on RunStarted { run { id } } } }`;

export const ingestCommand: CliCommand<IngestOptions> = {
  name: 'ingest',
  args: '<path>',
  summary: 'read a file, a pattern of files or package:NAME/FILE into a dataset',
  options(command) {
    command
      .option('--into <dataset>', "the dataset (default: made from the file's name)")
      .option('--format <format>', 'csv, tsv, json, ndjson, parquet or arrow, where the name does not tell')
      .option('--key <columns>', 'columns that tell the rows apart, with commas')
      .option('--append', 'add to the rows that are there instead of replacing them')
      .option('--incremental', 'add only the files of the pattern that the dataset has not read')
      .option('--option <name=value>', "an option of the reader, such as delimiter=';'; may be given several times", collect)
      .option('--idempotency-key <key>', 'the same key again answers with the run it started')
      .option('--no-wait', 'start it and leave it alone');
  },
  examples: ['millrace ingest trips.csv --key id', "millrace ingest 'data/2024-*.parquet' --into trips"],
  async run(context, [path], {into, format, key, append, incremental, option, idempotencyKey, wait}) {
    const graph = await context.graph();
    const input = {
      source: await sourceOf(context, graph, path!),
      into: into ?? datasetName(path!),
      format: format?.toUpperCase(),
      mode: append || incremental ? 'APPEND' : 'OVERWRITE',
      incremental,
      key: key?.split(',').map((column) => column.trim()),
      options: option && Object.fromEntries(splitPairs(option, '--option').map(([name, value]) => [name, optionValue(value)])),
      idempotencyKey,
    };
    const {ingest} = await ask<{ingest: {run: {id: string}}}>(graph, document, {input});
    await finishRun(context, graph, ingest.run.id, wait);
  },
};

/** A file of the project by its path there; one that lies elsewhere is uploaded first. */
export async function sourceOf({io, out, config}: Context, graph: GraphClient, path: string): Promise<{path: string} | {upload: string}> {
  if (path.startsWith('package:')) return {path};
  const {project, sources} = (await config()).config;
  const full = resolve(io.cwd, path);
  const within = relative(await realOf(project.folder), await realOf(full));
  if (within !== '' && !within.startsWith(`..${sep}`) && within !== '..' && !isAbsolute(within)) return {path: within.replaceAll(sep, '/')};
  const isFile = (await stat(full).catch(() => null))?.isFile() === true;
  if (!isFile || sources.roots.some((root) => root !== project.folder && full.startsWith(root + sep))) return {path: full};
  out.note(`${path} lies outside the project: it is uploaded.`);
  return {upload: await graph.upload(full)};
}

/** With links followed as far as the path exists: a pattern does not. */
async function realOf(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const folder = resolve(path, '..');
    return folder === path ? path : resolve(await realOf(folder), basename(path));
  });
}

/** `data/Sales 2024.csv.gz` is `sales_2024`. @throws USAGE when nothing is left */
export function datasetName(path: string): string {
  const name = basename(path).split('.')[0]!.normalize('NFKD').replace(/\p{Mark}/gu, '').replace(/[^\p{ASCII}]|[^A-Za-z0-9]+/gu, '_').replace(/^[_\d]+|_+$/g, '').toLowerCase().slice(0, 63);
  if (name === '') throw usage(`No name for a dataset can be made from '${path}': say one by --into.`);
  return name;
}

/** `true`, `2` and lists are meant as such; anything else is text. */
export function optionValue(text: string): unknown {
  if (!/^(true|false|null|-?\d+|[[{].*)$/s.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
