"""The capacity model: cores, disk, network and money at any rate, from CPU seconds and bytes per line.

It counts CPU time, not waiting. The costs per line were measured on one machine; a real network adds to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.scale.run import Aftermath, Run

BUSY = 0.5
"""The average use of a core. The rest is for peaks, and for collectors that catch up after an outage."""

RATES = (1_000.0, 10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0)
_KEPT_DAYS = 30
_ROWS_DAYS = 2
_ROW_BYTES = 246  # PostgreSQL's binary COPY of a combined line of 197 bytes


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds per million lines, and bytes per line."""

    collector_s: float
    front_s: float  # ingest, two metrics, and conversion to columns
    nodes_s: float  # the same
    rows_bytes: float
    columns_bytes: float


@dataclass(frozen=True, slots=True)
class Prices:
    """The cores of a machine, and prices per month in any currency."""

    cores: int
    core_month: float
    terabyte_month: float


def costs_of(run: Run, after: Aftermath) -> Costs:
    """Return the costs of a measured store. If the front is a node, all its CPU counts as that of nodes."""
    millions = run.lines / 1e6
    spent = [run.spent, after.metrics, *([after.columns] if after.columns is not None else [])]
    front_s = sum(part.front_s for part in spent) / millions
    nodes_s = sum(part.all_nodes_s for part in spent) / millions
    return Costs(
        collector_s=run.collectors_s / millions,
        front_s=0.0 if run.spent.front_is_node else front_s,
        nodes_s=nodes_s + (front_s if run.spent.front_is_node else 0.0),
        rows_bytes=after.rows_bytes / run.lines,
        columns_bytes=(after.columns_bytes or after.rows_bytes) / run.lines,
    )


def format_model(costs: Costs, prices: Prices) -> str:
    """Return a table in Markdown: one line per rate."""
    head = ("lines/s", "lines a day", "collectors, cores", "front, cores", "nodes, cores", f"nodes of {prices.cores}")
    rows = [_row(rate, costs, prices) for rate in RATES]
    more = ("to the store, MB/s", f"disk, {_KEPT_DAYS} days, TB", "a month")
    lines: list[Sequence[str]] = [[*head, *more], ["---"] * (len(head) + len(more)), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _row(rate: float, costs: Costs, prices: Prices) -> list[str]:
    millions = rate / 1e6
    collectors = millions * costs.collector_s / BUSY
    front = millions * costs.front_s / BUSY
    nodes = millions * costs.nodes_s / BUSY
    terabytes = disk_bytes(rate, costs) / 1e12
    month = (front + nodes) * prices.core_month + terabytes * prices.terabyte_month
    return [
        f"{rate:,.0f}",
        f"{rate * 86_400 / 1e9:,.2f} billion",
        f"{collectors:,.2f}",
        f"{front:,.2f}",
        f"{nodes:,.2f}",
        f"{max(1.0, -(-nodes // prices.cores)):,.0f}",
        f"{rate * _ROW_BYTES / 1e6:,.1f}",
        f"{terabytes:,.2f}",
        f"{month:,.0f}",
    ]


def disk_bytes(rate: float, costs: Costs) -> float:
    """Return the size of all days that are kept: the last days in rows, the others in columns."""
    a_day = rate * 86_400
    return a_day * (_ROWS_DAYS * costs.rows_bytes + (_KEPT_DAYS - _ROWS_DAYS) * costs.columns_bytes)
