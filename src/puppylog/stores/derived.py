"""From a derived metric to SQL: the query that makes its observations from those of its inputs."""

from collections.abc import Callable, Sequence

from puppylog.model.metric import Metric


def derived_sql(metric: Metric, inputs: Sequence[Metric], source: Callable[[Metric], str]) -> str:
    """Return the query of a derived metric: ``bucket``, ``segment``, ``value``. It is the same on every store.

    The observations of all inputs are put under each other and grouped, not joined. So a condition on the bucket
    reaches every input, and a query of a short range reads no more than this range.

    Args:
        metric: the derived metric.
        inputs: the metrics that its formula names, in any order.
        source: returns the query of an input's observations, with the same columns.
    """
    from puppylog.model.formula import parse_formula  # noqa: PLC0415 - few metrics are derived, and it takes 3 ms of CPU

    formula = parse_formula(metric.property)
    is_mixed = metric.segment is not None and any(input_.segment is None for input_ in inputs)
    unions, columns, values = [], [], {}
    for no, input_ in enumerate(inputs):
        is_segmented = input_.segment is not None or not is_mixed
        flag = f", {'true' if is_segmented else 'false'} AS is_segmented" if is_mixed else ""
        unions.append(f"SELECT bucket, segment, value, {no} AS input{flag} FROM ({source(input_)}) AS input_{no}")
        column = f"max(value) FILTER (WHERE input = {no})"  # a bucket and segment has one observation of each input
        columns.append(f"{column if is_segmented else f'max({column}) OVER (PARTITION BY bucket)'} AS value_{no}")
        values[input_.name] = f"value_{no}"
    flag = ", is_segmented" if is_mixed else ""
    chosen = "value IS NOT NULL AND is_segmented" if is_mixed else "value IS NOT NULL"
    return f"""SELECT bucket, segment, value
FROM (
    SELECT bucket, segment{flag}, {formula.render(values)} AS value
    FROM (
        SELECT bucket, segment{flag}, {", ".join(columns)}
        FROM ({" UNION ALL ".join(unions)}) AS observed
        GROUP BY bucket, segment{flag}
    ) AS inputs
) AS computed
WHERE {chosen}"""
