import {MillraceError} from '../../core/errors.ts';
import type {ColumnFacts} from '../../engines/engine.ts';
import {identifier} from '../../engines/sql-text.ts';
import type {Field} from '../../schemas/schema.ts';
import type {PredictStep} from '../pipeline.ts';
import type {StepKind} from './step-kind.ts';
import {inputIds, inputSize} from './step-kind.ts';

/** A model input is read under this name beside the columns that are kept; no dataset's column has two underscores at once. */
const featureColumn = (input: string): string => `${input}__feature`;

/** Scores a dataset's rows with a model version. */
export const predictKind: StepKind<PredictStep> = {
  kind: 'predict',

  async reads(step) {
    return [step.input];
  },

  async prepare(step, {services, inputs, signal}) {
    const {engine, models} = services;
    const {snapshot, table} = inputs[step.input]!;
    const version = await models.resolve(step.model, {version: step.version, alias: step.alias ?? 'champion'});
    const {inputs: modelInputs, outputs} = version.signature;

    const available = new Set(table.schema.fields.map(field => field.name));
    const expressions = modelInputs.map(({name}) => {
      const expression = step.features?.[name];
      if (expression !== undefined) return expression;
      if (available.has(name)) return identifier(name);
      throw new MillraceError('SIGNATURE_MISMATCH', {
        model: step.model, dataset: step.input, reason: `the input '${name}' is no column of it`, missing: modelInputs.map(input => input.name).filter(input => !available.has(input) && !step.features?.[input]), wrongType: [],
      });
    });
    for (const expression of Object.values(step.features ?? {})) await engine.analyzeExpression(expression);

    const keep = step.keep ?? table.schema.fields.map(field => field.name);
    const taken = new Set(keep);
    const named: Field[] = outputs.map(output => ({...output, id: 0, name: taken.has(output.name) ? `${step.model}_${output.name}` : output.name}));
    const query = {
      sql: `SELECT ${[...keep.map(identifier), ...expressions.map((expression, index) => `(\n${expression}\n) AS ${identifier(featureColumn(modelInputs[index]!.name))}`)].join(', ')} FROM ${identifier(step.input)}`,
      relations: {[step.input]: table},
    };
    const kept = (await engine.describe(query)).fields.slice(0, keep.length);
    return {
      engine: {name: 'inference', why: "models run in Millrace's own inference, whichever engine ran the SQL"},
      identity: {model: version.fingerprint, features: expressions, keep, engine: engine.fingerprint},
      ...inputSize(inputs),
      described: {fields: [...kept, ...named]},
      lineage: {
        inputs: inputIds(inputs),
        modelVersions: [version.id],
        columns: Object.fromEntries([
          ...keep.map(column => [column, [`${step.input}.${column}`]] as const),
          ...named.map(output => [output.name, modelInputs.map(input => `${step.input}.${step.features?.[input.name] ?? input.name}`)] as const),
        ]),
      },
      async foresee(facts) {
        const {result, findings} = await engine.foresee(query, facts);
        const scored = (column: Field): ColumnFacts => ({name: column.name, type: column.type, min: null, max: null, attained: false, nulls: 'unknown', distinct: null});
        return {findings, result: result && {...result, columns: [...result.columns.slice(0, keep.length), ...named.map(scored)]}};
      },
      scores: {version, features: expressions},
      async stage(folder, schema, report) {
        const total = snapshot ? Number(snapshot.rowCount) : 0;
        let done = 0;
        const files = await engine.materializeScored(query, {
          features: modelInputs.map(input => featureColumn(input.name)),
          outputs: named,
          batchRows: version.settings.batchRows * 32,
          concurrency: 4,
          score: async batch => {
            const columns = await models.score(version, batch);
            done += batch.rowCount;
            report.progress(total === 0 ? null : Math.min(1, done / total), done);
            return columns;
          },
        }, {folder, schema}, {signal});
        return {files, schema};
      },
      close: async () => undefined,
    };
  },
};
