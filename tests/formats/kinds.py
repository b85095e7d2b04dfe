"""The formats that are files of the package, and their samples."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import puppylog.formats

FOLDER = Path(puppylog.formats.__file__).parent / "files"

KINDS = sorted(file.stem for file in FOLDER.glob("*.toml"))


@dataclass(frozen=True, slots=True)
class KindSample:
    """A sample in a format file."""

    line: str
    """One or more lines, without the last newline."""
    outcome: Mapping[str, Any]
    """The keys of the sample that say what the line becomes."""

    @property
    def becomes_a_record(self) -> bool:
        return "record" in self.outcome


@cache
def read_kind_samples(name: str) -> Sequence[KindSample]:
    tables = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")).get("samples", [])
    return tuple(
        KindSample(table["line"].rstrip("\n"), {key: table[key] for key in table.keys() - {"line"}}) for table in tables
    )


def repeat_samples(name: str, count: int = 20) -> bytes:
    """Return lines of a file of this kind: its samples in turn, at least ``count`` of them."""
    samples = [sample.line for sample in read_kind_samples(name) if sample.becomes_a_record]
    lines = [samples[number % len(samples)] for number in range(max(count, len(samples)))]
    return "".join(f"{line}\n" for line in lines).encode()
