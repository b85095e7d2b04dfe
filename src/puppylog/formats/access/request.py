"""The request between its quotes: ``METHOD route HTTP/x``, ``METHOD /route`` in HTTP/0.9, nothing, or garbage.

Garbage (a TLS hello, a single word, a method that cannot be one) is no reason to reject a line: who asked, when, and
what was answered is known all the same. Such a request becomes the record's message as it stands.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.access.lines import Entries
from puppylog.formats.block import Block
from puppylog.formats.spans import Spans, Taker
from puppylog.formats.words import WORD_BYTES, Positions, are_capitals, find_in_word, word

_BLANK = 32

_PROTO_LEAD = 9  # characters of " HTTP/1.1"; a word holds all but the last
_PROTO = word(" HTTP/0.")
_PROTO_MASK = np.uint64(0xFFF0FFFFFFFFFFFF)  # for "0", any of the sixteen characters from it on: no blank among them

_ODD_REQUEST = r"(?s)^(?P<method>[A-Z][A-Z0-9_-]*) (?:(?P<route>.+) (?P<proto>HTTP/[^ ]+)|(?P<path>/.*))$"


@dataclass(frozen=True, slots=True)
class Request:
    method: Spans
    route: Spans
    proto: Spans
    message: Spans  # the whole request, where it is garbage


def read_request(block: Block, entries: Entries) -> Request:
    """Read what stands between the first two quotes of each line."""
    since, until = entries.quotes[0] + 1, entries.quotes[1]
    start = block.words[since]
    method_size = find_in_word(start, _BLANK)
    method_until = since + method_size
    route_until = until - _PROTO_LEAD
    is_regular = are_capitals(start, method_size) & (method_size < WORD_BYTES)
    is_regular &= method_until + 1 < route_until
    is_regular &= (block.words[route_until] & _PROTO_MASK) == _PROTO
    is_regular &= block.text[until - 1] != _BLANK
    request = Request(
        method=Spans(since, method_until),
        route=Spans(method_until + 1, route_until),
        proto=Spans(route_until + 1, until),
        message=Spans(since, since),
    )
    if is_regular.all():
        return request
    odd = np.flatnonzero(~is_regular)
    return _replace(request, odd, _read_odd(block, Spans(since[odd], until[odd])))


def _read_odd(block: Block, whole: Spans) -> Request:
    since, until = whole.since, whole.until
    found = pc.extract_regex(Taker(block.text, since.size).take_bytes(whole), _ODD_REQUEST)
    method_size, route_size, proto_size, path_size = (
        _sizes(found, name) for name in ("method", "route", "proto", "path")
    )
    method_until = since + method_size
    route_since = method_until + 1
    return Request(
        method=Spans(since, method_until),
        route=Spans(route_since, route_since + route_size + path_size),
        proto=Spans(until - proto_size, until),
        message=whole.where(method_size == 0).without_dashes(block.text),
    )


def _sizes(found: pa.StructArray, group: str) -> Positions:
    """Return the length of what each match has in a group, 0 where nothing matched."""
    sizes = pc.binary_length(pc.struct_field(found, group)).fill_null(0)
    return np.asarray(sizes).astype(np.int64)


def _replace(request: Request, rows: Positions, odd: Request) -> Request:
    return Request(
        method=request.method.replace(rows, odd.method),
        route=request.route.replace(rows, odd.route),
        proto=request.proto.replace(rows, odd.proto),
        message=request.message.replace(rows, odd.message),
    )
