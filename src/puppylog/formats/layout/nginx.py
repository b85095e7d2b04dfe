"""Compiles nginx's ``log_format``: text with ``$variable`` or ``${variable}``.

A variable that fills no column becomes an attribute with its own name. For a value that is unknown nginx writes a dash,
or nothing with ``escape=json`` and ``escape=none``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from puppylog.formats.layout.assembly import assemble
from puppylog.formats.layout.fields import Field, Shape, Token, make_error
from puppylog.formats.layout.program import Kind, Program

VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")

_NUMBERS: Final = re.compile(
    r"(?!arg_|cookie_).*(?:_time|_length|_port|_status|_ratio|_msec|bytes_sent|bytes_received|limit_rate)"
    r"|connections?|connection_requests|connections_.*|connection_time|msec|pid|tcpinfo_.*"
)
_LISTS: Final = re.compile(r"upstream_.*|http_x_forwarded_.*|http_forwarded|proxy_add_x_forwarded_for")
_FREE: Final = frozenset({"http_user_agent", "http_cookie", "request_body"})
_ADDRESSES: Final = re.compile(r"(?:.*_)?addr")

_COLUMNS: Final = {
    "remote_addr": Field("", column="host", shape=Shape.ADDRESS),
    "remote_user": Field("", Kind.USER, "ruser"),
    "time_local": Field("", Kind.ACCESS, size=26, clock="begin"),
    "time_iso8601": Field("", Kind.ISO, clock="begin"),
    "msec": Field("", Kind.EPOCH, clock="begin", has_fraction=True),
    "request": Field("", Kind.REQUEST, "request_route", rank=3, shape=Shape.FREE),
    "request_method": Field("", column="request_method"),
    "request_uri": Field("", column="request_route", rank=2, shape=Shape.PATH),
    "uri": Field("", column="request_route", shape=Shape.PATH),
    "document_uri": Field("", column="request_route", shape=Shape.PATH),
    "server_protocol": Field("", column="request_proto"),
    "status": Field("", Kind.STATUS, "status_code", attribute_kind=Kind.NUMBER),
    "body_bytes_sent": Field("", Kind.BYTES, "response_bytes", rank=1, attribute_kind=Kind.NUMBER),
    "bytes_sent": Field("", Kind.BYTES, "response_bytes", attribute_kind=Kind.NUMBER),
    "http_referer": Field("", column="referer"),
    "http_user_agent": Field("", column="user_agent", shape=Shape.FREE),
}
_CLIENTS: Final = re.compile(r"http_(?:cf_connecting|x_real|true_client)_ip|realip_remote_addr|proxy_protocol_addr")
_FILTERED: Final = re.compile(
    r"(?:.*_)?filtered_(request_uri|http_referer)"
)  # variables of a map in GitLab's configuration
_PATHS: Final = ({"uri", "document_uri"}, {"is_args"}, {"args", "query_string"})


def compile_nginx(written: str, escape: str = "default") -> Program:
    """Return the program of a ``log_format``.

    Args:
        written: the string, all its parts concatenated.
        escape: how nginx escapes quotes in values: ``default``, ``json`` or ``none``.

    Raises:
        FormatError: the string is no ``log_format``, or the end of a field is ambiguous.
    """
    written = written.rstrip("\n")  # a newline at the end makes empty lines, which are not records
    return assemble(written, _merge_route_fields(list(_iter_tokens(written))), has_escapes=escape != "none")


def _iter_tokens(written: str) -> Iterator[Token]:
    at = 0
    for match in VARIABLE.finditer(written):
        yield _text(written, at, match.start())
        yield _make_field(match[1] or match[2], match.start(), match[0])
        at = match.end()
    yield _text(written, at, len(written))


def _text(written: str, start: int, end: int) -> str:
    text = written[start:end]
    if "\n" in text:
        raise make_error(written, start + text.index("\n"), "a record must not have more than one line")
    return text


def _make_field(name: str, at: int, written: str) -> Field:
    name = name.lower()
    filtered = _FILTERED.fullmatch(name)
    field = _COLUMNS.get(filtered[1] if filtered else name) or Field("", _kind_of(name), shape=_shape_of(name))
    if _CLIENTS.fullmatch(name):
        field = replace(field, column="host", rank=-1)
    return replace(field, name=name, at=at, written=written)


def _kind_of(name: str) -> Kind:
    return Kind.NUMBER if _NUMBERS.fullmatch(name) else Kind.TEXT


def _shape_of(name: str) -> Shape:
    if name in _FREE:
        return Shape.FREE
    if _LISTS.fullmatch(name):
        return Shape.LIST
    return Shape.ADDRESS if _ADDRESSES.fullmatch(name) else Shape.WORD


def _merge_route_fields(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with one field, the route, in place of ``$uri$is_args$args``: no text separates these three."""
    tokens = [token for token in tokens if token != ""]
    place = 0
    while place < len(tokens):
        three = [token for token in tokens[place : place + 3] if isinstance(token, Field)]
        if len(three) == 3 and all(field.name in names for field, names in zip(three, _PATHS, strict=True)):
            yield replace(three[0], rank=1, written="".join(field.written for field in three))
            place += 3
        else:
            yield tokens[place]
            place += 1
