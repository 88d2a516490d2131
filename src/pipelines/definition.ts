import {createHash} from 'node:crypto';
import {z} from 'zod';
import {MillraceError} from '../core/errors.ts';
import {contractShape} from '../schemas/contract-shape.ts';
import type {OutputSettings, ParamSpec, ParamValue, PipelineDefinition, Step} from './pipeline.ts';

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be a name: letters, digits and underscores, beginning with a letter');
const common = {
  name,
  after: z.array(name).optional(),
  attempts: z.int().min(1).max(20).optional(),
  timeoutSeconds: z.number().positive().max(7 * 86_400).optional(),
};
const output = {
  mode: z.enum(['overwrite', 'append', 'merge', 'delete', 'overwrite_partitions']).optional(),
  renames: z.record(z.string(), name).optional(),
  latestBy: z.string().min(1).optional(),
  deletedWhen: z.string().min(1).optional(),
  partitionBy: z.strictObject({column: z.string().min(1), grain: z.enum(['day', 'month', 'value']), param: name.optional()}).optional(),
};

/** What is wrong with how a step's rows come into its dataset: the setting, and why. */
function outputIssues(given: OutputSettings): (readonly [setting: string, why: string])[] {
  const {mode = 'overwrite', renames, latestBy, deletedWhen, partitionBy} = given;
  return [
    ...(renames !== undefined && mode !== 'overwrite' ? [['renames', 'is for the mode `overwrite`; elsewhere rename the column by `renameColumn` first'] as const] : []),
    ...(latestBy !== undefined && mode !== 'merge' ? [['latestBy', 'is for the mode `merge`'] as const] : []),
    ...(deletedWhen !== undefined && mode !== 'merge' ? [['deletedWhen', 'is for the mode `merge`'] as const] : []),
    ...(mode === 'overwrite_partitions' && !partitionBy ? [['mode', 'overwrite_partitions needs `partitionBy`'] as const] : []),
    ...(partitionBy?.param !== undefined && mode !== 'overwrite_partitions' ? [['partitionBy', '`param` is for the mode `overwrite_partitions`'] as const] : []),
  ];
}

const checkOutput = (given: OutputSettings, {addIssue}: {addIssue(issue: {code: 'custom'; path: string[]; message: string}): void}): void => {
  for (const [setting, message] of outputIssues(given)) addIssue({code: 'custom', path: [setting], message});
};
const readerOptions = z.strictObject({
  delimiter: z.string().min(1).max(4).optional(),
  header: z.boolean().optional(),
  quote: z.string().max(1).optional(),
  escape: z.string().max(1).optional(),
  nulls: z.array(z.string()).optional(),
  types: z.record(z.string(), z.string()).optional(),
  compression: z.enum(['gzip', 'zstd']).optional(),
  skip: z.int().min(0).optional(),
  dateFormat: z.string().min(1).optional(),
  timestampFormat: z.string().min(1).optional(),
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252']).optional(),
});

/** Also what the graph's `ingest` takes. */
export const sourceSpec = z.strictObject({
  path: z.string().min(1).optional(),
  upload: z.string().min(1).optional(),
  hive: z.strictObject({table: z.string().min(1).optional(), where: z.string().min(1).optional(), query: z.string().min(1).max(1_000_000).optional()})
    .refine(({table, where, query}) => (table === undefined) !== (query === undefined) && (where === undefined || query === undefined), 'needs either a table, with or without `where`, or a query').optional(),
  format: z.enum(['csv', 'tsv', 'json', 'ndjson', 'parquet', 'arrow']).optional(),
  options: readerOptions.optional(),
}).refine(spec => [spec.path, spec.upload, spec.hive].filter(place => place !== undefined).length === 1, 'needs one of a path, an upload and a table of Hive');

const hiveTable = /^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$/;
const engineChoice = z.enum(['duckdb', 'spark', 'hive', 'auto']);
const sqlText = z.string().min(1).max(1_000_000);

