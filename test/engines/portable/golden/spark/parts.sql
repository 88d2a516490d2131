-- select substring(s, 2, 3), substring(s, 1, 0), substr(s, 3), left(s, 2), left(s, 0), right(s, 2), right(s, 0), right(s, 100) from edges
SELECT substring(`edges`.`s`, 2, 3) AS `_substring_1`, substring(`edges`.`s`, 1, 0) AS `_substring_2`, substring(`edges`.`s`, 3) AS `_substr_3`, substring(`edges`.`s`, 1, 2) AS `_left_4`, substring(`edges`.`s`, 1, 0) AS `_left_5`, right(`edges`.`s`, 2) AS `_right_6`, substring(`edges`.`s`, 1, 0) AS `_right_7`, right(`edges`.`s`, 100) AS `_right_8`
FROM `edges`;

-- select trim(s), ltrim(s), rtrim(s), trim(s, 'ac'), ltrim(s, 'a'), lower(s), repeat(s, 2), lpad(s, 6, 'xy'), rpad(s, 2, '-'), lpad(s, 8, '🎉') from edges
SELECT trim(BOTH '                　' FROM `edges`.`s`) AS `_trim_1`, trim(LEADING '                　' FROM `edges`.`s`) AS `_ltrim_2`, trim(TRAILING '                　' FROM `edges`.`s`) AS `_rtrim_3`, trim(BOTH 'ac' FROM `edges`.`s`) AS `_trim_4`, trim(LEADING 'a' FROM `edges`.`s`) AS `_ltrim_5`, lower(translate(`edges`.`s`, 'İΣ', 'iσ')) AS `_lower_6`, repeat(`edges`.`s`, CAST(2L AS INT)) AS `_repeat_7`, lpad(`edges`.`s`, 6, 'xy') AS `_lpad_8`, rpad(`edges`.`s`, 2, '-') AS `_rpad_9`, lpad(`edges`.`s`, 8, '🎉') AS `_lpad_10`
FROM `edges`;

-- select md5(s), sha256(s), translate(s, 'ab', 'x') from edges
SELECT md5(`edges`.`s`) AS `_md5_1`, sha2(`edges`.`s`, 256) AS `_sha256_2`, translate(`edges`.`s`, 'ab', 'x') AS `_translate_3`
FROM `edges`;

-- select monthname(dt), dayname(ts), strftime(ts, '%Y-%m-%d %H:%M:%S.%f'), strftime(dt, '%j %y %b %B %a %A it''s %%'), strftime(ts, '%I%p'), epoch_ms(ts) from edges
SELECT date_format(`edges`.`dt`, 'MMMM') AS `_monthname_1`, date_format(`edges`.`ts`, 'EEEE') AS `_dayname_2`, date_format(`edges`.`ts`, 'yyyy\'-\'MM\'-\'dd\' \'HH\':\'mm\':\'ss\'.\'SSSSSS') AS `_strftime_3`, date_format(`edges`.`dt`, 'DDD\' \'yy\' \'MMM\' \'MMMM\' \'EEE\' \'EEEE\' it\'\'s %\'') AS `_strftime_4`, date_format(`edges`.`ts`, 'hha') AS `_strftime_5`, unix_micros(CAST(`edges`.`ts` AS TIMESTAMP_LTZ)) div 1000 AS `_epoch_ms_6`
FROM `edges`;
