import type {Measured} from '../../../engines/engine.ts';

/**
 * What a request that asks for it is told of how its data fields were answered. It is open: whoever takes part in a field notes its
 * own facts beside these.
 */
export interface FieldExplanation {
  statements?: StatementExplanation[];
  /** Milliseconds of each part, added up. */
  time?: Record<string, number>;
  /** Facts of others: of kept scores, maintained aggregates, shared executions. */
  [fact: string]: unknown;
}

export interface StatementExplanation {
  readonly sql: string;
  readonly datasets: readonly DatasetExplanation[];
  readonly estimated: {readonly rows: number; readonly bytes: number};
  /** Of a run of its own, after the one that made the answer. */
  real?: Measured;
  /** Makes that run. */
  measure?: () => Promise<Measured>;
}

export interface DatasetExplanation {
  readonly dataset: string;
  readonly snapshot: string;
  readonly rows: number;
  readonly files: {readonly read: number; readonly pruned: number};
}

export class Explanation {
  private readonly fields: Record<string, FieldExplanation> = {};
  private readonly operation: Record<string, unknown> = {};

  /** Of the operation as a whole. */
  note(fact: string, value: unknown): void {
    this.operation[fact] = value;
  }

  /** As `extensions.explain` shows it; runs each statement once more for what it takes. */
  async shown(): Promise<Record<string, unknown>> {
    for (const {statements = []} of Object.values(this.fields)) {
      for (const statement of statements) {
        statement.real = await statement.measure?.().catch(() => undefined); // what fails has failed in the answer too
        delete statement.measure;
      }
    }
    return {...this.operation, fields: this.fields};
  }

  /** By response key. */
  field(key: string): FieldExplanation {
    return (this.fields[key] ??= {});
  }

  async timed<T>(key: string, part: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      const time = (this.field(key).time ??= {});
      time[part] = Math.round(((time[part] ?? 0) + performance.now() - began) * 1000) / 1000;
    }
  }
}