const step = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common, kind: z.literal('ingest'), source: sourceSpec, into: name, ...output, options: readerOptions.optional(), contract: contractShape.optional(),
    incremental: z.boolean().optional(), onChanged: z.enum(['fail', 'reread', 'ignore']).optional(),
  }).superRefine(checkOutput).superRefine((given, {addIssue}) => {
    const refuse = (path: string, message: string): void => addIssue({code: 'custom', path: [path], message});
    if (!given.incremental) return given.onChanged === undefined ? undefined : refuse('onChanged', 'is for a step that is `incremental`');
    if (given.source.path === undefined && given.source.hive?.table === undefined) refuse('incremental', 'needs a path, whose files come and go, or a table of Hive with partitions');
    if ((given.mode ?? 'overwrite') === 'overwrite') refuse('incremental', 'adds to what is there: it needs a `mode` that does, such as `append`');
    if (given.mode === 'append' && given.onChanged === 'reread') refuse('onChanged', 'would append the rows of a changed file a second time: `reread` needs the mode `merge`');
  }),
  z.strictObject({
    ...common, kind: z.literal('sql'), sql: sqlText, into: name, ...output, contract: contractShape.optional(), engine: engineChoice.optional(),
    variants: z.strictObject({spark: sqlText.optional(), hive: sqlText.optional()}).optional(),
  }).superRefine(checkOutput),
  z.strictObject({
    ...common, kind: z.literal('predict'), input: name, model: name, alias: name.optional(), version: z.int().positive().optional(),
    features: z.record(name, z.string()).optional(), keep: z.array(name).optional(), into: name, contract: contractShape.optional(),
  }),
  z.strictObject({...common, kind: z.literal('replay'), into: name, where: z.string().min(1).optional(), setSql: z.record(name, z.string().min(1)).optional()}),
  z.strictObject({
    ...common, kind: z.literal('publish'), input: name, format: z.enum(['csv', 'parquet', 'json', 'ndjson', 'arrow']).optional(),
    file: z.string().min(1).refine(file => !file.startsWith('/') && !file.split(/[\\/]/).includes('..'), 'must be a path inside the published folder').optional(),
    to: z.strictObject({hive: z.strictObject({table: z.string().max(100).regex(hiveTable, 'must be a database and a name with a dot between, such as `shop.sales`'), keep: z.int().min(1).max(10_000).optional()})}).optional(),
  }).refine(({format, file, to}) => (to === undefined ? format !== undefined && file !== undefined : format === undefined && file === undefined), 'needs either a `file` and its `format`, or `to`'),
]);

const definition = z.strictObject({
  name,
  description: z.string().optional(),
  params: z.record(name, z.strictObject({
    type: z.enum(['string', 'int', 'float', 'bool', 'date']),
    default: z.union([z.string(), z.number(), z.boolean()]).optional(),
    description: z.string().optional(),
  })).optional(),
  concurrency: z.int().min(1).max(100).optional(),
  engine: engineChoice.optional(),
  schedule: z.strictObject({
    cron: z.string().min(1).max(200),
    timeZone: z.string().min(1).max(100).optional(),
    catchUp: z.enum(['none', 'last', 'all']).optional(),
  }).optional(),
  when: z.strictObject({
    datasets: z.array(name).min(1).max(100).refine(names => new Set(names).size === names.length, 'names a dataset twice'),
    mode: z.enum(['any', 'all']).optional(),
  }).optional(),
  steps: z.array(step).min(1).max(1_000),
});

