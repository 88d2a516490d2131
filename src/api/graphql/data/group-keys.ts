import {GraphQLObjectType} from 'graphql';
import {MillraceError} from '../../../core/errors.ts';
import {literal, sqlType} from '../../../engines/sql-text.ts';
import type {DataType, Field} from '../../../schemas/schema.ts';
import type {Bindings} from './bindings.ts';
import {isOrdered, jsonForm, jsonObject, member as structMember} from './columns.ts';
import type {FilterScope} from './filter.ts';
import {givenArguments} from './given.ts';
import type {Given} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import type {CompileInput} from './plan.ts';
import {settingsOf} from './predictions/asked.ts';
import type {RelatedJoins} from './related-joins.ts';
import type {RelationUse} from './relation.ts';
import {collectBelow} from './selection.ts';
import type {Collected} from './selection.ts';
import {predictionsOf} from './shape.ts';
import type {DatasetShape, Relationship} from './shape.ts';
import {timeZoneParameter} from './time-zones.ts';

/** What a name in a group's `key` stands for. */
export type KeyMember =
  | {readonly kind: 'value'; readonly field: Field}
  /** A part of a time, such as its hour. */
  | {readonly kind: 'part'; readonly field: Field}
  | {readonly kind: 'struct'; readonly fields: readonly Field[]; readonly field: Field}
  | ({readonly kind: 'object'} & Relationship)
  | {readonly kind: 'prediction'; readonly prediction: GraphPrediction};

/** The keys that fields can be, by name. Parts of times are named after their column; a member of that name comes first. */
export function fieldKeyMembers(fields: readonly Field[]): Map<string, KeyMember> {
  const members = new Map<string, KeyMember>();
  for (const field of fields) {
    if (isOrdered(field.type)) members.set(field.name, {kind: 'value', field});
    else if (field.type.kind === 'struct' && fieldKeyMembers(field.type.fields).size > 0) members.set(field.name, {kind: 'struct', field, fields: field.type.fields});
  }
  return members;
}

/** Whether a dataset's own columns can be keys. */
export const hasKeys = (shape: DatasetShape): boolean => predictionsOf(shape).length > 0 || fieldKeyMembers(shape.dataset.schema.fields).size > 0;

/** The keys that a dataset's rows can have; `leads` tells which others have keys. */
export function keyMembersOf(shape: DatasetShape, leads: (dataset: string) => boolean): ReadonlyMap<string, KeyMember> {
  const members = fieldKeyMembers(shape.dataset.schema.fields);
  if (members.size === 0 && predictionsOf(shape).length === 0) return members;
  for (const [name, member] of shape.members) if (member.kind === 'prediction' || (member.kind === 'object' && leads(member.to))) members.set(name, member);
  return withParts(members, shape.dataset.schema.fields);
}

/** Adds the parts of times. */
export function withParts(members: Map<string, KeyMember>, fields: readonly Field[]): Map<string, KeyMember> {
  for (const field of fields) {
    if (!hasParts(field.type)) continue;
    let name = `${field.name}_part`;
    while (members.has(name)) name = `_${name}`;
    members.set(name, {kind: 'part', field});
  }
  return members;
}

const hasParts = ({kind}: DataType): boolean => kind === 'timestamp' || kind === 'date' || kind === 'time';

/** A key of groups, as the selection asks for it. */
export interface GroupKey {
  /** Its column in the statement. */
  readonly name: string;
  /** Members that lead to it from the dataset. */
  readonly path: readonly string[];
  readonly type: DataType;
  /** Its value for a row; `joins` gets what it needs of related rows. */
  readonly expression: (row: RelationUse, joins: RelatedJoins) => string;
}

/** Where a key's columns are found: in rows, or in a struct of a row. */
type Place = (row: RelationUse, joins: RelatedJoins) => (field: Field) => string;

/** The keys of a selection, in its order. */
export class GroupKeys {
  readonly keys: GroupKey[] = [];

  constructor(
    private readonly input: CompileInput,
    private readonly scope: Pick<FilterScope, 'bindings' | 'settings'>,
  ) {}

  /** The JSON object of a selection of a dataset's `…_group_key`, made of the keys' columns. */
  object(selected: Collected, dataset: string): string {
    return this.row(selected, dataset, [], row => row);
  }

  private row(selected: Collected, dataset: string, path: readonly string[], at: (row: RelationUse, joins: RelatedJoins) => RelationUse): string {
    const types = this.input.graph.types.get(dataset)!;
    return this.parts(selected, types.groupKey!, types.keyMembers, path, (row, joins) => field => at(row, joins).column(field.name), (inner, member, place, args, type) => {
      if (member.kind === 'prediction') {
        const settings = settingsOf(args, this.scope.settings);
        const output: Place = (row, joins) => field => at(row, joins).output(member.prediction, settings, field.name).expression;
        return this.parts(inner, type, fieldKeyMembers(member.prediction.outputs), place, output, () => '');
      }
      const joined = (row: RelationUse, joins: RelatedJoins) => joins.to(`.${place.join('.')}`, at(row, joins), member);
      return this.row(inner, member.to, place, joined);
    });
  }

