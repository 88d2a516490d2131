import {reservedReason, unreserved} from '../../src/schemas/reserved.ts';

describe('reserved names', () => {
  it.each(['dataset', 'datasets', 'Runs', 'aliases', 'runEvents', 'order_by', 'flights_aggregate', 'flights_BY_PK', 'late_set_input', 'a__b', '_x', 'insert_flights', 'bigint'])('%s is reserved, with a way out', name => {
    expect(reservedReason(name)).not.toBeNull();
    expect(reservedReason(unreserved(name))).toBeNull();
  });

  it.each(['flights', 'airports', 'late_arrival', 'runway', 'by_pk', 'birdstrikes', 'groups_of_people', 'running'])('%s is free', name => {
    expect(reservedReason(name)).toBeNull();
  });

  it('counts the fields of the graph at hand', () => {
    expect(reservedReason('currentWeather', ['currentWeather'])).not.toBeNull();
  });
});
