"""Values as JSON and as cells of CSV, with one Python object per value: what `rows.c` does for most columns."""

import json
import re
from collections.abc import Sequence
from typing import Final

from puppylog.model.printable import clean, clean_json
from puppylog.rows.plain import Plain, text_of

_FORMULA_STARTS: Final = "=+-@＝＋－＠"  # noqa: RUF001 - spreadsheets take the full-width forms too
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")

# Created once, because json.dumps with options creates an encoder per call.
_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def json_text(value: Plain) -> str:
    """Return a value as JSON, with characters that a terminal obeys."""
    return _encode(value)


def json_value(value: Plain) -> str:
    """Return a value as JSON on one line."""
    return clean_json(_encode(value))


def json_object(names: Sequence[str], row: Sequence[Plain]) -> str:
    """Return one row as a JSON object on one line."""
    return clean_json(_encode(dict(zip(names, row, strict=True))))


def csv_cell(value: Plain) -> str:
    """Return one cell of CSV."""
    if not isinstance(value, str):
        text = clean_json(text_of(value))  # a list or an object is written as JSON, and may hold text from logs
    elif not value:
        return '""'
    else:
        text = clean(value)
        if text[0] in _FORMULA_STARTS and len(text) > 1 and not _NUMBER.fullmatch(text):
            text = f"'{text}"
    if '"' in text or "," in text:
        return '"{}"'.format(text.replace('"', '""'))
    return text
