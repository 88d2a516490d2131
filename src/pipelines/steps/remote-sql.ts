import {mkdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {syncPath} from '../../core/files.ts';
import type {Engine, Query} from '../../engines/engine.ts';
import type {NativeQuery, RemoteEngine} from '../../engines/remote-engine.ts';
import type {Schema} from '../../schemas/schema.ts';
import type {Staged, StepReport} from './step-kind.ts';

/** Where a remote engine writes, below the stage: files that are no output must not lie among those that are. */
const outputFolder = 'remote';

/**
 * Runs a statement on a remote engine into a stage. Its files are taken as they are where they have the schema's types and field ids;
 * else the embedded engine writes their rows once more.
 */
export async function stageRemotely(
  {remote, engine, query, label, signal}: {readonly remote: RemoteEngine; readonly engine: Engine; readonly query: NativeQuery; readonly label: string; readonly signal: AbortSignal},
  folder: string, schema: Schema, report: StepReport,
): Promise<Staged> {
  const output = join(folder, outputFolder);
  await mkdir(output);
  try {
    const paths = await remote.materialize(query, {folder: output, schema}, {
      signal, label, onProgress: (fraction, tasks) => report.progress(fraction, 0, tasks),
    });
    signal.throwIfAborted();
    const {files, exact} = await engine.inspect(paths, schema);
    if (!exact) return {files: await rewritten(engine, paths, folder, schema, signal), schema};
    const moved = await Promise.all(files.map(async (file, index) => {
      const path = join(folder, `part-${String(index).padStart(5, '0')}.parquet`);
      await syncPath(file.path);
      await rename(file.path, path);
      return {...file, path};
    }));
    await syncPath(folder);
    return {files: moved, schema};
  } finally {
    await rm(output, {recursive: true, force: true});
  }
}

const rewritten = (engine: Engine, paths: readonly string[], folder: string, schema: Schema, signal: AbortSignal) => {
  const query: Query = {sql: 'SELECT * FROM output', relations: {output: {kind: 'raw', format: 'parquet', files: paths, options: {}}}};
  return engine.materialize(query, {folder, schema}, {signal});
};
