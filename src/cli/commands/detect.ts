import type {CliCommand, Context} from '../command.ts';
import {collect} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import type {GraphClient} from '../graph-client.ts';
import {splitPairs} from '../params.ts';
import {facts} from '../table.ts';
import {bytes, count} from '../units.ts';
import {optionValue, sourceOf} from './ingest.ts';
import {finishRun} from './run.ts';

interface DetectOptions {
  readonly format?: string;
  readonly option?: readonly string[];
  readonly accept?: string;
  readonly type?: readonly string[];
  readonly rename?: readonly string[];
  readonly wait: boolean;
}

interface Evidence {
  readonly rule: string;
  readonly detail: string;
  readonly count: string | null;
  readonly ambiguous: boolean;
}

interface ProposedField {
  readonly name: string;
  readonly sourceName: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly profile: {readonly nulls: string; readonly distinct: string; readonly min: string | null; readonly max: string | null; readonly examples: readonly string[]};
  readonly evidence: readonly Evidence[];
}

interface Proposal {
  readonly id: string;
  readonly rowCount: string;
  readonly sampleRows: number;
  readonly files: readonly {readonly path: string; readonly bytes: string}[];
  readonly dialect: {readonly delimiter: string | null; readonly quote: string | null; readonly header: boolean | null; readonly encoding: string; readonly evidence: readonly Evidence[]};
  readonly fields: readonly ProposedField[];
  readonly ambiguities: readonly {readonly column: string | null}[];
  readonly suggestedContract: {readonly key?: readonly string[]; readonly checks?: readonly unknown[]};
}

const evidenceFields = 'rule detail count ambiguous';

export const detectDocument = `query Detect($source: SourceInput!, $format: SourceFormat, $options: JSON) {
  detectSchema(source: $source, format: $format, options: $options) {
    ${failureFields}
    ... on SchemaProposal {
      id rowCount sampleRows files { path bytes }
      dialect { delimiter quote escape header skip newline encoding evidence { ${evidenceFields} } }
      fields { name sourceName type nullable profile { nulls distinct min max examples histogram { from to count } } evidence { ${evidenceFields} } }
      ambiguities { column ${evidenceFields} }
      suggestedContract options
    }
  }
}`;

export const acceptDocument = `mutation Accept($input: AcceptSchemaInput!) {
  acceptSchema(input: $input) { ${failureFields} ... on SchemaAccepted { run { id } } }
}`;

export const detectCommand: CliCommand<DetectOptions> = {
  name: 'detect',
  args: '<path>',
  summary: 'show what a file holds: its columns, how it is read, and why',
  options(command) {
    command
      .option('--format <format>', 'csv, tsv, json, ndjson, parquet or arrow, where the name does not tell')
      .option('--option <name=value>', "an option of the reader, such as delimiter=';'; may be given several times", collect)
      .option('--accept <dataset>', 'make its columns those of a dataset, and read it')
      .option('--type <column=type>', 'with --accept: another type than was found; may be given several times', collect)
      .option('--rename <column=name>', 'with --accept: another name; may be given several times', collect)
      .option('--no-wait', 'with --accept: start the run and leave it alone');
  },
  examples: ['millrace detect trips.csv', 'millrace detect zipcodes.csv --accept zipcodes --type zip_code=utf8'],
  async run(context, [path], {format, option, accept, type, rename, wait}) {
    const {out} = context;
    const graph = await context.graph();
    const {detectSchema: proposal} = await ask<{detectSchema: Proposal}>(graph, detectDocument, {
      source: await sourceOf(context, graph, path!),
      format: format?.toUpperCase(),
      options: option && Object.fromEntries(splitPairs(option, '--option').map(([name, value]) => [name, optionValue(value)])),
    });
    if (accept !== undefined) return acceptAs(context, graph, proposal, accept, {types: pairs(type, '--type'), names: pairs(rename, '--rename')}, wait);
    if (out.json) return out.document(proposal);
    show(context, proposal);
  },
};

