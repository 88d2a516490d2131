/**
 * The one table of what can go wrong.
 *
 * A code is stable: clients branch on it. `message` says what happened ({braces} are filled in), `hint` what the caller can do,
 * `http` the status a plain HTTP answer carries, `exit` the exit code of the command line (1 unless told).
 * `docs/errors.md` is printed from this table, and a test fails when table, docs and uses disagree.
 */

interface ErrorRow {
  readonly message: string;
  readonly hint: string;
  readonly http: number;
  readonly exit?: number;
}

export const errorTable = {
  // --- what the caller named
  DATASET_NOT_FOUND: {message: "There is no dataset '{name}'.", hint: '{didYouMean} List them with `millrace datasets`.', http: 404},
  SNAPSHOT_NOT_FOUND: {message: "There is no snapshot '{id}'.", hint: "See a dataset's snapshots with the query `dataset(name) { snapshots { id } }`.", http: 404},
  SNAPSHOT_EXPIRED: {message: "Snapshot '{id}' of '{dataset}' was kept until {at}.", hint: 'Its rule keeps {rule}; see what is kept with the query `dataset(name) { snapshots { id expiredAt } }`. A longer `retention` in the contract, or a pin, keeps more.', http: 410},
  PIPELINE_NOT_FOUND: {message: "There is no pipeline '{name}'.", hint: '{didYouMean} Put a jobs file into the jobs folder, or create one with `createPipeline`. {problems}', http: 404},
  BACKFILL_NOT_FOUND: {message: "There is no backfill '{id}'.", hint: 'List them with the query `backfills { id }`.', http: 404},
  RUN_NOT_FOUND: {message: "There is no run '{id}'.", hint: 'List runs with the query `runs { nodes { id } }`.', http: 404},
  MODEL_NOT_FOUND: {message: "There is no model '{name}'.", hint: '{didYouMean} List them with `millrace models`.', http: 404},
  MODEL_VERSION_NOT_FOUND: {message: "Model '{name}' has no {version}.", hint: 'See its versions and aliases with `millrace models`.', http: 404},
  UPLOAD_NOT_FOUND: {message: "There is no upload '{id}'.", hint: 'Send the file to POST /uploads and use the id of the answer.', http: 404},
  NAME_RESERVED: {message: "The name '{name}' is reserved: {reason}.", hint: "Use another name, for example '{suggestion}'.", http: 409},
  NAME_INVALID: {message: "'{name}' is not a legal name.", hint: "Use letters, digits and underscores, beginning with a letter, 63 characters at most; for example '{suggestion}'.", http: 400},
  NAME_TAKEN: {message: "The name '{name}' is taken by {by}.", hint: "Use another name, for example '{suggestion}'.", http: 409},

  // --- sources
  SOURCE_NOT_FOUND: {message: "No file matches '{path}'.", hint: 'Check the path; it is relative to the project folder.', http: 404},
  SOURCE_OUTSIDE_ROOTS: {message: "'{path}' lies outside the folders that may be read.", hint: 'Move the file into the project, or add its folder to the setting `sources.roots`.', http: 403},
  SOURCE_EMPTY: {message: "'{path}' is empty.", hint: 'A file needs at least a header or one record.', http: 422},
  SOURCE_UNREADABLE: {message: "'{path}' cannot be read as {format}: {reason}", hint: 'Say the format or its options explicitly, or mend the file.', http: 422},
  SOURCE_FORMAT_UNKNOWN: {message: "The format of '{path}' is not known.", hint: 'Say it with `format`: one of csv, tsv, json, ndjson, parquet, arrow.', http: 422},
  SOURCE_ENCODING: {message: "'{path}' mixes encodings: line {other} is UTF-8, line {line} is not.", hint: 'Write the file in one encoding; or say `encoding` (utf-8, utf-16le, utf-16be, windows-1252) to read all of it as that.', http: 422},
  SOURCE_EXPANDS: {message: "'{path}' expands to more than {times} times its size.", hint: 'It may be a zip bomb. If it is not, raise the setting `sources.maxExpansion`, or unpack it yourself.', http: 413},
  SOURCE_LINE_TOO_LONG: {message: "A line of '{path}' is longer than {limit} bytes{at}.", hint: 'A quote that is not closed swallows all lines after it, and a binary file has none: look for it, or say `quote`.', http: 422},
  SOURCE_TOO_WIDE: {message: "'{path}' has {columns} columns; {limit} can be held.", hint: 'Make rows of the columns (one for each name and value), or choose some of them before.', http: 422},
  SOURCE_REWRITTEN: {message: "{count} of the files read into '{dataset}' have another content now, for example '{path}'.", hint: "Give new content a new name, or say by the step's `onChanged` what to do: `ignore`, or with the mode `merge` `reread`.", http: 409},
  SOURCE_COLUMN_MISSING: {message: "'{path}' has no column {columns}, which the contract of '{dataset}' lists; it has {has}.", hint: 'Ask whoever makes the data; if the column has another name now, say it as `source` of the column in the contract, or take it out there.', http: 422},
  SOURCE_CHANGED: {message: "'{path}' changed while it was read.", hint: 'Start the run again when the file is complete.', http: 409},

  PROPOSAL_NOT_FOUND: {message: "There is no proposal '{id}'.", hint: 'Ask `detectSchema` again: a proposal is kept for {days} days.', http: 404},

  // --- SQL
  SQL_INVALID: {message: 'The SQL is not valid: {reason}', hint: 'Mend the statement at the place named.', http: 400},
  SQL_NOT_ALLOWED: {message: 'The SQL is not allowed: {reason}', hint: 'A step is one SELECT over datasets; it cannot write, read files, attach, install or reach the network.', http: 403},
  SQL_FAILED: {message: 'The SQL failed while running: {reason}', hint: 'Mend the statement, or the data it fails on.', http: 422},
  ENGINE_OUT_OF_MEMORY: {message: 'The engine needs more memory than it may use: {reason}', hint: 'Raise `engine.memoryLimit`, or let the statement keep less at once: what is sorted, joined or grouped goes through files, one huge value does not.', http: 507},
  SQL_NOT_PORTABLE: {message: 'The SQL cannot be run on {engine}: {construct}{at} {reason}.', hint: "Write it within the portable core (docs/portable-sql.md), run the step on duckdb, or give it a text of its own for that engine: `variants: {{engine}: '…'}`.", http: 422, exit: 5},
  SQL_UNKNOWN_TABLE: {message: "The SQL reads '{name}', which is no dataset.", hint: 'Name a dataset or the output of an earlier step. {didYouMean}', http: 404},

  // --- engines past one machine
  PUBLICATION_NOT_FOUND: {message: "Nothing is published as '{table}'.", hint: 'Give the name that stands in the `publish` step, as `database.name`.', http: 404},
  ENGINE_UNAVAILABLE: {message: '{engine} does not answer: {reason}', hint: 'Check that it runs and that its address is set (`millrace engines`), then `retryRun`; nothing was committed. `millrace engines start` starts one on this machine.', http: 503, exit: 8},
  ENGINE_REFUSED: {message: '{engine} refuses these credentials: {reason}', hint: 'Mend the token, the user or the password in the settings of the engine.', http: 502, exit: 8},
  ENGINE_UNSUPPORTED: {message: '{engine} cannot be used: {reason}', hint: 'Point the address at a server of the kind and version named; nothing was run.', http: 502, exit: 8},
  ENGINE_FILES_UNREACHABLE: {message: '{engine} cannot {what}: {reason}', hint: 'The engine reads and writes the same files as Millrace: give its processes the folder `warehouse.folder` under the same path, or run the step with another `engine`. Nothing was run.', http: 422},
  ENGINE_INSTALL_FAILED: {message: '{engine} cannot be installed: {reason}', hint: '{advice}', http: 500},
  ENGINE_START_FAILED: {message: '{engine} did not start: {reason}. {tail}', hint: 'All that it wrote is in {log}.', http: 500, exit: 8},
  ENGINES_DIFFER: {message: "Step '{step}' has {rows} rows on one engine without an equal one on the other.", hint: 'Give the step a variant of its SQL for one of them, or a larger `--tolerance` if floats only differ in their last digits.', http: 409, exit: 6},

  // --- pipelines and runs
  PIPELINE_INVALID: {message: 'The pipeline is not valid: {reason}', hint: 'Mend the definition; nothing was run.', http: 400},
  PIPELINE_CYCLE: {message: 'The steps wait for each other in a circle: {path}.', hint: 'Remove one of the dependencies.', http: 400},
  SCHEDULE_INVALID: {message: "The schedule of '{pipeline}' is not valid: {reason}", hint: "A schedule is a pattern of five fields in a time zone, such as {cron: '15 6 * * 1-5', timeZone: 'Europe/Berlin'}; nothing was changed.", http: 400},
  SCHEDULE_NOT_FOUND: {message: "Pipeline '{pipeline}' has no schedule.", hint: 'Give its definition a `schedule` or a `when`.', http: 404},
  TRIGGER_CYCLE: {message: 'Pipelines would start each other without end: {path}.', hint: 'Take one of these datasets out of `when`, or write to another one.', http: 400},
  JOBS_FILE_FAILED: {message: "The jobs file '{file}' could not be loaded: {reason}", hint: 'Mend the file; its last good definition stays in use.', http: 422},
  JOBS_FILE_TIMEOUT: {message: "The jobs file '{file}' did not finish loading within {seconds} s.", hint: 'A jobs file only describes a pipeline: remove loops, waits and I/O from it.', http: 422},
  PARAMS_INVALID: {message: 'The parameters are not valid: {issues}', hint: "See the pipeline's parameters with the query `pipeline(name) { params { name type } }`.", http: 400},
  RUN_FINISHED: {message: 'Run {id} has already finished as {status}.', hint: 'Start a new run.', http: 409},
  RUN_CANCELLED: {message: 'The run was cancelled.', hint: 'Start it again with `retryRun`.', http: 409, exit: 4},
  RUN_FAILED: {message: "Step '{step}' failed: {reason}", hint: 'Mend the cause, then `retryRun`: finished steps are not run again.', http: 422, exit: 3},
  STEP_TIMEOUT: {message: "Step '{step}' did not finish within {seconds} s.", hint: "Raise the step's `timeoutSeconds`, or make it do less.", http: 422},
  WORKER_DIED: {message: "Step '{step}' ended its worker {times} times.", hint: 'Most often it needs more memory than there is: lower `engine.memoryLimit`, or make the step do less; then `retryRun`.', http: 422},
  LEASE_LOST: {message: "Another worker has taken over step '{step}'.", hint: 'Nothing to do: the other worker finishes it.', http: 409},
  EVENTS_EXPIRED: {message: 'Events up to {seq} are no longer kept.', hint: 'Subscribe with `after` at {seq} or later.', http: 410},
  IDEMPOTENCY_CONFLICT: {message: "The idempotency key '{key}' was used for another request.", hint: 'Use a new key for a new request.', http: 409},
  NOTHING_TO_RETRY: {message: 'Run {id} is {status}: only a failed or cancelled run can be retried.', hint: 'Start a new run instead.', http: 409},

  // --- warehouse
  COMMIT_CONFLICT: {message: "Dataset '{dataset}' changed while this commit was prepared.", hint: 'Run the step again; it will start from the newest snapshot.', http: 409},
  SCHEMA_INCOMPATIBLE: {message: "The new schema of '{dataset}' {misfit}: {changes}. {broken}", hint: 'Let columns keep their names and types (types may widen), rename one by `renameColumn`, set `compatibility: none` in the contract, or write to another dataset.', http: 409},
  KEY_VIOLATED: {message: "The key ({key}) of '{dataset}' is not unique: {count} rows share a key, for example {example}.", hint: 'Remove the duplicates, or declare another key.', http: 422},
  KEY_NULL: {message: "The key column '{column}' of '{dataset}' is null in {count} rows.", hint: 'Remove the rows, or declare another key.', http: 422},
  QUARANTINE_EMPTY: {message: "No row of '{dataset}' is quarantined.", hint: 'There is nothing to replay.', http: 409},
  CHECK_FAILED: {message: "The contract of '{dataset}' does not hold: {checks}.", hint: 'Nothing was committed. Mend the data, or say `onBadRow: quarantine` in the contract to keep such rows aside.', http: 422},
  CHECK_BROKEN: {message: "The check '{check}' of '{dataset}' cannot be made: {reason}", hint: 'Mend the SQL of the check (TRY_CAST and NULLIF help); nothing was committed.', http: 422},
  FOREIGN_KEY_VIOLATED: {message: "{count} rows of '{dataset}' have a {column} that is not in '{references}', for example {example}.", hint: 'Add the missing rows there first, or drop the foreign key.', http: 422},
  CONTRACT_INVALID: {message: "The contract of '{dataset}' is not valid: {reason}.", hint: 'Name columns the dataset has, for a foreign key a dataset with a key of one column, and nothing that contradicts itself.', http: 400},
  DATASET_NOT_WRITABLE: {message: "The contract of '{dataset}' does not allow clients to {kind} rows.", hint: "Say `writes: [insert, update, delete]`, or some of these, in the contract.", http: 403},
  WRITE_TOO_LARGE: {message: "The mutation would change more than {limit} rows of '{dataset}'.", hint: 'Change fewer at once, raise the setting `writes.maxRows`, or use a pipeline for many.', http: 413},
  ROW_QUARANTINED: {message: "The row was kept aside in '{quarantine}': {reasons}.", hint: "Mend its values and write it again; the rows kept aside are those of '{quarantine}'.", http: 422},
  PARTITION_INVALID: {message: "The rows of '{dataset}' cannot be parted: {reason}.", hint: 'Part by a column the dataset has: by day or month of a date or timestamp, or by the values of a column with few.', http: 422},
  PARTITION_OUTSIDE: {message: "{count} of the rows for '{dataset}' lie outside, for example in '{example}': the run is for '{partition}' only.", hint: "Let the step choose its rows by the parameter, or leave `param` out of `partitionBy`: then every partition that has new rows is replaced.", http: 422},
  DISK_FULL: {message: 'There is no space left on the disk that holds {path}.', hint: 'Free some space, then retry; the last snapshot is as it was.', http: 507},
  FILE_DAMAGED: {message: "The warehouse file '{path}' is missing or differs from its checksum.", hint: 'Restore it from a backup, or run the pipeline again.', http: 500, exit: 5},

  // --- webhooks
  WEBHOOK_INVALID: {message: 'The webhook is not valid: {reason}', hint: 'It needs a topic and a public http or https address; those of private networks are named in the setting `webhooks.privateHosts`. Leave the secret out for a new one.', http: 400},
  RELATIONSHIP_NOT_FOUND: {message: "'{dataset}' has no relationship '{name}' of its own.", hint: 'List them with `dataset(name) { relationships { name } }`; those of foreign keys are changed in the contract.', http: 404},
  WEBHOOK_NOT_FOUND: {message: "There is no webhook '{id}'.", hint: 'List them with `millrace webhooks`.', http: 404},
  DELIVERY_NOT_FOUND: {message: "There is no delivery '{id}'.", hint: 'List them with `millrace webhooks deliveries WEBHOOK`.', http: 404},

  // --- models
  ARTIFACT_NOT_ONNX: {message: 'The artifact is not a readable ONNX model: {reason}', hint: 'Export the model as ONNX and upload the .onnx file.', http: 422},
  ARTIFACT_OPERATOR: {message: "The model uses the operator '{operator}', which is not allowed.", hint: 'Use operators of the domains ai.onnx and ai.onnx.ml only.', http: 422},
  ARTIFACT_PATH: {message: "The model refers to a file outside its artifact: '{path}'.", hint: 'Upload external data beside the model, under a plain relative name.', http: 422},
  ARTIFACT_TOO_LARGE: {message: 'The artifact has {bytes} bytes; {limit} are allowed.', hint: 'Make the model smaller, or raise the setting `models.maxBytes`.', http: 413},
  ARTIFACT_UNSUPPORTED: {message: 'The model cannot be served: {reason}', hint: 'Inputs must be single columns [N, 1] of numbers, booleans or strings.', http: 422},
  ARTIFACT_CRASHED: {message: 'The trial run of the model crashed: {reason}', hint: 'Test the model with ONNX Runtime, then register it again.', http: 422},
  ARTIFACT_TIMEOUT: {message: 'The trial run of the model did not finish within {seconds} s.', hint: 'Remove endless loops from the model, or raise the setting `models.trialSeconds`.', http: 422},
  PARITY_FAILED: {message: '{rowsDiffering} example rows differ, by at most {maxDifference}.', hint: 'Export the model again; often a float32 conversion or a missing preprocessing step is the cause.', http: 422},
  SIGNATURE_MISMATCH: {message: "Model '{model}' does not fit '{dataset}': {reason}", hint: 'Deploy it with `features` that give the missing inputs as expressions of the columns.', http: 422},
  INPUT_INVALID: {message: 'The input does not fit the signature: {issues}', hint: "See the model's inputs with the query `model(name) { versions { inputs { name type } } }`.", http: 400},
  SCORING_INTERRUPTED: {message: 'The scoring thread ended before it answered: {reason}', hint: 'Send the request again; another thread has taken its place.', http: 503},

  // --- the graph
  GRAPHQL_INVALID: {message: '{reason}', hint: 'Compare the document with the schema; GraphiQL shows it.', http: 400},
  QUERY_TOO_DEEP: {message: 'The query is {depth} levels deep; {limit} are allowed.', hint: 'Ask for less at once.', http: 400},
  QUERY_TOO_MANY_ALIASES: {message: 'The query has {count} fields; {limit} are allowed.', hint: 'Ask for less at once.', http: 400},
  QUERY_TOO_MANY_CONDITIONS: {message: 'The arguments of the query have {count} objects; {limit} are allowed.', hint: 'Ask for many values by `_in`, or by several queries; the setting `limits.fields` raises this limit as well.', http: 400},
  QUERY_TOO_COSTLY: {message: 'The query would read {estimate}; {limit} is allowed.', hint: 'Narrow it with `where`, select fewer columns, or raise the setting `limits.cost` or `limits.scanBytes`.', http: 400},
  RESULT_TOO_LARGE: {message: 'The result would have more than {limit} {unit}.', hint: 'Ask for fewer rows with `limit`, or page with `offset`.', http: 413},
  SUM_TOO_LARGE: {message: 'A sum has more than 38 digits.', hint: 'Sum fewer rows, or ask for `avg`, or for the sum of a narrower column.', http: 422},
  QUERY_TIMEOUT: {message: 'The query did not finish within {seconds} s.', hint: 'Narrow it, or raise the setting `api.queryTimeoutSeconds` (`limits.streamSeconds` for NDJSON and Arrow).', http: 504},
  TOO_MANY_QUERIES: {message: '{limit} operations of yours are under way already.', hint: 'Wait for one of them to end, or raise the setting `limits.queries`.', http: 429},
  NOT_STREAMABLE: {message: 'The answer cannot be streamed: {reason}', hint: 'NDJSON and Arrow are for a query with one field that is a list of rows; ask for everything else as JSON.', http: 406},
  READER_TOO_SLOW: {message: 'The reader took nothing of the answer for {seconds} s.', hint: 'Ask again, and read without such pauses.', http: 408},
  ARGUMENT_INVALID: {message: "The argument '{name}' is not valid: {reason}", hint: 'Mend the argument.', http: 400},
  BODY_TOO_LARGE: {message: 'The body has more than {limit} bytes.', hint: 'Send files to POST /uploads, or raise the setting `api.maxBodyBytes` or `uploads.maxBytes`.', http: 413},
  ORIGIN_REFUSED: {message: "Requests from '{origin}' are not accepted.", hint: 'Open the console at the address of the server, or add the origin to the setting `api.origins`.', http: 403},
  UNAUTHENTICATED: {message: 'An admin secret is needed.', hint: 'Send it in the header `authorization: Bearer …`.', http: 401},
  CURSOR_INVALID: {message: 'The cursor cannot be used: {reason}', hint: 'Use the `cursor` of a batch as it was received; without one the stream begins with all rows there are.', http: 400},
  CURSOR_EXPIRED: {message: "Rows that come after the cursor are in no snapshot of '{dataset}' that is kept: theirs was kept until {at}.", hint: 'They may have been changed or deleted since. Begin again without a cursor, which gives all rows there are, or with `latest`, which leaves out those before now; a longer `retention` in the contract keeps cursors good for longer.', http: 410},
  LIVE_QUERY_ENDED: {message: 'The graph was changed, and the live query is not valid any more: {reason}', hint: 'Look at the schema as it is now, and subscribe to what it has.', http: 410},
  SUBSCRIBER_TOO_SLOW: {message: 'The subscriber did not read for {seconds} s.', hint: 'Subscribe again with `after` at the last number received.', http: 408},
  RECEIPT_INVALID: {message: 'The receipt cannot be read: {reason}', hint: 'Use the receipt exactly as `extensions.receipt` gave it.', http: 400, exit: 2},
  RECEIPT_DIFFERS: {message: 'The answer differs from its receipt: {reason}', hint: 'Run `millrace doctor` to check the files.', http: 409, exit: 6},
  RECEIPT_EXPIRED: {message: 'What the receipt was given for is not kept any more: {reason}', hint: 'Ask the question again of what is kept; a longer `retention` in the contract keeps receipts verifiable for longer.', http: 410, exit: 6},
  RECEIPT_ERASED: {message: 'Rows were erased from what the receipt was given for: {rows} by {by} at {at} (erasure {erasure}).', hint: 'Ask the question again; the record is listed by `dataset(name) { erasures { id reason } }`.', http: 410, exit: 6},

  // --- the installation
  CONFIG_INVALID: {message: 'The configuration is not valid: {issues}', hint: 'Mend the keys named; `millrace config` shows where each value comes from.', http: 500, exit: 2},
  FOLDER_IN_USE: {message: "The folder '{path}' is in use by another Millrace (process {pid}).", hint: 'Use that server, stop it first, or configure PostgreSQL (`catalog.url`) to run several.', http: 500, exit: 7},
  FOLDER_VERSION: {message: "The folder '{path}' was made by {found}; this is {expected}.", hint: 'Restore a backup into a new folder with this version.', http: 500, exit: 7},
  CATALOG_VERSION: {message: "The catalog has migration '{name}', which this version of Millrace {how}.", hint: 'Use the version that made the catalog, or restore a backup into a new one.', http: 500, exit: 7},
  NEEDS_POSTGRES: {message: '{what} needs a PostgreSQL catalog.', hint: 'Set `catalog.url` (MILLRACE_CATALOG_URL) to a PostgreSQL server.', http: 400, exit: 2},
  CATALOG_UNAVAILABLE: {message: 'The catalog database does not answer: {reason}', hint: 'Check that the database runs; work goes on when it is back.', http: 503, exit: 8},
  SERVER_UNREACHABLE: {message: "The server at '{url}' does not answer: {reason}", hint: 'Start it with `millrace serve`.', http: 503, exit: 8},
  BACKUP_INVALID: {message: "'{path}' is no complete backup: {reason}", hint: 'Use a folder that `millrace backup` wrote to its end.', http: 422, exit: 5},
  TARGET_NOT_EMPTY: {message: "'{path}' is not empty.", hint: 'Restore into an empty folder or database.', http: 409, exit: 2},
  USAGE: {message: '{reason}', hint: 'See `millrace help`.', http: 400, exit: 2},
  START_TIMEOUT: {message: "Part '{part}' of the server did not start within {seconds} s.", hint: 'See the log for what it waited for, then start again.', http: 500, exit: 8},
  PORT_IN_USE: {message: 'Address {host}:{port} is in use.', hint: 'Choose another port with `--port`, or stop the program that has it.', http: 500, exit: 7},
  PORT_REFUSED: {message: 'Address {host}:{port} cannot be listened on: {reason}', hint: 'Choose an address of this machine (`api.host`) and a port that you may use (`api.port`).', http: 500, exit: 2},
  NOT_FOUND: {message: "There is nothing at '{path}'.", hint: 'The graph is at /graphql, the console at /.', http: 404},
  REQUEST_INVALID: {message: 'The request cannot be read: {reason}', hint: 'Mend the request.', http: 400},
  SHUTTING_DOWN: {message: 'The server is shutting down.', hint: 'Send the request again to the restarted server.', http: 503},
  INTERNAL: {message: 'Something unexpected happened: {reason}', hint: 'This is a defect of Millrace; the log has the details under the request id.', http: 500},
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

type Values = Readonly<Record<string, unknown>>;

const fill = (template: string, values: Values): string =>
  template.replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole)).trim();

