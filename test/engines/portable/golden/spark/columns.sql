-- SELECT * FROM edges
SELECT `edges`.`id` AS `id`, `edges`.`i8` AS `i8`, `edges`.`i16` AS `i16`, `edges`.`i32` AS `i32`, `edges`.`i64` AS `i64`, `edges`.`f32` AS `f32`, `edges`.`f64` AS `f64`, `edges`.`d` AS `d`, `edges`.`s` AS `s`, `edges`.`b` AS `b`, `edges`.`dt` AS `dt`, `edges`.`ts` AS `ts`, `edges`.`tz` AS `tz`
FROM `edges`;

-- SELECT * EXCLUDE (f32) REPLACE (i8 + 1 AS i8) FROM edges WHERE id <> 3
SELECT `edges`.`id` AS `id`, `edges`.`i8` + 1Y AS `i8`, `edges`.`i16` AS `i16`, `edges`.`i32` AS `i32`, `edges`.`i64` AS `i64`, `edges`.`f64` AS `f64`, `edges`.`d` AS `d`, `edges`.`s` AS `s`, `edges`.`b` AS `b`, `edges`.`dt` AS `dt`, `edges`.`ts` AS `ts`, `edges`.`tz` AS `tz`
FROM `edges`
WHERE `edges`.`id` <> 3;

-- SELECT x AS y, y + 1 AS z FROM many WHERE y > 0.5
SELECT `many`.`x` AS `y`, `many`.`x` + 1D AS `z`
FROM `many`
WHERE `many`.`x` > 5E-1D;

-- SELECT DISTINCT k, c FROM many ORDER BY k, c
SELECT DISTINCT `many`.`k` AS `k`, `many`.`c` AS `c`
FROM `many`
ORDER BY `k` NULLS LAST, `c` NULLS LAST;
