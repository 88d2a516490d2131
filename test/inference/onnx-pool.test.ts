import {ThreadPool} from '../../src/inference/onnx/pool.ts';
import {createOnnxRuntime} from '../../src/inference/onnx/onnx-runtime.ts';
import type {WorkerRequest} from '../../src/inference/onnx/worker.ts';
import {artifactOf, batchOf, limits, rowsOf} from './models.ts';

/** What no thread can make sense of: it throws outside the handling of requests, which ends the thread. */
const poison = null as never as WorkerRequest;

test('a thread that dies rejects what it had to do, and another takes its place with the models loaded', async () => {
  const runtime = createOnnxRuntime({threads: 1});
  const report = await runtime.inspect(artifactOf('regressor'), limits);
  const load: WorkerRequest = {kind: 'load', model: 1, artifact: artifactOf('regressor'), report};
  const deaths: string[] = [];
  const pool = new ThreadPool({threads: 1, setup: () => [load], onDeath: reason => deaths.push(reason)});
  const score = (x: number) => pool.run({kind: 'score', model: 1, batch: batchOf(report, {x: [x], y: [0]}), firstRow: 0}, 1, []);
  const before = rowsOf(await score(1));

  await pool.run({kind: 'unload', model: 99}, 0, []);
  const answers = await Promise.allSettled([pool.run(poison, 0, []), score(1), score(2)]);
  for (const answer of answers.slice(1)) expect(answer).toMatchObject({status: 'rejected', reason: {code: 'SCORING_INTERRUPTED', http: 503}});
  expect(deaths).toHaveLength(1);

  expect(rowsOf(await score(1))).toEqual(before);
  await pool.stop();
  await expect(score(1)).rejects.toMatchObject({code: 'SHUTTING_DOWN'});
  expect(deaths).toHaveLength(1);
  await runtime.stop();
});

test('an error of a model harms no other request of its thread', async () => {
  const runtime = createOnnxRuntime({threads: 1});
  const artifact = artifactOf('picky');
  const report = await runtime.inspect(artifact, {...limits, examples: {inputs: {place: [0, 1, 2]}, outputs: {value: [10, 20, 30]}}});
  const model = await runtime.load(artifact, report);
  const answers = await Promise.allSettled([[0, 1], [1, 7], [2, 0]].map(place => model.score(batchOf(report, {place}))));
  expect(answers[1]).toMatchObject({status: 'rejected', reason: {code: 'INPUT_INVALID'}});
  expect([answers[0], answers[2]].map(answer => answer!.status === 'fulfilled' && rowsOf(answer!.value))).toEqual([[[10], [20]], [[30], [10]]]);
  await model.close();
  await runtime.stop();
});
