-- SELECT year(dt) AS a, quarter(ts) AS b, month(dt) AS c, day(ts) AS d, dayofweek(dt) AS e, isodow(dt) AS f, week(dt) AS g, hour(ts) AS h, minute(ts) AS i, second(ts) AS j, date_part('year', ts) AS k, weekofyear(ts) AS l, weekday(dt) AS m FROM edges
SELECT CAST(year(`edges`.`dt`) AS BIGINT) AS `a`, CAST(quarter(`edges`.`ts`) AS BIGINT) AS `b`, CAST(month(`edges`.`dt`) AS BIGINT) AS `c`, CAST(day(`edges`.`ts`) AS BIGINT) AS `d`, CAST((dayofweek(`edges`.`dt`) - 1) AS BIGINT) AS `e`, CAST((weekday(`edges`.`dt`) + 1) AS BIGINT) AS `f`, CAST(weekofyear(`edges`.`dt`) AS BIGINT) AS `g`, CAST(hour(`edges`.`ts`) AS BIGINT) AS `h`, CAST(minute(`edges`.`ts`) AS BIGINT) AS `i`, CAST(second(`edges`.`ts`) AS BIGINT) AS `j`, CAST(year(`edges`.`ts`) AS BIGINT) AS `k`, CAST(weekofyear(`edges`.`ts`) AS BIGINT) AS `l`, CAST((dayofweek(`edges`.`dt`) - 1) AS BIGINT) AS `m`
FROM `edges`;

-- SELECT length(s) AS a, strlen(s) AS b, concat(s, 'y', NULL) AS c, concat_ws('-', s, 'a') AS d, contains(s, 'b') AS e, s LIKE 'a%' AS f, s NOT LIKE '%b_' AS g, s || 'x' AS h FROM edges
SELECT CAST(length(`edges`.`s`) AS BIGINT) AS `a`, CAST(octet_length(`edges`.`s`) AS BIGINT) AS `b`, concat_ws('', `edges`.`s`, 'y', CAST(NULL AS STRING)) AS `c`, concat_ws('-', `edges`.`s`, 'a') AS `d`, contains(`edges`.`s`, 'b') AS `e`, `edges`.`s` LIKE 'a%' AS `f`, NOT (`edges`.`s` LIKE '%b_') AS `g`, concat(`edges`.`s`, 'x') AS `h`
FROM `edges`;

-- SELECT floor(f64) AS a, ceil(f64) AS b, ceiling(f32) AS c, floor(i32) AS d, ceil(i16) AS e, round(i32) AS h, nullif(i32, 3) AS i, ifnull(i8, i16) AS j FROM edges
SELECT CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(floor(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `a`, CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(ceil(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `b`, CASE WHEN abs(`edges`.`f32`) < 4503599627370496D THEN CAST(ceil(`edges`.`f32`) AS FLOAT) ELSE `edges`.`f32` END AS `c`, CAST(`edges`.`i32` AS DOUBLE) AS `d`, CAST(`edges`.`i16` AS DOUBLE) AS `e`, `edges`.`i32` AS `h`, nullif(`edges`.`i32`, 3) AS `i`, coalesce(CAST(`edges`.`i8` AS SMALLINT), `edges`.`i16`) AS `j`
FROM `edges`;

-- SELECT exp(x) AS a, power(x, 2) AS b, x ^ 0.5 AS c, pi() AS d, x * 2 + 1 AS e, i32 % 4 AS f FROM many JOIN edges USING (id)
SELECT exp(`many`.`x`) AS `a`, power(`many`.`x`, 2D) AS `b`, power(`many`.`x`, 5E-1D) AS `c`, pi() AS `d`, (`many`.`x` * 2D) + 1D AS `e`, CAST((`edges`.`i32` % 4) AS INT) AS `f`
FROM `many`
JOIN `edges` ON `many`.`id` = `edges`.`id`;

-- SELECT dt + 1 AS a, dt - 1 AS b, dt - date '2000-01-01' AS c, last_day(dt) AS d FROM edges WHERE id <> 7
SELECT date_add(`edges`.`dt`, 1) AS `a`, date_sub(`edges`.`dt`, 1) AS `b`, CAST(datediff(`edges`.`dt`, DATE '2000-01-01') AS BIGINT) AS `c`, last_day(`edges`.`dt`) AS `d`
FROM `edges`
WHERE `edges`.`id` <> 7;

-- SELECT k, count(*) AS a, sum(v) AS b, avg(x) AS c, min(day) AS d, max(moment) AS e, sum(x) AS f, count(v) FILTER (WHERE v > 3) AS g, count(DISTINCT c) AS h FROM many GROUP BY k
SELECT `many`.`k` AS `k`, count(*) AS `a`, CAST(sum(`many`.`v`) AS DECIMAL(38, 0)) AS `b`, avg(`many`.`x`) AS `c`, min(`many`.`day`) AS `d`, max(`many`.`moment`) AS `e`, sum(`many`.`x`) AS `f`, count(`many`.`v`) FILTER (WHERE `many`.`v` > 3) AS `g`, count(DISTINCT `many`.`c`) AS `h`
FROM `many`
GROUP BY `many`.`k`;
