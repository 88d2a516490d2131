-- SELECT id IN (1, 2, 3) AS a, id NOT IN (1, NULL) AS c, id BETWEEN 2 AND 4 AS e, NOT b AS f, b AND id > 3 AS g, b OR id IS NULL AS h FROM edges
SELECT `edges`.`id` IN (1, 2, 3) AS `a`, `edges`.`id` NOT IN (1, CAST(NULL AS INT)) AS `c`, `edges`.`id` BETWEEN 2 AND 4 AS `e`, NOT `edges`.`b` AS `f`, `edges`.`b` AND (`edges`.`id` > 3) AS `g`, `edges`.`b` OR (`edges`.`id` IS NULL) AS `h`
FROM `edges`;

-- SELECT CASE WHEN i32 > 3 THEN 'big' WHEN i32 IS NULL THEN 'none' ELSE 'small' END AS size, coalesce(i8, 0) AS i8, nullif(i32, 3) AS i32, greatest(i8, i16) AS g, least(f64, i32) AS l FROM edges
SELECT CASE WHEN `edges`.`i32` > 3 THEN 'big' WHEN `edges`.`i32` IS NULL THEN 'none' ELSE 'small' END AS `size`, coalesce(`edges`.`i8`, 0Y) AS `i8`, nullif(`edges`.`i32`, 3) AS `i32`, greatest(CAST(`edges`.`i8` AS SMALLINT), `edges`.`i16`) AS `g`, least(`edges`.`f64`, CAST(`edges`.`i32` AS DOUBLE)) AS `l`
FROM `edges`;

-- SELECT id FROM edges WHERE tz > '2001-01-01 00:00:00+01' OR ts <= '1969-12-31 23:59:59.999999' OR dt = '2024-02-29'
SELECT `edges`.`id` AS `id`
FROM `edges`
WHERE (`edges`.`tz` > TIMESTAMP_LTZ '2000-12-31 23:00:00 UTC') OR (`edges`.`ts` <= TIMESTAMP_NTZ '1969-12-31 23:59:59.999999') OR (`edges`.`dt` = DATE '2024-02-29');

-- SELECT id, f64 = f32 AS a, f64 > 1 AS c, i32 IS NOT DISTINCT FROM NULL AS e FROM edges
SELECT `edges`.`id` AS `id`, `edges`.`f64` = CAST(`edges`.`f32` AS DOUBLE) AS `a`, `edges`.`f64` > 1D AS `c`, `edges`.`i32` <=> CAST(NULL AS INT) AS `e`
FROM `edges`;
