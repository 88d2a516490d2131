-- SELECT id FROM edges UNION SELECT n FROM names
SELECT * FROM (
SELECT `edges`.`id` AS `id`
FROM `edges`
) AS `_part`
UNION
SELECT * FROM (
SELECT `names`.`n` AS `n`
FROM `names`
) AS `_part`;

-- SELECT id FROM edges UNION ALL SELECT n FROM names ORDER BY id NULLS FIRST
SELECT * FROM (
SELECT * FROM (
SELECT `edges`.`id` AS `id`
FROM `edges`
) AS `_part`
UNION ALL
SELECT * FROM (
SELECT `names`.`n` AS `n`
FROM `names`
) AS `_part`
) AS `_all`
ORDER BY `id` NULLS FIRST;

-- SELECT i64 FROM edges EXCEPT SELECT id FROM names
SELECT * FROM (
SELECT `edges`.`i64` AS `i64`
FROM `edges`
) AS `_part`
EXCEPT
SELECT CAST(`_part`.`id` AS BIGINT) AS `i64` FROM (
SELECT `names`.`id` AS `id`
FROM `names`
) AS `_part`;

-- SELECT id FROM edges INTERSECT SELECT id FROM names
SELECT * FROM (
SELECT `edges`.`id` AS `id`
FROM `edges`
) AS `_part`
INTERSECT
SELECT * FROM (
SELECT `names`.`id` AS `id`
FROM `names`
) AS `_part`;
