-- SELECT s, length(s) AS l, contains(s, 'b') AS c, strpos(s, 'c') AS p, s || 'x' AS x, concat(s, 'y') AS y, starts_with(s, 'a') AS a FROM edges
SELECT `edges`.`s` AS `s`, CAST(length(`edges`.`s`) AS BIGINT) AS `l`, contains(`edges`.`s`, 'b') AS `c`, CAST(locate('c', `edges`.`s`) AS BIGINT) AS `p`, concat(`edges`.`s`, 'x') AS `x`, concat_ws('', `edges`.`s`, 'y') AS `y`, startswith(`edges`.`s`, 'a') AS `a`
FROM `edges`;

-- SELECT id, s LIKE 'a%' AS a, s LIKE '%\d' AS b, s LIKE '%\%' AS c, s LIKE 'a_c' AS d, s NOT LIKE '%b%' AS e, s LIKE name AS f FROM edges LEFT JOIN names USING (id)
SELECT `edges`.`id` AS `id`, `edges`.`s` LIKE 'a%' AS `a`, `edges`.`s` LIKE '%\\\\d' AS `b`, `edges`.`s` LIKE '%\\\\%' AS `c`, `edges`.`s` LIKE 'a_c' AS `d`, NOT (`edges`.`s` LIKE '%b%') AS `e`, `edges`.`s` LIKE replace(`names`.`name`, '\\', '\\\\') AS `f`
FROM `edges`
LEFT JOIN `names` ON `edges`.`id` = `names`.`id`;

-- SELECT id FROM edges WHERE s = '🎉 x''y${z}' OR s = 'a%b_c\d' OR s < 'a'
SELECT `edges`.`id` AS `id`
FROM `edges`
WHERE (`edges`.`s` = '🎉 x\'y\u0024{z}') OR (`edges`.`s` = 'a%b_c\\d') OR (`edges`.`s` < 'a');

-- SELECT CAST(id AS VARCHAR) AS i, CAST(d AS VARCHAR) AS d, CAST(dt AS VARCHAR) AS dt, CAST(ts AS VARCHAR) AS ts, CAST(tz AS VARCHAR) AS tz, CAST(b AS VARCHAR) AS b FROM edges
SELECT CAST(`edges`.`id` AS STRING) AS `i`, CAST(`edges`.`d` AS STRING) AS `d`, CAST(`edges`.`dt` AS STRING) AS `dt`, CAST(`edges`.`ts` AS STRING) AS `ts`, concat(CAST(`edges`.`tz` AS STRING), '+00') AS `tz`, CAST(`edges`.`b` AS STRING) AS `b`
FROM `edges`;
