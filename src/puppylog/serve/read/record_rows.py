"""A record as answers have it."""

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
import pyarrow as pa
from msgspec import Meta, Struct

from puppylog.model.record import COLUMNS
from puppylog.model.source import name_source
from puppylog.monitor.origins import Origin, read_origins
from puppylog.monitor.pages import TEXT_CHARACTERS
from puppylog.serve.read.answers import format_instants
from puppylog.serve.read.resource import Instant, Reader


class Record(Struct, kw_only=True, omit_defaults=True):
    """A record. A column without a value is left out."""

    ts: Instant
    severity: str | None = None
    host: str | None = None
    ident: str | None = None
    ruser: str | None = None
    request_method: str | None = None
    request_route: str | None = None
    request_proto: str | None = None
    status_code: int | None = None
    response_bytes: int | None = None
    referer: str | None = None
    user_agent: str | None = None
    message: str | None = None
    attributes: (
        Annotated[
            msgspec.Raw, Meta(description="The fields that are not columns.", extra_json_schema={"type": "object"})
        ]
        | None
    ) = None
    source: Annotated[str | None, Meta(description="The source as users write it, such as a path.")] = None
    source_uri: str | None = None
    group: Annotated[str | None, Meta(description="The log group of the source.")] = None
    file: Annotated[str | None, Meta(description="The path at which the file was last seen.")] = None
    stream_id: int
    file_id: int
    line_offset: Annotated[int, Meta(description="Where the line starts in its file, in bytes.")]
    cut: Annotated[
        dict[str, int] | None,
        Meta(
            description="The texts that are not whole in this answer, each with the length of the whole in characters: "
            "by column, or `attributes.` and a key. `attributes` alone says that all of them are left out."
        ),
    ] = None


_ORIGINS_S: Final = 60.0

_PLAIN: Final = [name for name in Record.__struct_fields__ if name in COLUMNS and name not in {"ts", "attributes"}]


def make_records(
    reader: Reader, table: pa.Table, *, is_whole: bool = False, origins: Mapping[int, Origin] | None = None
) -> list[Record]:
    """Return the records of a page or another table with the columns of ``log_records``, in its order.

    Args:
        reader: the store, which is asked for the origins of the records.
        table: may have columns that end in ``_length``, as `puppylog.monitor.pages.Page` has them.
        is_whole: whether long texts in attributes are left as they are.
        origins: of the records' files; None: the store is asked.
    """
    if origins is None:
        origins = read_origins(reader, set(table["file_id"].to_pylist()))
    instants = format_instants(table["ts"])
    columns = {name: table[name].to_pylist() for name in _PLAIN}
    lengths = {name: table[name].to_pylist() for name in table.column_names if name.endswith("_length")}
    attributes = _texts(table["attributes"]).to_pylist()
    return [
        _make_record(
            instants[at],
            {name: values[at] for name, values in columns.items()},
            attributes[at],
            {name.removesuffix("_length"): values[at] for name, values in lengths.items() if values[at] is not None},
            origins.get(columns["file_id"][at]),
            is_whole=is_whole,
        )
        for at in range(table.num_rows)
    ]


class RecordRenderer:
    """Renders records as JSON, and remembers the origins of their files for a minute. Used by one thread."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._origins: dict[int, Origin] = {}
        self._known_since = 0.0

    def __call__(self, reader: Reader, table: pa.Table) -> list[bytes]:
        """Return the JSON of each record; see `make_records`."""
        now = time.monotonic()
        if now - self._known_since > _ORIGINS_S:  # a stream may get another group
            self._origins, self._known_since = {}, now
        missing = {*table["file_id"].to_pylist()} - self._origins.keys()
        if missing:
            self._origins |= read_origins(reader, missing)
        return [self._encoder.encode(record) for record in make_records(reader, table, origins=self._origins)]


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of JSON as one of texts."""
    return column.cast(pa.string())


def _make_record(
    ts: str,
    values: Mapping[str, Any],
    attributes: str | None,
    cut: dict[str, int],
    origin: Origin | None,
    *,
    is_whole: bool,
) -> Record:
    if not is_whole and attributes is not None and len(attributes) > TEXT_CHARACTERS:
        attributes = _cut_attributes(attributes, cut)
    named: dict[str, Any] = {} if origin is None else describe_origin(origin)
    raw = None if attributes is None else msgspec.Raw(attributes.encode(errors="replace"))
    return Record(ts=ts, attributes=raw, cut=cut or None, **values, **named)


def describe_origin(origin: Origin) -> dict[str, Any]:
    return {
        "source": name_source(origin.source_uri),
        "source_uri": origin.source_uri,
        "group": origin.group,
        "file": origin.path,
    }


def _cut_attributes(text: str, cut: dict[str, int]) -> str:
    """Return attributes with long texts cut, and note the length of each in ``cut``."""
    return json.dumps(_cut_value(json.loads(text), "attributes", cut), ensure_ascii=False)


def _cut_value(value: Any, name: str, cut: dict[str, int]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str) and len(value) > TEXT_CHARACTERS:
        cut[name] = len(value)
        return value[:TEXT_CHARACTERS]
    if isinstance(value, dict):
        return {key: _cut_value(inner, f"{name}.{key}", cut) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut_value(inner, f"{name}.{at}", cut) for at, inner in enumerate(value)]
    return value