  private parts(
    selected: Collected,
    type: GraphQLObjectType,
    members: ReadonlyMap<string, KeyMember>,
    path: readonly string[],
    place: Place,
    elsewhere: (inner: Collected, member: Extract<KeyMember, {kind: 'object' | 'prediction'}>, path: readonly string[], args: ReadonlyMap<string, Given>, type: GraphQLObjectType) => string,
  ): string {
    return jsonObject(
      [...selected].map(([key, nodes]): [string, string] => {
        const name = nodes[0]!.name.value;
        if (name === '__typename') return [key, literal(type.name)];
        const member = members.get(name)!;
        const field = type.getFields()[name]!;
        const below = () => collectBelow(nodes, this.input.fragments, this.input.variables);
        const args = givenArguments(field.args, nodes[0]!, this.input.variables);
        if (member.kind === 'object' || member.kind === 'prediction') return [key, elsewhere(below(), member, [...path, name], args, innerObject(field.type))];
        const here = [...path, member.field.name];
        if (member.kind === 'struct') {
          const inner: Place = (row, joins) => part => structMember(place(row, joins)(member.field), part);
          const structType = innerObject(field.type);
          return [key, this.parts(below(), structType, withParts(fieldKeyMembers(member.fields), member.fields), here, inner, elsewhere)];
        }
        const given = (argument: string): Given | undefined => (args.get(argument)?.isNull ? undefined : args.get(argument));
        const made = keyed(member, given, this.scope.bindings, here.join('.'));
        const column = `k${this.keys.length}`;
        this.keys.push({name: column, path: here, type: made.type, expression: (row, joins) => made.of(place(row, joins)(member.field))});
        return [key, jsonForm(column, made.type)];
      }),
    );
  }
}

const innerObject = (type: unknown): GraphQLObjectType => (type instanceof GraphQLObjectType ? type : innerObject((type as {ofType: unknown}).ofType));

const int32: DataType = {kind: 'int', bits: 32, signed: true};

/** What the arguments make of a column's value. */
function keyed(member: Extract<KeyMember, {kind: 'value' | 'part'}>, given: (argument: string) => Given | undefined, bindings: Bindings, shown: string): {type: DataType; of: (x: string) => string} {
  const {type} = member.field;
  const [trunc, bin, zone] = [given('trunc'), given('bin'), given('time_zone')];
  const local = zone ? timeZoneParameter(zone, bindings) : "'UTC'";
  if (member.kind === 'part') {
    const part = given('part')!.value as string;
    if (type.kind === 'time' && !withinHour.has(part)) throw new MillraceError('ARGUMENT_INVALID', {name: `${shown}_part.part`, reason: 'a time of day has hours, minutes and seconds.'});
    const word = literal(part);
    return {type: int32, of: x => `date_part(${word}, ${isZoned(type) ? `timezone(${local}, ${x})` : x})::INTEGER`};
  }
  if (trunc) return {type, of: x => truncated(x, trunc.value as string, type, local)};
  if (zone) throw new MillraceError('ARGUMENT_INVALID', {name: `${shown}.time_zone`, reason: 'an instant alone has no zone; give `trunc` as well.'});
  if (bin) return {type, of: binned(bin, type, bindings, `${shown}.bin`)};
  // Zero has two signs that are equal: which of them comes first must not show.
  return {type, of: x => (type.kind === 'float' ? `(${x} + 0)` : x)};
}

const isZoned = (type: DataType): boolean => type.kind === 'timestamp' && type.zoned;
const withinHour = new Set(['hour', 'minute', 'second']);

/** The beginning of the unit that a time lies in, of the column's type. */
function truncated(x: string, unit: string, type: DataType, zone: string): string {
  const word = literal(unit);
  if (!isZoned(type)) return type.kind === 'date' ? `date_trunc(${word}, ${x})::DATE` : `date_trunc(${word}, ${x})`;
  const wall = `timezone(${zone}, ${x})`;
  // Within an hour the clock is never changed, so what has passed of it can be taken away from the instant: an hour that comes twice stays two.
  return withinHour.has(unit) ? `(${x} - (${wall} - date_trunc(${word}, ${wall})))` : `timezone(${zone}, date_trunc(${word}, ${wall}))`;
}

/** The lower end of the bin that a number lies in; bins begin at multiples of their width. The lowest begins where the type does. */
function binned(width: Given, type: DataType, bindings: Bindings, shown: string): (x: string) => string {
  const positive = (value: unknown): void => {
    if (!(Number(value) > 0)) throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason: 'a bin is wider than 0.'});
  };
  if (type.kind === 'float') {
    const b = bindings.value(width, type, shown, positive);
    return x => `(floor(${x}::DOUBLE / ${b}) * ${b} + 0)`;
  }
  if (type.kind === 'decimal') {
    const wide: DataType = {...type, precision: 38};
    const b = bindings.value(width, wide, shown, positive);
    return x => lowerEnd(`${x}::${sqlType(wide)}`, b);
  }
  if (type.kind !== 'int') throw new MillraceError('INTERNAL', {reason: `no bins of ${type.kind}`});
  const b = `${bindings.value(width, type, shown, positive)}::HUGEINT`;
  const least = `'${type.signed ? -(2n ** BigInt(type.bits - 1)) : 0}'::HUGEINT`;
  return x => `CASE WHEN ${x} IS NOT NULL THEN greatest(${lowerEnd(`${x}::HUGEINT`, b)}, ${least}) END::${sqlType(type)}`;
}

const lowerEnd = (x: string, b: string): string => `(${x} - CASE WHEN ${x} % ${b} < 0 THEN ${x} % ${b} + ${b} ELSE ${x} % ${b} END)`;
