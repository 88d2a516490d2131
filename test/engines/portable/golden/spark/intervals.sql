-- select id, dt + interval 1 month a, ts + interval '1 day 2 hours' b, ts - interval 90 minute c, tz + to_hours(id) d, interval 1 day + dt e from edges where id not in (7)
SELECT `edges`.`id` AS `id`, CAST(`edges`.`dt` AS TIMESTAMP_NTZ) + make_ym_interval(0, CAST(1L AS INT)) AS `a`, timestampadd(MICROSECOND, 7200000000L, (`edges`.`ts` + make_dt_interval(CAST(1L AS INT)))) AS `b`, timestampadd(MICROSECOND, (- 5400000000L), `edges`.`ts`) AS `c`, timestampadd(MICROSECOND, (CAST(`edges`.`id` AS BIGINT) * 3600000000L), `edges`.`tz`) AS `d`, CAST(`edges`.`dt` AS TIMESTAMP_NTZ) + make_dt_interval(CAST(1L AS INT)) AS `e`
FROM `edges`
WHERE `edges`.`id` NOT IN (7);

-- select id, ts + interval (id) day, dt + 3 * interval 1 week, ts - to_seconds(id), epoch(ts - timestamp '2000-01-01') from edges where id < 7
SELECT `edges`.`id` AS `id`, `edges`.`ts` + make_dt_interval(CAST(CAST(`edges`.`id` AS BIGINT) AS INT)) AS `_column_1`, CAST(`edges`.`dt` AS TIMESTAMP_NTZ) + make_dt_interval(CAST((7L * 3L) AS INT)) AS `_column_2`, timestampadd(MICROSECOND, (- (CAST(`edges`.`id` AS BIGINT) * 1000000L)), `edges`.`ts`) AS `_column_3`, CAST((unix_micros(CAST(`edges`.`ts` AS TIMESTAMP_LTZ)) - unix_micros(CAST(TIMESTAMP_NTZ '2000-01-01 00:00:00' AS TIMESTAMP_LTZ))) AS DOUBLE) / 1E6D AS `_epoch_4`
FROM `edges`
WHERE `edges`.`id` < 7;
