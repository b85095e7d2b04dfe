"""The line of a record, as Loki's clients see it, and the function that looks in it.

A record has no raw text in the store. Its line is its message; a request without a message is a line of the combined
log format in UTC; any other record is its attributes as JSON.
"""

from collections.abc import Sequence
from typing import Final

from puppylog.model.expression.term import Dialect, Term, TermError, Type, compose, quote
from puppylog.model.regex import RegexError, parse_regex, render_are, render_re2
from puppylog.model.regex.tree import Characters, Regex
from puppylog.model.regex.tree import Sequence as Parts

_REQUEST: Final = (
    "CONCAT(COALESCE(host, '-'), ' ', COALESCE(ident, '-'), ' ', COALESCE(ruser, '-'), ' [', {time}, ' +0000] \"', "
    "CONCAT_WS(' ', request_method, request_route, request_proto), '\" ', COALESCE(CAST(status_code AS TEXT), '-'), "
    "' ', COALESCE(CAST(response_bytes AS TEXT), '-'), CASE WHEN COALESCE(referer, user_agent) IS NOT NULL THEN "
    "CONCAT(' \"', COALESCE(referer, '-'), '\" \"', COALESCE(user_agent, '-'), '\"') END)"
)
_LINE: Final = (
    "COALESCE(message, CASE WHEN COALESCE(request_method, CAST(status_code AS TEXT)) IS NOT NULL THEN {request} END, "
    "CAST(attributes AS TEXT), '')"
)
_TIMES: Final[dict[Dialect, str]] = {
    "duckdb": "STRFTIME(ts AT TIME ZONE 'UTC', '%d/%b/%Y:%H:%M:%S')",
    "postgres": "TO_CHAR(ts AT TIME ZONE 'UTC', 'DD/Mon/YYYY:HH24:MI:SS')",
}


def line_sql(dialect: Dialect) -> str:
    """Return the SQL of the line of a record. It is never null."""
    return _LINE.format(request=_REQUEST.format(time=_TIMES[dialect]))


def line_like(arguments: Sequence[Term]) -> Term:
    """Return whether the line of the record matches: ``line_like('pattern')``."""
    [pattern] = arguments
    if not isinstance(pattern.literal, str):
        raise TermError("a regular expression must be a string literal", 0)
    try:
        tree = parse_regex(pattern.literal)
    except RegexError as error:
        raise TermError(f"in the regular expression, {error.cause}", 0) from None
    text = _only_text(tree)
    if text is not None:
        wanted = Term(Type.TEXT, pattern.canonical, quote(text), quote(text))
        templates = ("CONTAINS({line}, {wanted})", '(STRPOS({line} COLLATE "C", {wanted}) > 0)')
    else:
        wanted = Term(Type.TEXT, pattern.canonical, quote(render_re2(tree)), quote(render_are(tree)))
        templates = ("REGEXP_MATCHES({line}, {wanted})", '(({line} COLLATE "C") ~ {wanted})')
    duckdb, postgres = (
        template.format(line=_escape(line_sql(dialect)), wanted="{0}")
        for template, dialect in zip(templates, _DIALECTS, strict=True)
    )
    return compose(Type.BOOLEAN, "LINE_LIKE({0})", wanted, duckdb=duckdb, postgres=postgres)


_DIALECTS: Final[tuple[Dialect, Dialect]] = ("duckdb", "postgres")


def _escape(sql: str) -> str:
    return sql.replace("{", "{{").replace("}", "}}")


def _only_text(tree: Regex) -> str | None:
    """Return the only text that the expression matches; None if it matches several. A store finds a text faster."""
    parts = tree.parts if isinstance(tree, Parts) else (tree,)
    characters = [part.ranges[0][0] for part in parts if isinstance(part, Characters) and _is_one(part)]
    return "".join(map(chr, characters)) if characters and len(characters) == len(parts) else None


def _is_one(characters: Characters) -> bool:
    return len(characters.ranges) == 1 and characters.ranges[0][0] == characters.ranges[0][1]
