"""Decodes the body of Elasticsearch's ``_bulk``: an action in one line, and mostly its document in the next one.

A document is read like a line of the format ``json``, whose table of names knows Elastic's Common Schema. The documents
of an index are put together as a text of their own: positions count its bytes, and a rejected line is a document.

Records are never changed: ``index`` and ``create`` store a document, ``update`` and ``delete`` are refused.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Options
from puppylog.formats.integers import view_integers
from puppylog.formats.json_text import NO_OBJECT
from puppylog.formats.lines import Lines, slice_bytes
from puppylog.formats.quoting import quote
from puppylog.formats.registry import find_format
from puppylog.model.record import NO_RECORDS, REJECTS, Parsed
from puppylog.receive.bulk_answer import BulkAnswer, ItemError
from puppylog.receive.received import NotDecoded, Received, ReceivedLines, use_time_of_receipt

_JSON: Final = find_format("json", Options(joins_lines=False))
_STORED: Final = frozenset({"index", "create"})
_OPERATIONS: Final = frozenset({*_STORED, "update", "delete"})
_MAX_ACTIONS: Final = 64  # different action lines up to which the documents are gathered without a loop over lines
# Senders that roll an index over by the day: logstash-2026.11.27. Each day would be another source.
_DATE: Final = re.compile(r"[-_.]20[0-9]{2}[.-]?[01][0-9](?:[.-]?[0-3][0-9])?$")
# Most actions of documents with ids, which all differ. JSON's reader takes several times as long.
_PLAIN_ACTION: Final = re.compile(
    rb'\{ ?"(index|create)" ?: ?\{(?: ?"_index" ?: ?"([!#-\[\]-~]+)",?)?(?: ?"_id" ?: ?"([!#-\[\]-~]+)")? ?\} ?\}'
)

_REJECTED: Final = "no action of _bulk before it"
_MAX_PLACES: Final = 100  # items that say where a fault is. Equal items cost little to keep for retries
_NO_CHANGES: Final = ItemError(400, "illegal_argument_exception", "records of logs are stored once and never changed")
_NO_DOCUMENT: Final = ItemError(400, "action_request_validation_exception", "the document is missing")


@dataclass(frozen=True, slots=True)
class _Action:
    """An action line."""

    operation: str
    index: str
    id: str | None = None  # of the document, if the sender chooses it

    @property
    def has_document(self) -> bool:
        return self.operation != "delete"


@dataclass(frozen=True, slots=True)
class _Documents:
    """The documents of one index."""

    index: str
    text: bytes  # a line for each document
    items: Sequence[int]  # the number of each document's item in the answer


def decode_bulk(body: bytes, *, index: str = "", read_at_us: int) -> tuple[Received, BulkAnswer]:
    """Return the documents of a request, and what is answered when they are stored.

    Args:
        body: of the request.
        index: that of the URL, for actions that name none.
        read_at_us: the time of documents without a time, in microseconds since the epoch.

    Raises:
        NotDecoded: no line of the body is an action.
    """
    if not body.endswith(b"\n"):
        body += b"\n"
    answer = BulkAnswer()
    gathered = _gather_after_one_action(body, index, answer) or _gather_alternating(body, index, answer)
    if gathered is None:
        gathered, unread = _gather(body, index, answer)
        rejected = (_reject(unread, name_source(index)),) if unread.lines else ()
    else:
        rejected = ()
    return Received((*(_parse(documents, answer, read_at_us) for documents in gathered), *rejected)), answer


@lru_cache(maxsize=1000)
def name_source(index: str) -> str:
    """Return the name of the source for an index: without a date at its end.

    >>> name_source("logstash-2026.11.27"), name_source("logs-nginx-default"), name_source("app-2026.11")
    ('logstash', 'logs-nginx-default', 'app')
    """
    return _DATE.sub("", index) or index


def _parse(documents: _Documents, answer: BulkAnswer, read_at_us: int) -> ReceivedLines:
    """Return the rows of an index's documents. A document that cannot be read also becomes an error in the answer."""
    parsed = use_time_of_receipt(_JSON.open().parse(documents.text, 0, read_at_us), read_at_us)
    if parsed.rowless:
        parsed = _reject_blank_documents(parsed, documents.text)
    if parsed.rejects.num_rows:
        starts = view_integers(Lines.split(documents.text, pa.binary()).starts)
        reasons = parsed.rejects["reason"].to_pylist()
        for at, reason in zip(view_integers(parsed.rejects["line_offset"]), reasons, strict=True):
            number = documents.items[bisect_right(starts, at) - 1]
            answer.errors[number] = _describe(reason)
    parsed = replace(parsed, data=documents.text)
    return ReceivedLines(documents.index, None, parsed, len(documents.text), "json", "json\n")


