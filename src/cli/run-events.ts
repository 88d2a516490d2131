/** A run and its events, as the commands ask for them. */

export interface StoredError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type RunStatus = 'QUEUED' | 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type StepStatus = 'PENDING' | 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'SKIPPED';

export interface RunView {
  readonly id: string;
  readonly pipelineName: string;
  readonly status: RunStatus;
  readonly waitingFor: string | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly error: StoredError | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly steps: readonly StepView[];
}

export interface StepView {
  readonly name: string;
  readonly kind: string;
  readonly status: StepStatus;
  readonly reused: boolean;
  readonly reason: string | null;
  readonly needs: readonly string[];
  readonly rowsWritten: string;
  readonly rowsSuperseded: string;
  readonly rowsDeleted: string;
  readonly rowsQuarantined: string;
  readonly rowsDropped: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly error: StoredError | null;
}

export const runFields = `
  id pipelineName: pipeline status waitingFor params createdAt startedAt finishedAt
  error { code message hint }
  steps { name kind status reused reason needs rowsWritten rowsSuperseded rowsDeleted rowsQuarantined rowsDropped startedAt finishedAt error { code message hint } }`;

export const runDocument = `query Run($id: ID!) { run(id: $id) { ${runFields} } }`;

interface EventOf<T extends string> {
  readonly __typename: T;
  /** A 64-bit number as text. */
  readonly seq: string;
  readonly at: string;
}

interface OfStep {
  readonly step: {readonly name: string};
}

export type RunEvent =
  | EventOf<'RunBegan'>
  | (EventOf<'StepStarted'> & OfStep & {readonly attempt: number; readonly reason: string})
  | (EventOf<'StepProgress'> & OfStep & {readonly fraction: number | null; readonly rowsDone: string; readonly rowsPerSecond: number})
  | (EventOf<'LogLine'> & {readonly about: {readonly name: string} | null; readonly level: 'INFO' | 'WARN' | 'ERROR'; readonly message: string})
  | (EventOf<'SnapshotCommitted'> & OfStep & {readonly dataset: {readonly name: string}; readonly snapshot: {readonly id: string}; readonly rowCount: string; readonly reused: boolean})
  | (EventOf<'FilePublished'> & OfStep & {readonly path: string; readonly rowCount: string; readonly bytes: string})
  | (EventOf<'StepRetrying'> & OfStep & {readonly attempt: number; readonly failure: StoredError; readonly waitSeconds: number})
  | (EventOf<'StepFinished'> & OfStep & {readonly status: StepStatus; readonly error: StoredError | null})
  | (EventOf<'RunFinished'> & {readonly run: {readonly status: RunStatus}; readonly error: StoredError | null});

/** Fields of one name but different nullability cannot be selected together: some have an alias. */
export const eventsDocument = `subscription RunEvents($runId: ID!, $after: BigInt) {
  runEvents(runId: $runId, after: $after) {
    __typename seq at
    ... on StepStarted { step { name } attempt reason }
    ... on StepProgress { step { name } fraction rowsDone rowsPerSecond }
    ... on LogLine { about: step { name } level message }
    ... on SnapshotCommitted { step { name } dataset { name } snapshot { id } rowCount reused }
    ... on FilePublished { step { name } path rowCount bytes }
    ... on StepRetrying { step { name } attempt failure: error { code message hint } waitSeconds }
    ... on StepFinished { step { name } status error { code message hint } }
    ... on RunFinished { run { status } error { code message hint } }
  }
}`;
