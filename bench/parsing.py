"""Parsing alone, on one core: Puppylog's format, and a CSV reader that only splits. It runs in a process of its own.

CPU seconds are measured, not time, so that other processes on the machine have no influence.
"""

import json
import sys
from io import BytesIO
from pathlib import Path

from pyarrow import csv

from bench.floor import FORMAT
from bench.processes import Stopwatch
from puppylog.formats.registry import find_format
from puppylog.tail.limits import CHUNK_BYTES

_MAX_BYTES = 128 << 20  # enough for a stable figure, and little enough for any machine


def main() -> None:
    """Run as ``python -m bench.parsing LOG``; print the lines, and the CPU seconds of both, as JSON."""
    pieces = _read_pieces(Path(sys.argv[1]))
    parser = find_format(FORMAT).open()
    parser.parse(pieces[0], 0, 0)  # work that is done once is not measured
    watch = Stopwatch()
    lines = sum(parser.parse(piece, 0, 0).lines for piece in pieces)
    ours = watch.read()["cpu_s"]
    split = csv.ReadOptions(use_threads=False, autogenerate_column_names=True)
    blanks = csv.ParseOptions(delimiter=" ", quote_char='"', escape_char="\\")
    watch = Stopwatch()
    rows = sum(csv.read_csv(BytesIO(piece), split, blanks).num_rows for piece in pieces)
    splitting = watch.read()["cpu_s"]
    sys.stdout.write(json.dumps({"lines": lines, "rows": rows, "ours_s": ours, "splitting_s": splitting}))


def _read_pieces(log: Path) -> list[bytes]:
    pieces: list[bytes] = []
    with log.open("rb") as file:
        while file.tell() < _MAX_BYTES and (data := file.read(CHUNK_BYTES)):
            pieces.append(data + file.readline())
    return pieces


if __name__ == "__main__":
    main()