def _reject_blank_documents(parsed: Parsed, text: bytes) -> Parsed:
    """Return the rows with a rejected line for each blank line: here every line is a document."""
    starts = sorted(
        {*view_integers(Lines.split(text, pa.binary()).starts)}
        - {*view_integers(parsed.records["line_offset"]), *view_integers(parsed.rejects["line_offset"])}
    )
    lines = [text[at : text.index(b"\n", at)] for at in starts]
    columns = [pa.array(starts, pa.int64()), pa.array([NO_OBJECT] * len(starts)), pa.array(lines, pa.binary())]
    rejects = pa.concat_batches([parsed.rejects, pa.RecordBatch.from_arrays(columns, schema=REJECTS)])
    return replace(parsed, rejects=rejects.take(pc.sort_indices(rejects["line_offset"])), rowless=0)


@lru_cache(maxsize=20)
def _describe(reason: str) -> ItemError:
    cause = f"failed to parse: {reason}; the document is kept as a rejected line"
    return ItemError(400, "document_parsing_exception", cause)


def _read_action(line: bytes, index: str) -> _Action | None:
    """Return the action of a line; None if the line is none."""
    match = _PLAIN_ACTION.fullmatch(line)
    if match is not None:
        operation, named, id_ = (None if found is None else found.decode() for found in match.groups())
        return _Action(operation or "", name_source(named or index), id_)
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not value:
        return None
    operation, described = next(iter(value.items()))  # the sender may note something for itself in further members
    if operation not in _OPERATIONS or not isinstance(described, dict | None):
        return None
    given = described or {}
    named, id_ = given.get("_index"), given.get("_id")
    return _Action(operation, name_source(str(named or index)), None if id_ is None else str(id_))


def _gather_after_one_action(body: bytes, index: str, answer: BulkAnswer) -> list[_Documents] | None:
    """Return the documents if each one follows the same action line, as of a sender with one index.

    Return None for other bodies. The text of all documents is made by one replacement, which costs little.
    """
    line, _, rest = body.partition(b"\n")
    action = _read_action(line, index)
    count, odd = divmod(body.count(b"\n"), 2)
    if odd or not count or action is None or action.operation not in _STORED or action.id is not None:
        return None
    between = b"\n" + line + b"\n"
    # So many equal lines, no two of them adjacent and none of them the last one, are every other line.
    if rest.startswith(between[1:]) or rest.endswith(between) or between + between[1:] in rest:
        return None
    text = rest.replace(between, b"\n")
    if text.count(b"\n") != count:
        return None
    answer.add(action.operation, count)
    return [_Documents(action.index, text, range(count))]


def _gather_alternating(body: bytes, index: str, answer: BulkAnswer) -> list[_Documents] | None:
    """Return the documents if each action stores one, and few action lines differ, as most senders write them.

    Return None for other bodies. Nothing here is a loop over lines: this is as fast as the reader of the documents.
    """
    lines = Lines.split(body, pa.binary())
    if len(lines.texts) % 2:
        return None
    numbered = lines.texts[::2].dictionary_encode()
    if len(numbered.dictionary) > _MAX_ACTIONS:
        return None
    actions = [_read_action(line, index) for line in numbered.dictionary.to_pylist()]
    if any(action is None or action.operation not in _STORED or action.id is not None for action in actions):
        return None
    known = [action for action in actions if action is not None]
    numbers = numbered.indices.to_pylist() if len(known) > 1 else []
    for number in numbers:
        answer.add(known[number].operation)
    if not numbers:
        answer.add(known[0].operation, len(numbered))
    starts, ends = lines.starts[1::2], pc.add(lines.newlines[1::2], 1)
    gathered = []
    for source in dict.fromkeys(action.index for action in known):
        of_source = pa.array([action.index == source for action in known], pa.bool_()).take(numbered.indices)
        found = slice_bytes(body, starts.filter(of_source), ends.filter(of_source))
        items = pc.indices_nonzero(of_source)
        gathered.append(_Documents(source, _join(found), view_integers(items.cast(pa.int64()))))
    return gathered


