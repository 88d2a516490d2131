/** However much is asked of the core graph at once, the catalog is asked the same number of times. */
import pg from 'pg';
import type {App} from '../../../src/compose.ts';
import {collect, createProject, data, runEvents, startApp} from '../../support/project.ts';
import type {Project} from '../../support/project.ts';

const everything = `{
  datasets { nodes { name rowCount schema { version fields { name profile { distinct } } } models { state reason }
    head { id run { id pipeline steps { name output { id } } } files { path } dataset { name } } snapshots(first: 3) { id run { id } schema { version } } } }
  runs { nodes { id status steps { name output { id dataset { name } } } } }
  models { name versions { number aliases trainedOn { id } } }
}`;

describe('the number of statements', () => {
  let project: Project;
  let app: App;

  beforeAll(async () => {
    project = createProject();
    project.write('one.csv', 'id,n\n1,2\n');
    app = await startApp(project);
  });
  afterAll(async () => {
    await app.lifecycle.stop();
    project.remove();
  });

  const ingest = async (into: string): Promise<void> => {
    const {ingest} = await data(app.http.url, `mutation($input: IngestInput!) { ingest(input: $input) { ... on RunStarted { run { id } } } }`, {input: {source: {path: 'one.csv'}, into}});
    await collect(app.http.url, runEvents, {id: ingest.run.id, after: '0'});
  };

  /** Statements sent to the database while everything is asked. */
  const count = async (): Promise<number> => {
    let statements = 0;
    const {query} = pg.Client.prototype;
    pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
      const [first] = args as [string | {text?: string}];
      const text = typeof first === 'string' ? first : (first?.text ?? '');
      // The worker and the queue look for work meanwhile; the graph's own statements name these tables.
      if (/FROM "?(public"?\."?)?(dataset|snapshot|head|data_file|run|run_step|model|model_version|model_alias|deployment|schema_version)\b/.test(text)) statements++;
      return (query as (...all: unknown[]) => unknown).apply(this, args);
    } as typeof query;
    try {
      await data(app.http.url, everything);
    } finally {
      pg.Client.prototype.query = query;
    }
    return statements;
  };

  test('does not grow with the number of datasets and runs', async () => {
    await ingest('first');
    const few = Math.min(await count(), await count(), await count());
    for (let index = 0; index < 8; index++) await ingest(`more_${index}`);
    const many = Math.min(await count(), await count(), await count());
    expect(few).toBeGreaterThan(3);
    expect(many).toBe(few);
  });
});
