"""``logs -o raw``: the text of records as it was in their files."""

import sys
from collections.abc import Collection
from typing import Final

import pyarrow as pa

from puppylog.cli.logs.lines import NO_REJECTED, Rejected
from puppylog.cli.messages import tell
from puppylog.monitor.source_text import read_source_texts
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader
from puppylog.tui.clean import clean

_ROWS: Final = 2048  # rows that are written at a time
_BREAK: Final = "--"


class RawPrinter:
    """Writes the bytes of records. On a terminal, it writes them cleaned, because a log may hold control sequences."""

    def __init__(self, settings: Settings, reader: RecordReader) -> None:
        self._settings, self._reader = settings, reader
        self._texts = self._inexact = 0

    def write(self, records: pa.Table, breaks: Collection[int] = (), rejected: Rejected = NO_REJECTED) -> None:
        """Write records and rejected lines; on a terminal with a line ``--`` where lines of the file are left out."""
        for start in range(0, records.num_rows, _ROWS):
            texts = read_source_texts(self._reader, records.slice(start, _ROWS).to_pylist(), self._settings.host)
            self._texts += len(texts)
            self._inexact += sum(not text.is_exact for text in texts)
            if sys.stdout.isatty():
                for at, text in enumerate(texts, start):
                    before = "".join(map(_clean_lines, rejected.get(at, ())))
                    sys.stdout.write((f"{_BREAK}\n" if at in breaks else "") + before + _clean_lines(text.text))
            else:
                sys.stdout.flush()
                for at, text in enumerate(texts, start):
                    sys.stdout.buffer.writelines(line + b"\n" for line in (*rejected.get(at, ()), text.text))
                sys.stdout.buffer.flush()
        sys.stdout.flush()

    def close(self) -> None:
        """Say how many texts are not exact, if any."""
        if self._inexact:
            tell(
                self._settings,
                f"{self._inexact:,} of {self._texts:,} lines are put together from their columns and may differ from "
                "the original: their files are gone, changed, or on another machine",
            )


def _clean_lines(text: bytes) -> str:
    lines = text.decode(errors="backslashreplace").expandtabs(4).split("\n")
    return "".join(f"{clean(line.removesuffix(chr(13)))}\n" for line in lines)
