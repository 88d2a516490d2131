import type {App} from '../../src/compose.ts';
import type {PlannedStep, RunRecord, StepRecord} from '../../src/pipelines/pipeline.ts';

export interface EndedRun {
  readonly run: RunRecord;
  readonly steps: Readonly<Record<string, StepRecord>>;
  /** Log lines, as `warn: …`. */
  readonly logs: readonly string[];
}

/** Pipelines of an application as a test runs them, with its services. */
export function runner(app: () => App) {
  const viewer = () => app().services.system;
  const pipelines = () => app().services.pipelines;
  return {
    put: (name: string, steps: readonly unknown[], more: object = {}) => pipelines().put(viewer(), {name, steps, ...more}, 'test'),
    /** Runs to the end, whatever it is. */
    async run(pipeline: string, params: Record<string, unknown> = {}): Promise<EndedRun> {
      const {run: {id}} = await pipelines().start(viewer(), {pipeline, params});
      const logs: string[] = [];
      for await (const {data} of pipelines().events(viewer(), id, 0n, new AbortController().signal)) if (data.kind === 'log') logs.push(`${data.level}: ${data.message}`);
      const steps = (await pipelines().stepsOf(viewer(), [id])).get(id)!;
      return {run: await pipelines().run(viewer(), id), steps: Object.fromEntries(steps.map(step => [step.name, step])), logs};
    },
    plan: async (pipeline: string, params: Record<string, unknown> = {}): Promise<readonly PlannedStep[]> => (await pipelines().plan(viewer(), {pipeline, params})).steps,
    /** Rows of a dataset's newest snapshot, 64-bit numbers as numbers; `_row_id` is one of its columns. */
    async rows(dataset: string, sql = `SELECT * FROM ${dataset}`): Promise<readonly Record<string, unknown>[]> {
      const {warehouse, engine} = app().services;
      const table = await warehouse.table(await warehouse.resolve(dataset));
      const rows = await engine.rows({sql, relations: {[dataset]: {...table, rowIds: true}}});
      return rows.map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value])));
    },
  };
}
