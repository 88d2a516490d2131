/**
 * What a jobs file imports (as `millrace/jobs`): it only describes a pipeline, and yields plain data.
 *
 *     export default pipeline('trips', {
 *       params: {through: date()},
 *       steps: [
 *         ingest('trips_raw', {path: 'data/trips.csv'}),
 *         sql('trips', 'SELECT * FROM trips_raw WHERE day <= $through'),
 *       ],
 *     });
 */
import {readFileSync} from 'node:fs';
import type {IngestStep, ParamSpec, PipelineDefinition, PredictStep, PublishFileStep, PublishStep, PublishTableStep, ReplayStep, SqlStep, Step, StepCommon} from './pipeline.ts';
import type {SourceSpec} from '../sources/source.ts';

type Optional<S extends Step, Fixed extends keyof S> = Partial<Pick<StepCommon, 'name'>> & Omit<S, 'kind' | 'name' | Fixed>;

/**
 * A pipeline. Steps run as soon as what they read is there; two that need not wait for each other run at once. With `schedule` and
 * `when` it is run by itself: `{schedule: {cron: '15 6 * * 1-5', timeZone: 'Europe/Berlin'}}`, `{when: {datasets: ['flights']}}`.
 */
export function pipeline(name: string, definition: Omit<PipelineDefinition, 'name'>): PipelineDefinition {
  return {name, ...definition};
}

/** Reads raw files into a dataset. */
export function ingest(into: string, source: SourceSpec, options: Optional<IngestStep, 'into' | 'source'> = {}): IngestStep {
  return {kind: 'ingest', name: into, into, source, ...options};
}

/** One SELECT over datasets and outputs of other steps, into a dataset. */
export function sql(into: string, text: string, options: Optional<SqlStep, 'into' | 'sql'> = {}): SqlStep {
  return {kind: 'sql', name: into, into, sql: text, ...options};
}

/** The text of an SQL file beside the jobs file: `sql('flights', sqlFile(new URL('./flights.sql', import.meta.url)))`. */
export function sqlFile(url: URL): string {
  return readFileSync(url, 'utf8');
}

/** Scores a dataset's rows with a model. */
export function predict(into: string, options: Optional<PredictStep, 'into'>): PredictStep {
  return {kind: 'predict', name: into, into, ...options};
}

/** Gives rows of a dataset's quarantine to it again. */
export function replay(into: string, options: Optional<ReplayStep, 'into'> = {}): ReplayStep {
  return {kind: 'replay', name: `replay_${into}`, into, ...options};
}

/** Writes a dataset to a file under the published folder, or shows it in Hive: `publish({hive: {table: 'shop.sales'}}, {input: 'sales'})`. */
export function publish(file: string, options: Optional<PublishFileStep, 'file'>): PublishStep;
export function publish(to: PublishTableStep['to'], options: Optional<PublishTableStep, 'to'>): PublishStep;
export function publish(place: string | PublishTableStep['to'], options: Partial<PublishFileStep> & {readonly input: string}): PublishStep {
  const common = {kind: 'publish', name: `publish_${options.input}`} as const;
  return (typeof place === 'string' ? {...common, file: place, ...options} : {...common, to: place, ...options}) as PublishStep;
}

const param = (type: ParamSpec['type']) => (options: Omit<ParamSpec, 'type'> = {}): ParamSpec => ({type, ...options});
export const string = param('string');
export const int = param('int');
export const float = param('float');
export const bool = param('bool');
/** A day, written `2001-06-30`. */
export const date = param('date');
