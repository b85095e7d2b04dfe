"""Deletes the parts of installed packages that Puppylog never loads: ``trim.py SITE_PACKAGES``.

pyarrow installs its C++ headers and sources, its tests, up to three copies of each of its Python libraries, and a
client of Amazon S3, together 37 MB. An image, and the environment of ``make demo``, need none of them. A test loads
what is left.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_UNUSED: Final = (
    "pyarrow/include",  # to compile programs against Arrow
    "pyarrow/includes",
    "pyarrow/src",
    "pyarrow/*.p[yx][xdi]",
    "pyarrow/tests",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/_s3fs*",  # Puppylog's archives are directories
    "pyarrow/_azurefs*",
    "pyarrow/_gcsfs*",
    "pyarrow/_hdfs*",
    "pyarrow/libarrow_s3.so*",
    "pyarrow/*_orc*",  # files of other formats, and other programs' plans of queries
    "pyarrow/*_encryption*",
    "pyarrow/_substrait*",
)


def iter_unused(site: Path) -> Iterator[Path]:
    """Yield the files and directories under ``site`` that Puppylog does not need."""
    for pattern in _UNUSED:
        yield from site.glob(pattern)
    # A wheel cannot hold links, so one library comes under its three names. Programs load the one that ends in a single
    # number, such as libarrow_python.so.2600; the compiler uses libarrow_python.so.
    for library in site.glob("pyarrow/libarrow_python*.so*"):
        numbers = library.name.partition(".so")[2].split(".")[1:]
        if len(numbers) != 1:
            yield library


def measure(path: Path) -> int:
    """Return the bytes of a file, or of all files in a directory."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if not file.is_dir())


def trim(site: Path) -> int:
    """Delete what Puppylog does not need; return how many bytes that was."""
    freed = 0
    for path in sorted(set(iter_unused(site))):
        freed += measure(path)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return freed


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
