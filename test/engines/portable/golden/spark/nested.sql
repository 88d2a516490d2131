-- select id from edges where id not in (select n from names) and id in (select id from names where id is not null)
SELECT `edges`.`id` AS `id`
FROM `edges`
WHERE (NOT (`edges`.`id` IN (
SELECT `names`.`n` AS `n`
FROM `names`
))) AND (`edges`.`id` IN (
SELECT `names`.`id` AS `id`
FROM `names`
WHERE `names`.`id` IS NOT NULL
));

-- select id, (select count(*) from names n where n.id = edges.id) c, (select max(n) from names) m from edges
SELECT `edges`.`id` AS `id`, (
SELECT count(*) AS `_count_star_1`
FROM `names` AS `n`
WHERE `n`.`id` = `edges`.`id`
) AS `c`, (
SELECT max(`names`.`n`) AS `_max_2`
FROM `names`
) AS `m`
FROM `edges`;

-- select id from many m where v > (select avg(v) from many where k = m.k)
SELECT `m`.`id` AS `id`
FROM `many` AS `m`
WHERE CAST(`m`.`v` AS DOUBLE) > (
SELECT avg(`many`.`v`) AS `_avg_1`
FROM `many`
WHERE `many`.`k` = `m`.`k`
);

-- select id from edges where not exists (select 1 from names n where n.id = edges.id) and (id in (select id from names) or id > 3)
SELECT `edges`.`id` AS `id`
FROM `edges`
WHERE (NOT (EXISTS (
SELECT 1 AS `_column_1`
FROM `names` AS `n`
WHERE `n`.`id` = `edges`.`id`
))) AND ((`edges`.`id` IN (
SELECT `names`.`id` AS `id`
FROM `names`
)) OR (`edges`.`id` > 3));
