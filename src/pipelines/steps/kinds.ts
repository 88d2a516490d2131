import type {Step, StepKindName} from '../pipeline.ts';
import {ingestKind} from './ingest.ts';
import {predictKind} from './predict.ts';
import {publishKind} from './publish.ts';
import {replayKind} from './replay.ts';
import {sqlKind} from './sql.ts';
import type {StepKind} from './step-kind.ts';

/** Every kind of step there is. A new one is a file beside these, a shape in ../definition.ts and a line here. */
const kinds: {readonly [K in StepKindName]: StepKind<Extract<Step, {kind: K}>>} = {
  ingest: ingestKind, // raw files → dataset
  sql: sqlKind, // datasets → dataset
  predict: predictKind, // dataset × model version → dataset
  replay: replayKind, // quarantine → its dataset
  publish: publishKind, // dataset → file outside
};

export const kindOf = (step: Step): StepKind => kinds[step.kind] as unknown as StepKind;