def _gather(body: bytes, index: str, answer: BulkAnswer) -> "tuple[list[_Documents], _Gatherer]":
    """Return the documents of any body, and the lines that are neither an action nor the document of one.

    Raises:
        NotDecoded: no line of the body is an action.
    """
    gatherers: dict[str, _Gatherer] = {}
    unread = _Gatherer()
    lines = iter(enumerate(body.split(b"\n")[:-1], 1))
    first, last, actions = 0, 0, 0
    for number, line in lines:
        action = _read_action(line, index)
        if action is None:
            if line.strip():
                unread.add(line, answer.count)
                first, is_next, last = first or number, number == last + 1, number
                if not is_next:  # the document of an action that cannot be read gets no item of its own
                    place = f"line {number} of the request" if len(answer.errors) < _MAX_PLACES else "a line"
                    cause = f"{place} is not an action; it is kept as a rejected line"
                    answer.add_error("index", ItemError(400, "illegal_argument_exception", cause))
            continue
        actions += 1
        _, document = next(lines, (0, None)) if action.has_document else (0, None)
        if action.operation not in _STORED:
            answer.add_error(action.operation, _NO_CHANGES)
        elif document is None:
            answer.add_error(action.operation, _NO_DOCUMENT)
        else:
            gatherers.setdefault(action.index, _Gatherer()).add(_with_id(document, action.id), answer.count)
            answer.add(action.operation)
    if not actions:
        raise NotDecoded(f"line {first}", "it is not an action; expected index, create, update or delete")
    return [gatherer.gather(source) for source, gatherer in gatherers.items()], unread


class _Gatherer:
    """Gathers the documents of one index."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._items: list[int] = []

    def add(self, line: bytes, item: int) -> None:
        self.lines.append(line)
        self._items.append(item)

    @property
    def starts(self) -> list[int]:
        """The offset of each line in the text of all lines, each with a newline."""
        return list(accumulate((len(line) + 1 for line in self.lines), initial=0))[:-1]

    @property
    def text(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)

    def gather(self, source: str) -> _Documents:
        return _Documents(source, self.text, self._items)


def _reject(unread: _Gatherer, source: str) -> ReceivedLines:
    """Return lines that are neither an action nor a document as rejected lines."""
    rejects = pa.RecordBatch.from_arrays(
        [
            pa.array(unread.starts, pa.int64()),
            pa.array([_REJECTED] * len(unread.lines), pa.string()),
            pa.array(unread.lines, pa.binary()),
        ],
        schema=REJECTS,
    )
    text = unread.text
    return ReceivedLines(source, None, Parsed(NO_RECORDS, rejects, text), len(text), "json")


def _with_id(document: bytes, id_: str | None) -> bytes:
    """Return a document with the id that its action gives it, as its first member."""
    if id_ is None or b'"_id"' in document:
        return document
    member = b'{"_id": ' + quote(id_).encode("utf-8", "replace")
    if document.startswith(b'{"'):
        return member + b", " + document[1:]
    start, brace, rest = document.partition(b"{")
    if start.strip() or not brace:
        return document  # it is not an object: the reader will reject it
    separator = b"" if rest.strip() == b"}" else b", "
    return start + member + separator + rest


def _join(documents: pa.Array) -> bytes:
    """Return consecutive values of a binary array as one text, without a loop over them."""
    if not len(documents):
        return b""
    _, bounds, data = documents.buffers()
    offsets = pa.Array.from_buffers(pa.int32(), documents.offset + len(documents) + 1, [None, bounds])
    start, end = offsets[documents.offset].as_py(), offsets[len(offsets) - 1].as_py()
    return bytes(memoryview(data or b"")[start:end])
