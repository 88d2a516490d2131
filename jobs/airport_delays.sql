-- Each airport's departures: how many were more than 15 minutes late, and how many the model expected.
-- Probabilities are summed as millionths, in whole numbers: sums of floating-point numbers depend on the order of the rows.
SELECT origin, CAST(count(*) AS INTEGER) AS flights,
  count(*) FILTER (WHERE delay > 15) / count(*) AS late_share,
  sum(CAST(round(probability * 1000000) AS BIGINT)) / 1000000 / count(*) AS expected_late_share
FROM flight_predictions
GROUP BY origin
ORDER BY late_share DESC, origin
