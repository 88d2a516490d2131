-- select k, id, v from many qualify row_number() over (partition by k order by v desc, id) <= 2 order by k, v desc
SELECT `k`, `id`, `v`
FROM (
SELECT `many`.`k` AS `k`, `many`.`id` AS `id`, `many`.`v` AS `v`, CAST(row_number() OVER (PARTITION BY `many`.`k` ORDER BY `many`.`v` DESC NULLS LAST, `many`.`id` NULLS LAST) AS BIGINT) <= 2L AS `_qualify`
FROM `many`
) AS `_windows`
WHERE `_qualify`
ORDER BY `k` NULLS LAST, `v` DESC NULLS LAST;

-- select id, k, row_number() over (partition by k order by v desc, id) r, rank() over (order by k) a, dense_rank() over (order by k) b, ntile(4) over (order by id) n, percent_rank() over (order by k) p, cume_dist() over (order by k) c from many
SELECT `many`.`id` AS `id`, `many`.`k` AS `k`, CAST(row_number() OVER (PARTITION BY `many`.`k` ORDER BY `many`.`v` DESC NULLS LAST, `many`.`id` NULLS LAST) AS BIGINT) AS `r`, CAST(rank() OVER (ORDER BY `many`.`k` NULLS LAST) AS BIGINT) AS `a`, CAST(dense_rank() OVER (ORDER BY `many`.`k` NULLS LAST) AS BIGINT) AS `b`, CAST(ntile(4) OVER (ORDER BY `many`.`id` NULLS LAST) AS BIGINT) AS `n`, percent_rank() OVER (ORDER BY `many`.`k` NULLS LAST) AS `p`, cume_dist() OVER (ORDER BY `many`.`k` NULLS LAST) AS `c`
FROM `many`;

-- select id, lag(v) over (order by id) a, lead(v, 2, 0) over (partition by k order by id) b, first_value(c) over (partition by k order by v nulls first, id) e, last_value(v ignore nulls) over (order by id) f, nth_value(v, 2) over (order by id) g from many
SELECT `many`.`id` AS `id`, lag(`many`.`v`, 1) OVER (ORDER BY `many`.`id` NULLS LAST) AS `a`, lead(`many`.`v`, 2, 0) OVER (PARTITION BY `many`.`k` ORDER BY `many`.`id` NULLS LAST) AS `b`, first_value(`many`.`c`) OVER (PARTITION BY `many`.`k` ORDER BY `many`.`v` NULLS FIRST, `many`.`id` NULLS LAST) AS `e`, last_value(`many`.`v`) IGNORE NULLS OVER (ORDER BY `many`.`id` NULLS LAST) AS `f`, nth_value(`many`.`v`, 2) OVER (ORDER BY `many`.`id` NULLS LAST) AS `g`
FROM `many`;

-- select id, sum(v) over (partition by k order by id) a, avg(v) over (order by id rows between 3 preceding and 1 following) b, count(*) over () n, max(v) over (partition by c) m, sum(v) filter (where v > 3) over (order by id) f, min(x) over (order by k range between current row and unbounded following) z from many
SELECT `many`.`id` AS `id`, CAST(sum(`many`.`v`) OVER (PARTITION BY `many`.`k` ORDER BY `many`.`id` NULLS LAST) AS DECIMAL(38, 0)) AS `a`, avg(`many`.`v`) OVER (ORDER BY `many`.`id` NULLS LAST ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING) AS `b`, count(*) OVER () AS `n`, max(`many`.`v`) OVER (PARTITION BY `many`.`c`) AS `m`, CAST(sum(CASE WHEN `many`.`v` > 3 THEN `many`.`v` END) OVER (ORDER BY `many`.`id` NULLS LAST) AS DECIMAL(38, 0)) AS `f`, min(`many`.`x`) OVER (ORDER BY `many`.`k` NULLS LAST RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS `z`
FROM `many`;

-- select k, sum(v) s, rank() over (order by sum(v) desc) r from many group by k
SELECT `many`.`k` AS `k`, CAST(sum(`many`.`v`) AS DECIMAL(38, 0)) AS `s`, CAST(rank() OVER (ORDER BY CAST(sum(`many`.`v`) AS DECIMAL(38, 0)) DESC NULLS LAST) AS BIGINT) AS `r`
FROM `many`
GROUP BY `many`.`k`;
