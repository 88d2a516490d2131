-- SELECT k, count(*) AS n, sum(v) AS s, avg(v) AS m, min(c) AS lo, max(c) AS hi, count(DISTINCT c) AS dc, count(*) FILTER (WHERE v > 3) AS f FROM many GROUP BY k ORDER BY k
SELECT `many`.`k` AS `k`, count(*) AS `n`, CAST(sum(`many`.`v`) AS DECIMAL(38, 0)) AS `s`, avg(`many`.`v`) AS `m`, min(`many`.`c`) AS `lo`, max(`many`.`c`) AS `hi`, count(DISTINCT `many`.`c`) AS `dc`, count(*) FILTER (WHERE `many`.`v` > 3) AS `f`
FROM `many`
GROUP BY `many`.`k`
ORDER BY `k` NULLS LAST;

-- SELECT k, c, sum(x) AS s FROM many GROUP BY ALL HAVING sum(x) > 0.5 ORDER BY 3 DESC, 1, 2 LIMIT 5
SELECT `many`.`k` AS `k`, `many`.`c` AS `c`, sum(`many`.`x`) AS `s`
FROM `many`
GROUP BY `many`.`k`, `many`.`c`
HAVING sum(`many`.`x`) > 5E-1D
ORDER BY `s` DESC NULLS LAST, `k` NULLS LAST, `c` NULLS LAST
LIMIT 5;

-- SELECT k * 2 AS twice, count(*) AS n FROM many GROUP BY 1 ORDER BY 2 DESC, twice
SELECT `many`.`k` * 2 AS `twice`, count(*) AS `n`
FROM `many`
GROUP BY (`many`.`k` * 2)
ORDER BY `n` DESC NULLS LAST, `twice` NULLS LAST;

-- SELECT k, c, count(*) AS n FROM many GROUP BY ROLLUP (k, c)
SELECT `many`.`k` AS `k`, `many`.`c` AS `c`, count(*) AS `n`
FROM `many`
GROUP BY `many`.`k`, `many`.`c` GROUPING SETS ((), (`many`.`k`), (`many`.`k`, `many`.`c`));

-- SELECT k, c, count(*) AS n FROM many GROUP BY GROUPING SETS ((k), (c), ())
SELECT `many`.`k` AS `k`, `many`.`c` AS `c`, count(*) AS `n`
FROM `many`
GROUP BY `many`.`k`, `many`.`c` GROUPING SETS ((`many`.`k`), (`many`.`c`), ());

-- SELECT sum(d) AS a, avg(d) AS b, sum(i64) AS c, avg(i64) AS e, bool_and(b) AS f, bool_or(b) AS g, min(ts) AS h, max(dt) AS i FROM edges
SELECT CAST(sum(`edges`.`d`) AS DECIMAL(38, 2)) AS `a`, CAST(sum(`edges`.`d`) AS DOUBLE) / nullif(count(`edges`.`d`), 0) AS `b`, CAST(sum(CAST(`edges`.`i64` AS DECIMAL(19, 0))) AS DECIMAL(38, 0)) AS `c`, CAST(sum(CAST(`edges`.`i64` AS DECIMAL(19, 0))) AS DOUBLE) / nullif(count(`edges`.`i64`), 0) AS `e`, bool_and(`edges`.`b`) AS `f`, bool_or(`edges`.`b`) AS `g`, min(`edges`.`ts`) AS `h`, max(`edges`.`dt`) AS `i`
FROM `edges`;

-- SELECT stddev(x) AS a, var_pop(x) AS b, sum(x) AS c, avg(x) AS d, count_if(v > 3) AS e FROM many WHERE id > 3
SELECT stddev_samp(`many`.`x`) AS `a`, var_pop(`many`.`x`) AS `b`, sum(`many`.`x`) AS `c`, avg(`many`.`x`) AS `d`, CAST(count_if((`many`.`v` > 3)) AS DECIMAL(38, 0)) AS `e`
FROM `many`
WHERE `many`.`id` > 3;

-- SELECT count(*) AS n, sum(v) AS s, min(c) AS c FROM many WHERE id < 0
SELECT count(*) AS `n`, CAST(sum(`many`.`v`) AS DECIMAL(38, 0)) AS `s`, min(`many`.`c`) AS `c`
FROM `many`
WHERE `many`.`id` < 0;
