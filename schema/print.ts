/** What schema.graphql holds: the core graph, and the data graph of an example, two related datasets and one deployed model. */
import {lexicographicSortSchema, printSchema} from 'graphql';
import {buildCoreSchema} from '../src/api/graphql/core/core-schema.ts';
import {buildDataSchema} from '../src/api/graphql/data/data-schema.ts';
import type {GraphModel} from '../src/api/graphql/data/graph-model.ts';
import type {DataType, Field} from '../src/schemas/schema.ts';

const utf8: DataType = {kind: 'utf8'};
const int32: DataType = {kind: 'int', bits: 32, signed: true};
const float64: DataType = {kind: 'float', bits: 64};

const fields = (columns: Readonly<Record<string, DataType>>, nullable: readonly string[] = []): Field[] =>
  Object.entries(columns).map(([name, type], index) => ({id: index + 1, name, type, nullable: nullable.includes(name)}));

const example: GraphModel = {
  version: 1n,
  datasets: [
    {name: 'airports', schema: {fields: fields({iata: utf8, name: utf8, city: utf8, state: utf8, latitude: float64, longitude: float64}, ['city', 'state'])}, contract: {key: ['iata']}, predictions: []},
    {
      name: 'flights',
      schema: {fields: fields({date: {kind: 'timestamp', zoned: false}, delay: int32, distance: int32, origin: utf8, destination: utf8, inbound_late_share: float64}, ['inbound_late_share'])},
      contract: {foreignKeys: [{column: 'origin', references: 'airports'}]},
      predictions: [{
        field: 'late_arrival', model: 'late_arrival', features: {},
        inputs: fields({distance: int32, inbound_late_share: float64}), outputs: fields({label: {kind: 'bool'}, probability: float64}),
      }],
    },
  ],
};

export function printedGraph(): string {
  const {schema} = buildDataSchema(example, buildCoreSchema());
  return `# Printed by \`npm run schema\`: the core graph, and the data graph of the datasets airports and flights.\n\n${printSchema(lexicographicSortSchema(schema))}\n`;
}
