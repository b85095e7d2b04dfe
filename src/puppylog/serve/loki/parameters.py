"""The parameters of a request to Loki's read interface, in the address or in a form."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

from puppylog.model.logql.lexing import read_duration
from puppylog.model.logql.windows import Steps
from puppylog.monitor.logql.asking import Within
from puppylog.monitor.logql.entries import Direction
from puppylog.serve.context import Context
from puppylog.serve.refusal import Refusal

MAX_ENTRIES: Final = 10_000
_DEFAULT_ENTRIES: Final = 100
_DEFAULT_SINCE_S: Final = 3600.0
_MAX_POINTS: Final = 11_000
_STEPS: Final = 250  # of a query that says no step
_SECONDS_DIGITS: Final = 10  # a number with at most this many digits is in seconds, a longer one in nanoseconds
_NANOSECONDS: Final = 1_000_000_000
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")
MAX_NS: Final = 2**63 - 1
"""The last instant that fits 64 bits, in nanoseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request: each may occur several times."""

    values: Mapping[str, Sequence[str]]
    now_ns: int

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter."""
        return (self.values.get(name) or [default])[0] or default

    def get_all(self, *names: str) -> list[str]:
        """Return all values of some parameters."""
        return [value for name in names for value in self.values.get(name, ())]

    def count(self, name: str, default: int, most: int) -> int:
        """Return a whole number above 0. Raises Refusal."""
        written = self.get(name)
        if not written:
            return default
        if not re.fullmatch(r"[0-9]{1,10}", written) or int(written) == 0:
            raise Refusal(400, f"{name} must be a whole number above 0")
        if int(written) > most:
            cause = f"max entries limit per query exceeded, {name} > {most} ({written} > {most})"
            raise Refusal(400, cause)
        return int(written)

    def limit(self) -> int:
        """Return the greatest number of entries."""
        return self.count("limit", _DEFAULT_ENTRIES, MAX_ENTRIES)

    def direction(self) -> Direction:
        """Return which entries come first."""
        match self.get("direction", "backward").lower():
            case "backward":
                return "backward"
            case "forward":
                return "forward"
        raise Refusal(400, f"invalid direction {self.get('direction')[:40]!r}: it is forward or backward")

    def instant(self, name: str = "time") -> int:
        """Return an instant in nanoseconds since the epoch; now if it is absent."""
        return self._instant(name, self.now_ns)

    def within(self, default_since_s: float = _DEFAULT_SINCE_S) -> Within:
        """Return the range between ``start`` and ``end``, or the time before the end that ``since`` says."""
        since_s = self.seconds("since", default_since_s)
        end = self._instant("end", self.now_ns)
        start = self._instant("start", min(end, self.now_ns) - round(since_s * _NANOSECONDS))
        if end <= start:
            raise Refusal(400, "end timestamp must not be before or equal to start time")
        return Within(start, end)

    def steps(self, within: Within) -> Steps:
        """Return the steps of a range. Its start is rounded down to a multiple of the step, and its end up."""
        length_s = (within.end_ns - within.start_ns) / _NANOSECONDS
        step_ms = int(self.seconds("step", max(length_s // _STEPS, 1.0)) * 1000 + 1e-6)
        if step_ms <= 0:
            raise Refusal(400, "zero or negative query resolution step widths are not accepted")
        step_us = step_ms * 1000
        first, last = within.start_ns // 1000 // step_us, -(-within.end_ns // 1000 // step_us)
        if last - first > _MAX_POINTS:
            cause = "exceeded maximum resolution of 11,000 points per time series"
            raise Refusal(400, f"{cause}. Try increasing the value of the step parameter")
        return Steps(first * step_us, step_us, last - first + 1)

    def seconds(self, name: str, default: float) -> float:
        """Return a duration such as ``5m`` or a number of seconds."""
        written = self.get(name)
        if not written:
            return default
        seconds = float(written) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{0,12})?", written) else read_duration(written)
        if seconds is None or seconds < 0:
            raise Refusal(400, f"{name} must be a duration such as 5m or a number of seconds, not {written[:40]!r}")
        return seconds

    def _instant(self, name: str, default: int) -> int:
        written = self.get(name)
        if not written:
            return default
        at = _read_instant(written)
        if at is None or abs(at) > MAX_NS:
            cause = f"{name} must be a time in nanoseconds, in seconds or in RFC 3339, not {written[:40]!r}"
            raise Refusal(400, cause)
        return at


def _read_instant(written: str) -> int | None:
    """Return an instant in nanoseconds since the epoch, from any form that Loki takes; None if it has another form."""
    if re.fullmatch(r"-?[0-9]{1,19}", written):
        return int(written) * (_NANOSECONDS if len(written) <= _SECONDS_DIGITS else 1)
    if re.fullmatch(r"[0-9]{1,12}\.[0-9]{1,12}", written):
        seconds, _, fraction = written.partition(".")
        return int(seconds) * _NANOSECONDS + round(float(f"0.{fraction}") * 1000) * 1_000_000
    if found := _RFC_3339.fullmatch(written):
        try:
            whole = datetime.fromisoformat(f"{found[1].upper()}{found[3].upper().replace('Z', '+00:00')}")
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            return int((whole - epoch).total_seconds()) * _NANOSECONDS + int((found[2] or "0").ljust(9, "0"))
        except (ValueError, OverflowError):
            return None
    return None


async def read_parameters(context: Context, request: Request) -> Parameters:
    """Return the parameters in the address, and those in the form of a POST."""
    values = _parse(request.url.query)
    if request.method == "POST":
        body = await context.read_body(request)
        for name, found in _parse(body.decode("utf-8", "replace")).items():
            values.setdefault(name, []).extend(found)
    return Parameters(values, time.time_ns())


def parse_parameters(written: str) -> Parameters:
    """Return the parameters in the query of an address."""
    return Parameters(_parse(written), time.time_ns())


def _parse(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Refusal(400, "the request has more than 1,000 parameters") from None
