-- SELECT id, year(dt) AS y, month(ts) AS m, day(dt) AS d, quarter(dt) AS q, dayofweek(dt) AS w, isodow(dt) AS i, week(dt) AS k, dayofyear(dt) AS o, hour(ts) AS h, minute(ts) AS n, second(ts) AS s, extract(year FROM tz) AS z, isoyear(dt) AS e FROM edges
SELECT `edges`.`id` AS `id`, CAST(year(`edges`.`dt`) AS BIGINT) AS `y`, CAST(month(`edges`.`ts`) AS BIGINT) AS `m`, CAST(day(`edges`.`dt`) AS BIGINT) AS `d`, CAST(quarter(`edges`.`dt`) AS BIGINT) AS `q`, CAST((dayofweek(`edges`.`dt`) - 1) AS BIGINT) AS `w`, CAST((weekday(`edges`.`dt`) + 1) AS BIGINT) AS `i`, CAST(weekofyear(`edges`.`dt`) AS BIGINT) AS `k`, CAST(dayofyear(`edges`.`dt`) AS BIGINT) AS `o`, CAST(hour(`edges`.`ts`) AS BIGINT) AS `h`, CAST(minute(`edges`.`ts`) AS BIGINT) AS `n`, CAST(second(`edges`.`ts`) AS BIGINT) AS `s`, CAST(year(`edges`.`tz`) AS BIGINT) AS `z`, CAST(extract(YEAROFWEEK FROM `edges`.`dt`) AS BIGINT) AS `e`
FROM `edges`;

-- SELECT id, date_trunc('month', dt) AS m, date_trunc('week', ts) AS w, date_trunc('hour', ts) AS h, date_trunc('day', tz) AS d FROM edges
SELECT `edges`.`id` AS `id`, CAST(date_trunc('MONTH', `edges`.`dt`) AS TIMESTAMP_NTZ) AS `m`, CAST(date_trunc('WEEK', `edges`.`ts`) AS TIMESTAMP_NTZ) AS `w`, CAST(date_trunc('HOUR', `edges`.`ts`) AS TIMESTAMP_NTZ) AS `h`, CAST(date_trunc('DAY', `edges`.`tz`) AS TIMESTAMP_LTZ) AS `d`
FROM `edges`;

-- SELECT id, dt + 1 AS a, dt - 1 AS b, dt - date '2000-01-01' AS c, last_day(dt) AS d FROM edges WHERE id <> 7
SELECT `edges`.`id` AS `id`, date_add(`edges`.`dt`, 1) AS `a`, date_sub(`edges`.`dt`, 1) AS `b`, CAST(datediff(`edges`.`dt`, DATE '2000-01-01') AS BIGINT) AS `c`, last_day(`edges`.`dt`) AS `d`
FROM `edges`
WHERE `edges`.`id` <> 7;

-- SELECT id, date_diff('day', dt, date '2001-01-01') AS d, date_diff('month', ts, timestamp '2001-01-01') AS m, date_diff('hour', ts, timestamp '2001-01-01') AS h, date_diff('second', ts, timestamp '1960-01-01') AS s, epoch_us(ts) AS u, epoch(tz) AS e FROM edges
SELECT `edges`.`id` AS `id`, CAST(datediff(DATE '2001-01-01', `edges`.`dt`) AS BIGINT) AS `d`, CAST((year(TIMESTAMP_NTZ '2001-01-01 00:00:00') * 12 + month(TIMESTAMP_NTZ '2001-01-01 00:00:00')) - (year(`edges`.`ts`) * 12 + month(`edges`.`ts`)) AS BIGINT) AS `m`, (unix_micros(date_trunc('HOUR', TIMESTAMP_NTZ '2001-01-01 00:00:00')) div 3600000000) - (unix_micros(date_trunc('HOUR', `edges`.`ts`)) div 3600000000) AS `h`, (unix_micros(date_trunc('SECOND', TIMESTAMP_NTZ '1960-01-01 00:00:00')) div 1000000) - (unix_micros(date_trunc('SECOND', `edges`.`ts`)) div 1000000) AS `s`, unix_micros(CAST(`edges`.`ts` AS TIMESTAMP_LTZ)) AS `u`, CAST(unix_micros(CAST(`edges`.`tz` AS TIMESTAMP_LTZ)) AS DOUBLE) / 1E6D AS `e`
FROM `edges`;
