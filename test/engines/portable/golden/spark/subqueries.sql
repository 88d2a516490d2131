-- WITH a AS (SELECT id, v FROM many WHERE v > 5), b AS (SELECT * FROM a WHERE id > 20) SELECT a.id, b.v FROM a LEFT JOIN b ON a.id = b.id
WITH `a` AS (
SELECT `many`.`id` AS `id`, `many`.`v` AS `v`
FROM `many`
WHERE `many`.`v` > 5
),
`b` AS (
SELECT `a`.`id` AS `id`, `a`.`v` AS `v`
FROM `a`
WHERE `a`.`id` > 20
)
SELECT `a`.`id` AS `id`, `b`.`v` AS `v`
FROM `a`
LEFT JOIN `b` ON `a`.`id` = `b`.`id`;

-- WITH names AS (SELECT id + 1 AS id FROM names) SELECT id FROM names
WITH `names_2` AS (
SELECT `names`.`id` + 1 AS `id`
FROM `names`
)
SELECT `names`.`id` AS `id`
FROM `names_2` AS `names`;

-- SELECT q.total FROM (SELECT k, sum(v) AS total FROM many GROUP BY k) AS q WHERE q.k > 0
SELECT `q`.`total` AS `total`
FROM (
SELECT `many`.`k` AS `k`, CAST(sum(`many`.`v`) AS DECIMAL(38, 0)) AS `total`
FROM `many`
GROUP BY `many`.`k`
) AS `q`
WHERE `q`.`k` > 0;
