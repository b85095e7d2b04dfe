"""Reads the files: one file, and the files that it includes."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from puppylog.config.faults import Faults, Location
from puppylog.errors import ConfigurationError
from puppylog.settings import read_document

INCLUDE = "include"


@dataclass(frozen=True, slots=True)
class Document:
    """One file, as TOML has read it."""

    path: Path
    values: dict[str, Any]
    is_included: bool  # whether another file includes it


def read_documents(paths: Sequence[Path], faults: Faults) -> list[Document]:
    """Return the documents of files and of the files that they include, each file once, in the order of reading.

    Faults are a file that cannot be read or is not TOML, a cycle, and an included file that does not exist.
    """
    documents: dict[Path, Document] = {}
    for path in paths:
        _read(path, (), documents, faults)
    return list(documents.values())


def _read(path: Path, chain: tuple[Path, ...], documents: dict[Path, Document], faults: Faults) -> None:
    real = path.resolve()
    if real in [above.resolve() for above in chain]:
        named = " includes ".join(str(above) for above in (*chain, path))
        faults.add(Location(chain[-1]), f"include: a cycle: {named}")
        return
    if real in documents:
        return
    try:
        values = read_document(path)
    except ConfigurationError as error:
        faults.found.append(error)
        return
    documents[real] = Document(path, values, is_included=bool(chain))
    for included in _find_included(path, values.get(INCLUDE, []), faults):
        _read(included, (*chain, path), documents, faults)


def _find_included(path: Path, written: object, faults: Faults) -> list[Path]:
    """Return the files that a file includes. A pattern gives its matches in the order of their names, or none."""
    if not isinstance(written, list) or not all(isinstance(pattern, str) and pattern for pattern in written):
        faults.add(Location(path), f"include must be a list of strings, not {written!r}")
        return []
    found: list[Path] = []
    for pattern in written:
        if glob.has_magic(pattern):
            matches = glob.glob(pattern, root_dir=path.parent, recursive=True)  # noqa: PTH207 - takes absolute patterns
            found += sorted(match for match in (path.parent / name for name in matches) if match.is_file())
        elif (path.parent / pattern).is_file():
            found.append(path.parent / pattern)
        else:
            faults.add(Location(path), f"include: there is no file {pattern!r}")
    return found
