-- SELECT f64::INTEGER AS i, f64::DECIMAL(10, 2) AS d, round(f64) AS r, floor(f64) AS f, ceil(f64) AS c FROM edges WHERE id IN (1, 7, 8)
SELECT CAST(rint(`edges`.`f64`) AS INT) AS `i`, CAST(CAST(rint(`edges`.`f64` * 1E2D + signum(`edges`.`f64`) * 1E-9D) AS BIGINT) * 0.01BD AS DECIMAL(10, 2)) AS `d`, round(`edges`.`f64`) AS `r`, CAST(floor(`edges`.`f64`) AS DOUBLE) AS `f`, CAST(ceil(`edges`.`f64`) AS DOUBLE) AS `c`
FROM `edges`
WHERE `edges`.`id` IN (1, 7, 8);

-- SELECT round(d) AS r, abs(d) AS a, abs(f64) AS b FROM edges
SELECT round(`edges`.`d`, 0) AS `r`, abs(`edges`.`d`) AS `a`, abs(`edges`.`f64`) AS `b`
FROM `edges`;
