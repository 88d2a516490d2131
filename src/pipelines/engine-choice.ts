import {MillraceError} from '../core/errors.ts';
import type {EngineName} from '../engines/engine.ts';
import type {RemoteEngine, RemoteName, Translate} from '../engines/remote-engine.ts';
import type {EngineChoice, PipelineDefinition, SqlStep} from './pipeline.ts';

/** Engines past this machine, and when they are used. */
export interface Remotes {
  readonly engines: Readonly<Partial<Record<RemoteName, RemoteEngine>>>;
  readonly translate: Translate;
  /** Where neither the run, the step nor the pipeline says one. */
  readonly initial: EngineChoice;
  /** Bytes to read past which `auto` leaves the embedded engine. */
  readonly autoBytes: number;
}

export interface ChosenEngine {
  /** `auto`: the inputs are yet to be made, and their size will tell. */
  readonly name: EngineChoice;
  readonly why: string;
}

const isConfigured = (engine: RemoteEngine | undefined): boolean => (engine?.address ?? null) !== null;

/** @throws ENGINE_UNAVAILABLE */
export function remoteEngine({engines}: Remotes, name: RemoteName): RemoteEngine {
  const engine = engines[name];
  if (!engine || !isConfigured(engine)) throw new MillraceError('ENGINE_UNAVAILABLE', {engine: name, reason: `no address is configured (\`${name}.url\`)`});
  return engine;
}

/** The engine of a step: what the run says wins over the step, that over the pipeline, that over the configuration. */
export function chosenEngine(
  {run, step, definition}: {readonly run: EngineChoice | null; readonly step: Pick<SqlStep, 'engine'>; readonly definition: Pick<PipelineDefinition, 'engine'>},
  bytesIn: number | null, remotes: Remotes,
): ChosenEngine {
  const said = ([[run, 'the run says so'], [step.engine, 'the step says so'], [definition.engine, 'the pipeline says so'], [remotes.initial, 'the configuration says so']] as const).find(([name]) => name != null)!;
  const [name, why] = said as readonly [EngineChoice, string];
  if (name !== 'auto') return {name, why};
  if (bytesIn === null) return {name, why: 'what it reads is yet to be made'};
  const size = (bytes: number): string => `${(bytes / 1e6).toLocaleString('en', {maximumFractionDigits: 1})} MB`;
  if (bytesIn <= remotes.autoBytes) return {name: 'duckdb', why: `it reads ${size(bytesIn)}, and up to ${size(remotes.autoBytes)} are for this machine`};
  const past = (['spark', 'hive'] satisfies EngineName[]).find(remote => isConfigured(remotes.engines[remote]));
  return past
    ? {name: past, why: `it reads ${size(bytesIn)}, more than the ${size(remotes.autoBytes)} that are for this machine`}
    : {name: 'duckdb', why: `it reads ${size(bytesIn)}, which is much for this machine, but no other engine is configured`};
}
