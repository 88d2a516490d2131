import {MillraceError} from '../../core/errors.ts';
import {identifier, literal, sqlType} from '../../engines/sql-text.ts';
import {quarantineOf} from '../../schemas/contract.ts';
import type {Contract} from '../../schemas/contract.ts';
import {parseTypeName} from '../../schemas/parse-type.ts';
import {markFields, ownFields} from '../../schemas/quarantine.ts';
import {typeName} from '../../schemas/schema.ts';
import type {Field} from '../../schemas/schema.ts';
import type {ReplayStep} from '../pipeline.ts';
import type {StepKind} from './step-kind.ts';
import {inputIds} from './step-kind.ts';

const [reasons, raw, line] = markFields.map(field => identifier(field.name)) as [string, string, string];

/**
 * Reads rows of a quarantine as rows of its dataset: values that could not be read are read again, as the contract has their columns
 * now, and those that `setSql` names are computed. What still is no value of its column is marked as bad.
 */
export const replayKind: StepKind<ReplayStep> = {
  kind: 'replay',

  async reads(step) {
    return [quarantineOf(step.into)];
  },

  async prepare(step, {services: {engine}, inputs, contract, signal}) {
    const {where = 'true', setSql = {}} = step;
    for (const expression of [where, ...Object.values(setSql)]) await engine.analyzeExpression(expression);
    const {snapshot, table} = inputs[quarantineOf(step.into)]!;
    const fields = ownFields(table.schema).map((field): Field => ({...field, id: 0, type: typeNow(contract, field)}));
    const unknown = Object.keys(setSql).find(name => !fields.some(field => field.name === name));
    if (unknown !== undefined) throw new MillraceError('ARGUMENT_INVALID', {name: 'setSql', reason: `'${step.into}' has no column '${unknown}'.`});

    const values = fields.map(({name, type}) => {
      const [column, asType] = [identifier(name), sqlType(type)];
      const said = setSql[name];
      // What was read and is no value of its column lies there as text, under the column's name.
      const value = said === undefined ? `coalesce(TRY_CAST(${column} AS ${asType}), TRY_CAST(${raw} ->> ${literal(name)} AS ${asType}))` : `TRY_CAST((\n${said}\n) AS ${asType})`;
      const given = said === undefined ? `coalesce(${column}::VARCHAR, ${raw} ->> ${literal(name)})` : `(\n${said}\n)`;
      return {column, value, misread: `CASE WHEN ${given} IS NOT NULL AND ${value} IS NULL THEN ${literal(`${name} is no ${typeName(type)}`)} END`};
    });
    // A line that could not be taken apart has no values but those it is given now.
    const lost = Object.keys(setSql).length > 0 ? [] : [`CASE WHEN ${raw} ->> 'line' IS NOT NULL AND ${line} IS NOT NULL THEN 'its line could not be taken apart' END`];
    const sql = `
      SELECT ${values.map(({column, value}) => `${value} AS ${column}`).join(', ')}, nullif(list_filter([${[...values.map(({misread}) => misread), ...lost].join(', ')}], lambda one: one IS NOT NULL), []) AS ${reasons}, ${raw}, ${line}
      FROM quarantined WHERE (\n${where}\n) ORDER BY _row_id`;
    return {
      identity: null,
      rowsIn: null,
      bytesIn: snapshot === null ? null : Number(snapshot.bytes),
      described: {fields: fields.map(field => ({...field, nullable: true}))},
      lineage: {inputs: inputIds(inputs)},
      async stage(folder, schema, report) {
        const marked = {fields: [...schema.fields, ...markFields]};
        const files = await engine.materialize({sql, relations: {quarantined: {...table, rowIds: true}}}, {folder, schema: marked}, {signal, onProgress: fraction => report.progress(fraction)});
        return {files, schema: marked};
      },
      ...(snapshot === null ? {} : {replays: {quarantine: snapshot, where}}),
      close: async () => undefined,
    };
  },
};

/** A column's type as the contract has it now; it may have been edited so that the row fits. */
function typeNow(contract: Contract, field: Field): Field['type'] {
  const said = contract.columns?.[field.name]?.type;
  return (said === undefined ? null : parseTypeName(said)) ?? field.type;
}
