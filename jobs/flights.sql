-- Flights with what was known of their airport when they left.
--
-- The file has no arrival time: it is estimated as departure + 30 minutes + distance at 500 miles an hour. Only flights that had
-- arrived, by that estimate, in the twelve whole ten-minute slots before the slot of a departure count for it: about two hours, and
-- nothing of its own minute. Sums are made once for each airport and slot, and serve all the departures of that slot.
-- The features are integers and quotients of integers as REAL: the same in every run, and what the model takes.
WITH flights AS (
  SELECT date, CAST(delay AS INTEGER) AS delay, CAST(distance AS INTEGER) AS distance, origin, destination,
    epoch_us(date) // 600000000 AS slot,
    epoch_us(date + to_minutes(30 + distance * 60 // 500)) // 600000000 AS arrival_slot,
    CAST(delay > 15 AS INTEGER) AS late,
    greatest(-60, least(delay, 240)) AS bounded_delay
  FROM flights_raw
  WHERE date < CAST($through AS DATE) + INTERVAL 1 DAY
),
-- An arrival is news at its destination, and at its origin, whose departure it was.
news AS (
  SELECT airport, slot, CAST(sum(inbound) AS INTEGER) AS inbound, CAST(sum(inbound_late) AS INTEGER) AS inbound_late, CAST(sum(inbound_delay) AS INTEGER) AS inbound_delay,
    CAST(sum(outbound) AS INTEGER) AS outbound, CAST(sum(outbound_late) AS INTEGER) AS outbound_late
  FROM (
    SELECT destination AS airport, arrival_slot AS slot, count(*) AS inbound, sum(late) AS inbound_late, sum(bounded_delay) AS inbound_delay, 0 AS outbound, 0 AS outbound_late
    FROM flights GROUP BY destination, arrival_slot
    UNION ALL
    SELECT origin, arrival_slot, 0, 0, 0, count(*), sum(late)
    FROM flights GROUP BY origin, arrival_slot
  )
  GROUP BY airport, slot
),
known AS (
  SELECT airport, slot + later AS slot, sum(inbound) AS inbound, sum(inbound_late) AS inbound_late, sum(inbound_delay) AS inbound_delay, sum(outbound) AS outbound, sum(outbound_late) AS outbound_late
  FROM news CROSS JOIN generate_series(1, 12) AS offsets(later)
  GROUP BY airport, slot + later
)
SELECT flights.date, CAST(flights.delay AS INTEGER) AS delay, CAST(flights.distance AS INTEGER) AS distance, flights.origin, flights.destination,
  CAST(coalesce(known.inbound, 0) AS INTEGER) AS inbound_flights,
  CAST(coalesce(known.inbound_late / nullif(known.inbound, 0), 0) AS REAL) AS inbound_late_share,
  CAST(coalesce(known.inbound_delay / nullif(known.inbound, 0), 0) AS REAL) AS inbound_mean_delay,
  CAST(coalesce(known.outbound, 0) AS INTEGER) AS outbound_flights,
  CAST(coalesce(known.outbound_late / nullif(known.outbound, 0), 0) AS REAL) AS outbound_late_share
FROM flights LEFT JOIN known ON known.airport = flights.origin AND known.slot = flights.slot
ORDER BY flights.date, flights.origin, flights.destination, flights.delay, flights.distance