const pairs = (given: readonly string[] | undefined, option: string): Record<string, string> | undefined => given && Object.fromEntries(splitPairs(given, option));

async function acceptAs(context: Context, graph: GraphClient, proposal: Proposal, dataset: string, overrides: Readonly<Record<string, unknown>>, wait: boolean): Promise<void> {
  const {acceptSchema} = await ask<{acceptSchema: {run: {id: string}}}>(graph, acceptDocument, {input: {proposal: proposal.id, dataset, overrides}});
  await finishRun(context, graph, acceptSchema.run.id, wait);
}

function show({out}: Context, proposal: Proposal): void {
  const {dialect, fields, files, suggestedContract: {key, checks}} = proposal;
  const dim = (text: string): string => out.paint('dim', text);
  const [first, ...more] = files;
  out.write(facts([
    ['source', `${first!.path}${more.length > 0 ? ` and ${more.length} more` : ''}, ${bytes(files.reduce((sum, file) => sum + BigInt(file.bytes), 0n))}`],
    ['rows', `${count(proposal.rowCount)}, all of them looked at${Number(proposal.rowCount) > proposal.sampleRows ? `; ${count(proposal.sampleRows)} one by one` : ''}`],
    ['read as', dialect.delimiter === null ? null : [`delimiter ${JSON.stringify(dialect.delimiter)}`, `quote ${dialect.quote || 'none'}`, dialect.header ? 'header' : 'no header', dialect.encoding].join(', ')],
    ['proposal', proposal.id],
  ], dim));
  out.write(`\n${out.table([
    {title: 'COLUMN', value: (field: ProposedField) => field.name},
    {title: 'TYPE', value: (field) => `${field.type}${field.nullable ? '' : ' not null'}`},
    {title: 'NULLS', value: (field) => count(field.profile.nulls), align: 'right'},
    {title: 'DISTINCT', value: (field) => `~${count(field.profile.distinct)}`, align: 'right'},
    {title: 'MIN', value: (field) => field.profile.min},
    {title: 'MAX', value: (field) => field.profile.max},
    ...(fields.some(({name, sourceName}) => name !== sourceName) ? [{title: 'CAME AS', value: ({name, sourceName}: ProposedField) => (name === sourceName ? '' : sourceName)}] : []),
    {title: 'EXAMPLES', value: (field) => field.profile.examples.slice(0, 3).join(', ')},
  ], fields)}`);
  const told = [{column: '', evidence: dialect.evidence}, ...fields.map(({name, evidence}) => ({column: name, evidence}))].flatMap(({column, evidence}) => evidence.filter(({rule}) => rule !== 'name_mapped').map((item) => ({column, ...item})));
  if (told.length > 0) {
    const width = Math.max(...told.map(({column}) => column.length), 'the file'.length);
    let last: string | null = null;
    out.write('\n');
    for (const {column, detail, count: concerned, ambiguous} of told) {
      const name = column === last ? '' : column || 'the file';
      last = column;
      out.write(`${dim(name.padEnd(width))}  ${ambiguous ? out.paint('yellow', '?') : ' '} ${detail.replace(/\p{Cc}/gu, '�')}${concerned === null ? '' : dim(` (${count(concerned)})`)}\n`);
    }
  }
  const open = proposal.ambiguities.length;
  const suggested = [key ? `key ${key.join(', ')}` : '', checks && checks.length > 0 ? `${checks.length} ${checks.length === 1 ? 'check' : 'checks'}` : ''].filter((part) => part !== '').join(', ');
  out.write('\n');
  if (suggested !== '') out.write(facts([['suggested', suggested]], dim));
  out.write(open === 0 ? 'Nothing is left open. Read it with --accept DATASET\n' : `${out.paint('yellow', '?')} ${open === 1 ? 'One thing is' : `${open} things are`} left open: say it by --option or --type, or accept it as it is with --accept DATASET\n`);
}
