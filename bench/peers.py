"""The figures of other programs for the same work, measured once, for comparison."""

from typing import Final

CONDITIONS: Final = "3 million combined lines on 2 cores, 2026-11-23"

PEERS: Final = (
    # name, lines/s, bytes on disk per line, a note
    ("DuckDB one-liner", 726_000, 11.9, ""),
    ("ClickHouse (chDB)", 690_000, 17.5, ""),
    ("TimescaleDB", 595_000, 203, "binary COPY of ready rows"),
    ("VictoriaLogs", 387_000, 18.6, "from ready JSON"),
    ("Loki", 117_000, 34.7, ""),
    ("GoAccess", 63_000, None, "a report only"),
)


def format_peers() -> str:
    lines = [f"others, for comparison ({CONDITIONS}):"]
    for name, speed, size, note in PEERS:
        on_disk = f"{size:>6.4g} bytes per line" if size is not None else ""
        lines.append(f"  {name:<18} {speed:>8,} lines/s  {on_disk:<22} {note}".rstrip())
    return "\n".join(lines) + "\n"
