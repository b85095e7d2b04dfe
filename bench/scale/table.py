"""The figures as tables in Markdown, so that they can be pasted into a page."""

from collections.abc import Sequence

from bench.scale.run import Aftermath, Run, Spent


def format_runs(runs: Sequence[Run]) -> str:
    head = ("nodes", "collectors", "lines/s", "collectors", "front", "nodes, all", "nodes, each")
    rows = [
        (
            str(run.nodes),
            str(run.collectors),
            f"{run.lines / run.spent.wall_s:,.0f}",
            _per_million(run.collectors_s, run.lines),
            _per_million(run.spent.front_s, run.lines),
            _nodes(run.spent, run.lines),
            " ".join(_per_million(node_s, run.lines) for node_s in run.spent.nodes_s),
            " ".join(f"{rows:,}" for rows in run.rows_per_node),
            f"{run.skew:.2f}",
            " ".join(map(str, run.max_processes)),
        )
        for run in runs
    ]
    return _table((*head, "rows per node", "skew", "processes, front and nodes"), rows)


def format_aftermath(aftermaths: Sequence[Aftermath]) -> str:
    head = ("nodes", "metrics: front", "metrics: nodes", "bytes/line, rows", "in columns", "columns: front")
    rows = []
    for after in aftermaths:
        columns = after.columns
        rows.append(
            (
                str(after.nodes),
                _per_million(after.metrics.front_s, after.lines),
                _nodes(after.metrics, after.lines),
                f"{after.rows_bytes / after.lines:.0f}",
                f"{after.columns_bytes / after.lines:.0f}" if after.columns_bytes is not None else "",
                _per_million(columns.front_s, after.lines) if columns is not None else "",
                _nodes(columns, after.lines) if columns is not None else "",
            )
        )
    return _table((*head, "columns: nodes"), rows)


def _nodes(spent: Spent, lines: int) -> str:
    """Return the figure of all nodes but the front, whose work as a node cannot be told from its other work."""
    if spent.front_is_node and len(spent.nodes_s) == 1:
        return "(front)"
    return _per_million(spent.all_nodes_s, lines) + (" + front" if spent.front_is_node else "")


def _per_million(seconds: float, lines: int) -> str:
    return f"{seconds * 1e6 / lines:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
