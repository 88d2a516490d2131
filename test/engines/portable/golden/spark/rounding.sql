-- SELECT f64::INTEGER AS i, f64::DECIMAL(10, 2) AS d, round(f64) AS r, floor(f64) AS f, ceil(f64) AS c FROM edges WHERE id IN (1, 7, 8)
SELECT CAST(rint(`edges`.`f64`) AS INT) AS `i`, CAST(CAST(rint(`edges`.`f64` * 1E2D + signum(`edges`.`f64`) * 1E-9D) AS BIGINT) * 0.01BD AS DECIMAL(10, 2)) AS `d`, CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(round(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `r`, CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(floor(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `f`, CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(ceil(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `c`
FROM `edges`
WHERE `edges`.`id` IN (1, 7, 8);

-- SELECT round(d) AS r, abs(d) AS a, abs(f64) AS b FROM edges
SELECT CAST(round(`edges`.`d`, 0) AS DECIMAL(10, 0)) AS `r`, abs(`edges`.`d`) AS `a`, abs(`edges`.`f64`) AS `b`
FROM `edges`;
