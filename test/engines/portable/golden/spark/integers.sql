-- SELECT id, i8 + 1 AS a, i32 * 2::BIGINT AS b, i64 // 3 AS c, i32 % 4 AS d, -i16 AS e FROM edges WHERE id NOT IN (2, 3)
SELECT `edges`.`id` AS `id`, `edges`.`i8` + 1Y AS `a`, CAST(`edges`.`i32` AS BIGINT) * 2L AS `b`, CAST((`edges`.`i64` div 3L) AS BIGINT) AS `c`, CAST((`edges`.`i32` % 4) AS INT) AS `d`, - `edges`.`i16` AS `e`
FROM `edges`
WHERE `edges`.`id` NOT IN (2, 3);

-- SELECT id, i32 // 0 AS a, i32 % 0 AS b, i64 // nullif(i32, 3) AS c FROM edges
SELECT `edges`.`id` AS `id`, CAST((`edges`.`i32` div nullif(0, 0)) AS INT) AS `a`, CAST((`edges`.`i32` % nullif(0, 0)) AS INT) AS `b`, CAST((`edges`.`i64` div nullif(CAST(nullif(`edges`.`i32`, 3) AS BIGINT), 0)) AS BIGINT) AS `c`
FROM `edges`;

-- SELECT 9223372036854775807 AS most, -9223372036854775808 AS least, 170141183460469231 * 10 AS big FROM names
SELECT 9223372036854775807L AS `most`, CAST(-9223372036854775808BD AS BIGINT) AS `least`, 170141183460469231L * 10L AS `big`
FROM `names`;
