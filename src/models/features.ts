import {MillraceError} from '../core/errors.ts';
import type {Engine} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import type {Signature} from '../inference/runtime.ts';
import type {Schema} from '../schemas/schema.ts';
import {typeName} from '../schemas/schema.ts';
import {accepts} from './fit.ts';

/**
 * Checks that a dataset gives a model its inputs: by columns of the same name, or by row-local expressions.
 * @throws SIGNATURE_MISMATCH with what is missing and what has another type; SQL_*
 */
export async function checkFeatures(input: {
  engine: Engine; dataset: string; schema: Schema; model: string; signature: Signature; features: Readonly<Record<string, string>>;
}): Promise<void> {
  const {engine, dataset, schema, model, signature, features} = input;
  const columns = new Map(schema.fields.map(field => [field.name, field]));
  const unknown = Object.keys(features).filter(name => !signature.inputs.some(field => field.name === name));
  const missing = signature.inputs.map(field => field.name).filter(name => !features[name] && !columns.has(name));
  if (unknown.length > 0 || missing.length > 0) {
    const reason = unknown.length > 0 ? `it has no input '${unknown[0]}'` : `the inputs ${missing.join(', ')} are no columns of it`;
    throw new MillraceError('SIGNATURE_MISMATCH', {model, dataset, reason, missing, wrongType: []});
  }
  for (const expression of Object.values(features)) {
    await engine.analyzeExpression(expression);
    const [volatile] = (await engine.analyze(`SELECT (\n${expression}\n) FROM ${identifier(dataset)}`)).volatile;
    if (volatile !== undefined) throw new MillraceError('SQL_NOT_ALLOWED', {reason: `'${volatile}' differs from call to call, and a prediction is the same each time.`});
  }
  const sql = `SELECT ${signature.inputs.map((field, index) => `(\n${features[field.name] ?? `"${field.name}"`}\n) AS f${index}`).join(', ')} FROM ${dataset}`;
  const described = await engine.describe({sql, relations: {[dataset]: {kind: 'table', schema, files: []}}});
  const wrongType = signature.inputs.flatMap((field, index) => {
    const type = described.fields[index]!.type;
    return accepts(field.type, type) ? [] : [`${field.name}: ${typeName(type)} for ${typeName(field.type)}`];
  });
  if (wrongType.length > 0) throw new MillraceError('SIGNATURE_MISMATCH', {model, dataset, reason: `types differ: ${wrongType.join(', ')}`, missing: [], wrongType});
}