/** Checks the shape of a definition; what its SQL reads is checked by the service. @throws PIPELINE_INVALID */
export function parseDefinition(value: unknown): PipelineDefinition {
  const parsed = definition.safeParse(value);
  if (!parsed.success) {
    const reason = parsed.error.issues.map(issue => `${issue.path.join('.') || 'the definition'}: ${issue.message}`).join('; ');
    throw new MillraceError('PIPELINE_INVALID', {reason});
  }
  const seen = new Map<string, string>();
  const once = (what: string, of: string): void => {
    if (seen.has(`${what} ${of}`)) throw new MillraceError('PIPELINE_INVALID', {reason: `two steps ${what} '${of}'`});
    seen.set(`${what} ${of}`, of);
  };
  for (const item of parsed.data.steps) {
    once('are named', item.name);
    if ('into' in item) once('write', item.into);
  }
  for (const item of parsed.data.steps) {
    const partitionBy = 'partitionBy' in item ? item.partitionBy : undefined;
    const type = partitionBy?.param === undefined ? null : (parsed.data.params?.[partitionBy.param]?.type ?? 'missing');
    const wanted = partitionBy?.grain === 'value' ? 'string' : 'date';
    if (type !== null && type !== wanted) throw new MillraceError('PIPELINE_INVALID', {reason: `step '${item.name}' needs the parameter '${partitionBy!.param}' of type ${wanted}; it is ${type}`});
  }
  for (const [key, spec] of Object.entries(parsed.data.params ?? {})) {
    if (spec.default !== undefined) checkParam(key, spec, spec.default, issue => {
      throw new MillraceError('PIPELINE_INVALID', {reason: `params.${key}.default: ${issue}`});
    });
  }
  return parsed.data as PipelineDefinition;
}

/** A definition's identity: the same JSON, whatever the order of keys. */
export function definitionHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** JSON with sorted keys: equal values, equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : typeof item === 'bigint' ? item.toString() : item);
}

/** Given parameters with the defaults filled in. @throws PARAMS_INVALID with every problem */
export function parseParams(specs: Readonly<Record<string, ParamSpec>>, given: Readonly<Record<string, unknown>>): Record<string, ParamValue> {
  const issues: string[] = Object.keys(given).filter(key => !(key in specs)).map(key => `'${key}' is no parameter of this pipeline`);
  const values: Record<string, ParamValue> = {};
  for (const [key, spec] of Object.entries(specs)) {
    const value = given[key] ?? spec.default;
    if (value === undefined) issues.push(`'${key}' (${spec.type}) is missing`);
    else {
      const checked = checkParam(key, spec, value, issue => issues.push(`'${key}' ${issue}`));
      if (checked !== undefined) values[key] = checked;
    }
  }
  if (issues.length > 0) throw new MillraceError('PARAMS_INVALID', {issues: issues.join('; '), list: issues});
  return values;
}

function checkParam(_key: string, spec: ParamSpec, value: unknown, report: (issue: string) => void): ParamValue | undefined {
  switch (spec.type) {
    case 'string':
      if (typeof value === 'string') return value;
      break;
    case 'int':
      if (Number.isSafeInteger(value)) return value as number;
      break;
    case 'float':
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'date':
      if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().startsWith(value)) return value;
      report('must be a date such as 2001-06-30');
      return undefined;
  }
  report(`must be of type ${spec.type}`);
  return undefined;
}

/**
 * Steps in an order in which each stands after those it needs. `needs` maps a step's name to names of steps.
 * @throws PIPELINE_CYCLE
 */
export function topologicalOrder(steps: readonly Step[], needs: ReadonlyMap<string, readonly string[]>): Step[] {
  const byName = new Map(steps.map(item => [item.name, item]));
  const done = new Set<string>();
  const ordered: Step[] = [];
  const visit = (item: Step, path: readonly string[]): void => {
    if (done.has(item.name)) return;
    const at = path.indexOf(item.name);
    if (at >= 0) throw new MillraceError('PIPELINE_CYCLE', {path: [...path.slice(at), item.name].join(' → ')});
    for (const need of needs.get(item.name) ?? []) visit(byName.get(need)!, [...path, item.name]);
    done.add(item.name);
    ordered.push(item);
  };
  for (const item of steps) visit(item, []);
  return ordered;
}
