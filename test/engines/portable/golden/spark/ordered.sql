-- select k, string_agg(c, '-' order by id desc), string_agg(distinct c, ',' order by c) from many group by k
SELECT `many`.`k` AS `k`, listagg(`many`.`c`, '-') WITHIN GROUP (ORDER BY `many`.`id` DESC NULLS LAST) AS `_string_agg_1`, listagg(DISTINCT `many`.`c`, ',') WITHIN GROUP (ORDER BY `many`.`c` NULLS LAST) AS `_string_agg_2`
FROM `many`
GROUP BY `many`.`k`;

-- select count(), max(v order by id) from many
SELECT count(*) AS `_count_star_1`, max(`many`.`v`) AS `_max_2`
FROM `many`;
