/**
 * Random filters, orders, aggregates and groups over a real model's predictions, against rows in memory that are scored one by one and
 * looked at by plain JavaScript with three-valued logic. MILLRACE_PREDICTION_SEEDS sets how many.
 */
import type {App} from '../../../src/compose.ts';
import {columnOfValues, valueAt} from '../../../src/inference/values.ts';
import {createRandom} from '../../support/random.ts';
import type {Random} from '../../support/random.ts';
import {data, putPipeline, runToEnd, useApp} from '../../support/project.ts';
import {registerTripsModel, writeTrips} from '../../support/trips.ts';

interface Leg {
  readonly id: number;
  readonly from_city: string;
  readonly metres: number | null;
  /** Null without a distance; also with one of 120 in place of it. */
  readonly late: Output | null;
  readonly near: Output;
}
interface Output {
  readonly probability: number;
  readonly label: boolean;
}
type Truth = boolean | null;
type Condition = Record<string, any>;

const seeds = Number(process.env.MILLRACE_PREDICTION_SEEDS ?? 25);
const inputs = ['inbound_flights', 'inbound_late_share', 'inbound_mean_delay', 'outbound_flights', 'outbound_late_share'] as const;

let url: string;
let legs: readonly Leg[];

useApp(async started => {
  url = started.url;
  writeTrips(started.project);
  await registerTripsModel(url);
  await runToEnd(url, 'trips_daily');
  const leg = (name: string, condition: string) => putPipeline(url, name, [{
    kind: 'sql', name: 'legs', into: 'legs', mode: 'append', contract: {key: ['id']},
    sql: `SELECT id, from_city, CASE WHEN id % 8 > 0 THEN distance * 5 END AS metres, ${inputs.join(', ')} FROM trips WHERE ${condition}`,
  }]);
  await leg('first_legs', 'id <= 90');
  await leg('more_legs', 'id > 90');
  await runToEnd(url, 'first_legs');
  await runToEnd(url, 'more_legs');
  await data(url, 'mutation { deployModel(input: {model: "late_arrival", version: 1, on: "legs", as: "late", features: {distance: "metres * 3"}}) { __typename } }');
  const {rows} = await data(url, `{ rows: legs(order_by: [{id: asc}]) { id from_city metres ${inputs.join(' ')} } }`);
  legs = await oracle(started.app, rows as Record<string, any>[]);
});

/** Scores each row alone. */
async function oracle({services: {models}}: App, rows: readonly Record<string, any>[]): Promise<Leg[]> {
  const version = await models.resolve('late_arrival', {version: 1});
  const {inputs: fields, outputs} = version.signature;
  const predicted = async (row: Record<string, any>): Promise<Output> => {
    const columns = fields.map(field => columnOfValues(field, [row[field.name]], issue => {
      throw new Error(issue);
    }));
    const scored = await models.score(version, {rowCount: 1, columns});
    const value = (name: string) => valueAt(scored[outputs.findIndex(output => output.name === name)]!, 0);
    return {probability: value('probability') as number, label: value('label') as boolean};
  };
  const made: Leg[] = [];
  for (const {id, from_city, metres, ...rest} of rows) {
    made.push({id, from_city, metres, late: metres === null ? null : await predicted({...rest, distance: metres * 3}), near: await predicted({...rest, distance: 120})});
  }
  return made;
}

const and = (truths: readonly Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true);
const or = (truths: readonly Truth[]): Truth => (truths.includes(true) ? true : truths.includes(null) ? null : false);
const not = (truth: Truth): Truth => (truth === null ? null : !truth);

const operators: Readonly<Record<string, (a: any, b: any) => boolean>> = {
  _eq: (a, b) => a === b, _neq: (a, b) => a !== b, _gt: (a, b) => a > b, _gte: (a, b) => a >= b, _lt: (a, b) => a < b, _lte: (a, b) => a <= b, _in: (a, b) => b.includes(a), _nin: (a, b) => !b.includes(a),
};

function holds(value: unknown, comparison: Condition): Truth {
  return and(Object.entries(comparison).map(([operator, given]): Truth => (operator === '_is_null' ? (value === null) === given : value === null ? null : operators[operator]!(value, given))));
}

function fulfils(of: Readonly<Record<string, any>> | null, condition: Condition): Truth {
  return and(Object.entries(condition).map(([name, given]): Truth => {
    if (name === '_and') return and(given.map((part: Condition) => fulfils(of, part)));
    if (name === '_or') return or(given.map((part: Condition) => fulfils(of, part)));
    if (name === '_not') return not(fulfils(of, given));
    if (name === '_is_null') return (of === null) === given;
    if (name === 'late') return fulfils(of!.late, given);
    return holds(of === null ? null : of[name], given);
  }));
}

const some = (random: Random): Output => random.pick(legs.filter(({late}) => late !== null)).late!;

function onOutputs(random: Random, depth: number): Condition {
  if (depth > 0 && random.chance(0.3)) return combined(random, depth, () => onOutputs(random, depth - 1));
  const kind = random.integer(0, 4);
  if (kind === 0) return {_is_null: random.chance(0.5)};
  if (kind === 1) return {label: {[random.pick(['_eq', '_neq'])]: random.chance(0.5)}};
  if (kind === 2) return {probability: {[random.pick(['_in', '_nin'])]: [some(random).probability, some(random).probability]}};
  return {probability: {[random.pick(['_eq', '_gt', '_gte', '_lt', '_lte'])]: some(random).probability, ...(random.chance(0.2) ? {_is_null: random.chance(0.3)} : {})}};
}

