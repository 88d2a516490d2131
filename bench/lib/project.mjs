import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {root} from '../../scripts/lib/project.mjs';
import {finished, startApp, viewer} from './app.mjs';

/** A project's folder for one benchmark. */
export async function withProject(/** @type {(folder: string) => Promise<unknown>} */ work) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Runs steps as a pipeline in a project, in this process. `after` may use the application before it stops. */
export async function prepareProject(folder, steps, after = async (_app) => {}) {
  const app = await startApp(folder);
  try {
    await app.pipelines.put(viewer, {name: 'prepare', steps}, 'bench');
    const {run} = await app.pipelines.start(viewer, {pipeline: 'prepare'});
    await finished(app, run.id);
    return await after(app);
  } finally {
    await app.lifecycle.stop();
  }
}

const modelFolder = join(root, 'jobs/models/late_arrival');

/** The sample's model, under the alias `champion`. */
export const registerModel = (app) => app.models.register(viewer, {
  model: 'late_arrival', files: [{name: 'late_arrival.onnx', path: join(modelFolder, 'late_arrival.onnx')}], modelFile: 'late_arrival.onnx',
  examples: JSON.parse(readFileSync(join(modelFolder, 'examples.json'), 'utf8')), alias: 'champion',
});
