"""Reads texts as other types: whole columns of strings at once. Null stays null."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.attributes import quote_texts

NULL: Final = pa.scalar(None, pa.string())

QUOTES: Final = pa.array([b'"', b"'"], pa.binary())

_INTEGER: Final = r"^[+-]?[0-9]{1,18}$"
_JSON_NUMBER: Final = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?$"
_SIZE: Final = r"^(?P<number>[0-9]{1,15}(?:\.[0-9]+)?) ?(?P<unit>[kKMGTP]?i?[bB]?)$"
_SIZE_UNITS: Final = {
    letter + more: base**power
    for power, letters in enumerate(("", "kK", "M", "G", "T", "P"))
    for letter in (letters or ("",))
    for more, base in (("", 1024), ("i", 1024), ("iB", 1024), ("ib", 1024), ("B", 1000), ("b", 1000))
}
_DURATION: Final = r"^(?P<number>-?[0-9]{1,15}(?:[.,][0-9]{1,9})?) ?(?P<unit>[A-Za-zµμ]*)$"
_DURATION_PARTS: Final = (
    r"^(?:(?P<d>[0-9]+)d)? ?(?:(?P<h>[0-9]+)h)? ?(?:(?P<m>[0-9]+)m(?:in)?)? ?(?:(?P<s>[0-9]+(?:\.[0-9]+)?)s)?$"
)
_DURATION_CLOCK: Final = r"^(?:(?P<h>[0-9]+):)?(?P<m>[0-9]+):(?P<s>[0-9]{1,2}(?:[.,][0-9]+)?)$"
_MS: Final = {"d": 86_400_000.0, "h": 3_600_000.0, "m": 60_000.0, "s": 1000.0}
_DURATION_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microseconds"), 0.001),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), 0.000001),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000.0),
    **dict.fromkeys(("h", "hour", "hours"), 3_600_000.0),
    **dict.fromkeys(("d", "day", "days"), 86_400_000.0),
}
_WITH_PORT: Final = r"^(?:\[(?P<inner>[0-9A-Fa-f:.%]+)\]|(?P<name>[^:\[\], ]+))(?::(?P<port>[0-9]{1,5}))?$"
_REQUEST: Final = r"(?s)^(?P<method>[A-Z][A-Z0-9_-]*) (?:(?P<route>.+) (?P<proto>HTTP/[^ ]+)|(?P<path>/.*))$"


def null_if_empty(values: pa.Array) -> pa.Array:
    """Return the strings with null in place of empty strings."""
    return pc.if_else(pc.equal(values, ""), NULL, values)


def null_if_unknown(values: pa.Array) -> pa.Array:
    """Return the strings with null in place of an empty string or a dash: then the value is unknown."""
    return pc.if_else(pc.or_(pc.equal(values, ""), pc.equal(values, "-")), NULL, values)


def to_json(values: pa.Array) -> pa.Array:
    """Return the strings as JSON values. A string that is a number in JSON and not too long becomes that number."""
    encoded = values.dictionary_encode()  # equal texts are read only once
    distinct = encoded.dictionary
    is_number = pc.match_substring_regex(distinct, _JSON_NUMBER)
    written = quote_texts(distinct)
    if pc.any(is_number).as_py():
        written = pc.if_else(is_number, distinct, written)
    return written.take(encoded.indices)


def unquote(values: pa.Array) -> pa.Array:
    r"""Return the strings without quotes around them, and with ``\"``, ``\\``, ``\n`` and ``\t`` replaced."""
    data = values.view(pa.binary())
    first, last = pc.binary_slice(data, 0, 1), pc.binary_slice(data, -1)
    is_quoted = pc.and_(pc.equal(first, last), pc.is_in(first, value_set=QUOTES))
    is_quoted = pc.and_(is_quoted, pc.greater(pc.binary_length(data), 1))
    inner = pc.if_else(is_quoted, pc.binary_slice(data, 1, -1), data).view(pa.string())
    is_escaped = pc.match_substring(inner, "\\")
    if not pc.any(is_escaped).as_py():
        return inner
    escaped = inner.filter(is_escaped)
    marked = pc.replace_substring(escaped, "\\\\", "\0")  # so that the n of \\n is not a newline
    for escape, text in (('\\"', '"'), ("\\'", "'"), ("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\0", "\\")):
        marked = pc.replace_substring(marked, escape, text)
    return pc.replace_with_mask(inner, is_escaped, pc.if_else(pc.match_substring(escaped, "\0"), escaped, marked))


