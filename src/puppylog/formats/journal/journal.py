"""The format of the journal's entries as JSON lines, as `puppylog.formats.journal.export` writes them."""

from functools import partial
from typing import Final

from puppylog.formats.base import UTC
from puppylog.formats.journal.fields import NAMES
from puppylog.formats.json_lines import find_json_mismatch, read_json
from puppylog.formats.line_format import LineFormat

JOURNAL: Final = LineFormat("journal", partial(read_json, names=NAMES), UTC, find_json_mismatch)
"""Reads entries of the journal that are written as JSON lines."""
