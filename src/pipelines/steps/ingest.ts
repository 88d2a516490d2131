import {isDeepStrictEqual} from 'node:util';
import {MillraceError} from '../../core/errors.ts';
import type {Engine, RawFiles, Unread} from '../../engines/engine.ts';
import {identifier} from '../../engines/sql-text.ts';
import type {Contract} from '../../schemas/contract.ts';
import {ambiguities} from '../../schemas/detection/detection.ts';
import type {Evidence} from '../../schemas/detection/detection.ts';
import {markFields} from '../../schemas/quarantine.ts';
import type {Schema} from '../../schemas/schema.ts';
import {sourceName} from '../../sources/source.ts';
import type {OpenedSource} from '../../sources/source.ts';
import type {IngestStep} from '../pipeline.ts';
import {factsOfProfile} from '../dataset-facts.ts';
import {newFiles} from './new-files.ts';
import type {Ahead, Looked, PreparedStep, StepContext, StepKind} from './step-kind.ts';

/** Reads raw files into a dataset, under legal column names. */
export const ingestKind: StepKind<IngestStep> = {
  kind: 'ingest',

  async reads() {
    return [];
  },

  async prepare(step, context) {
    if (!step.incremental) return prepareFiles(step, context);
    const {sources, ingestedFiles} = context.services;
    const [found, read] = [await sources.list(step.source), await ingestedFiles(step.into)];
    if (found.length === 0 && read.length === 0) throw new MillraceError('SOURCE_NOT_FOUND', {path: sourceName(step.source)});
    const {names, refused, due, notices} = newFiles(step, found, read);
    if (!due.now) return {identity: null, rowsIn: 0, bytesIn: 0, described: null, lineage: {}, due, notices, close: async () => undefined};
    const prepared = await prepareFiles(step, context, names);
    const refuse = async (): Promise<never> => {
      throw new MillraceError('SOURCE_REWRITTEN', {dataset: step.into, count: refused.length, path: refused[0]});
    };
    const refusing = async (): Promise<Looked> => ({...(await prepared.look!()), stage: refuse});
    return {...prepared, identity: null, due, notices, onlyNewFiles: true, ...(refused.length > 0 ? {look: refusing} : {})};
  },
};

/** @param only names of the files to read; default: all */
async function prepareFiles(step: IngestStep, context: StepContext, only?: ReadonlySet<string>): Promise<PreparedStep> {
  const source = await context.services.sources.open({...step.source, options: {...step.source.options, ...step.options}}, context.scratch, only);
  return {
    identity: {source: source.fingerprint},
    rowsIn: null,
    bytesIn: source.files.reduce((sum, file) => sum + file.bytes, 0),
    described: null,
    lineage: {},
    look: ahead => lookAt(source, step, context, ahead),
    close: () => source.close(),
  };
}

/** Finds the columns of raw files; with `ahead`, and where the sample is right about them, the rows are staged in the same read. */
async function lookAt(source: OpenedSource, step: IngestStep, {services: {engine}, contract, signal}: StepContext, ahead?: Ahead): Promise<Looked> {
  const accepted = asAccepted(source.raw, contract);
  const staged = ahead ? await stagedAhead(accepted, ahead) : null;
  const detection = staged ?? (await engine.sniff(accepted, {signal}));
  const schema = acceptedNames(detection.schema, contract, step);
  const raw = readable(detection, schema, contract);
  return {
    described: schema,
    notices: [...(source.told ?? []).map(message => ({level: 'info', message}) as const), ...doubts(detection, source.text?.evidence).map(message => ({level: 'warn', message}) as const)],
    lineage: {
      files: source.files.map(({name, sha256, bytes}) => ({name, sha256, bytes})),
      columns: Object.fromEntries(schema.fields.map(field => [field.name, [`${sourceName(step.source)}.${field.sourceName ?? field.name}`]])),
    },
    foresee: async () => ({result: 'profile' in detection ? factsOfProfile(schema, detection.profile, detection.rowCount) : null, findings: []}),
    async stage(folder, target, report) {
      if (staged && sameColumns(staged.written, target)) {
        await source.unchanged();
        return {files: staged.files, schema: target};
      }
      const written = raw.marks ? {fields: [...target.fields, ...markFields]} : target;
      const files = await engine.materialize({sql: selectAs(schema, raw.marks !== undefined), relations: {raw}}, {folder, schema: written}, {
        signal,
        onProgress: fraction => report.progress(fraction),
      });
      await source.unchanged();
      return {files, schema: written};
    },
    // One file is not read again: its rows are all there are.
    origins: async () => {
      const alone = source.files.length === 1;
      return Promise.all(source.files.map(async ({name}, index) => ({file: name, rows: alone ? 0 : await countRows(engine, {...raw, marks: undefined, files: [raw.files[index]!]}, signal)})));
    },
  };

  /** Null where the sample proposes what does not hold for every row, or nothing. */
  async function stagedAhead(given: RawFiles, {folder, written, report}: Ahead) {
    const proposal = await engine.propose(given);
    if (!proposal) return null;
    const proposed = acceptedNames(proposal.schema, contract, step);
    const target = await written(proposed);
    if (!target) return null;
    const {raw, evidence, dialect} = proposal;
    try {
      const files = await engine.materialize({sql: selectAs(proposed, false), relations: {raw}}, {folder, schema: target}, {signal, onProgress: fraction => report.progress(fraction)});
      const nulls = new Map(target.fields.map(({name}) => [name, files.some(file => file.columns.find(column => column.name === name)!.nulls > 0)]));
      const fields = proposal.schema.fields.map((field, index) => ({...field, nullable: files.length === 0 || nulls.get(proposed.fields[index]!.name)!}));
      return {schema: {fields}, evidence, dialect, raw, files, written: target};
    } catch (error) {
      // Reading all of it tells what is so, or names the row that cannot be read.
      if (error instanceof MillraceError && error.code.startsWith('SOURCE_')) return null;
      throw error;
    }
  }
}

