import type {CliCommand, Context} from '../command.ts';
import {exitCodeOf, usage} from '../failure.ts';
import {failureOfError} from '../graph-client.ts';
import type {GraphAnswer, GraphClient, GraphRequest} from '../graph-client.ts';
import {operationKind} from '../operations.ts';
import {readInput, readJson} from '../read-input.ts';
import type {TableColumn} from '../table.ts';

interface QueryOptions {
  readonly query?: string;
  readonly variables?: string;
  readonly operation?: string;
}

export const queryCommand: CliCommand<QueryOptions> = {
  name: 'query',
  args: '[file]',
  summary: 'send a GraphQL document of a file, of -q or of standard input; subscriptions stream',
  options(command) {
    command
      .option('-q, --query <document>', 'the document itself')
      .option('--variables <json>', 'an object; @FILE reads it from a file')
      .option('--operation <name>', 'which operation of the document');
  },
  examples: [
    `millrace query -q '{ datasets { nodes { name rowCount } } }'`,
    `millrace query flights.graphql --variables '{"origin": "ATL"}'`,
    `millrace query -q 'subscription { runEvents(runId: "…") { seq __typename } }'`,
  ],
  async run(context, [file], {query, variables, operation}) {
    const {io, graph} = context;
    if (query !== undefined && file !== undefined) throw usage('Give a file or -q, not both.');
    if (query === undefined && file === undefined && io.stdin.isTTY) throw usage('Give a file, -q DOCUMENT, or a document on standard input.');
    const document = query ?? (await readInput(io, file ?? '-'));
    const values = variables === undefined ? undefined : await readJson(io, variables, '--variables');
    if (values !== undefined && (typeof values !== 'object' || values === null || Array.isArray(values))) throw usage('--variables must be a JSON object.');
    const request: GraphRequest = {document, variables: values as Record<string, unknown> | undefined, operationName: operation};
    const client = await graph();
    return operationKind(document, operation) === 'subscription' ? stream(context, client, request) : show(context, await client.execute(request));
  },
};

async function stream({io, out}: Context, client: GraphClient, request: GraphRequest): Promise<number> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  io.signals.on('SIGINT', onInterrupt);
  let exit = 0;
  try {
    for await (const answer of client.subscribe(request, AbortSignal.any([stop.signal, out.closed]))) {
      out.document(out.json ? answer : (answer.data ?? null));
      exit ||= tellErrors(out, answer);
      await out.drained();
    }
  } finally {
    io.signals.off('SIGINT', onInterrupt);
  }
  return exit;
}

function show({out}: Context, answer: GraphAnswer): number {
  if (out.json) {
    out.document(answer);
  } else if (answer.data) {
    const rows = onlyList(answer.data);
    if (rows && out.io.stdout.isTTY) out.rows(rows, columnsOf(rows), 'No rows.');
    else out.write(`${JSON.stringify(answer.data, null, 2)}\n`);
  }
  return tellErrors(out, answer);
}

/** Answers the exit code of the first error. */
function tellErrors(out: Context['out'], {errors = []}: GraphAnswer): number {
  const failures = errors.map(failureOfError);
  for (const {code, message, hint} of failures) out.failure({code, message, hint, exit: 1});
  return failures[0] ? exitCodeOf(failures[0].code) : 0;
}

type Row = Readonly<Record<string, unknown>>;

/** The rows of an answer that has one root field, a list of objects: a person reads those as a table. */
function onlyList(data: Row): readonly Row[] | null {
  const [value, ...others] = Object.values(data);
  if (others.length > 0 || !Array.isArray(value)) return null;
  const rows = value.map((row: unknown) => (typeof row === 'object' && row !== null && !Array.isArray(row) ? flat(row as Row) : null));
  return rows.every((row) => row !== null) ? rows : null;
}

/** `{a: {b: 1}}` as `{'a.b': 1}`. */
function flat(row: Row): Row {
  return Object.fromEntries(Object.entries(row).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(flat(value as Row)).map(([inner, deep]) => [`${name}.${inner}`, deep]) : [[name, value]]));
}

function columnsOf(rows: readonly Row[]): TableColumn<Row>[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].map((name) => ({title: name, value: (row) => cell(row[name])}));
}

function cell(value: unknown): string | number | null {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'number') return value ?? null;
  return JSON.stringify(value);
}
