import {MillraceError} from '../../../core/errors.ts';
import type {DataType} from '../../../schemas/schema.ts';
import {namedAggregates} from './aggregate.ts';
import type {Aggregates} from './aggregate.ts';
import type {Typed} from './aggregate-parts.ts';
import type {Bindings} from './bindings.ts';
import {member as structMember} from './columns.ts';
import type {Given, Variables} from './given.ts';
import type {GraphPrediction} from './graph-model.ts';
import type {PredictionSettings} from './predictions/asked.ts';
import type {RelationUse} from './relation.ts';
import {linked} from './shape.ts';
import type {DatasetShape, Relationship} from './shape.ts';

/** What conditions need of the statement they become part of. */
export interface FilterScope {
  readonly bindings: Bindings;
  /** Another use of a dataset, under a new alias. */
  use(dataset: string): RelationUse;
  /** What predictions are asked with where nothing else is said. */
  readonly settings: PredictionSettings;
  /** The rows a relationship may lead to: of an object relationship one for each value of its columns. */
  related(relationship: Relationship): RelationUse;
  aggregates(relation: RelationUse): Aggregates;
  shape(dataset: string): DatasetShape;
}

/** A condition on rows as SQL with three values: rows for which it is true are meant. */
export function rowCondition(where: Given, relation: RelationUse, scope: FilterScope): string {
  return allOf(
    parts(where, 'where').map(([name, given]) => {
      const combined = combination(name, given, inner => rowCondition(inner, relation, scope));
      if (combined !== null) return combined;
      const member = relation.shape.members.get(name);
      switch (member?.kind) {
        case 'rowId':
          return comparison(given, relation.rowId, rowIdType, name, scope);
        case 'column':
          return typedCondition(given, relation.column(name), member.field.type, name, scope);
        case 'object':
        case 'array':
          return exists(given, relation, member, scope);
        case 'prediction':
          return predictionCondition(given, relation, member.prediction, scope);
        case 'arrayAggregate':
          return relatedAggregates(given, relation, member, name, scope);
        default:
          throw new MillraceError('INTERNAL', {reason: `no condition for ${relation.shape.name}.${name}`});
      }
    }),
  );
}

const rowIdType: DataType = {kind: 'int', bits: 64, signed: true};

/** Some related row fulfils the condition: true or false, never unknown. */
function exists(where: Given, relation: RelationUse, relationship: Relationship, scope: FilterScope): string {
  const other = scope.related(relationship);
  const joined = linked(relationship, column => relation.column(column), column => other.column(column));
  const condition = rowCondition(where, other, scope);
  return `EXISTS (SELECT 1 FROM ${other.sql()} WHERE ${joined} AND ${condition})`;
}

/** Of a row that lacks an input of the model all outputs are null. */
function predictionCondition(given: Given, relation: RelationUse, prediction: GraphPrediction, scope: FilterScope): string {
  const output = (name: string) => relation.output(prediction, scope.settings, name);
  return allOf(
    parts(given, prediction.field).map(([name, inner]) => {
      const combined = combination(name, inner, part => predictionCondition(part, relation, prediction, scope));
      if (combined !== null) return combined;
      if (name === '_is_null') return isNull(inner, output(prediction.outputs[0]!.name).expression, prediction.field);
      const {expression, type} = output(name);
      return comparison(inner, expression, type, `${prediction.field}.${name}`, scope);
    }),
  );
}

/** Conditions on aggregates of the related rows. */
function relatedAggregates(given: Given, relation: RelationUse, relationship: Relationship, shown: string, scope: FilterScope): string {
  return allOf(
    parts(given, shown).flatMap(([name, inner]) => {
      if (name === 'count') {
        const options = new Map(parts(inner, `${shown}.count`));
        const columns = options.get('arguments')?.value as readonly string[] | null | undefined;
        const filter = options.get('filter');
        const {sql, type} = relatedValue(relationship, relation, scope, aggregates => aggregates.count(columns ?? [], options.get('distinct')?.value === true), filter?.isNull ? undefined : filter);
        return [comparison(options.get('predicate')!, sql, type, `${shown}.count.predicate`, scope)];
      }
      refuseNull(inner, `${shown}.${name}`);
      return namedAggregates(name, inner, scope.shape(relationship.to), scope.settings).map(({path, given: condition, of}) => {
        const {sql, type} = relatedValue(relationship, relation, scope, of);
        return comparison(condition, sql, type, `${shown}.${path}`, scope);
      });
    }),
  );
}

/** An aggregate of the rows that a relationship leads to from a row, as an expression of the row. */
export function relatedValue(relationship: Relationship, relation: RelationUse, scope: FilterScope, make: (aggregates: Aggregates) => Typed, where?: Given): Typed {
  const other = scope.related(relationship);
  const aggregates = scope.aggregates(other);
  const {sql, type} = make(aggregates);
  const link = linked(relationship, column => relation.column(column), column => other.column(column));
  const condition = where ? rowCondition(where, other, scope) : 'true';
  return {sql: `(SELECT ${sql} FROM ${aggregates.sql(`(SELECT * FROM ${other.sql()} WHERE ${link} AND ${condition}) AS ${other.alias}`)})`, type};
}

