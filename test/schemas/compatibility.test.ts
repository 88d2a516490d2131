import fc from 'fast-check';
import {allows, changeSays, incompatibilities, schemaChanges} from '../../src/schemas/compatibility.ts';
import type {ChangeKind} from '../../src/schemas/compatibility.ts';
import type {Compatibility} from '../../src/schemas/contract.ts';
import {parseTypeName} from '../../src/schemas/parse-type.ts';
import type {Field, Schema} from '../../src/schemas/schema.ts';

/** `1:a int32, 2:b utf8?`, a question mark: it may be null. */
const schema = (text: string): Schema => ({
  fields: text === '' ? [] : text.split('; ').map((item): Field => {
    const [, id, name, type, nullable] = /^(\d+):(\w+) (.*?)(\?)?$/.exec(item)!;
    return {id: Number(id), name: name!, type: parseTypeName(type!)!, nullable: nullable !== undefined};
  }),
});

const modes: readonly Compatibility[] = ['backward', 'forward', 'full', 'none'];
const allowedBy = (before: Schema, after: Schema): Compatibility[] => modes.filter(mode => incompatibilities(mode, [{version: 1, schema: before}], after).length === 0);

test.each<[string, string, readonly ChangeKind[], string, readonly Compatibility[]]>([
  ['1:a int32', '1:a int32', [], '', ['backward', 'forward', 'full', 'none']],
  ['1:a int32; 2:b utf8', '2:b utf8; 1:a int32', [], '', ['backward', 'forward', 'full', 'none']],
  ['1:a int32', '1:a int32; 2:b utf8?', ['added'], '+ b utf8', ['backward', 'forward', 'full', 'none']],
  ['1:a int32', '1:a int32; 2:b utf8', ['added'], '+ b utf8', ['forward', 'none']],
  ['1:a int32; 2:b utf8?', '1:a int32', ['removed'], '- b utf8', ['backward', 'none']],
  ['1:a int32; 2:b utf8', '1:a int32', ['removed'], '- b utf8', ['backward', 'none']],
  ['1:a int32', '1:b int32', ['renamed'], 'a renamed to b', ['backward', 'none']],
  ['1:a int32', '2:b int32?', ['added', 'removed'], '+ b int32, - a int32', ['backward', 'none']],
  ['1:a int32', '1:a int64', ['widened'], 'a: int32 → int64', ['backward', 'none']],
  ['1:a decimal(9,2)', '1:a decimal(18,2)', ['widened'], 'a: decimal(9,2) → decimal(18,2)', ['backward', 'none']],
  ['1:a int64', '2:a int32', ['narrowed'], 'a: int64 → int32', ['forward', 'none']],
  ['1:a float64', '2:a float32', ['narrowed'], 'a: float64 → float32', ['forward', 'none']],
  ['1:a int32', '2:a utf8', ['retyped'], 'a: int32 → utf8', ['none']],
  ['1:a date', '2:a timestamp', ['retyped'], 'a: date → timestamp', ['none']],
  ['1:a int32', '1:a int32?', ['made_nullable'], 'a may be null', ['backward', 'none']],
  ['1:a int32?', '1:a int32', ['made_not_null'], 'a is never null', ['forward', 'none']],
  ['1:a int32', '1:b int64?', ['renamed', 'widened', 'made_nullable'], 'a renamed to b, a: int32 → int64, a may be null', ['backward', 'none']],
  ['1:a int32; 2:b utf8', '1:b int32; 2:a utf8', ['renamed', 'renamed'], 'a renamed to b, b renamed to a', ['backward', 'none']],
  ['1:a struct<x: int32, y: utf8>', '1:a struct<x: int32, y: utf8, z: bool>', ['added'], '+ a.z bool', ['backward', 'forward', 'full', 'none']],
  ['1:a struct<x: int32, y: utf8>', '2:a struct<x: int64>', ['widened', 'removed'], 'a.x: int32 → int64, - a.y utf8', ['backward', 'none']],
  ['1:a list<int32>', '2:a list<int64>', ['widened'], 'a[]: int32 → int64', ['backward', 'none']],
  ['1:a list<struct<x: int32>>', '2:a list<struct<x: utf8>>', ['retyped'], 'a[].x: int32 → utf8', ['none']],
  ['1:a map<utf8, int32>', '2:a map<utf8, int64>', ['widened'], 'a.value: int32 → int64', ['backward', 'none']],
  ['1:a list<int32>', '2:a int32', ['retyped'], 'a: list<int32> → int32', ['none']],
])('%s → %s', (before, after, kinds, words, allowed) => {
  const changes = schemaChanges(schema(before), schema(after));
  expect(changes.map(({kind}) => kind)).toEqual(kinds);
  expect(changes.map(changeSays).join(', ')).toBe(words);
  expect(allowedBy(schema(before), schema(after))).toEqual(allowed);
});

