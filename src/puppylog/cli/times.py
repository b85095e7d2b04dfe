"""Times as people write them on the command line, such as ``2h`` (ago), ``yesterday``, ``02:30`` or RFC 3339."""

from datetime import datetime, tzinfo

from puppylog.errors import UsageError
from puppylog.monitor.range import Range
from puppylog.settings import Settings


def parse_range(settings: Settings, since: str | None, from_: str | None, to: str | None) -> Range:
    """Return the range that ``--since``, ``--from`` and ``--to`` describe.

    Raises:
        UsageError: a value is not a time, ``--since`` and ``--from`` are both given, or the range is empty.
    """
    if since is not None and from_ is not None:
        raise UsageError("use", "both --since and --from", "each says where the range begins")
    now = settings.clock()
    option, begin = ("--since", since) if since is not None else ("--from", from_)
    first = None if begin is None else parse_instant(begin, option, now=now, zone=settings.zone)
    last = None if to is None else parse_instant(to, "--to", now=now, zone=settings.zone)
    if first is not None and last is not None and first >= last:
        raise UsageError("look from", f"{begin} to {to}", "the range ends before it begins")
    return Range(first, last)


def parse_instant(
    text: str, option: str, *, now: datetime, zone: tzinfo | None, after: datetime | None = None
) -> datetime:
    """Return an instant as `puppylog.model.query.instants.parse_instant`, which is imported if a time is given."""
    from puppylog.model.query import instants  # noqa: PLC0415 - many commands are given no time

    return instants.parse_instant(text, option, now=now, zone=zone, after=after)
