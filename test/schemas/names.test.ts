import {legalNames} from '../../src/schemas/names.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import {typeName} from '../../src/schemas/schema.ts';

test.each([
  [['Effect Amount of damage', 'Cost Total $'], ['effect_amount_of_damage', 'cost_total']],
  [['a', 'A', 'b'], ['a', 'A_2', 'b']],
  [['Cost $', 'cost', 'Cost %'], ['cost_2', 'cost', 'cost_3']],
  [['2001', '', '  ', '$'], ['c2001', 'column', 'column_2', 'column_3']],
  [['Größe', 'naïve café', '名前'], ['grosse', 'naive_cafe', 'column']],
  [['__typename', '_row_id', 'keepCamel', 'Keep_This9'], ['typename', 'row_id', 'keepCamel', 'Keep_This9']],
  [['a b', 'a_b', 'a-b', 'a_b_2'], ['a_b_3', 'a_b', 'a_b_4', 'a_b_2']],
])('legal names of %j', (names, expected) => {
  expect(legalNames(names)).toEqual(expected);
});

test.each(['bool', 'int8', 'uint64', 'float32', 'decimal(18,4)', 'utf8', 'timestamptz', 'list<utf8>', 'struct<a: int32, b: list<decimal(9,2)>>', 'map<utf8, struct<x: json>>'])('type names are read back: %s', name => {
  expect(typeName(parseTypeName(name)!)).toBe(name);
});

test.each(['', 'integer', 'list<', 'list<int32, utf8>', 'struct<int32>', 'map<utf8>', 'decimal(9)'])('no type: %j', name => {
  expect(parseTypeName(name)).toBeNull();
});
