"""The files of the page, read once, each with its compressed form, under a digest of them all.

Scripts are served without the comments that take whole lines: a sixth of what a browser would load. Lines
keep their numbers, so that an error in a browser names the line of the file.

The digest is a part of their addresses. So a browser may keep every file for good, and never mixes two versions.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_ROOT: Final = "page/@/"  # the placeholder in index.html for the folder of the files
_MODULES: Final = "<!-- modules -->"  # in index.html, where the modules to preload are listed
_PRELOADED: Final = ("app.js", "lib/", "search/", "views/search.js")
_COMMENT: Final = re.compile(rb"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/[ \t]*$|//[^\n]*$)", re.MULTILINE | re.DOTALL)
_MIN_BYTES: Final = 500  # a smaller file is not worth a header


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page.

    Attributes:
        content_type: its media type.
        body: its bytes.
        compressed: the same in gzip; None if that is no smaller.
        tag: identifies the bytes, as a weak ETag, which both forms share.
    """

    content_type: str
    body: bytes
    compressed: bytes | None
    tag: str


@dataclass(frozen=True, slots=True)
class Files:
    """All files of the page.

    Attributes:
        digest: of their names and bytes, a part of their addresses.
        index: the page itself, with the addresses of the others.
        by_name: the others, by their paths in the folder ``static``.
    """

    digest: str
    index: File
    by_name: Mapping[str, File]


@cache
def read_files() -> Files:
    """Return all files of the page. They are read and compressed at the first call."""
    bodies = dict(sorted(_read(resources.files(__package__).joinpath("static"))))
    sum_ = hashlib.sha256()
    for name, body in bodies.items():
        sum_.update(f"{name}\0{len(body)}\0".encode() + body)
    digest = sum_.hexdigest()[:16]
    index = _complete(bodies.pop("index.html").decode(), digest, list(bodies))
    return Files(
        digest, _make("html", index.encode()), {name: _make(_ending(name), body) for name, body in bodies.items()}
    )


def _read(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    """Return names and bytes of the files that a browser may ask for, which are those with a known ending."""
    found: list[tuple[str, bytes]] = []
    for path in folder.iterdir():
        if path.is_dir():
            found += _read(path, f"{prefix}{path.name}/")
        elif _ending(path.name) in _TYPES:
            body = path.read_bytes()
            is_own = path.name.endswith(".js") and not prefix.startswith("vendor/")
            found.append((prefix + path.name, without_comments(body) if is_own else body))
    return found


def without_comments(script: bytes) -> bytes:
    r"""Return a script in which the lines that are only comment are empty.

    >>> without_comments(b"/** Counts.\n * More. */\nlet n = 1; // one\n  // two\n/** @type {any} */ (n);\n")
    b'\n\nlet n = 1; // one\n\n/** @type {any} */ (n);\n'
    """
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), script)


def _complete(index: str, digest: str, names: list[str]) -> str:
    """Return the page with the addresses of its files, and the list of the modules that a browser loads at once."""
    folder = f"page/{digest}/"
    modules = [name for name in names if name.startswith(_PRELOADED) and name.endswith(".js")]
    links = "\n".join(f'<link rel="modulepreload" href="{folder}{name}">' for name in modules)
    return index.replace(_ROOT, folder).replace(_MODULES, links)


def _make(ending: str, body: bytes) -> File:
    compressed = gzip.compress(body, 9, mtime=0)
    is_smaller = len(body) >= _MIN_BYTES and len(compressed) < len(body)
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
    return File(_TYPES[ending], body, compressed if is_smaller else None, tag)


def _ending(name: str) -> str:
    return name.rpartition(".")[2]