test('a transitive mode asks every earlier version, and tells the newest that stands against it', () => {
  const versions = [{version: 3, schema: schema('1:a int32; 4:c bool?')}, {version: 2, schema: schema('1:a int32')}, {version: 1, schema: schema('1:a int32; 2:b utf8')}];
  // b came back as something else: the newest version has no b.
  const next = schema('1:a int32; 4:c bool?; 5:b date?');
  expect(incompatibilities('backward', versions, next)).toEqual([]);
  expect(incompatibilities('backward_transitive', versions, next)).toEqual([{since: 1, change: expect.objectContaining({kind: 'retyped', column: 'b'})}]);
  expect(incompatibilities('forward_transitive', versions, schema('1:a int32'))).toEqual([
    {since: 3, change: expect.objectContaining({kind: 'removed', column: 'c'})}, {since: 1, change: expect.objectContaining({kind: 'removed', column: 'b'})},
  ]);
  expect(incompatibilities('none', versions, schema('9:z date'))).toEqual([]);
  expect(incompatibilities('full_transitive', [], next)).toEqual([]);
});

const types = ['int16', 'int32', 'int64', 'uint32', 'float32', 'float64', 'decimal(9,2)', 'decimal(18,2)', 'utf8', 'date', 'list<int32>', 'list<int64>', 'struct<x: int32>', 'struct<x: int32, y: utf8>'];
const column = fc.record({type: fc.constantFrom(...types), nullable: fc.boolean()});
/** Schemas of the same columns, by id, whose types and nullability differ. */
const sameColumns = (count: number) => fc.array(fc.array(column, {minLength: 3, maxLength: 3}), {minLength: count, maxLength: count})
  .map(all => all.map(columns => ({fields: columns.map(({type, nullable}, index): Field => ({id: index + 1, name: `c${index}`, type: parseTypeName(type)!, nullable}))})));
const fits = (mode: Compatibility, before: Schema, after: Schema): boolean => schemaChanges(before, after).every(change => allows(mode, change));
/** Without what only one side has: files give null for a column they lack, readers get no default. */
const onlyOnOneSide = (before: Schema, after: Schema): boolean => schemaChanges(before, after).some(({kind}) => kind === 'added' || kind === 'removed' || kind === 'renamed');

test('forward one way is backward the other way, and full is both', () => {
  fc.assert(fc.property(sameColumns(2), ([a, b]) => {
    fc.pre(!onlyOnOneSide(a!, b!));
    expect(fits('forward', a!, b!)).toBe(fits('backward', b!, a!));
    expect(fits('full', a!, b!)).toBe(fits('backward', a!, b!) && fits('forward', a!, b!));
  }), {numRuns: 500});
});

test('a schema fits itself; of one column, fitting carries on over any third', () => {
  const all = types.flatMap(type => [true, false].map((nullable): Schema => ({fields: [{id: 1, name: 'c', type: parseTypeName(type)!, nullable}]})));
  const fit = all.map(before => all.map(after => new Set(modes.filter(mode => fits(mode, before, after)))));
  const broken: unknown[] = [];
  let carried = 0;
  all.forEach((_, a) => all.forEach((__, b) => all.forEach((___, c) => {
    for (const mode of modes.filter(one => fit[a]![b]!.has(one) && fit[b]![c]!.has(one))) {
      carried++;
      if (!fit[a]![c]!.has(mode)) broken.push([mode, all[a], all[b], all[c]]);
    }
  })));
  expect(all.every((_, index) => fit[index]![index]!.size === modes.length)).toBe(true);
  expect(broken).toEqual([]);
  expect(carried).toBeGreaterThan(20_000);
});

test('tables of a hundred thousand columns are compared in time', () => {
  const fields = Array.from({length: 100_000}, (_, index): Field => ({id: index + 1, name: `c${index}`, type: {kind: 'utf8'}, nullable: true}));
  expect(schemaChanges({fields}, {fields: fields.toReversed().map(field => ({...field, id: 0}))})).toEqual([]);
});
