/** Names that datasets and models cannot have, because the graph uses them or will. */

/** The glossary's words; their plurals are reserved as well. */
const words = [
  'source', 'dataset', 'snapshot', 'schema', 'contract', 'quarantine', 'pipeline', 'backfill', 'run', 'step', 'event', 'engine', 'stream', 'model', 'version', 'alias',
  'signature', 'prediction', 'deployment', 'upload', 'artifact', 'lineage', 'system', 'receipt', 'node', 'viewer',
];

const irregularPlurals: Readonly<Record<string, string>> = {alias: 'aliases', quarantine: 'quarantines', lineage: 'lineages'};

/** Root fields of the core graph that are no words of the glossary. Types of the core graph are PascalCase and meet no name in lower case. */
const rootFields = ['query', 'mutation', 'subscription', 'detect_schema', 'plan_run', 'run_events', 'accept_schema', 'start_run', 'cancel_run', 'retry_run', 'ping', 'health'];

/** Types that all datasets share. */
const sharedTypes = ['order_by', 'time_unit', 'time_part', 'change_kind', 'time_span', 'bigint', 'numeric', 'timestamp', 'timestamptz', 'date', 'time', 'interval', 'uuid', 'bytea', 'jsonb', 'json', 'float8', 'boolean', 'int', 'float', 'string', 'id'];

/** What is generated from a dataset's name, or will be, ends like this. */
const endings = [
  '_by_pk', '_aggregate', '_groups', '_group', '_group_key', '_having', '_stream', '_changes', '_change', '_quarantine', '_batch', '_one', '_many', '_bool_exp', '_order_by', '_select_column',
  '_insert_input', '_set_input', '_comparison_exp', '_aggregate_fields', '_sum_fields', '_avg_fields', '_min_fields', '_max_fields',
];

/** What is generated stands after such a word. */
const beginnings = ['insert_', 'update_', 'delete_'];

const reserved = new Map<string, string>([
  ...words.flatMap(word => [[word, 'it is a word of Millrace'], [irregularPlurals[word] ?? `${word}s`, 'it is a word of Millrace']] as const),
  ...rootFields.map(name => [name, 'the graph has a field of this name'] as const),
  ...sharedTypes.map(name => [name, 'the graph has a type of this name'] as const),
]);

/**
 * Why a name cannot be a dataset's or a model's, as the reason of NAME_RESERVED; null when it can. `fields` are root fields of the graph at hand.
 * Case does not matter: SQL does not tell `Runs` from `runs`.
 */
export function reservedReason(name: string, fields: Iterable<string> = []): string | null {
  const lower = name.toLowerCase();
  const snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const known = reserved.get(lower) ?? reserved.get(snake);
  if (known) return known;
  for (const field of fields) if (field.toLowerCase() === lower) return 'the graph has a field of this name';
  if (name.includes('__')) return 'two underscores together stand in generated names';
  if (name.startsWith('_')) return "names that begin with an underscore are the graph's own";
  const ending = endings.find(end => lower.endsWith(end));
  if (ending) return `generated names end in '${ending}'`;
  const beginning = beginnings.find(start => lower.startsWith(start));
  return beginning ? `generated names begin with '${beginning}'` : null;
}

/** A legal name near a reserved one, for the hint. */
export function unreserved(name: string): string {
  const tidy = name.replace(/^_+/, '').replace(/_{2,}/g, '_') || 'data';
  return reservedReason(tidy) === null ? tidy : `${tidy.replace(/^(insert|update|delete)_/i, '')}_data`;
}