/** Whether files with these columns can stand for files with those. */
const sameColumns = ({fields}: Schema, other: Schema): boolean =>
  isDeepStrictEqual(fields.map(({id, name, type}) => [id, name, type]), other.fields.map(({id, name, type}) => [id, name, type]));

/** Lines a run tells of what detection left open; `detectSchema` tells all of it. */
const mostDoubts = 20;

function doubts(detection: Parameters<typeof ambiguities>[0], ofText: readonly Evidence[] = []): string[] {
  const open = [...ofText.filter(item => item.ambiguous).map(evidence => ({column: null, evidence})), ...ambiguities(detection)];
  const lines = open.slice(0, mostDoubts).map(({column, evidence: {detail}}) => (column === null ? detail : `${column}: ${detail}`));
  return open.length > mostDoubts ? [...lines, `and ${open.length - mostDoubts} more columns leave something open: see detectSchema`] : lines;
}

async function countRows(engine: Engine, raw: RawFiles, signal: AbortSignal): Promise<number> {
  const [row] = await engine.rows({sql: 'SELECT count(*) AS n FROM raw', relations: {raw}}, {signal});
  return Number(row!.n);
}

/** Raw columns under their legal names; what differs between raw and dataset is shown in the schema. */
function selectAs(schema: Schema, marked: boolean): string {
  const columns = schema.fields.map(field => `${identifier(field.sourceName ?? field.name)} AS ${identifier(field.name)}`);
  return `SELECT ${[...columns, ...(marked ? markFields.map(mark => identifier(mark.name)) : [])].join(', ')} FROM raw`;
}

/** Raw files, to be read as the contract says. What cannot be read then fails, or is told where bad rows have another fate. */
function asAccepted(raw: RawFiles, {columns, onBadRow = 'fail'}: Contract): RawFiles {
  if (!columns) return raw;
  const readings = Object.fromEntries(Object.entries(columns).map(([name, {source = name, description: _, ...reading}]) => [source, reading]));
  return {...raw, options: {...raw.options, readings, lenient: onBadRow !== 'fail'}};
}

/** The names that the contract gives. @throws SOURCE_COLUMN_MISSING */
function acceptedNames(schema: Schema, {columns = {}}: Contract, step: IngestStep): Schema {
  const bySource = new Map(Object.entries(columns).map(([name, column]) => [column.source ?? name, {name, ...column}]));
  const sources = new Set(schema.fields.map(field => field.sourceName ?? field.name));
  const missing = [...bySource.keys()].filter(source => !sources.has(source));
  if (missing.length > 0) throw new MillraceError('SOURCE_COLUMN_MISSING', {path: step.source.upload === undefined ? sourceName(step.source) : 'the upload', dataset: step.into, columns: missing.join(', '), has: [...sources].join(', ')});
  return {
    fields: schema.fields.map(field => {
      const source = field.sourceName ?? field.name;
      const accepted = bySource.get(source);
      return accepted ? {...field, name: accepted.name, ...(accepted.name === source ? {} : {sourceName: source}), ...(accepted.description ? {description: accepted.description} : {})} : field;
    }),
  };
}

/** Files as a step reads them: strictly, with marks where something cannot be read. */
function readable({raw, unread}: {raw: RawFiles; unread?: Unread}, schema: Schema, {columns = {}}: Contract): RawFiles {
  const lost = unread?.lines ?? [];
  const strict = {...raw, options: {...raw.options, readings: undefined, lenient: lost.length > 0}};
  if (!unread || (unread.values === 0 && lost.length === 0)) return strict;
  const checked = schema.fields.filter(field => columns[field.name]).map(field => ({name: field.sourceName ?? field.name, as: field.name}));
  return {...strict, marks: {columns: checked, lines: lost}};
}

