-- SELECT id, d + 1.5 AS a, d * d AS b, d - id AS c, d % 3 AS e FROM edges
SELECT `edges`.`id` AS `id`, CAST((`edges`.`d` + CAST(1.5BD AS DECIMAL(2, 1))) AS DECIMAL(11, 2)) AS `a`, CAST((`edges`.`d` * `edges`.`d`) AS DECIMAL(18, 4)) AS `b`, CAST((`edges`.`d` - CAST(`edges`.`id` AS DECIMAL(10, 0))) AS DECIMAL(13, 2)) AS `c`, CAST((CAST(`edges`.`d` AS DECIMAL(12, 2)) % CAST(3 AS DECIMAL(12, 2))) AS DECIMAL(12, 2)) AS `e`
FROM `edges`;

-- SELECT d::INTEGER AS i, d::DECIMAL(12, 1) AS one FROM edges
SELECT CAST(round(`edges`.`d`, 0) AS INT) AS `i`, CAST(`edges`.`d` AS DECIMAL(12, 1)) AS `one`
FROM `edges`;
