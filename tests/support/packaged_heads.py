"""The table of the heads of Puppylog's format files.

It is made from the files. ``PYTHONPATH=tests python -m support.packaged_heads`` writes it anew.
"""

import json
from pathlib import Path

import puppylog.formats.file
from puppylog.formats.file.beginnings import Head
from puppylog.formats.file.definition import read_definition
from puppylog.formats.file.folder import list_files
from puppylog.formats.file.packaged_heads import TABLE

PATH = Path(puppylog.formats.file.__file__).with_name(TABLE)


def write_table() -> str:
    """Return the text of the table, a line for each format, so that a change of one format is a change of one line."""
    heads = {name: read_definition(file.path).heads for name, file in sorted(list_files().items()) if not file.is_own}
    lines = [f"{json.dumps(name)}: {_write_heads(known)}" for name, known in heads.items() if known is not None]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _write_heads(heads: tuple[Head, ...]) -> str:
    written = [(None if head.first is None else "".join(sorted(head.first)), head.regex) for head in heads]
    return json.dumps(written, ensure_ascii=False)


if __name__ == "__main__":
    PATH.write_text(write_table(), encoding="utf-8")
