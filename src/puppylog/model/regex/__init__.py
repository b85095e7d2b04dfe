r"""Regular expressions that match the same texts on every store: RE2's syntax, parsed here and rendered for each store.

A query only asks whether a text matches, not which part of it. The accepted syntax is RE2's, without what PostgreSQL
cannot do: Unicode classes such as ``\p{L}``, and counts above 255.

>>> render_re2(parse_regex(r"(?i)a\d")), render_are(parse_regex(r"^a|b$"))
('[Aa][0-9]', '(?:\\Aa|b\\Z)')
"""

from puppylog.model.regex.escape import escape
from puppylog.model.regex.parsing import RegexError, parse_regex
from puppylog.model.regex.render import render_are, render_re2
from puppylog.model.regex.tree import literal_text, required_word, required_words

__all__ = [
    "RegexError",
    "escape",
    "literal_text",
    "parse_regex",
    "render_are",
    "render_re2",
    "required_word",
    "required_words",
]