function typedCondition(given: Given, expression: string, type: DataType, shown: string, scope: FilterScope): string {
  if (type.kind === 'list') return listComparison(given, expression, type.element.type, shown, scope);
  if (type.kind !== 'struct') return comparison(given, expression, type, shown, scope);
  return allOf(
    parts(given, shown).map(([name, inner]) => {
      const combined = combination(name, inner, part => typedCondition(part, expression, type, shown, scope));
      if (combined !== null) return combined;
      if (name === '_is_null') return isNull(inner, expression, shown);
      const field = type.fields.find(candidate => candidate.name === name)!;
      return typedCondition(inner, structMember(expression, field), field.type, `${shown}.${name}`, scope);
    }),
  );
}

/** `_and`, `_or` and `_not`; null for every other name. */
export function combination(name: string, given: Given, inner: (part: Given) => string): string | null {
  if (name !== '_and' && name !== '_or' && name !== '_not') return null;
  refuseNull(given, name);
  if (name === '_not') return `NOT (${inner(given)})`;
  const conditions = given.items().map(inner);
  return name === '_and' ? allOf(conditions) : anyOf(conditions);
}

export const allOf = (conditions: readonly string[]): string => (conditions.length === 0 ? 'true' : conditions.length === 1 ? conditions[0]! : `(${conditions.join(' AND ')})`);
const anyOf = (conditions: readonly string[]): string => (conditions.length === 0 ? 'false' : conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`);

export function parts(given: Given, shown: string): readonly (readonly [string, Given])[] {
  refuseNull(given, shown);
  return given.entries();
}

/** A null condition might mean anything: as a variable not set it would silently choose all rows. */
export function refuseNull(given: Given, shown: string): void {
  if (given.isNull) throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason: 'it is null; leave it out, or ask for nulls with `_is_null`.'});
}

const comparisons: Readonly<Record<string, string>> = {_eq: '=', _neq: '<>', _gt: '>', _gte: '>=', _lt: '<', _lte: '<='};

export function comparison(given: Given, expression: string, type: DataType, shown: string, scope: FilterScope): string {
  // 32-bit floats are shown, and so compared, as the 64-bit floats they are.
  const compared = type.kind === 'float' && type.bits === 32 ? `${expression}::DOUBLE` : expression;
  const {bindings} = scope;
  return allOf(
    parts(given, shown).map(([operator, value]) => {
      if (operator === '_is_null') return isNull(value, expression, shown);
      const name = `${shown}.${operator}`;
      refuseNull(value, name);
      if (operator in comparisons) return `${compared} ${comparisons[operator]} ${bindings.value(value, type, name)}`;
      if (operator === '_in') return `${compared} IN ${bindings.values(value, type, name)}`;
      if (operator === '_nin') return `${compared} NOT IN ${bindings.values(value, type, name)}`;
      if (operator === '_within') return withinSpan(value, compared, type, name, bindings);
      if (operator === '_contains') return `json_contains(${compared}, ${bindings.value(value, type, name)})`;
      if (operator === '_has_key') return `list_contains(json_keys(${compared}), ${bindings.value(value, {kind: 'utf8'}, name)})`;
      if (operator === '_contained_in') return `json_contains(${bindings.value(value, type, name)}, ${compared})`;
      if (operator === '_has_keys_any') return `list_has_any(json_keys(${compared}), ${bindings.list(value, {kind: 'utf8'}, name)})`;
      if (operator === '_has_keys_all') return `list_has_all(json_keys(${compared}), ${bindings.list(value, {kind: 'utf8'}, name)})`;
      return textCondition(operator, compared, value, name, bindings);
    }),
  );
}

const durationPattern = /^P(?=.)(?:(\d{1,5})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?$/;

/** A length of time of ISO 8601 as SQL writes it. @throws ARGUMENT_INVALID */
function interval(value: unknown, shown: string): string {
  const parts = durationPattern.exec(String(value))?.slice(1);
  if (!parts) throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason: 'it is no length of time; one is `P7D`, another `PT36H`.'});
  const units = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'];
  return parts.flatMap((count, index) => (count === undefined ? [] : [`${count} ${units[index]}`])).join(' ');
}

/** Whether a time lies in a span that begins or ends with the request. */
function withinSpan(given: Given, expression: string, type: DataType, shown: string, bindings: Bindings): string {
  const [side, length] = given.entries()[0]!;
  const now = bindings.bind((_, facts) => facts.now().toISOString().slice(0, -1), 'TIMESTAMP');
  const span = bindings.bind(variables => interval(length.read(variables), `${shown}.${side}`), 'INTERVAL');
  const zoned = type.kind === 'timestamp' && type.zoned;
  const bound = (time: string) => (zoned ? `timezone('UTC', ${time})` : time);
  const x = type.kind === 'date' ? `${expression}::TIMESTAMP` : expression;
  return side === 'last' ? `(${x} > ${bound(`(${now} - ${span})`)} AND ${x} <= ${bound(now)})` : `(${x} >= ${bound(now)} AND ${x} < ${bound(`(${now} + ${span})`)})`;
}

function textCondition(operator: string, expression: string, given: Given, shown: string, bindings: Bindings): string {
  const negated = operator.startsWith('_n');
  const positive = negated ? `_${operator.slice(2)}` : operator;
  const bind: BindText = convert => bindings.bind((variables: Variables) => convert(textOf(given.read(variables), shown)), 'VARCHAR');
  const not = negated ? 'NOT ' : '';
  switch (positive) {
    case '_like':
      return `${not}${likeCondition(expression, value => value, bind, shown)}`;
    case '_ilike':
      return `${not}${likeCondition(expression, value => `lower(${value})`, bind, shown)}`;
    case '_similar':
      return `${not}regexp_full_match(${expression}, ${bind(text => similarToRegex(shortPattern(text, shown)))}, 's')`;
    case '_regex':
      return `${not}regexp_matches(${expression}, ${bind(text => shortPattern(text, shown))}, 's')`;
    case '_iregex':
      return `${not}regexp_matches(${expression}, ${bind(text => shortPattern(text, shown))}, 'si')`;
    default:
      throw new MillraceError('INTERNAL', {reason: `no operator ${operator}`});
  }
}

function textOf(value: unknown, shown: string): string {
  if (typeof value === 'string') return value;
  throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason: 'it is null; ask for nulls with `_is_null`.'});
}

/** Binds what is made of the operator's text. */
type BindText = (convert: (text: string) => string | null) => string;

/**
 * The engine's LIKE tries every place of every `%`, for minutes where there are several. So it matches only patterns without `%` and `_` but for a
 * `%` at an end, which it does fastest; the others are regular expressions, whose time grows with the text alone.
 */
function likeCondition(expression: string, folded: (value: string) => string, bind: BindText, shown: string): string {
  const plain = folded(bind(pattern => (isPlainPattern(pattern) ? pattern : null)));
  const regex = folded(bind(pattern => (isPlainPattern(pattern) ? null : likeToRegex(shortPattern(pattern, shown), shown))));
  return `(CASE WHEN ${plain} IS NOT NULL THEN ${folded(expression)} LIKE ${plain} ELSE regexp_full_match(${folded(expression)}, ${regex}, 's') END)`;
}

const isPlainPattern = (pattern: string): boolean => /^%?[^%_\\]*%?$/.test(pattern);

/** @throws ARGUMENT_INVALID */
function likeToRegex(pattern: string, shown: string): string {
  return pattern.replace(/\\(.?)|[%_$()*+.?[\]^{|}]/gsu, (whole, escaped: string | undefined) => {
    if (escaped === '') throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason: 'the pattern ends in a backslash that escapes nothing.'});
    if (whole === '%') return '.*';
    if (whole === '_') return '.';
    return inRegex(escaped ?? whole);
  });
}

/** A character that means itself in a regular expression. */
const inRegex = (character: string): string => (/[$()*+.?[\\\]^{|}]/.test(character) ? `\\${character}` : character);

/** What a pattern costs for each character of a text grows with its length. */
const longestPattern = 1_000;

function shortPattern(pattern: string, shown: string): string {
  if (pattern.length > longestPattern) throw new MillraceError('ARGUMENT_INVALID', {name: shown, reason: `the pattern has more than ${longestPattern} characters.`});
  return pattern;
}

/** SQL's SIMILAR TO: `%` and `_` stand for any text and any character; `| * + ? {} () []` as in regular expressions. */
export function similarToRegex(pattern: string): string {
  return pattern.replace(/\\(.)|\[[^\]]*\]|[%_.^$]/gs, (whole, escaped: string | undefined) => {
    if (escaped !== undefined) return /\w/.test(escaped) ? escaped : `\\${escaped}`;
    if (whole === '%') return '.*';
    if (whole === '_') return '.';
    return whole.startsWith('[') ? whole : `\\${whole}`;
  });
}

function isNull(given: Given, expression: string, shown: string): string {
  refuseNull(given, `${shown}._is_null`);
  return `${expression} IS ${given.value === true ? '' : 'NOT '}NULL`;
}

function listComparison(given: Given, expression: string, element: DataType, shown: string, {bindings}: FilterScope): string {
  const compared = element.kind === 'float' && element.bits === 32 ? `${expression}::DOUBLE[]` : expression;
  return allOf(
    parts(given, shown).map(([operator, value]) => {
      if (operator === '_is_null') return isNull(value, expression, shown);
      const name = `${shown}.${operator}`;
      refuseNull(value, name);
      if (operator === '_has') return `list_contains(${compared}, ${bindings.value(value, element, name)})`;
      const list = bindings.list(value, element, name);
      switch (operator) {
        case '_eq':
          return `${compared} = ${list}`;
        case '_neq':
          return `${compared} <> ${list}`;
        case '_contains':
          return `list_has_all(${compared}, ${list})`;
        case '_has_any':
          return `list_has_any(${compared}, ${list})`;
        default:
          return `list_has_all(${list}, ${compared})`;
      }
    }),
  );
}