function onRows(random: Random, depth: number): Condition {
  if (depth > 0 && random.chance(0.5)) return combined(random, depth, () => onRows(random, depth - 1));
  switch (random.integer(0, 3)) {
    case 0:
      return {id: {[random.pick(['_gt', '_lt'])]: random.integer(1, 200)}};
    case 1:
      return {metres: random.chance(0.3) ? {_is_null: random.chance(0.5)} : {_gte: random.integer(500, 1500)}, ...(random.chance(0.4) ? {late: onOutputs(random, 1)} : {})};
    default:
      return {late: onOutputs(random, 2)};
  }
}

function combined(random: Random, _depth: number, make: () => Condition): Condition {
  const parts = () => Array.from({length: random.integer(0, 3)}, make);
  const kind = random.pick(['_and', '_or', '_not']);
  return {[kind]: kind === '_not' ? make() : parts()};
}

/** As PostgreSQL: nulls are greater than every value. */
const ascending = (a: any, b: any): number => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1);

function ordered(rows: readonly Leg[], random: Random): {order: Condition[]; rows: Leg[]} {
  const keys = Array.from({length: random.integer(1, 2)}, () => random.pick(['probability', 'label', 'from_city'])).map(name => ({name, down: random.chance(0.5)}));
  const value = (leg: Leg, name: string): unknown => (name === 'from_city' ? leg.from_city : leg.late === null ? null : leg.late[name as keyof Output]);
  const order = keys.map(({name, down}) => (name === 'from_city' ? {from_city: down ? 'desc' : 'asc'} : {late: {[name]: down ? 'desc' : 'asc'}}));
  return {order, rows: [...rows].sort((a, b) => keys.reduce((found, {name, down}) => found || (down ? -1 : 1) * ascending(value(a, name), value(b, name)), 0) || a.id - b.id)};
}

const fields = 'count sum { late { probability } } avg { late { probability } near: late(set: {distance: 120}) { probability } } min { late { probability } } max { late { probability } metres } bool_or { late { label } }';
function aggregated(rows: readonly Leg[]): Record<string, unknown> {
  const outputs = rows.flatMap(({late}) => (late === null ? [] : [late]));
  const values = outputs.map(({probability}) => probability);
  const sum = (list: readonly number[]) => list.reduce((all, value) => all + value, 0);
  const orNull = <T>(list: readonly unknown[], make: () => T): T | null => (list.length === 0 ? null : make());
  const metres = rows.flatMap(leg => (leg.metres === null ? [] : [leg.metres]));
  return {
    count: rows.length,
    sum: {late: {probability: orNull(values, () => sum(values))}},
    avg: {late: {probability: orNull(values, () => sum(values) / values.length)}, near: {probability: orNull(rows, () => sum(rows.map(({near}) => near.probability)) / rows.length)}},
    min: {late: {probability: orNull(values, () => Math.min(...values))}},
    max: {late: {probability: orNull(values, () => Math.max(...values))}, metres: orNull(metres, () => Math.max(...metres))},
    bool_or: {late: {label: orNull(outputs, () => outputs.some(({label}) => label))}},
  };
}

test.each(Array.from({length: seeds}, (_, seed) => seed))('random question %i is answered as rows in memory are', async seed => {
  const random = createRandom(seed);
  const where = onRows(random, 2);
  const chosen = legs.filter(leg => fulfils(leg, where) === true);
  const {order, rows} = ordered(chosen, random);
  const [limit, offset] = [random.chance(0.5) ? random.integer(0, 20) : null, random.chance(0.3) ? random.integer(0, 10) : null];
  const answer = await data(url, `query ($where: legs_bool_exp!, $order: [legs_order_by!], $limit: Int, $offset: Int) {
    legs(where: $where, order_by: $order, limit: $limit, offset: $offset) { id late { probability label } near: late(set: {distance: 120}) { probability label } }
    legs_aggregate(where: $where) { aggregate { ${fields} } }
    legs_groups(where: $where) { key { late { label probability(bin: 0.0625) } } aggregate { ${fields} } }
  }`, {where, order, limit, offset});
  expect(answer.legs).toEqual(rows.slice(offset ?? 0, limit === null ? undefined : (offset ?? 0) + limit).map(({id, late, near}) => ({id, late, near})));
  expect(answer.legs_aggregate.aggregate).toEqual(aggregated(chosen));
  const groups = Map.groupBy(chosen, ({late}) => JSON.stringify({label: late && late.label, probability: late && Math.floor(late.probability / 0.0625) * 0.0625}));
  const found = [...groups].map(([key, members]) => ({key: {late: JSON.parse(key)}, aggregate: aggregated(members)}));
  expect(answer.legs_groups).toEqual(found.sort((a, b) => ascending(a.key.late.label, b.key.late.label) || ascending(a.key.late.probability, b.key.late.probability)));
});
