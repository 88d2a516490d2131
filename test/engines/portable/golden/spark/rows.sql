-- select * from range(5) r(i), generate_series(1, 3) cross join (values (1, 'a'), (2, null)) v(x, y)
SELECT `r`.`i` AS `i`, `generate_series`.`generate_series` AS `generate_series`, `v`.`x` AS `x`, `v`.`y` AS `y`
FROM range(0L, 5L, 1L) AS `r` (`i`)
CROSS JOIN range(1L, 4L, 1L) AS `generate_series` (`generate_series`)
CROSS JOIN (
SELECT `valueslist`.`col0` AS `col0`, `valueslist`.`col1` AS `col1`
FROM (
SELECT 1 AS `col0`, 'a' AS `col1`
UNION ALL SELECT 2 AS `col0`, CAST(NULL AS STRING) AS `col1`
) AS `valueslist`
) AS `v` (`x`, `y`);

-- values (1, 'a'), (2, 'b')
SELECT `valueslist`.`col0` AS `col0`, `valueslist`.`col1` AS `col1`
FROM (
SELECT 1 AS `col0`, 'a' AS `col1`
UNION ALL SELECT 2 AS `col0`, 'b' AS `col1`
) AS `valueslist`;
