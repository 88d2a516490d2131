-- SELECT edges.id, name, n FROM edges JOIN names ON edges.id = names.id ORDER BY n
SELECT `edges`.`id` AS `id`, `names`.`name` AS `name`, `names`.`n` AS `n`
FROM `edges`
JOIN `names` ON `edges`.`id` = `names`.`id`
ORDER BY `n` NULLS LAST;

-- SELECT id, name, n FROM edges LEFT JOIN names USING (id)
SELECT `edges`.`id` AS `id`, `names`.`name` AS `name`, `names`.`n` AS `n`
FROM `edges`
LEFT JOIN `names` ON `edges`.`id` = `names`.`id`;

-- SELECT * FROM names JOIN many USING (id)
SELECT `names`.`id` AS `id`, `names`.`name` AS `name`, `names`.`n` AS `n`, `many`.`k` AS `k`, `many`.`v` AS `v`, `many`.`x` AS `x`, `many`.`c` AS `c`, `many`.`day` AS `day`, `many`.`moment` AS `moment`
FROM `names`
JOIN `many` ON `names`.`id` = `many`.`id`;

-- SELECT id, name FROM edges FULL JOIN names USING (id)
SELECT coalesce(`edges`.`id`, `names`.`id`) AS `id`, `names`.`name` AS `name`
FROM `edges`
FULL JOIN `names` ON `edges`.`id` = `names`.`id`;

-- SELECT id FROM edges SEMI JOIN names USING (id)
SELECT `edges`.`id` AS `id`
FROM `edges`
LEFT SEMI JOIN `names` ON `edges`.`id` = `names`.`id`;

-- SELECT id FROM edges ANTI JOIN names USING (id)
SELECT `edges`.`id` AS `id`
FROM `edges`
LEFT ANTI JOIN `names` ON `edges`.`id` = `names`.`id`;

-- SELECT a.id, b.name FROM names AS a CROSS JOIN names AS b
SELECT `a`.`id` AS `id`, `b`.`name` AS `name`
FROM `names` AS `a`
CROSS JOIN `names` AS `b`;

-- SELECT a.n, b.n AS m FROM names AS a RIGHT JOIN names AS b ON a.n < b.n AND b.id > 1
SELECT `a`.`n` AS `n`, `b`.`n` AS `m`
FROM `names` AS `a`
RIGHT JOIN `names` AS `b` ON (`a`.`n` < `b`.`n`) AND (`b`.`id` > 1);
