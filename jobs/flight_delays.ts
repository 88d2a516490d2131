/** "June 2001, as it happened": flights, what was known when each of them left, and how likely it was to arrive late. */
import {date, ingest, pipeline, predict, publish, sql, sqlFile} from 'millrace/jobs';

export default pipeline('flight_delays', {
  description: 'Flights of early 2001 with what was known of their airport when they left, scored by late_arrival.',
  params: {through: date({default: '2001-06-30', description: 'The last day of flights to take in.'})},
  steps: [
    ingest('airports', {path: 'package:vega-datasets/data/airports.csv'}, {contract: {key: ['iata']}}),
    ingest('birdstrikes', {path: 'package:vega-datasets/data/birdstrikes.csv'}),
    // No flight leaves two hours early: three of these three million say so.
    ingest('flights_raw', {path: 'package:vega-datasets/data/flights-3m.parquet'}, {contract: {onBadRow: 'quarantine', checks: [{range: {column: 'delay', min: -120}}]}}),
    sql('flights', sqlFile(new URL('./flights.sql', import.meta.url)), {
      // Its foreign keys are checked against the airports of this run.
      after: ['airports'],
      contract: {
        description: 'Flights of early 2001, with what was known of their airport when they left.',
        documentation: {
          date: {description: 'When it left, in the time of the airport'},
          delay: {description: 'How late it arrived; negative: how early', unit: 'minutes'},
          distance: {description: 'Between the airports', unit: 'miles'},
          inbound_flights: {description: 'Flights that had arrived at its airport in the two hours before'},
          inbound_late_share: {description: 'The share of them that was more than 15 minutes late'},
        },
        foreignKeys: [
          {column: 'origin', references: 'airports', as: 'origin_airport'},
          {column: 'destination', references: 'airports', as: 'destination_airport'},
        ],
      },
    }),
    predict('flight_predictions', {input: 'flights', model: 'late_arrival', keep: ['date', 'delay', 'distance', 'origin', 'destination']}),
    sql('airport_delays', sqlFile(new URL('./airport_delays.sql', import.meta.url))),
    publish('airport_delays.csv', {input: 'airport_delays', format: 'csv'}),
  ],
});
