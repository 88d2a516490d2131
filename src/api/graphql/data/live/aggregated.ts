import {identifier} from '../../../../engines/sql-text.ts';
import type {Aggregates} from '../aggregate.ts';
import type {Partial} from '../aggregate-parts.ts';
import type {Statement} from '../plan.ts';

/**
 * An aggregation whose answers are kept. A file never changes, so neither do the *partials* of its rows: they are kept as a text, the file's
 * *state*, and the answer over many files is made from their states.
 */
export interface Aggregated {
  /** Null where all rows are needed at once. */
  readonly states: StateStatements | null;
  /** Why they are. */
  readonly why: string | null;
}

export interface StateStatements {
  readonly dataset: string;
  /** Columns that the keys are made of; null where they are not the dataset's own. */
  readonly keyColumns: readonly string[] | null;
  /** One text: the types of the columns, and on a line for each file its place and its state; null where that is too much to keep. */
  readonly make: PartOfStatement;
  /** The state of all from states, a JSON list bound as the last parameter. */
  merge(types: readonly string[]): string;
  /** The answer from states. The parameters that stand in it, then the states. */
  answer(types: readonly string[]): PartOfStatement;
}

/** SQL with some of a statement's parameters, by their places in it. */
export interface PartOfStatement {
  readonly sql: string;
  readonly places: readonly number[];
}

/** Groups of all files in one text at most. */
const mostGroups = 200_000;

export interface AggregatedRows {
  readonly statement: Statement;
  readonly aggregates: Aggregates;
  readonly alias: string;
  /** Columns of the dataset that the keys are made of, or null. */
  readonly keyColumns: readonly string[] | null;
  /** What makes rows of one file depend on those of others. */
  readonly bounded: string | null;
}

/** The statement, with how its answers are kept. */
export function aggregatedStatement(input: AggregatedRows): Statement {
  // Predictions are kept for themselves.
  if (input.statement.predicted.length > 0) return input.statement;
  const why = reason(input);
  return {...input.statement, aggregated: why === null ? {states: stateStatements(input), why} : {states: null, why}};
}

function reason({statement, aggregates, bounded}: AggregatedRows): string | null {
  const apart = aggregates.partials.find(({merge}) => merge === null);
  if (apart) return `${apart.sql.split('(')[0]} needs all rows at once`;
  if (bounded !== null) return `${bounded} needs all rows at once`;
  if (aggregates.source === null || aggregates.partials.length === 0) return 'nothing is computed over rows';
  if (!readsOnce(statement.sql, statement.datasets[0]!) || statement.datasets.length > 1) return 'rows of several relations are joined';
  return null;
}

const relationEnd = (dataset: string): string => ` FROM ${identifier(dataset)})`;
const readsOnce = (sql: string, dataset: string): boolean => sql.split(relationEnd(dataset)).length === 2;

function stateStatements({statement, aggregates, alias, keyColumns}: AggregatedRows): StateStatements {
  const dataset = statement.datasets[0]!;
  const {keys, rows, sql: source} = aggregates.source!;
  const {partials} = aggregates;
  const names = [...keys.keys(), ...partials.map(({name}) => name)];
  const columns = [...[...keys].map(([name, expression]) => `${expression} AS ${name}`), ...partials.map(({name, sql}) => `${sql} AS ${name}`)];
  const groups = [`${alias}._file`, ...keys.values()];
  const perFile = `SELECT ${[`${alias}._file AS _file`, ...columns].join(', ')} FROM ${rows.replace(relationEnd(dataset), `, _file${relationEnd(dataset)}`)} GROUP BY ${groups.map((_, index) => index + 1).join(', ')}`;
  const types = `concat_ws('|', ${names.map(name => `typeof(any_value(${name}))`).join(', ')})`;
  const state = `to_json({${names.map(name => `'${name}': list(${name}::VARCHAR)`).join(', ')}})::VARCHAR`;
  const lines = `SELECT string_agg(line, '') FROM (SELECT chr(10) || _file || ' ' || ${state} AS line FROM g GROUP BY _file)`;
  const make = `WITH g AS MATERIALIZED (${perFile}) SELECT CASE WHEN (SELECT count(*) FROM g) <= ${mostGroups} THEN (SELECT ${types} FROM g) || coalesce((${lines}), '') END AS states`;
  const merged = (of: readonly string[], parameter: number): string => {
    const read = `from_json($${parameter}::JSON, '[{${names.map(name => `"${name}":["VARCHAR"]`).join(',')}}]')`;
    const unfolded = `SELECT ${names.map(name => `unnest(s.${name}) AS ${name}`).join(', ')} FROM (SELECT unnest(${read}) AS s)`;
    const typed = `SELECT ${names.map((name, index) => `CAST(${name} AS ${of[index]!}) AS ${name}`).join(', ')} FROM (${unfolded})`;
    const put = partials.map((partial, index) => `${mergedPartial(partial, of[keys.size + index]!)} AS ${partial.name}`);
    return `SELECT ${[...keys.keys(), ...put].join(', ')} FROM (${typed})${keys.size === 0 ? '' : ` GROUP BY ${[...keys.keys()].join(', ')}`}`;
  };
  const rest = partOf(statement.sql.replace(source, () => '(~merged)'));
  return {
    dataset, keyColumns,
    make: partOf(make),
    merge: of => `SELECT ${state} AS state FROM (${merged(of, 1)})`,
    answer: of => ({sql: rest.sql.replace('(~merged)', () => `(${merged(of, rest.places.length + 1)})`), places: rest.places}),
  };
}

/** Of no rows a count is zero, all else null. */
function mergedPartial({name, sql, merge}: Partial, type: string): string {
  const merged = `CAST(${merge!}(${name}) AS ${type})`;
  return sql.startsWith('count(') ? `coalesce(${merged}, 0)` : merged;
}

/** Renumbers the parameters that are left. */
function partOf(whole: string): PartOfStatement {
  const places: number[] = [];
  const sql = whole.replace(/\$(\d+)/g, (_, place: string) => {
    const known = places.indexOf(Number(place) - 1);
    return `$${known < 0 ? places.push(Number(place) - 1) : known + 1}`;
  });
  return {sql, places};
}