def read_integers(values: pa.Array) -> pa.Array:
    """Return whole numbers of up to 18 digits as int64; null for other strings."""
    is_number = pc.match_substring_regex(values, _INTEGER)
    return pc.if_else(is_number, pc.ascii_ltrim(values, "+"), NULL).cast(pa.int64())


def read_sizes(values: pa.Array) -> pa.Array:
    """Return numbers of bytes, such as ``512``, ``1.5k`` or ``3 MB``, as int64; null for other strings.

    A ``k`` is 1024, a ``kB`` is 1000.
    """
    plain = read_integers(values)
    if plain.null_count == values.null_count:
        return plain
    found = pc.extract_regex(values, _SIZE)
    factors = _look_up(pc.struct_field(found, "unit"), {unit: float(size) for unit, size in _SIZE_UNITS.items()})
    sizes = pc.multiply(_to_float(found, "number"), factors)
    sizes = pc.if_else(pc.less(sizes, float(1 << 62)), sizes, None)
    return pc.coalesce(plain, pc.round(sizes).cast(pa.int64()))


def read_durations(values: pa.Array, unit: str | None) -> pa.Array:
    """Return durations in milliseconds as float64; null for other strings.

    Args:
        values: a number with or without a unit (``12ms``, ``1.5 s``), several (``1m2.5s``), or ``01:02:03.5``.
        unit: the unit of a number without one: s, ms, us or ns; None for milliseconds.
    """
    found = pc.extract_regex(values, _DURATION)
    units = pc.struct_field(found, "unit")
    factors = _look_up(units, {**_DURATION_UNITS, "": _DURATION_UNITS[unit or "ms"]})
    read = pc.multiply(_to_float(found, "number"), factors)
    for regex in (_DURATION_PARTS, _DURATION_CLOCK):
        if read.null_count == values.null_count:
            break
        found = pc.extract_regex(values, regex)
        total = pa.repeat(0.0, len(values))
        for name in (name for name in _MS if f"<{name}>" in regex):
            total = pc.add(total, pc.multiply(_to_float(found, name).fill_null(0.0), _MS[name]))
        is_written = pc.and_(found.is_valid(), pc.not_equal(values, ""))
        read = pc.coalesce(read, pc.if_else(is_written, total, None))
    return read


def write_numbers(values: pa.Array) -> pa.Array:
    """Return float64 as JSON numbers, with at most six digits after the point."""
    return pc.replace_substring_regex(pc.round(values, 6).cast(pa.string()), r"\.0$", "")


def split_hosts(values: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return hosts, the digits of their ports, and lists of addresses, all strings.

    Args:
        values: a name or an address, with or without a port; or a list of addresses, of which the first is the host.
    """
    lists = pc.if_else(pc.match_substring(values, ","), values, NULL)
    first = values
    if lists.null_count < len(lists):
        first = pc.ascii_trim_whitespace(pc.replace_substring_regex(values, "(?s),.*", ""))
    found = pc.extract_regex(first, _WITH_PORT)
    inner, name = pc.struct_field(found, "inner"), pc.struct_field(found, "name")
    hosts = pc.if_else(found.is_valid(), pc.if_else(pc.equal(name, ""), inner, name), first)
    ports = pc.replace_substring_regex(null_if_empty(pc.struct_field(found, "port")), "^0+([0-9])", r"\1")
    return hosts, pc.if_else(found.is_valid(), ports, NULL), lists


def split_requests(values: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """Return method, route and protocol of ``METHOD route HTTP/x`` or ``METHOD /route``, and texts of no such form."""
    found = pc.extract_regex(values, _REQUEST)
    is_request = found.is_valid()
    method, route, proto, path = (
        pc.if_else(is_request, pc.struct_field(found, name), NULL) for name in ("method", "route", "proto", "path")
    )
    routes = pc.if_else(pc.equal(route, ""), path, route)
    return method, routes, null_if_empty(proto), pc.if_else(is_request, NULL, values)


def _to_float(found: pa.Array, name: str) -> pa.Array:
    text = pc.if_else(found.is_valid(), null_if_empty(pc.struct_field(found, name)), NULL)
    return pc.replace_substring(text, ",", ".").cast(pa.float64())


def _look_up(keys: pa.Array, numbers: dict[str, float]) -> pa.Array:
    place = pc.index_in(keys, value_set=pa.array(list(numbers)))
    return pa.array(list(numbers.values()), pa.float64()).take(place)
