"""The records that the parameters ``q``, ``since``, ``until``, ``tz`` and ``group`` choose."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo

from puppylog.errors import ConfigurationError, UsageError
from puppylog.model.query.fields import Vocabulary
from puppylog.model.query.instants import parse_instant
from puppylog.monitor.condition import join_conditions, read_query, translate_query
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search, get_group_id
from puppylog.serve.read.resource import Asked, Choice, Interval, Reader
from puppylog.serve.refusal import Refusal
from puppylog.settings import find_zone


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Refuse the request with 400 if the ``with`` block raises an error of the user.

    Args:
        place: the parameter that the block reads, for the answer.
    """
    try:
        yield
    except UsageError as error:
        raise Refusal(400, error.message, place=place, error=error) from error


def read_zone(name: str) -> tzinfo | None:
    """Return the time zone that the parameter ``tz`` names; None is the zone of the server.

    Raises:
        Refusal: 400: there is no such zone.
    """
    try:
        return find_zone(name)
    except ConfigurationError as error:
        raise Refusal(400, error.message, place="tz", error=error) from None


def read_instant(asked: Asked[Interval], place: str, written: str | None) -> datetime | None:
    """Return the instant that a parameter names; None if it is not given.

    Raises:
        Refusal: 400: it is not a time.
    """
    return None if written is None else read_time(written, place, asked.now, read_zone(asked.parameters.tz))


def read_time(written: str, place: str, now: datetime, zone: tzinfo | None = UTC) -> datetime:
    """Return the instant of a time of docs/search.md.

    Args:
        written: the time.
        place: the parameter or the member of the body that has it.
        now: the present instant.
        zone: of a time without an offset; None is the zone of the server.

    Raises:
        Refusal: 400: it is not a time.
    """
    with placed(place):
        return parse_instant(written, place, now=now, zone=zone)


def read_range(asked: Asked[Interval]) -> Range:
    """Return the range of ``since`` and ``until``.

    Raises:
        Refusal: 400: one of them is not a time, or the range is empty.
    """
    read_zone(asked.parameters.tz)  # it is refused if it is wrong, also if no instant needs it
    since = read_instant(asked, "since", asked.parameters.since)
    until = read_instant(asked, "until", asked.parameters.until)
    if since is not None and until is not None and since >= until:
        raise Refusal(400, "the range ends before it begins", place="until")
    return Range(since, until)


def read_condition(asked: Asked[Choice], reader: Reader, vocabulary: Vocabulary | None = None) -> str:
    """Return the SQL of the query ``q``, about records or about what another vocabulary has.

    Raises:
        Refusal: 400: the query cannot be read, or names an unknown field.
    """
    with placed("q"):
        written = read_query(asked.parameters.q)
        if written is None:
            return "true"
        zone = read_zone(asked.parameters.tz)
        expression = translate_query(reader, written, now=asked.now, zone=zone, vocabulary=vocabulary)
        return join_conditions(reader, expression)


def find_group_id(asked: Asked[Choice], reader: Reader) -> int | None:
    """Return the id of the log group that ``group`` names; None if it is not given.

    Raises:
        Refusal: 400: there is no such group.
    """
    if not asked.parameters.group:
        return None
    with placed("group"):
        return get_group_id(reader, asked.parameters.group)


def read_search(asked: Asked[Choice], reader: Reader) -> Search:
    """Return the search for the records that a request chooses.

    Raises:
        Refusal: 400: one of the parameters is wrong.
    """
    within = read_range(asked)
    return Search(read_condition(asked, reader), within, find_group_id(asked, reader))
