r"""The files of samples: paragraphs of ``key: value`` lines; a line that begins with # is a comment.

``line`` (or ``bytes``, with %xx) is what is read, after the lines in ``before`` (with ``\n`` between them); ``record``
is the JSON of the columns that are not null, or a list of such where one line makes several; ``reject`` is the reason.
"""

from datetime import UTC, datetime
from importlib import resources
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

Sample: TypeAlias = dict[str, str]

READ_AT = datetime(2030, 1, 1, tzinfo=UTC)
"""When the lines are read, and when their file was changed last unless the sample says something else."""

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