/** An error with a row of the table. `details` are the values that filled its message, for clients that want them typed. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly hint: string;
  readonly http: number;
  readonly exit: number;

  constructor(
    readonly code: ErrorCode,
    readonly details: Values = {},
    options?: {cause?: unknown},
  ) {
    const row: ErrorRow = errorTable[code];
    super(fill(row.message, details), options);
    this.hint = fill(row.hint, {didYouMean: '', problems: '', ...details});
    this.http = row.http;
    this.exit = row.exit ?? 1;
  }

  /** The error as plain data: what is stored in the catalog and sent to clients. */
  toJSON(): {code: ErrorCode; message: string; hint: string; details: Values} {
    return {code: this.code, message: this.message, hint: this.hint, details: this.details};
  }
}

/** Any thrown thing as a MillraceError; what is not one is INTERNAL and keeps its cause. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')) return new MillraceError('DISK_FULL', {path: 'the data'}, {cause: error});
  return new MillraceError('INTERNAL', {reason}, {cause: error});
}

/** The nearest of `names` to `name`, as a sentence for a hint, or ''. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const best = nearestName(name, names);
  return best === undefined ? '' : `Did you mean '${best}'?`;
}

/** The nearest of `names` to `name`, unless all are far from it. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({length: b.length + 1}, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
