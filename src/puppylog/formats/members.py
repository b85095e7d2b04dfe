"""Makes attributes of parts of a line; see ``native/cursor.h``."""

import re
from typing import Final

from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def list_texts(*pairs: tuple[str, str | None]) -> list[Member]:
    """Return an attribute for each key and text, unless the text is None, empty or a dash."""
    return [(key, quote(text)) for key, text in pairs if text and text != "-"]


def list_numbers(*pairs: tuple[str, str | None]) -> list[Member]:
    """Do the same for numbers. A text that is not a whole number of JSON stays a text."""
    return [(key, text if _NUMBER.fullmatch(text) else quote(text)) for key, text in pairs if text and text != "-"]
