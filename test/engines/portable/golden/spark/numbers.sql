-- select f32::real, (f64 * 2)::float, f32 * 2, f32 / 2, round(f32), f32 + f64, i32 + f32, f32 / i32 from edges
SELECT `edges`.`f32` AS `_column_1`, CAST((`edges`.`f64` * 2D) AS FLOAT) AS `_column_2`, `edges`.`f32` * CAST(2D AS FLOAT) AS `_column_3`, CAST((`edges`.`f32` / CAST(2D AS FLOAT)) AS FLOAT) AS `_column_4`, CASE WHEN abs(`edges`.`f32`) < 4503599627370496D THEN CAST(round(`edges`.`f32`) AS FLOAT) ELSE `edges`.`f32` END AS `_round_5`, CAST(`edges`.`f32` AS DOUBLE) + `edges`.`f64` AS `_column_6`, CAST(`edges`.`i32` AS FLOAT) + `edges`.`f32` AS `_column_7`, CASE WHEN CAST(`edges`.`i32` AS FLOAT) = 0 THEN `edges`.`f32` * CAST('Infinity' AS FLOAT) ELSE CAST((`edges`.`f32` / CAST(`edges`.`i32` AS FLOAT)) AS FLOAT) END AS `_column_8`
FROM `edges`;

-- select floor(f64), ceil(f32), round(f64), round(f32), floor(d), ceil(d), round(d, 1), round(d, -1), round(i32) from edges
SELECT CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(floor(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `_floor_1`, CASE WHEN abs(`edges`.`f32`) < 4503599627370496D THEN CAST(ceil(`edges`.`f32`) AS FLOAT) ELSE `edges`.`f32` END AS `_ceil_2`, CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN CAST(round(`edges`.`f64`) AS DOUBLE) ELSE `edges`.`f64` END AS `_round_3`, CASE WHEN abs(`edges`.`f32`) < 4503599627370496D THEN CAST(round(`edges`.`f32`) AS FLOAT) ELSE `edges`.`f32` END AS `_round_4`, CAST(floor(`edges`.`d`) AS DECIMAL(10, 0)) AS `_floor_5`, CAST(ceil(`edges`.`d`) AS DECIMAL(10, 0)) AS `_ceil_6`, CAST(round(`edges`.`d`, 1) AS DECIMAL(10, 1)) AS `_round_7`, CAST(round(`edges`.`d`, -1) AS DECIMAL(10, 0)) AS `_round_8`, `edges`.`i32` AS `_round_9`
FROM `edges`;

-- select round(f64, 1), round(x * 1.005, 2), sign(f64), sign(d), isnan(f64), isinf(f32), isfinite(f64) from edges left join many using (id)
SELECT CASE WHEN abs(`edges`.`f64`) < 4503599627370496D THEN round(`edges`.`f64` * 1E1D) / 1E1D ELSE `edges`.`f64` END AS `_round_1`, CASE WHEN abs((`many`.`x` * 1.005E0D)) < 4503599627370496D THEN round((`many`.`x` * 1.005E0D) * 1E2D) / 1E2D ELSE (`many`.`x` * 1.005E0D) END AS `_round_2`, CASE WHEN isnan(`edges`.`f64`) THEN 0Y ELSE CAST(sign(`edges`.`f64`) AS TINYINT) END AS `_sign_3`, CAST(sign(`edges`.`d`) AS TINYINT) AS `_sign_4`, CASE WHEN `edges`.`f64` IS NOT NULL THEN isnan(`edges`.`f64`) END AS `_isnan_5`, abs(`edges`.`f32`) = CAST('Infinity' AS DOUBLE) AS `_isinf_6`, abs(`edges`.`f64`) < CAST('Infinity' AS DOUBLE) AS `_isfinite_7`
FROM `edges`
LEFT JOIN `many` ON `edges`.`id` = `many`.`id`;

-- select exp(x), ln(x + 1), log10(x + 1), log2(x+1), x ** 2, pow(x, 0.5), sin(x), cbrt(x), degrees(x), sqrt(x) from many
SELECT exp(`many`.`x`) AS `_exp_1`, CASE WHEN (`many`.`x` + 1D) <= 0 THEN raise_error('the logarithm of a number that is not positive') ELSE ln((`many`.`x` + 1D)) END AS `_ln_2`, CASE WHEN (`many`.`x` + 1D) <= 0 THEN raise_error('the logarithm of a number that is not positive') ELSE log10((`many`.`x` + 1D)) END AS `_log10_3`, CASE WHEN (`many`.`x` + 1D) <= 0 THEN raise_error('the logarithm of a number that is not positive') ELSE log2((`many`.`x` + 1D)) END AS `_log2_4`, power(`many`.`x`, 2D) AS `_column_5`, power(`many`.`x`, 5E-1D) AS `_pow_6`, sin(`many`.`x`) AS `_sin_7`, cbrt(`many`.`x`) AS `_cbrt_8`, degrees(`many`.`x`) AS `_degrees_9`, CASE WHEN `many`.`x` < 0 THEN raise_error('the square root of a negative number') ELSE sqrt(`many`.`x`) END AS `_sqrt_10`
FROM `many`;

-- select sqrt(f64) from edges
SELECT CASE WHEN `edges`.`f64` < 0 THEN raise_error('the square root of a negative number') ELSE sqrt(`edges`.`f64`) END AS `_sqrt_1`
FROM `edges`;

-- select ln(x) from many
SELECT CASE WHEN `many`.`x` <= 0 THEN raise_error('the logarithm of a number that is not positive') ELSE ln(`many`.`x`) END AS `_ln_1`
FROM `many`;
