import type {Contract} from '../schemas/contract.ts';
import type {PrepareInput, SchemaRules, WriteMode} from '../warehouse/warehouse.ts';
import type {OutputSettings, RunRecord, Step} from './pipeline.ts';

const settingsOf = (step: Step): OutputSettings => (step.kind === 'ingest' || step.kind === 'sql' ? step : step.kind === 'replay' ? {mode: 'append'} : {});

/** How a step's rows come into its dataset. */
export const modeOf = (step: Step): WriteMode => settingsOf(step).mode ?? 'overwrite';

/** The same for one run, with everything it depends on. */
export function outputOf(step: Step, params: RunRecord['params']): Pick<PrepareInput, 'operation' | 'mergeBy' | 'partitionBy' | 'partition'> {
  const {latestBy, deletedWhen, partitionBy} = settingsOf(step);
  const operation = modeOf(step);
  return {
    operation,
    ...(operation === 'merge' ? {mergeBy: {latestBy, deletedWhen}} : {}),
    ...(partitionBy ? {partitionBy: {column: partitionBy.column, grain: partitionBy.grain}} : {}),
    ...(partitionBy?.param === undefined ? {} : {partition: String(params[partitionBy.param])}),
  };
}

/** What the schema of a step's output has to keep to. */
export const schemaRulesOf = (step: Step, contract: Contract): SchemaRules => ({contract, renames: settingsOf(step).renames});
