-- Roll-ups in steps: the buckets of a metric, of one or several levels, merged into longer buckets. The same SQL runs on
-- DuckDB and on PostgreSQL.

-- name: step
-- The start of the step that a bucket is in. Steps are aligned to the epoch. In PostgreSQL, date_part gives a double and
-- extract a decimal number, with which this takes twice as long.
to_timestamp(floor(date_part('epoch', bucket) / {step_s}) * {step_s})

-- name: part
-- Buckets of one level. Column `buckets` is the number of the metric's own buckets that a row stands for.
SELECT bucket, segment, {columns}, {buckets} AS buckets FROM {relation} WHERE {where}

-- name: sketch_part
-- Sketch rows of one level.
SELECT bucket, segment, bin, n FROM {relation} WHERE {where}

-- name: merged
-- Buckets of a statistic that needs nothing but sums, least or greatest values.
SELECT {step} AS bucket, segment, {columns}, CAST(sum(buckets) AS BIGINT) AS buckets
FROM ({parts}) AS parts
GROUP BY 1, 2

-- name: merged_moments
-- Buckets of a variance or a standard deviation. The squares are taken of distances from the mean of the step, because the
-- difference of two large sums of squares would lose the digits that count. Buckets that were stored without moments have
-- only a value: the mean of these values stands for them.
SELECT bucket, segment, {value} AS value, weight, mean, m2, buckets
FROM (
    SELECT bucket, segment, CAST(sum(weight) AS BIGINT) AS weight, max(step_mean) AS mean,
           sum(m2 + weight * (mean - step_mean) * (mean - step_mean)) AS m2,
           avg(value) AS mean_value, CAST(sum(buckets) AS BIGINT) AS buckets
    FROM (
        SELECT {step} AS bucket, segment, value, weight, mean, m2, buckets,
               sum(weight * mean) OVER step / nullif(sum(weight) OVER step, 0) AS step_mean
        FROM ({parts}) AS parts
        WINDOW step AS (PARTITION BY {step}, segment)
    ) AS moments
    GROUP BY 1, 2
) AS merged

-- name: merged_values
-- Buckets whose values are computed from sketch rows. A bucket without a sketch row has the value of its parts: there is
-- none, or they were stored without sketches.
SELECT bucket, segment, coalesce(max(sketched), max(value)) AS value, CAST(sum(buckets) AS BIGINT) AS buckets
FROM (
    SELECT {step} AS bucket, segment, {value} AS value, CAST(NULL AS DOUBLE PRECISION) AS sketched, sum(buckets) AS buckets
    FROM ({parts}) AS parts
    GROUP BY 1, 2
    UNION ALL
    SELECT bucket, segment, NULL, value, 0 FROM ({sketched}) AS sketched
) AS merged
GROUP BY 1, 2

-- name: merged_sketches
-- Sketch rows of longer buckets.
SELECT {step} AS bucket, segment, bin, CAST({n} AS BIGINT) AS n
FROM ({parts}) AS parts
GROUP BY 1, 2, 3

-- name: percentile_of_sketch
-- The percentile of each bucket. As percentile_cont does, it lies between the values of two neighbouring ranks.
SELECT bucket, segment,
       CASE WHEN low = high OR share = 0 THEN low ELSE low + (high - low) * share END AS value
FROM (
    SELECT bucket, segment, max(rank - floor(rank)) AS share,
           min(CASE WHEN upto > floor(rank) THEN {value_of_bin} END) AS low,
           min(CASE WHEN upto > ceil(rank) THEN {value_of_bin} END) AS high
    FROM (
        SELECT bucket, segment, bin, CAST(sum(n) OVER (PARTITION BY bucket, segment ORDER BY bin) AS BIGINT) AS upto,
               CAST(sum(n) OVER (PARTITION BY bucket, segment) - 1 AS DOUBLE PRECISION) * {fraction} AS rank
        FROM ({sketches}) AS sketches
    ) AS ranked
    GROUP BY 1, 2
) AS found

-- name: value_of_bin
-- The value that stands for all values of a bin. Bins grow with their values.
CASE WHEN bin = 0 THEN 0
     WHEN bin = {nan_bin} THEN CAST('NaN' AS DOUBLE PRECISION)
     WHEN abs(bin) = {infinity_bin} THEN sign(bin) * CAST('Infinity' AS DOUBLE PRECISION)
     ELSE sign(bin) * exp(least((abs(bin) - {one_bin}) * CAST({width} AS DOUBLE PRECISION) + CAST({middle} AS DOUBLE PRECISION),
                                CAST({most} AS DOUBLE PRECISION)))
END

-- name: bin_of_value
-- The bin of a value: the logarithm of its absolute value, with its sign.
CASE WHEN {x} = CAST('NaN' AS DOUBLE PRECISION) THEN {nan_bin}
     WHEN {x} = CAST('Infinity' AS DOUBLE PRECISION) THEN {infinity_bin}
     WHEN {x} = CAST('-Infinity' AS DOUBLE PRECISION) THEN -{infinity_bin}
     WHEN abs({x}) < CAST('{least}' AS DOUBLE PRECISION) THEN 0
     ELSE CAST(sign({x}) * ({one_bin} + ceil(ln(abs({x})) / CAST({width} AS DOUBLE PRECISION))) AS INTEGER)
END

-- name: distinct_of_sketch
-- The estimated number of distinct values of each bucket. With few values, the number of registers without a value tells more.
SELECT bucket, segment,
       CAST(CASE WHEN estimate <= {few} AND unset > 0 THEN round({registers} * ln({registers}.0 / unset))
                 ELSE round(estimate) END AS DOUBLE PRECISION) AS value
FROM (
    SELECT bucket, segment, {registers} - count(*) AS unset,
           CAST({scale} AS DOUBLE PRECISION) / ({registers} - count(*) + sum(power(CAST(0.5 AS DOUBLE PRECISION), n))) AS estimate
    FROM ({sketches}) AS sketches
    GROUP BY 1, 2
) AS estimated

-- name: register
CAST({hash} & {mask} AS INTEGER)

-- name: rank_duckdb
-- The position of the first bit that is set, of the bits that do not choose the register.
CAST({bits} + 1 - CASE WHEN {hash} >> {register_bits} = 0 THEN 0
     ELSE floor(log2(CAST({hash} >> {register_bits} AS DOUBLE PRECISION))) + 1 END AS INTEGER)

-- name: hash_duckdb
-- Stays the same in every release of DuckDB, as hash() does not.
md5_number_lower(CAST({x} AS VARCHAR))

-- name: rank_postgres
-- As rank_duckdb. A shift to the right keeps the sign, so the bits above those that count are cleared.
CAST({bits} + 1 - CASE WHEN ({hash} >> {register_bits}) & {rest_mask} = 0 THEN 0
     ELSE floor(ln(CAST(({hash} >> {register_bits}) & {rest_mask} AS DOUBLE PRECISION))
                / ln(CAST(2 AS DOUBLE PRECISION)) + 1e-12) + 1 END AS INTEGER)

-- name: hash_postgres
hashtextextended(CAST({x} AS TEXT), 0)
