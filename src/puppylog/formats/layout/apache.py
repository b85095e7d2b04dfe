r"""Compiles Apache's ``LogFormat``: text with directives, such as ``%h``, ``%>s``, ``%{Referer}i``, ``%{ms}T``.

A directive that fills no column becomes an attribute, with the name of nginx's variable for the same value, if any.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from puppylog.formats.layout.assembly import assemble
from puppylog.formats.layout.fields import Field, Shape, Token, make_error
from puppylog.formats.layout.program import Kind, Program
from puppylog.formats.layout.strftime import iter_parts

DIRECTIVE: Final = re.compile(r"%([!<>,0-9]*)(?:\{([^}]*)\})?([!<>,0-9]*)(\^[A-Za-z]{2}|[A-Za-z%])")
_ANY: Final = re.compile(r"%|\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}

_PLAIN: Final = {
    "h": Field("remote_host", column="host", rank=1, shape=Shape.ADDRESS),
    "a": Field("remote_addr", column="host", shape=Shape.ADDRESS),
    "A": Field("server_addr", shape=Shape.ADDRESS),
    "l": Field("remote_logname", column="ident"),
    "u": Field("remote_user", Kind.USER, "ruser"),
    "r": Field("request", Kind.REQUEST, "request_route", rank=3, shape=Shape.FREE),
    "m": Field("request_method", column="request_method"),
    "U": Field("uri", column="request_route", shape=Shape.PATH),
    "q": Field("query", shape=Shape.WORD),
    "H": Field("server_protocol", column="request_proto"),
    "s": Field("original_status", Kind.STATUS, "status_code", attribute_kind=Kind.NUMBER),
    "b": Field("body_bytes_sent", Kind.BYTES, "response_bytes", rank=1, attribute_kind=Kind.NUMBER),
    "B": Field("body_bytes_sent", Kind.BYTES, "response_bytes", rank=1, attribute_kind=Kind.NUMBER),
    "O": Field("bytes_sent", Kind.BYTES, "response_bytes", attribute_kind=Kind.NUMBER),
    "I": Field("bytes_received", Kind.NUMBER),
    "S": Field("bytes_transferred", Kind.NUMBER),
    "D": Field("duration_us", Kind.NUMBER),
    "T": Field("duration_s", Kind.NUMBER),
    "v": Field("vhost"),
    "V": Field("server_name"),
    "p": Field("server_port", Kind.NUMBER),
    "P": Field("pid", Kind.NUMBER),
    "f": Field("file", shape=Shape.PATH),
    "k": Field("keepalives", Kind.NUMBER),
    "X": Field("connection_status"),
    "R": Field("handler"),
    "L": Field("log_id"),
    "^FB": Field("first_byte_us", Kind.NUMBER),
}
_WITH_ARGUMENT: Final = {
    ("h", "c"): Field("peer_host", shape=Shape.ADDRESS),
    ("a", "c"): Field("peer_addr", shape=Shape.ADDRESS),
    ("L", "c"): Field("connection_log_id"),
    ("p", "canonical"): Field("server_port", Kind.NUMBER),
    ("p", "local"): Field("local_port", Kind.NUMBER),
    ("p", "remote"): Field("remote_port", Kind.NUMBER),
    ("P", "pid"): Field("pid", Kind.NUMBER),
    ("P", "tid"): Field("tid", Kind.NUMBER),
    ("P", "hextid"): Field("hextid"),
    ("T", "s"): Field("duration_s", Kind.NUMBER),
    ("T", "ms"): Field("duration_ms", Kind.NUMBER),
    ("T", "us"): Field("duration_us", Kind.NUMBER),
}
_HEADERS: Final = {
    "referer": Field("http_referer", column="referer"),
    "user-agent": Field("http_user_agent", column="user_agent", shape=Shape.FREE),
    "cookie": Field("http_cookie", shape=Shape.FREE),
    "forwarded": Field("http_forwarded", shape=Shape.LIST),
    "cf-connecting-ip": Field("http_cf_connecting_ip", column="host", rank=-1),
    "x-real-ip": Field("http_x_real_ip", column="host", rank=-1),
    "true-client-ip": Field("http_true_client_ip", column="host", rank=-1),
}
_NAMED: Final = {
    "i": "http",
    "o": "sent_http",
    "C": "cookie",
    "e": "env",
    "n": "note",
    "^ti": "trailer",
    "^to": "sent_trailer",
    "x": "",
    "c": "",
}
_TIMES: Final = {
    "sec": Field("", Kind.EPOCH),
    "msec": Field("", Kind.EPOCH, has_fraction=True),
    "usec": Field("", Kind.EPOCH, has_fraction=True),
    "msec_frac": Field("", Kind.TEXT, has_fraction=True, parts=(Field("time", Kind.FRACTION, size=3),)),
    "usec_frac": Field("", Kind.TEXT, has_fraction=True, parts=(Field("time", Kind.FRACTION, size=6),)),
}


def compile_apache(written: str) -> Program:
    """Return the program of a ``LogFormat``.

    Args:
        written: the string, without the quotes and escapes of the configuration file.

    Raises:
        FormatError: the string is no ``LogFormat``, or the end of a field is ambiguous.
    """
    return assemble(written, _merge_route_fields([token for token in _iter_tokens(written) if token != ""]))


def _iter_tokens(written: str) -> Iterator[Token]:
    at = 0
    while match := _ANY.search(written, at):
        yield written[at : match.start()]
        if match[1] is None:
            found = DIRECTIVE.match(written, match.start())
            if found is None:
                raise make_error(written, match.start(), "a % with no directive after it; a percent sign is written %%")
            yield from _read_directive(written, found)
            at = found.end()
        else:
            text = _ESCAPES.get(match[1], match[0])
            if text in "\n\r":
                raise make_error(written, match.start(), "a record must not have more than one line")
            yield text
            at = match.end()
    yield written[at:]


def _read_directive(written: str, match: re.Match[str]) -> Iterator[Token]:
    argument, letter = match[2], match[4]
    if letter == "%":
        yield "%"
    elif letter == "t":
        yield from _read_time(written, match)
    else:
        field = _find_field(letter, argument)
        if field is None:
            raise make_error(written, match.start(), f"{match[0]} is not a known directive")
        if letter == "s" and ">" in match[1] + match[3]:
            field = replace(field, name="status", rank=1)
        yield replace(field, at=match.start(), written=match[0])


def _find_field(letter: str, argument: str | None) -> Field | None:
    if argument is None:
        return _PLAIN.get(letter)
    if letter in _NAMED:
        return _find_named(letter, argument)
    return _WITH_ARGUMENT.get((letter, argument.lower()))


def _find_named(letter: str, argument: str) -> Field:
    name = argument.lower()
    if letter == "i" and name in _HEADERS:
        return _HEADERS[name]
    words = [_NAMED[letter], re.sub("[^a-z0-9]", "_", name) if letter != "e" else argument]
    shape = Shape.LIST if letter == "i" and name.startswith("x-forwarded-") else Shape.WORD
    return Field("_".join(word for word in words if word), shape=shape)


def _read_time(written: str, match: re.Match[str]) -> Iterator[Token]:
    at = match.start()
    clock, colon, pattern = (match[2] or "").partition(":")
    if not colon or clock not in {"begin", "end"}:
        clock, pattern = "begin", match[2] or ""
    name = "time" if clock == "begin" else "time_end"
    if not pattern:
        yield "["
        yield Field(name, Kind.ACCESS, size=26, clock=clock, at=at, written=match[0])
        yield "]"
        return
    field = _TIMES.get(pattern)
    if field is None:
        parts = tuple(iter_parts(pattern, written, match.end() - len(pattern) - 2))
        field = Field(name, parts=parts)
    yield replace(field, name=name, clock=clock, at=at, written=match[0])


def _merge_route_fields(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with one field, the route, in place of ``%U%q``: nothing separates the path from the query."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if (
            isinstance(token, Field)
            and isinstance(following, Field)
            and (token.name, following.name) == ("uri", "query")
        ):
            yield replace(token, rank=1, written=token.written + following.written)
            place += 2
        else:
            yield token
            place += 1
