/** Six questions about flights, in the portable core of SQL: over `flights_raw` and `airports` of the sample project. Every one has one order of rows. */
export const analyticQueries = {
  /** How much there is and how late, for each hour of the day. */
  hours: `SELECT hour(date) AS hour, count(*) AS flights, avg(delay) AS mean_delay, count(*) FILTER (WHERE delay > 15) / count(*) AS late_share
FROM flights_raw GROUP BY hour(date) ORDER BY hour`,
  /** The busiest routes, with the names of their ends. */
  routes: `SELECT a.name AS origin_name, b.name AS destination_name, f.flights, f.mean_delay
FROM (SELECT origin, destination, count(*) AS flights, avg(delay) AS mean_delay FROM flights_raw GROUP BY origin, destination) AS f
JOIN airports AS a ON a.iata = f.origin JOIN airports AS b ON b.iata = f.destination
ORDER BY f.flights DESC, a.iata, b.iata LIMIT 50`,
  /** The five worst days of each airport that has traffic enough. */
  worst_days: `SELECT origin, day, flights, late
FROM (
  SELECT origin, CAST(date AS DATE) AS day, count(*) AS flights, count(*) FILTER (WHERE delay > 60) AS late
  FROM flights_raw GROUP BY origin, CAST(date AS DATE) HAVING count(*) >= 20
)
QUALIFY row_number() OVER (PARTITION BY origin ORDER BY late / flights DESC, day) <= 5
ORDER BY origin, day`,
  /** The mean delay of each week, beside that of the week before and of the four last ones. */
  weeks: `WITH weeks AS (SELECT date_trunc('week', date) AS week, count(*) AS flights, sum(delay) AS delay FROM flights_raw GROUP BY date_trunc('week', date))
SELECT week, flights, delay / flights AS mean_delay, lag(delay / flights) OVER (ORDER BY week) AS before,
  sum(delay) OVER (ORDER BY week ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) / sum(flights) OVER (ORDER BY week ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS smoothed
FROM weeks ORDER BY week`,
  /** How many places each airport reaches, near and far, and how its state compares. */
  reach: `SELECT a.state, count(DISTINCT f.origin) AS airports, count(DISTINCT f.destination) AS destinations, max(f.distance) AS farthest,
  CASE WHEN max(f.distance) >= 2000 THEN 'far' WHEN max(f.distance) >= 800 THEN 'middle' ELSE 'near' END AS kind
FROM flights_raw AS f JOIN airports AS a ON f.origin = a.iata
WHERE a.state IS NOT NULL AND f.date < TIMESTAMP '2001-04-01'
GROUP BY a.state ORDER BY destinations DESC, a.state`,
  /** What follows a late departure at its airport within the hour. */
  echoes: `WITH slots AS (
  SELECT origin, date_trunc('hour', date) AS slot, count(*) AS flights, count(*) FILTER (WHERE delay > 30) AS late
  FROM flights_raw GROUP BY origin, date_trunc('hour', date)
)
SELECT s.origin, count(*) AS slots, sum(s.late) AS late, sum(coalesce(n.late, 0)) AS late_after, sum(coalesce(n.late, 0)) / nullif(sum(n.flights), 0) AS share_after
FROM slots AS s LEFT JOIN slots AS n ON n.origin = s.origin AND n.slot = s.slot + INTERVAL 1 HOUR
WHERE s.late > 0 GROUP BY s.origin HAVING count(*) > 10 ORDER BY share_after DESC NULLS LAST, s.origin`,
};
