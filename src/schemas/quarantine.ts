/** The columns of a quarantine: its dataset's, and why and where from each row was refused. */
import type {Field, Schema} from './schema.ts';

const text: Field['type'] = {kind: 'utf8'};
const whole: Field['type'] = {kind: 'int', bits: 64, signed: true};
const field = (name: string, type: Field['type'], description: string): Field => ({id: 0, name, type, nullable: true, description});

/**
 * What a quarantined row bears beside its own columns. Files that are staged may bear the first three as well: the step read rows that
 * are bad before any check, with what it read.
 */
export const markFields: readonly Field[] = [
  field('quarantine_reasons', {kind: 'list', element: {id: 0, name: 'element', type: text, nullable: true}}, 'The rules that the row broke'),
  field('quarantine_raw', {kind: 'json'}, 'The values as they were read, where they are no values of their columns'),
  field('quarantine_line', whole, 'The line of the file, where the reader tells it'),
];
export const placeFields: readonly Field[] = [
  field('quarantine_file', text, 'The file the row came from'),
  field('quarantine_record', whole, "The row's number in what was read (in its file, where there is one), from 1"),
  field('quarantine_run', text, 'The run that refused it'),
];
const marks = new Set([...markFields, ...placeFields].map(one => one.name));

/** The dataset's own columns. */
export const ownFields = (schema: Schema): readonly Field[] => schema.fields.filter(one => !marks.has(one.name));

/** A dataset's columns, any of which may be missing in a row that was refused, and the marks. */
export function quarantineSchema(schema: Schema): Schema {
  const own = ownFields(schema).map(one => ({...one, id: 0, nullable: true}));
  return {fields: [...own, ...markFields, ...placeFields]};
}
