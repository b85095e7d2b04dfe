"""A report as one JSON object: numbers are exact, durations are in the unit that the object names."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import TextIO

from puppylog.monitor.report import Report
from puppylog.rows.values import plain
from puppylog.tui.clean import clean_json


def write_report_json(
    out: TextIO,
    report: Report,
    title: str,
    commands: Sequence[str],
    *,
    zone: tzinfo | None,
    counted_since: datetime | None = None,
) -> None:
    """Write the report as an object with the members of `Report`, its title, and the commands that go on from it.

    ``counted_since`` is the instant from which records are counted; None: all are.
    """

    def encode(value: object) -> object:
        if isinstance(value, datetime):
            return plain(value, zone)
        raise TypeError(f"a report has no {type(value).__name__}")

    document = {"title": title, "counted_since": counted_since, **asdict(report), "commands": list(commands)}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1, default=encode)
    out.writelines(clean_json(line) + "\n" for line in text.split("\n"))
