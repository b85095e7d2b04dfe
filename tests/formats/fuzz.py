"""Reads millions of damaged lines: ``python -m formats.fuzz NAME… --inputs N``, in the folder ``tests``.

Each line is a sample of the format in which something was cut, doubled, swapped or replaced. The native reader reads
all lines, and each line must become a record or a rejected line. Some parts are also read in Python, with the same
result. Add a line that shows a defect to the samples.

With ``--failures`` every part is read again while an allocation fails. This needs readers that ``native_builds`` has
built, given by ``--readers``. If they have a sanitizer, its library must be preloaded.
"""

import argparse
import random
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from formats.native_builds import load_readers
from formats.paths import reading
from formats.sample_files import before, line_of, read_samples
from puppylog.formats import native
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.listed_formats import LISTED
from puppylog.formats.registry import find_format
from puppylog.model.record import Parsed

T = TypeVar("T")

_LINES = 2000  # read at once
_DIRECTIVES = 0.01  # the share of directives in the lines of a format that has any
_FITTING = 0.5  # the share of lines that were written for the last directive
_MODIFIED_AT_US = 1_795_514_400_000_000
_BYTES = (
    *(b"\x00", b"\r", b"\xff", b"\xe2\x82", b"\xef\xbb\xbf", b"\\", b'"', b" ", b"  ", b"-", b"[", b"]", b":"),
    *(b"=", b"{", b"}", b",", b"\t", b"1 ", b"9" * 20),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Read damaged lines.")
    parser.add_argument(
        "names", nargs="+", help="formats; an expression with --samples regex; log_format for all of its samples"
    )
    parser.add_argument("--samples", help="the family of samples of the names that are no listed formats")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="the number of lines for each format")
    parser.add_argument(
        "--readers", type=Path, help="the file of a native module to use instead of the installed module"
    )
    parser.add_argument("--failures", action="store_true", help="let allocations fail, too")
    parser.add_argument("--compare", type=int, default=10, metavar="N", help="read every Nth part in Python, too")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.readers:
        native.lines = load_readers(asked.readers)
    targets = [target for name in asked.names for target in list_targets(name, asked.samples)]
    return max(_fuzz(name, lines, asked) for name, lines in targets)


def list_targets(name: str, family: str | None = None) -> list[tuple[str, list[bytes]]]:
    """Return formats, each with the lines to damage."""
    samples = read_samples(LISTED[name].samples if name in LISTED else family or name)
    lines = [line for sample in samples for line in (*before(sample).split(b"\n")[:-1], line_of(sample))]
    names = sorted({sample["as"] for sample in samples}) if name == "log_format" else [name]
    return [(each, lines) for each in names]


def _fuzz(name: str, lines: list[bytes], asked: argparse.Namespace) -> int:
    chance = random.Random(asked.seed)
    done = failures = 0
    at_once = min(_LINES, asked.inputs)
    for part in range(asked.inputs // at_once):
        data = b"".join(islice(_iter_damaged(chance, lines), at_once))
        parsed = _read(name, data, "native")
        if asked.failures:
            failures += _read_with_failures(chance, name, data, parsed)
        if part % asked.compare == 0 and _rows(parsed) != _rows(_read(name, data, "python")):
            sys.stdout.write(f"{name}: seed {asked.seed}, part {part}: the paths differ\n")
            _show_difference(name, data)
            return 1
        done += at_once
    sys.stdout.write(
        f"{name}: {done} inputs, none of them lost; every {asked.compare}th part the same in Python; "
        f"{failures} allocations failed\n"
    )
    return 0


def _read_with_failures(chance: random.Random, name: str, data: bytes, wanted: Parsed) -> int:
    """Read the text several times while an allocation fails; return how many readings raised MemoryError."""
    readers: Any = native.lines
    failures = 0
    for _ in range(3):
        readers.count_blocks()
        readers.fail_allocation_after(chance.randrange(200))
        try:
            parsed = _read(name, data, "native")
        except MemoryError:
            failures += 1
        else:
            assert _are_equal(parsed, wanted), "a failed allocation was not noticed"
            del parsed
        finally:
            readers.fail_allocation_after(-1)
    return failures


def _read(name: str, data: bytes, path: str) -> Parsed:
    with reading(path):
        parsed = find_format(name).open("", _MODIFIED_AT_US).parse(data, 0, 0)
    parsed.records.validate(full=True)
    parsed.rejects.validate(full=True)
    offsets = {offset for batch in (parsed.records, parsed.rejects) for offset in batch["line_offset"].to_pylist()}
    _, begin = skip_mark(data, 0)  # the first line starts after a byte order mark
    starts = {begin, *(newline.end() for newline in re.finditer(b"\n", data))} - {len(data)}
    assert len(starts - offsets) == parsed.rowless + parsed.continued, "a line was lost"
    return parsed


def _are_equal(one: Parsed, other: Parsed) -> bool:
    """Return whether both have the same rows; much faster than to compare `_rows`."""
    counts = [(parsed.rowless, parsed.continued, parsed.joined_runs) for parsed in (one, other)]
    return one.records.equals(other.records) and one.rejects.equals(other.rejects) and counts[0] == counts[1]


def _rows(parsed: Parsed) -> tuple[object, ...]:
    return parsed.records.to_pylist(), parsed.rejects.to_pylist(), parsed.rowless, parsed.continued, parsed.joined_runs


def _show_difference(name: str, data: bytes) -> None:
    for line in data.split(b"\n")[:-1]:
        native, python = (_rows(_read(name, line + b"\n", path)) for path in ("native", "python"))
        if native != python:
            sys.stdout.write(f"{line!r}\nnative: {native}\npython: {python}\n")


def _iter_damaged(chance: random.Random, lines: list[bytes]) -> Iterator[bytes]:
    """Yield damaged lines without end.

    Each directive, such as #Fields of W3C, begins a part of the text that is read by itself. If a directive was as
    frequent as a line, the fuzzer would spend its time on parts of two lines, of which most do not fit their directive.
    """
    directives = [index for index, line in enumerate(lines) if line.startswith(b"#")]
    others = [line for line in lines if not line.startswith(b"#")]
    last = None  # the index of the last directive
    while True:
        if directives and chance.random() < _DIRECTIVES:
            last = _pick(chance, directives)
            line = lines[last]
        elif last is not None and chance.random() < _FITTING:
            line = next((line for line in lines[last + 1 :] if not line.startswith(b"#")), lines[-1])
        else:
            line = _pick(chance, others)
        for _ in range(_pick(chance, (1, 1, 1, 2, 3, 8))):
            line = _damage(chance, line, lines)
        yield line.replace(b"\n", b"") + b"\n"


def _damage(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    start = _below(chance, len(line) + 1)
    end = min(len(line), start + _pick(chance, (0, 1, 1, 2, 5, 30)))
    kind = _below(chance, 6)
    if kind == 0:
        between = b""
    elif kind == 1:
        between = line[start:end] * 2
    elif kind == 2:
        between = _pick(chance, _BYTES)
    elif kind == 3:
        between = bytes((_below(chance, 256),))
    elif kind == 4:
        other = _pick(chance, lines)
        at = _below(chance, len(other) + 1)
        between = other[at : at + 20]
    else:
        between = _pick(chance, line.split(b" "))
    return line[:start] + between + line[end:]


def _pick(chance: random.Random, values: Sequence[T]) -> T:
    return values[_below(chance, len(values))]


def _below(chance: random.Random, limit: int) -> int:
    """Return a number from 0 to below the limit, in a third of the time of ``randrange``."""
    return int(chance.random() * limit)


if __name__ == "__main__":
    sys.exit(main())
