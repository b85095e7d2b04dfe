r"""Reads the files of samples: paragraphs of lines ``key: value``. A line that begins with # is a comment.

``line`` (or ``bytes``, with %xx) is read after the lines in ``before`` (with ``\n`` between them). ``record`` is the
JSON object of the columns that are not null, or a list of objects if the line makes several records. ``reject`` is the
reason why the line is rejected.
"""

from datetime import UTC, datetime
from importlib import resources
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

Sample: TypeAlias = dict[str, str]

READ_AT = datetime(2030, 1, 1, tzinfo=UTC)
"""The time when the lines are read. Their file was last modified at this time, unless a sample has ``modified``."""

_FOLDER = resources.files("puppylog.formats").joinpath("samples")

FAMILIES = sorted(file.name.removesuffix(".txt") for file in _FOLDER.iterdir() if file.name.endswith(".txt"))


def read_samples(family: str) -> list[Sample]:
    text = _FOLDER.joinpath(f"{family}.txt").read_text(encoding="utf-8")
    samples = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.strip("\n").split("\n") if line and not line.startswith("#")]
        if lines:
            parts = [line.partition(":") for line in lines]
            samples.append({key: value.removeprefix(" ") for key, _, value in parts})
    return samples


def line_of(sample: Sample) -> bytes:
    return unquote_to_bytes(sample["bytes"]) if "bytes" in sample else sample["line"].encode()


def before(sample: Sample) -> bytes:
    return "".join(f"{line}\n" for line in sample["before"].split("\\n")).encode() if "before" in sample else b""
