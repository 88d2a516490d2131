import {changeSays, schemaChanges} from '../../src/schemas/compatibility.ts';
import {evolve, widens} from '../../src/schemas/evolve.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import {typeName} from '../../src/schemas/schema.ts';
import type {Field, Schema} from '../../src/schemas/schema.ts';

/** `a int32` or `a int32?`, with ids from 1 when numbered. */
const schema = (text: string, numbered = false): Schema => ({
  fields: text.split(', ').map((item, index): Field => {
    const [name, type] = item.split(' ') as [string, string];
    return {id: numbered ? index + 1 : 0, name, type: parseTypeName(type.replace('?', ''))!, nullable: type.endsWith('?')};
  }),
});
const drawn = ({fields}: Schema): string => fields.map(field => `${field.id}:${field.name} ${typeName(field.type)}${field.nullable ? '?' : ''}`).join(', ');

test.each([
  // previous, described, mode, schema after, changes in words
  [null, 'a int32, b utf8?', 'append', '10:a int32, 11:b utf8?', []],
  ['a int32, b utf8', 'b utf8, a int32', 'append', '1:a int32, 2:b utf8', []],
  ['a int32, b utf8', 'b utf8, a int32', 'overwrite', '2:b utf8, 1:a int32', []],
  ['a int32, b utf8', 'a int64, c bool', 'append', '1:a int64, 2:b utf8?, 10:c bool?', ['a: int32 → int64', 'b may be null', '+ c bool']],
  ['a int64', 'a int32?', 'append', '1:a int64?', ['a may be null']],
  ['a int64', 'a int32', 'overwrite', '10:a int32', ['a: int64 → int32']],
  ['a int32, b utf8', 'a utf8', 'overwrite', '10:a utf8', ['a: int32 → utf8', '- b utf8']],
  ['a int32', 'A int32', 'overwrite', '10:A int32', ['+ A int32', '- a int32']],
] as const)('%s, then %s by %s', (previous, described, mode, after, changes) => {
  const past = previous === null ? null : schema(previous, true);
  const next = evolve('d', past, schema(described), mode, 10);
  expect(drawn(next)).toBe(after);
  expect(past ? schemaChanges(past, next).map(changeSays) : []).toEqual(changes);
});

test.each([['a int32', 'a utf8'], ['a utf8', 'a int32'], ['a int32', 'A int32'], ['a decimal(9,2)', 'a decimal(9,3)'], ['a float64', 'a int64']])('%s cannot have %s appended', (previous, described) => {
  expect(() => evolve('d', schema(previous, true), schema(described), 'append', 10)).toThrow(expect.objectContaining({code: 'SCHEMA_INCOMPATIBLE'}));
});

test('nested fields are numbered after all columns, and keep their numbers', () => {
  const element = (type: Field['type']): Field => ({id: 0, name: 'element', type, nullable: true});
  const list: Field = {id: 0, name: 'l', type: {kind: 'list', element: element({kind: 'struct', fields: [{...element({kind: 'utf8'}), name: 'x'}]})}, nullable: true};
  const plain = schema('z bool').fields[0]!;
  const first = evolve('d', null, {fields: [list, plain]}, 'append', 1);
  const ids = (field: Field): unknown => [field.id, ...(field.type.kind === 'list' ? [ids(field.type.element)] : field.type.kind === 'struct' ? field.type.fields.map(ids) : [])];
  expect(first.fields.map(ids)).toEqual([[1, [3, [4]]], [2]]);
  expect(evolve('d', first, {fields: [list, plain]}, 'append', 5).fields.map(ids)).toEqual([[1, [3, [4]]], [2]]);
});

test.each([
  ['int8', 'int64', true], ['int64', 'int8', false], ['uint32', 'int64', true], ['uint64', 'int64', false], ['int32', 'uint64', false], ['int32', 'int32', true],
  ['float32', 'float64', true], ['float64', 'float32', false], ['int32', 'float64', false], ['decimal(9,2)', 'decimal(18,2)', true], ['decimal(18,2)', 'decimal(9,2)', false],
  ['date', 'timestamp', false], ['utf8', 'utf8', true], ['list<int32>', 'list<int64>', false],
])('%s widens to %s: %s', (from, to, expected) => {
  expect(widens(parseTypeName(from)!, parseTypeName(to)!)).toBe(expected);
});
