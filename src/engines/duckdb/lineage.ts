import {createRequire} from 'node:module';
import {Worker} from 'node:worker_threads';
import type {ColumnLineage} from '../engine.ts';

/** The columns of each relation, by its name in the SQL. */
export type RelationColumns = Readonly<Record<string, readonly {readonly name: string; readonly sqlType: string}[]>>;

/** A column of the query and what it is made of, as polyglot tells it. */
interface Traced {
  readonly name: string;
  readonly kind: string;
  readonly relation: string;
  readonly from: readonly Traced[];
}

/**
 * Text, so that it runs the same from the sources, from dist and under a test runner. The parser is WebAssembly that takes half a
 * second to be ready and some milliseconds a column: not a thing for the server's own thread.
 */
const program = `
const {parentPort, workerData} = require('node:worker_threads');
const {init, lineageAtWithSchema} = require(workerData);
const ready = init();
const traced = node => ({name: node.name, kind: node.source_kind, relation: node.source_name, from: node.downstream.map(traced)});
parentPort.on('message', async ({id, sql, schema, count}) => {
  await ready;
  const columns = Array.from({length: count}, (_, ordinal) => {
    try {
      const {lineage} = lineageAtWithSchema(ordinal, sql, schema, 'duckdb');
      return lineage ? traced(lineage) : null;
    } catch {
      return null;
    }
  });
  parentPort.postMessage({id, columns});
});
`;

/** Traces columns through SQL in a thread of its own, which starts with the first question. */
export class LineageTracer {
  private worker: Worker | null = null;
  private readonly asked = new Map<number, (columns: readonly (Traced | null)[]) => void>();
  private last = 0;

  /**
   * Where each output column comes from. `outputs` are the query's columns in order, under the legal and the original name. Best
   * effort: a column that cannot be traced to columns of the relations is left out; one made of none (a constant, `count(*)`) has none.
   */
  async trace(sql: string, outputs: readonly {readonly name: string; readonly original: string}[], relations: RelationColumns): Promise<ColumnLineage> {
    const schema = {tables: Object.entries(relations).map(([name, columns]) => ({name, columns: columns.map(column => ({name: column.name, type: column.sqlType}))}))};
    const columns = await this.ask(readable(sql), schema, outputs.length);
    const known: Known = new Map(Object.entries(relations).map(([name, fields]) => [name.toLowerCase(), {name, columns: new Map(fields.map(field => [field.name.toLowerCase(), field.name]))}]));
    const lineage: Record<string, readonly string[]> = {};
    outputs.forEach(({name, original}, ordinal) => {
      const column = columns[ordinal];
      // Polyglot misses what EXCLUDE leaves out and then tells of the next column: where names differ nothing is claimed.
      if (!column || !(column.name.toLowerCase() === original.toLowerCase() || /^_(?:col_)?\d+$/.test(column.name))) return;
      const found = new Set<string>();
      if (collect(column, known, found)) lineage[name] = [...found].sort();
    });
    return lineage;
  }

  async stop(): Promise<void> {
    await this.worker?.terminate();
  }

  private ask(sql: string, schema: unknown, count: number): Promise<readonly (Traced | null)[]> {
    const worker = (this.worker ??= this.begin());
    return new Promise(resolve => {
      const id = ++this.last;
      this.asked.set(id, resolve);
      worker.postMessage({id, sql, schema, count});
    });
  }

  private begin(): Worker {
    const worker = new Worker(program, {eval: true, workerData: createRequire(import.meta.url).resolve('@polyglot-sql/sdk')});
    // An idle tracer must not keep the process alive.
    worker.unref();
    worker.on('message', ({id, columns}: {id: number; columns: (Traced | null)[]}) => {
      this.asked.get(id)?.(columns);
      this.asked.delete(id);
    });
    // Whatever ends the thread, questions get an answer: nothing is known.
    worker.on('error', () => {});
    worker.on('exit', () => {
      this.worker = null;
      for (const answer of this.asked.values()) answer([]);
      this.asked.clear();
    });
    return worker;
  }
}

/**
 * The statement as polyglot can read it: it does not know the integer division `//`, and to lineage one division is as good as
 * another. Texts, quoted names and comments are skipped.
 */
const readable = (sql: string): string =>
  sql.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\/\//g, found => (found === '//' ? '/' : found));

type Known = ReadonlyMap<string, {readonly name: string; readonly columns: ReadonlyMap<string, string>}>;

/** False when something below is neither a column of a relation nor made of none. */
function collect(node: Traced, known: Known, found: Set<string>): boolean {
  if (node.from.length > 0) return node.from.every(child => collect(child, known, found));
  if (node.kind !== 'table') return node.kind !== 'unknown';
  const relation = known.get(node.relation.toLowerCase());
  const column = relation?.columns.get(node.name.split('.').at(-1)!.replaceAll('"', '').toLowerCase());
  if (!relation || column === undefined) return false;
  found.add(`${relation.name}.${column}`);
  return true;
}
